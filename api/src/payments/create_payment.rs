//! createPayment: an attempt to pay what a registration still owes.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{CallFailed, accounts, check, returning, settle};
use crate::{
    checkout::{Money, check_key, invalid, keyed, org_of_registration, reader},
    fault::Fault,
    outcome::{self, Refusals},
    verbs::{Call, Done, Handle},
};

/// The verb.
pub struct CreatePayment;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    registration_id: Uuid,
    #[serde(default)]
    payment_account_id: Option<Uuid>,
    #[serde(default)]
    amount: Option<Money>,
    #[serde(default)]
    return_url: Option<String>,
    idempotency_key: String,
}

const REFUSALS: Refusals = &[
    (
        "registration_not_found",
        "REGISTRATION_NOT_FOUND",
        "there is no such registration",
        &["registrationId"],
    ),
    (
        "registration_expired",
        "REGISTRATION_EXPIRED",
        "the time to pay has run out and its places are free again",
        &["registrationId"],
    ),
    (
        "not_payable",
        "NOT_PAYABLE",
        "it is to be confirmed or approved first, or it is over",
        &["registrationId"],
    ),
    (
        "nothing_due",
        "NOTHING_DUE",
        "nothing is left to be paid",
        &["registrationId"],
    ),
    (
        "no_payment_account",
        "NO_PAYMENT_ACCOUNT",
        "the organizer takes no payments by such an account",
        &["paymentAccountId"],
    ),
    (
        "return_not_allowed",
        "RETURN_URL_NOT_ALLOWED",
        "the account sends nobody there (PaymentAccount.returnOrigins)",
        &["returnUrl"],
    ),
    (
        "too_many_payments",
        "TOO_MANY_PAYMENTS",
        "so many payments of it are open; finish one of them",
        &["registrationId"],
    ),
];

#[async_trait]
impl Handle for CreatePayment {
    type Input = Input;

    fn describe() -> Verb {
        let id = |name: &str| InputType::Scalar(Scalar::Id(name.to_owned()));
        Verb::new(
            "createPayment",
            "Starts to pay what a registration still owes, or a part of it. The payment says where the buyer pays \
             (`checkoutUrl`); when the money is there, the registration is confirmed with its tickets. A provider that \
             does not answer leaves the payment `CREATED`: repeat the call with the same key.",
        )
        .takes(
            "registrationId",
            id("Registration"),
            "The registration; guests open it with the header `X-Guest-Secret`.",
        )
        .may_take(
            "paymentAccountId",
            id("PaymentAccount"),
            "The account that the money goes to; the organizer's oldest when left out.",
        )
        .may_take(
            "amount",
            InputType::Money,
            "How much, at most what is due; all of it when left out.",
        )
        .may_take(
            "returnUrl",
            InputType::Scalar(Scalar::String),
            "Where the buyer goes afterwards: an address of at most 2000 characters at one of the account's \
             `returnOrigins`, or at this server.",
        )
        .idempotent()
        .gives("payment", PayloadType::Entity("Payment".to_owned()), "The payment.")
        .fails("REGISTRATION_NOT_FOUND", "There is no such registration for the caller.")
        .fails("REGISTRATION_EXPIRED", "The time to pay has run out.")
        .fails("NOT_PAYABLE", "It is to be confirmed or approved first, or it is over.")
        .fails("NOTHING_DUE", "Nothing is left to be paid.")
        .fails("NO_PAYMENT_ACCOUNT", "The organizer takes no payments by such an account.")
        .fails("RETURN_URL_NOT_ALLOWED", "The account sends nobody to that address.")
        .fails("TOO_MANY_PAYMENTS", "Ten payments of it are open.")
        .fails("INVALID", "A value cannot be accepted.")
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        check_key(&input.idempotency_key)?;
        let back = match input.return_url.as_deref().map(returning::read) {
            Some(None) => {
                let sentence =
                    "an address begins with https:// or http:// and has at most 2000 characters";
                return Ok(Outcome::refused("INVALID", sentence, &["returnUrl"]).into());
            }
            back => back.flatten(),
        };
        // Where it was placed just now is known; whether the caller may is asked by the function. A visitor without a secret is
        // nobody to ask for.
        let somebody = call.actor.user_id().is_some() || !call.actor.guest.secret_hashes.is_empty();
        let memory = &call.app.counter.memory;
        let held = memory.hold(input.registration_id).filter(|_| somebody);
        let org_id = match &held {
            Some(held) => Some(held.org_id),
            None => org_of_registration(call, input.registration_id).await?,
        };
        let Some(org_id) = org_id else {
            let answer = json!({ "outcome": "registration_not_found" });
            return Ok(outcome::refusal(&answer, REFUSALS)?.into());
        };
        let arguments = json!({
            "registration_id": input.registration_id, "account_id": input.payment_account_id,
            "amount_minor": input.amount.as_ref().map(|amount| amount.minor_units),
            "currency": input.amount.as_ref().map(|amount| &amount.currency_code),
            "return_url": back.as_ref().map(|back| &back.url),
            "return_origin": back.as_ref().map(|back| &back.origin),
            "return_home": back.is_some_and(|back| {
                returning::is_home(&back.origin, &call.app.posture.public_url)
            }),
        });
        let request = keyed(arguments, &input.idempotency_key);
        let answer = outcome::decide(call, org_id, "start_payment", &request).await?;
        let outcome = match outcome::word(&answer) {
            "started" => {
                let id = outcome::key(&answer, "payment_id")?;
                if let Some(held) = held {
                    call.app.payments.started.keep(id, held);
                }
                open(call, org_id, id).await?;
                Outcome::new().entity("payment", id)
            }
            "invalid" => invalid(&answer),
            _ => outcome::refusal(&answer, REFUSALS)?,
        };
        Ok(Done {
            outcome,
            read_as: Some(reader(call, org_id)),
        })
    }
}

/// Tells the provider of a payment that it has not been told of yet. The row is committed; no transaction is open.
async fn open(call: Call<'_>, org_id: Uuid, id: Uuid) -> Result<(), Fault> {
    let app = call.app;
    let Some(payment) = check::known(app, org_id, id).await? else {
        return Err(Fault::Internal(format!("no payment {id}")));
    };
    if payment.status != "created" {
        return Ok(());
    }
    let (account, provider) = accounts::of_ours(app, payment.account_id).await?;
    let order = payment.order();
    let opened = app
        .payments
        .call(provider.create(app, &account, &order))
        .await;
    let (function, request) = match opened {
        Ok(opened) => (
            "payment_opened",
            json!({
                "payment_id": id, "provider_reference": opened.provider_reference, "checkout_url": opened.checkout_url,
                "instructions": opened.instructions, "due_at": opened.due_at,
            }),
        ),
        Err(CallFailed::Refused(word)) => (
            "settle_payment",
            json!({ "payment_id": id, "status": "failed", "failure": word }),
        ),
        Err(CallFailed::Misconfigured(word)) => {
            tracing::warn!(account = %account.id, word, "a payment provider does not accept an account's keys");
            let failure = "account_misconfigured";
            let request = json!({ "payment_id": id, "status": "failed", "failure": failure });
            ("settle_payment", request)
        }
        Err(CallFailed::Unknown(reason)) => {
            tracing::warn!(payment = %id, reason, "a provider gave no answer to a new payment");
            return Ok(());
        }
    };
    settle::decide(app, org_id, function, &request).await?;
    Ok(())
}
