//! refundPayment: money of a payment goes back to the buyer.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::{
    checkout::{Money, check_key, invalid, keyed},
    fault::Fault,
    outcome::{self, Refusals},
    verbs::{Call, Done, Handle},
};

/// The verb.
pub struct RefundPayment;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    payment_id: Uuid,
    #[serde(default)]
    amount: Option<Money>,
    #[serde(default)]
    reason: Option<String>,
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
        "nothing_to_refund",
        "NOTHING_TO_REFUND",
        "nothing of it is left to be given back",
        &["paymentId"],
    ),
];

#[async_trait]
impl Handle for RefundPayment {
    type Input = Input;

    fn describe() -> Verb {
        Verb::new(
            "refundPayment",
            "Gives the money of a payment back to the buyer, or a part of it. It is promised when this answers and told \
             to the provider right after; the refund's status says how far it is. Tickets stay as they are: cancel \
             the registration for that.",
        )
        .takes(
            "paymentId",
            InputType::Scalar(Scalar::Id("Payment".to_owned())),
            "The payment.",
        )
        .may_take(
            "amount",
            InputType::Money,
            "How much; all that is left of it when left out.",
        )
        .may_take(
            "reason",
            InputType::Scalar(Scalar::String),
            "Why, in words, at most 1000 characters.",
        )
        .idempotent()
        .gives("refund", PayloadType::Entity("Refund".to_owned()), "The refund.")
        .gives("payment", PayloadType::Entity("Payment".to_owned()), "The payment.")
        .fails("PAYMENT_NOT_FOUND", "There is no such payment.")
        .fails("NOTHING_TO_REFUND", "Nothing of it is left to be given back.")
        .fails("INVALID", "A value cannot be accepted.")
        .scope("payments:write")
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        check_key(&input.idempotency_key)?;
        let arguments = json!({
            "payment_id": input.payment_id, "reason": input.reason,
            "amount_minor": input.amount.as_ref().map(|amount| amount.minor_units),
            "currency": input.amount.as_ref().map(|amount| &amount.currency_code),
        });
        let request = keyed(arguments, &input.idempotency_key);
        let answer = outcome::decide_own(call, "request_refund", &request).await?;
        call.app.jobs.wake();
        Ok(match outcome::word(&answer) {
            "requested" => Outcome::new()
                .entity("refund", outcome::key(&answer, "refund_id")?)
                .entity("payment", outcome::key(&answer, "payment_id")?),
            "invalid" => invalid(&answer),
            _ => outcome::refusal(&answer, REFUSALS)?,
        }
        .into())
    }
}
