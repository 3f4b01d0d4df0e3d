//! markRefundSent: money went back by hand, and somebody says so.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::{
    checkout::{check_key, keyed},
    fault::Fault,
    outcome::{self, Refusals},
    verbs::{Call, Done, Handle},
};

/// The verb.
pub struct MarkRefundSent;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    refund_id: Uuid,
    idempotency_key: String,
}

const REFUSALS: Refusals = &[
    (
        "refund_not_found",
        "REFUND_NOT_FOUND",
        "there is no such refund",
        &["refundId"],
    ),
    (
        "not_by_hand",
        "NOT_BY_HAND",
        "its provider sends the money",
        &["refundId"],
    ),
    (
        "refund_over",
        "REFUND_OVER",
        "the refund has ended",
        &["refundId"],
    ),
];

#[async_trait]
impl Handle for MarkRefundSent {
    type Input = Input;

    fn describe() -> Verb {
        Verb::new(
            "markRefundSent",
            "Says that the money of a refund was sent to the buyer by bank transfer or in cash. That ends the refund.",
        )
        .takes(
            "refundId",
            InputType::Scalar(Scalar::Id("Refund".to_owned())),
            "The refund, of a payment by an account of the provider `offline`.",
        )
        .idempotent()
        .gives("refund", PayloadType::Entity("Refund".to_owned()), "The refund.")
        .gives("payment", PayloadType::Entity("Payment".to_owned()), "Its payment.")
        .fails("REFUND_NOT_FOUND", "There is no such refund.")
        .fails("NOT_BY_HAND", "Its provider sends the money.")
        .fails("REFUND_OVER", "The refund has ended.")
        .scope("payments:write")
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        check_key(&input.idempotency_key)?;
        let arguments = json!({ "refund_id": input.refund_id });
        let request = keyed(arguments, &input.idempotency_key);
        let answer = outcome::decide_own(call, "mark_refund_sent", &request).await?;
        Ok(match outcome::word(&answer) {
            "sent" => Outcome::new()
                .entity("refund", outcome::key(&answer, "refund_id")?)
                .entity("payment", outcome::key(&answer, "payment_id")?),
            _ => outcome::refusal(&answer, REFUSALS)?,
        }
        .into())
    }
}
