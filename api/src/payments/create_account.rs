//! createPaymentAccount: where money of buyers goes from now on.

use std::collections::BTreeMap;

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{Capabilities, accounts};
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
             what happens at `/webhooks/{provider}/{id}`, the id being the last part of `webhookUrl`.",
        )
        .takes(
            "provider",
            InputType::Scalar(Scalar::String),
            "The provider: `sandbox`, which is part of this program and takes test money, where it is switched on.",
        )
        .takes(
            "name",
            InputType::Scalar(Scalar::String),
            "Name for members, 1 to 100 characters.",
        )
        .may_take(
            "credentials",
            InputType::Objects("PaymentCredentialInput".to_owned()),
            "Its keys at the provider. The sandbox has `webhook_secret`, at least 16 characters, which is made where none is \
             given.",
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
        .fails("CREDENTIALS_INVALID", "A key is missing, unknown or too short.")
        .fails("NAME_TAKEN", "Another account has this name.")
        .fails("INVALID", "A value cannot be accepted.")
        .scope("payment_accounts:write")
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        let payments = &call.app.payments;
        let provider = payments
            .provider(&input.provider)
            .map(|provider| provider.capabilities())
            .filter(|provider| !provider.test || payments.sandbox);
        let Some(provider) = provider else {
            let sentence = "there is no such provider here";
            return Ok(Outcome::refused("PROVIDER_UNKNOWN", sentence, &["provider"]).into());
        };
        let credentials = match credentials(provider, input.credentials.unwrap_or_default()) {
            Ok(credentials) => credentials,
            Err(sentence) => {
                let field = &["credentials"];
                return Ok(Outcome::refused("CREDENTIALS_INVALID", &sentence, field).into());
            }
        };
        let id = Uuid::now_v7();
        let request = json!({
            "account_id": id, "provider": provider.name, "name": input.name,
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

/// Where the provider sends its webhooks for that account.
pub(super) fn webhook_url(public_url: &str, provider: &Capabilities, id: Uuid) -> String {
    format!("{public_url}/webhooks/{}/{id}", provider.name)
}

/// The keys of an account, or what is wrong with them.
pub(super) fn credentials(
    provider: &Capabilities,
    given: Vec<Given>,
) -> Result<BTreeMap<String, String>, String> {
    let mut out: BTreeMap<String, String> = BTreeMap::new();
    for one in given {
        if !provider
            .credentials
            .iter()
            .any(|known| known.name == one.credential)
        {
            return Err("the provider has no key of that name".to_owned());
        }
        out.insert(one.credential, one.value);
    }
    for wanted in provider.credentials {
        if wanted.made && !out.contains_key(wanted.name) {
            let mut bytes = [0u8; 32];
            aws_lc_rs::rand::fill(&mut bytes).map_err(|_| "no randomness".to_owned())?;
            out.insert(wanted.name.to_owned(), URL_SAFE_NO_PAD.encode(bytes));
        }
        let length = out
            .get(wanted.name)
            .map_or(0, |value| value.chars().count());
        if !(wanted.least..=500).contains(&length) {
            return Err(format!(
                "`{}` has {} to 500 characters",
                wanted.name, wanted.least
            ));
        }
    }
    Ok(out)
}
