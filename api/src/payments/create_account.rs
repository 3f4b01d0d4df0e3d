//! createPaymentAccount: where money of buyers goes from now on.

use std::collections::BTreeMap;

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{Absent, Capabilities, Credential, Mode, accounts, all, returning};
use crate::{
    fault::Fault,
    outcome::{self, Refusals},
    verbs::{Call, Done, Handle},
};

/// The verb.
pub struct CreatePaymentAccount;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    provider: String,
    name: String,
    #[serde(default)]
    credentials: Option<Vec<Given>>,
    #[serde(default)]
    return_origins: Option<Vec<String>>,
}

/// One key, as it was said. Never printed.
#[derive(Deserialize)]
pub struct Given {
    credential: String,
    value: String,
}

impl std::fmt::Debug for Given {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Given({})", self.credential)
    }
}

pub(super) const REFUSALS: Refusals = &[
    (
        "payment_account_not_found",
        "PAYMENT_ACCOUNT_NOT_FOUND",
        "there is no such account",
        &["paymentAccountId"],
    ),
    (
        "name_taken",
        "NAME_TAKEN",
        "another account has this name",
        &["name"],
    ),
    (
        "mode_fixed",
        "MODE_FIXED",
        "payments were made by this account; open another one for the other kind of money",
        &["credentials"],
    ),
    (
        "invalid",
        "INVALID",
        "a value cannot be accepted",
        &["name"],
    ),
];

#[async_trait]
impl Handle for CreatePaymentAccount {
    type Input = Input;

    fn describe() -> Verb {
        Verb::new(
            "createPaymentAccount",
            "Adds an account at a payment provider. Its keys are kept encrypted and never shown again. The provider tells \
             what happens at `webhookUrl`. Keys for test money and keys for real money are told apart by their form.",
        )
        .takes(
            "provider",
            InputType::Scalar(Scalar::String),
            &providers(),
        )
        .takes(
            "name",
            InputType::Scalar(Scalar::String),
            "Name for members, 1 to 100 characters.",
        )
        .may_take(
            "credentials",
            InputType::Objects("PaymentCredentialInput".to_owned()),
            &keys(),
        )
        .may_take(
            "returnOrigins",
            InputType::List(Scalar::String),
            RETURN_ORIGINS,
        )
        .gives(
            "paymentAccount",
            PayloadType::Entity("PaymentAccount".to_owned()),
            "The account.",
        )
        .gives(
            "webhookUrl",
            PayloadType::Scalar(Scalar::String),
            "Where the provider is to send its webhooks.",
        )
        .fails("PROVIDER_UNKNOWN", "There is no such provider here.")
        .fails("CREDENTIALS_INVALID", "A key is missing, unknown, or not of the provider's form.")
        .fails("NAME_TAKEN", "Another account has this name.")
        .fails("INVALID", "A value cannot be accepted.")
        .scope("payment_accounts:write")
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        let payments = &call.app.payments;
        let provider = payments
            .provider(&input.provider)
            .map(|provider| provider.capabilities())
            .filter(|provider| payments.sandbox || !matches!(provider.mode, Mode::Test));
        let Some(provider) = provider else {
            let sentence = "there is no such provider here";
            return Ok(Outcome::refused("PROVIDER_UNKNOWN", sentence, &["provider"]).into());
        };
        let given = input.credentials.unwrap_or_default();
        let credentials = match credentials(provider, BTreeMap::new(), given) {
            Ok(credentials) => credentials,
            Err(sentence) => {
                let field = &["credentials"];
                return Ok(Outcome::refused("CREDENTIALS_INVALID", &sentence, field).into());
            }
        };
        let origins = match origins(input.return_origins.as_deref()) {
            Ok(origins) => origins,
            Err(refused) => return Ok((*refused).into()),
        };
        let id = Uuid::now_v7();
        let request = json!({
            "account_id": id, "provider": provider.name, "name": input.name, "return_origins": origins,
            "live": provider.is_live(&credentials),
            "sealed": accounts::seal(call.app, id, &credentials)?,
        });
        let answer = outcome::decide_own(call, "create_payment_account", &request).await?;
        Ok(match outcome::word(&answer) {
            "created" => Outcome::new().entity("paymentAccount", id).value(
                "webhookUrl",
                webhook_url(&call.app.posture.public_url, provider, id),
            ),
            _ => outcome::refusal(&answer, REFUSALS)?,
        }
        .into())
    }
}

pub(super) const RETURN_ORIGINS: &str = "Where buyers may be sent after they paid, at most 20: `https://` with a host, and a port where it is not \
     the usual one; `http://` on this machine only.";

/// Origins as they are kept, each once; absent when nothing was said.
pub(super) fn origins(given: Option<&[String]>) -> Result<Option<Vec<String>>, Box<Outcome>> {
    let Some(given) = given else {
        return Ok(None);
    };
    let mut out = vec![];
    for (index, text) in given.iter().enumerate() {
        match returning::origin(text) {
            Some(origin) if out.contains(&origin) => {}
            Some(origin) => out.push(origin),
            None => {
                let sentence = "an origin is https:// and a host, with nothing behind it";
                let field = ["returnOrigins", &index.to_string()];
                return Err(Box::new(Outcome::refused("INVALID", sentence, &field)));
            }
        }
    }
    match out.len() {
        ..=20 => Ok(Some(out)),
        _ => {
            let sentence = "at most 20 origins";
            Err(Box::new(Outcome::refused(
                "INVALID",
                sentence,
                &["returnOrigins"],
            )))
        }
    }
}

/// Where the provider sends its webhooks for that account.
pub(super) fn webhook_url(public_url: &str, provider: &Capabilities, id: Uuid) -> String {
    format!("{public_url}/webhooks/{}/{id}", provider.name)
}

/// The keys of an account, or what is wrong with them: those that it had, and those given now.
pub(super) fn credentials(
    provider: &Capabilities,
    had: BTreeMap<String, String>,
    given: Vec<Given>,
) -> Result<BTreeMap<String, String>, String> {
    let mut out = had;
    for one in given {
        if !provider
            .credentials
            .iter()
            .any(|known| known.name == one.credential)
        {
            return Err("the provider has no key of that name".to_owned());
        }
        out.insert(one.credential, one.value.trim().to_owned());
    }
    for wanted in provider.credentials {
        let value = out.get(wanted.name).map_or("", String::as_str);
        match (value.is_empty(), wanted.absent) {
            (true, Absent::Empty) => continue,
            (true, Absent::Made) => {
                let made = random()?;
                out.insert(wanted.name.to_owned(), made);
            }
            _ => fits(wanted, value)?,
        }
    }
    Ok(out)
}

fn fits(wanted: &Credential, value: &str) -> Result<(), String> {
    let name = wanted.name;
    if !(wanted.least..=wanted.most).contains(&value.chars().count()) {
        return Err(format!(
            "`{name}` has {} to {} characters",
            wanted.least, wanted.most
        ));
    }
    let begins = wanted.begins;
    if !begins.is_empty() && !begins.iter().any(|begin| value.starts_with(begin)) {
        return Err(format!("`{name}` begins with {}", begins.join(" or ")));
    }
    if !(wanted.accepts)(value) {
        return Err(format!("`{name}` is {}", wanted.means));
    }
    Ok(())
}

fn random() -> Result<String, String> {
    let mut bytes = [0u8; 32];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| "no randomness".to_owned())?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// What can be said as `provider`, for whoever reads the schema.
fn providers() -> String {
    let lines: Vec<String> = all()
        .iter()
        .map(|provider| provider.capabilities())
        .map(|provider| format!("`{}` ({})", provider.name, provider.means))
        .collect();
    format!("The provider: {}.", lines.join(", "))
}

/// What can be said as `credentials`.
pub(super) fn keys() -> String {
    let of = |key: &Credential| {
        let may = match key.absent {
            Absent::Refused => "",
            Absent::Empty => ", may come later",
            Absent::Made => ", made where none is given",
        };
        format!("`{}` ({}{may})", key.name, key.means)
    };
    let lines: Vec<String> = all()
        .iter()
        .map(|provider| provider.capabilities())
        .map(|provider| {
            let keys: Vec<String> = provider.credentials.iter().map(of).collect();
            format!("`{}` has {}", provider.name, keys.join(", "))
        })
        .collect();
    format!("Its keys at the provider. {}.", lines.join("; "))
}
