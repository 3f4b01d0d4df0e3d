//! markPaymentReceived: money came in by hand, and somebody says so.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    accounts, check,
    settle::{self, From},
};
use crate::{
    checkout::{Money, check_key, invalid, keyed},
    fault::Fault,
    outcome::{self, Refusals},
    verbs::{Call, Done, Handle},
};

/// The verb.
pub struct MarkPaymentReceived;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    payment_id: Uuid,
    #[serde(default)]
    amount: Option<Money>,
    idempotency_key: String,
}

const REFUSALS: Refusals = &[
    (
        "payment_not_found",
        "PAYMENT_NOT_FOUND",
        "there is no such payment",
        &["paymentId"],
    ),
    (
        "not_by_hand",
        "NOT_BY_HAND",
        "its provider tells what came in",
        &["paymentId"],
    ),
    (
        "already_received",
        "ALREADY_RECEIVED",
        "it was marked as received before",
        &["paymentId"],
    ),
];

#[async_trait]
impl Handle for MarkPaymentReceived {
    type Input = Input;

    fn describe() -> Verb {
        Verb::new(
            "markPaymentReceived",
            "Says that the money of a payment came in by bank transfer or in cash. It is booked, and the registration is \
             confirmed with its tickets when nothing more is due. Money that comes too late is treated as that of any \
             provider.",
        )
        .takes(
            "paymentId",
            InputType::Scalar(Scalar::Id("Payment".to_owned())),
            "The payment, by an account of the provider `offline`.",
        )
        .may_take(
            "amount",
            InputType::Money,
            "What came in; what was asked for when left out.",
        )
        .idempotent()
        .gives("payment", PayloadType::Entity("Payment".to_owned()), "The payment.")
        .fails("PAYMENT_NOT_FOUND", "There is no such payment.")
        .fails("NOT_BY_HAND", "Its provider tells what came in.")
        .fails("ALREADY_RECEIVED", "It was marked as received before.")
        .fails("INVALID", "A value cannot be accepted.")
        .scope("payments:write")
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        check_key(&input.idempotency_key)?;
        let app = call.app;
        let org_id = outcome::own_org(call)?;
        let arguments = json!({
            "payment_id": input.payment_id,
            "amount_minor": input.amount.as_ref().map(|amount| amount.minor_units),
            "currency": input.amount.as_ref().map(|amount| &amount.currency_code),
        });
        let request = keyed(arguments, &input.idempotency_key);
        let answer = outcome::decide_own(call, "receive_payment", &request).await?;
        Ok(match outcome::word(&answer) {
            "received" => {
                let id = outcome::key(&answer, "payment_id")?;
                book(app, org_id, id).await?;
                Outcome::new().entity("payment", id)
            }
            "invalid" => invalid(&answer),
            _ => outcome::refusal(&answer, REFUSALS)?,
        }
        .into())
    }
}

/// Takes over what was noted, as what a provider says. Who is interrupted here is followed by the clock.
async fn book(app: &crate::state::App, org_id: Uuid, id: Uuid) -> Result<(), Fault> {
    let Some(payment) = check::known(app, org_id, id).await? else {
        return Ok(());
    };
    let (account, provider) = accounts::of_ours(app, payment.account_id).await?;
    let order = payment.order();
    match provider.fetch(app, &account, &order).await {
        Ok(Some(fact)) => {
            let from = From {
                account_id: Some(account.id),
                asked: true,
                inbox_id: None,
            };
            settle::payment(app, org_id, &fact, from).await?;
        }
        Ok(None) => {}
        Err(failed) => tracing::warn!(payment = %id, %failed, "what came in is booked later"),
    }
    Ok(())
}
