//! updatePaymentAccount: another name, other keys, or no more payments by it.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    accounts,
    create_account::{Given, REFUSALS, credentials, keys},
};
use crate::{
    fault::Fault,
    outcome,
    verbs::{Call, Done, Handle},
};

/// The verb.
pub struct UpdatePaymentAccount;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    payment_account_id: Uuid,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    active: Option<bool>,
    #[serde(default)]
    credentials: Option<Vec<Given>>,
}

#[async_trait]
impl Handle for UpdatePaymentAccount {
    type Input = Input;

    fn describe() -> Verb {
        Verb::new(
            "updatePaymentAccount",
            "Changes an account at a payment provider. What is left out stays as it is.",
        )
        .takes(
            "paymentAccountId",
            InputType::Scalar(Scalar::Id("PaymentAccount".to_owned())),
            "The account.",
        )
        .may_take(
            "name",
            InputType::Scalar(Scalar::String),
            "Name for members, 1 to 100 characters.",
        )
        .may_take(
            "active",
            InputType::Scalar(Scalar::Boolean),
            "Whether buyers can pay by it. What was paid by it before is refunded by it all the same.",
        )
        .may_take(
            "credentials",
            InputType::Objects("PaymentCredentialInput".to_owned()),
            &format!("Keys that are to change; others stay. {}", keys()),
        )
        .gives(
            "paymentAccount",
            PayloadType::Entity("PaymentAccount".to_owned()),
            "The account.",
        )
        .fails("PAYMENT_ACCOUNT_NOT_FOUND", "There is no such account.")
        .fails("CREDENTIALS_INVALID", "A key is missing, unknown, or not of the provider's form.")
        .fails("NAME_TAKEN", "Another account has this name.")
        .fails("INVALID", "A value cannot be accepted.")
        .scope("payment_accounts:write")
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        let id = input.payment_account_id;
        let mut request = json!({ "account_id": id, "name": input.name, "active": input.active });
        if let Some(given) = input.credentials {
            let own = call.actor.org_id();
            let found = accounts::find(call.app, id).await?;
            // Somebody else's is as good as none.
            let Some((account, provider)) =
                found.filter(|(account, _)| Some(account.org_id) == own)
            else {
                let answer = json!({ "outcome": "payment_account_not_found" });
                return Ok(outcome::refusal(&answer, REFUSALS)?.into());
            };
            let provider = provider.capabilities();
            match credentials(provider, account.credentials, given) {
                Ok(credentials) => {
                    request["live"] = json!(provider.is_live(&credentials));
                    request["sealed"] = json!(accounts::seal(call.app, id, &credentials)?);
                }
                Err(sentence) => {
                    let field = &["credentials"];
                    return Ok(Outcome::refused("CREDENTIALS_INVALID", &sentence, field).into());
                }
            }
        }
        let answer = outcome::decide_own(call, "update_payment_account", &request).await?;
        Ok(match outcome::word(&answer) {
            "updated" => Outcome::new().entity("paymentAccount", id),
            _ => outcome::refusal(&answer, REFUSALS)?,
        }
        .into())
    }
}
