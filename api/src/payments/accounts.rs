//! Accounts with their keys: sealed where they are kept, and opened for some seconds where they are used: a sale asks for its
//! account four times.

use std::{collections::BTreeMap, sync::Arc};

use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::Provider;
use crate::{
    believed::Believed,
    fault::Fault,
    state::App,
    tenancy::SystemReason,
    vault::{Purpose, hex, unhex},
};

/// An account at a provider, with its keys. Never printed.
#[derive(Clone)]
pub struct Account {
    /// Its organization.
    pub org_id: Uuid,
    /// Its key.
    pub id: Uuid,
    /// Whether it moves real money.
    pub live: bool,
    /// Its keys at the provider, by name.
    pub credentials: BTreeMap<String, String>,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Account({})", self.id)
    }
}

impl Account {
    /// One of its keys; empty when it has none of that name, and nothing is signed with an empty key.
    pub fn credential(&self, name: &str) -> &str {
        self.credentials.get(name).map_or("", String::as_str)
    }
}

/// Accounts that were used just now. A key that is changed here is used from then on; elsewhere after the five seconds for
/// which what was read is believed: a webhook that was signed with the new one before is sent again. Whether buyers may pay by
/// an account is not asked here but where a payment is started, each time anew.
pub(super) type Opened = Believed<Uuid, (Account, Arc<dyn Provider>)>;

#[derive(Deserialize)]
struct Kept {
    org_id: Uuid,
    provider: String,
    sealed: String,
}

/// The account with that key, whosever it is, and its provider; `None` when there is none.
pub(super) async fn find(
    app: &App,
    account_id: Uuid,
) -> Result<Option<(Account, Arc<dyn Provider>)>, Fault> {
    let opened = &app.payments.opened;
    if let Some(known) = opened.get(&account_id) {
        return Ok(Some(known));
    }
    let reading = opened.reading();
    let found = look_up(app, account_id).await?;
    if let Some(found) = &found {
        opened.keep(reading, account_id, found.clone());
    }
    Ok(found)
}

/// The same as it is in this moment.
pub(super) async fn look_up(
    app: &App,
    account_id: Uuid,
) -> Result<Option<(Account, Arc<dyn Provider>)>, Fault> {
    let request = json!({ "account_id": account_id });
    let kept = app
        .door
        .decide_as_system(SystemReason::Payments, "payment_account_of", &request)
        .await?;
    if kept.is_null() {
        return Ok(None);
    }
    let kept: Kept = serde_json::from_value(kept).map_err(Fault::internal)?;
    let Some(provider) = app.payments.provider(&kept.provider) else {
        return Ok(None);
    };
    let sealed = unhex(&kept.sealed).unwrap_or_default();
    let plain = app
        .vault
        .open(Purpose::ProviderKeys, &account_id.to_string(), &sealed)
        .map_err(Fault::internal)?;
    let credentials = serde_json::from_slice(&plain).map_err(Fault::internal)?;
    let account = Account {
        org_id: kept.org_id,
        id: account_id,
        live: provider.capabilities().is_live(&credentials),
        credentials,
    };
    Ok(Some((account, provider.clone())))
}

/// The same for an account that a row of ours names.
pub(super) async fn of_ours(
    app: &App,
    account_id: Uuid,
) -> Result<(Account, Arc<dyn Provider>), Fault> {
    find(app, account_id)
        .await?
        .ok_or_else(|| Fault::Internal(format!("no provider for the account {account_id}")))
}

/// Keys as they are kept, in hexadecimal; only for the row with that key.
pub(super) fn seal(
    app: &App,
    account_id: Uuid,
    credentials: &BTreeMap<String, String>,
) -> Result<String, Fault> {
    let plain = serde_json::to_vec(credentials).map_err(Fault::internal)?;
    let sealed = app
        .vault
        .seal(Purpose::ProviderKeys, &account_id.to_string(), &plain)
        .map_err(Fault::internal)?;
    Ok(hex(&sealed))
}
