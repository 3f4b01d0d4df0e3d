//! updatePaymentAccount: another name, other keys, or no more payments by it.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    Absent, Account, CallFailed, PaymentWord, Provider, accounts, check,
    create_account::{Given, REFUSALS, RETURN_ORIGINS, credentials, keys, origins},
    settle,
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
    #[serde(default)]
    return_origins: Option<Vec<String>>,
}

#[async_trait]
impl Handle for UpdatePaymentAccount {
    type Input = Input;

    fn describe() -> Verb {
        Verb::new(
            "updatePaymentAccount",
            "Changes an account at a payment provider. What is left out stays as it is. Keys that open another account at the \
             provider than that by which payments were made are refused: those could be neither found nor refunded any more.",
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
        .fails("PAYMENT_ACCOUNT_NOT_FOUND", "There is no such account.")
        .fails("CREDENTIALS_INVALID", "A key is missing, unknown, or not of the provider's form.")
        .fails("MODE_FIXED", "There are payments by it, and the keys are for the other kind of money.")
        .fails("KEYS_OF_ANOTHER", "The keys do not know the payments that were made by it.")
        .fails("PROVIDER_SILENT", "The provider does not say whether the keys are right; nothing was changed.")
        .fails("NAME_TAKEN", "Another account has this name.")
        .fails("INVALID", "A value cannot be accepted.")
        .scope("payment_accounts:write")
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        let id = input.payment_account_id;
        let origins = match origins(input.return_origins.as_deref()) {
            Ok(origins) => origins,
            Err(refused) => return Ok((*refused).into()),
        };
        let mut request = json!({
            "account_id": id, "name": input.name, "active": input.active, "return_origins": origins,
        });
        if let Some(given) = input.credentials {
            let (live, sealed) = match keys_for(call, id, given).await? {
                Ok(kept) => kept,
                Err(refused) => return Ok((*refused).into()),
            };
            request["live"] = json!(live);
            request["sealed"] = json!(sealed);
        }
        let answer = outcome::decide_own(call, "update_payment_account", &request).await?;
        call.app.payments.opened.forget(&id);
        Ok(match outcome::word(&answer) {
            "updated" => Outcome::new().entity("paymentAccount", id),
            _ => outcome::refusal(&answer, REFUSALS)?,
        }
        .into())
    }
}

/// Whether the money is real by the keys that the account is to have, and these as they are kept; or why not.
async fn keys_for(
    call: Call<'_>,
    id: Uuid,
    given: Vec<Given>,
) -> Result<Result<(bool, String), Box<Outcome>>, Fault> {
    let own = call.actor.org_id();
    let found = accounts::look_up(call.app, id).await?;
    // Somebody else's is as good as none.
    let Some((account, provider)) = found.filter(|(account, _)| Some(account.org_id) == own) else {
        let answer = json!({ "outcome": "payment_account_not_found" });
        return Ok(Err(Box::new(outcome::refusal(&answer, REFUSALS)?)));
    };
    let field = &["credentials"];
    let capabilities = provider.capabilities();
    let credentials = match credentials(capabilities, account.credentials.clone(), given) {
        Ok(credentials) => credentials,
        Err(sentence) => {
            let refused = Outcome::refused("CREDENTIALS_INVALID", &sentence, field);
            return Ok(Err(Box::new(refused)));
        }
    };
    let new = Account {
        live: capabilities.is_live(&credentials),
        credentials,
        ..account.clone()
    };
    // What proves webhooks and may come later opens nothing.
    let opens_anew = capabilities.credentials.iter().any(|key| {
        key.absent == Absent::Refused && new.credential(key.name) != account.credential(key.name)
    });
    if opens_anew && new.live == account.live {
        match knows_its_payments(call, &new, &*provider).await? {
            Ok(true) => {}
            Ok(false) => {
                let sentence = "the keys are of another account at the provider, or not accepted; open another account here";
                let refused = Outcome::refused("KEYS_OF_ANOTHER", sentence, field);
                return Ok(Err(Box::new(refused)));
            }
            Err(reason) => {
                return Ok(Err(Box::new(Outcome::refused(
                    "PROVIDER_SILENT",
                    &reason,
                    field,
                ))));
            }
        }
    }
    let sealed = accounts::seal(call.app, id, &new.credentials)?;
    Ok(Ok((new.live, sealed)))
}

/// Whether these keys find what was paid by the account before, by one payment of it; true when there is none. An error says
/// that the provider did not answer.
async fn knows_its_payments(
    call: Call<'_>,
    account: &Account,
    provider: &dyn Provider,
) -> Result<Result<bool, String>, Fault> {
    let app = call.app;
    let request = json!({ "account_id": account.id });
    let tried = settle::decide(app, account.org_id, "payment_to_try_keys", &request).await?;
    let tried: Option<Uuid> = serde_json::from_value(tried).map_err(Fault::internal)?;
    let Some(tried) = tried else {
        return Ok(Ok(true));
    };
    let Some(payment) = check::known(app, account.org_id, tried).await? else {
        return Ok(Ok(true));
    };
    let order = payment.order();
    let asked = app.payments.call(provider.fetch(app, account, &order));
    Ok(match asked.await {
        // One that came in is known as such; one that is open may be forgotten by now.
        Ok(Some(fact)) => {
            Ok(payment.status != "succeeded" || fact.status == PaymentWord::Succeeded)
        }
        Ok(None) | Err(CallFailed::Refused(_) | CallFailed::Misconfigured(_)) => Ok(false),
        Err(CallFailed::Unknown(reason)) => Err(reason),
    })
}
