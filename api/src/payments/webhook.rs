//! `/webhooks/{provider}/{account}`: where providers tell what happened. The bytes are verified as they came, with the keys
//! of that account; then stored, once, and answered. What they mean is a job's business.

use std::net::SocketAddr;

use axum::{
    Router,
    body::Bytes,
    extract::{ConnectInfo, Path, State},
    http::{HeaderMap, StatusCode},
    routing::post,
};
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Account, Forged, Proof, accounts, settle};
use crate::{
    fault::Fault,
    http::Problem,
    outcome,
    state::App,
    throttle::{self, Counted, Size},
    vault::hex,
};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/webhooks/{provider}/{account}", post(take))
}

async fn take(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path((provider_name, account)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let from = throttle::client_address(peer.ip(), &headers, &app.posture.trusted_proxies);
    let missing = || Fault::NotFound("there is no such account".to_owned());
    let found = match account.parse::<Uuid>() {
        Ok(id) => accounts::find(&app, id).await?,
        Err(_) => None,
    };
    let found = found.filter(|(_, provider)| provider.capabilities().name == provider_name);
    let Some((account, provider)) = found else {
        count(&app, from).await?;
        return Err(missing().into());
    };
    let doubts = match provider.capabilities().proof {
        Proof::Asked | Proof::Read => Some(doubt(&app, &provider_name, &account, from).await?),
        Proof::Signature | Proof::Silent => None,
    };
    let now = app.clock.now();
    let verified = provider.verify(&app, &account, &headers, &body, now);
    let limit = app.payments.call_limit;
    let late = || {
        Err(Forged::Undecided(
            "the provider did not answer in time".to_owned(),
        ))
    };
    let heard = match tokio::time::timeout(limit, verified)
        .await
        .unwrap_or_else(|_| late())
    {
        Ok(heard) => {
            doubts.into_iter().flatten().for_each(Counted::forgive);
            heard
        }
        // The provider sends it again.
        Err(Forged::Undecided(reason)) => return Err(Fault::Unavailable(reason).into()),
        Err(forged) => {
            refused(&app, &provider_name, account.id, forged);
            if doubts.is_none() {
                count(&app, from).await?;
            }
            return Err(Fault::BadInput("this was not sent by the provider".to_owned()).into());
        }
    };
    let event_key = heard
        .event_key
        .unwrap_or_else(|| format!("sha256:{}", hex(&Sha256::digest(&body))));
    let request = json!({ "account_id": account.id, "event_key": event_key, "body": hex(&body) });
    let answer = settle::decide(&app, account.org_id, "take_payment_event", &request).await?;
    if outcome::word(&answer) == "taken" {
        app.jobs.wake();
    }
    Ok(StatusCode::OK)
}

/// A security event: somebody sends what the provider did not. Nothing of what was sent is repeated.
fn refused(app: &App, provider: &str, account: Uuid, forged: Forged) {
    app.metrics.forged();
    tracing::warn!(
        target: "security",
        provider,
        %account,
        reason = ?forged,
        "a webhook was refused: it was not signed by the provider for this account"
    );
}

const FORGED: &str = "forged-webhook";

/// What one address may send that is refused.
fn of_client(from: std::net::IpAddr) -> (String, Size) {
    let by = format!("client:{}", throttle::client_key(Some(from)));
    (by, Size::one_every(300, 2_000))
}

/// Who sends much that is refused is refused for a while.
async fn count(app: &App, from: std::net::IpAddr) -> Result<(), Fault> {
    let (by, size) = of_client(from);
    app.throttle.count(FORGED, &by, size).await
}

/// The provider is to be asked whether it sent this, and anybody may send something: each question counts against who
/// sent it and against the account until it turns out that the provider did. So however many make things up, the provider
/// is asked no more often than that; what it sends meanwhile it is told to send again, and payments are asked about by
/// the clock.
async fn doubt(
    app: &App,
    provider: &str,
    account: &Account,
    from: std::net::IpAddr,
) -> Result<[Counted; 2], Fault> {
    let (by, size) = of_client(from);
    let client = app.throttle.count_for_now(FORGED, &by, size).await?;
    let by = format!("account:{}", account.id);
    let size = Size::one_every(600, 1_000);
    match app.throttle.count_for_now(FORGED, &by, size).await {
        Ok(account) => Ok([client, account]),
        Err(fault) => {
            client.forgive();
            tracing::warn!(
                target: "security",
                provider,
                account = %account.id,
                "webhooks are not looked at for now: too many of late were not sent by the provider"
            );
            Err(fault)
        }
    }
}
