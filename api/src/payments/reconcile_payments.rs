//! reconcilePayments: the books held against what the provider says.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::{
    checkout::{check_key, invalid, keyed},
    fault::Fault,
    outcome::{self, Refusals},
    verbs::{Call, Done, Handle},
};

/// The verb.
pub struct ReconcilePayments;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    payment_account_id: Uuid,
    #[serde(default)]
    from: Option<DateTime<Utc>>,
    #[serde(default)]
    to: Option<DateTime<Utc>>,
    idempotency_key: String,
}

const REFUSALS: Refusals = &[(
    "payment_account_not_found",
    "PAYMENT_ACCOUNT_NOT_FOUND",
    "there is no such account",
    &["paymentAccountId"],
)];

#[async_trait]
impl Handle for ReconcilePayments {
    type Input = Input;

    fn describe() -> Verb {
        Verb::new(
            "reconcilePayments",
            "Compares the books with what the provider of an account says moved. The answer is there when the \
             reconciliation is `DONE`; it changes nothing. The program does the same each night for the last three days.",
        )
        .takes(
            "paymentAccountId",
            InputType::Scalar(Scalar::Id("PaymentAccount".to_owned())),
            "The account.",
        )
        .may_take(
            "from",
            InputType::Scalar(Scalar::DateTime),
            "Payments that were begun from then on; three days before the end when left out.",
        )
        .may_take(
            "to",
            InputType::Scalar(Scalar::DateTime),
            "And before then, at most 92 days later; ten minutes ago when left out.",
        )
        .idempotent()
        .gives(
            "reconciliation",
            PayloadType::Entity("Reconciliation".to_owned()),
            "The comparison.",
        )
        .fails("PAYMENT_ACCOUNT_NOT_FOUND", "There is no such account.")
        .fails("INVALID", "A value cannot be accepted.")
        .scope("payments:write")
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        check_key(&input.idempotency_key)?;
        let arguments =
            json!({ "account_id": input.payment_account_id, "from": input.from, "to": input.to });
        let request = keyed(arguments, &input.idempotency_key);
        let answer = outcome::decide_own(call, "start_reconciliation", &request).await?;
        call.app.jobs.wake();
        Ok(match outcome::word(&answer) {
            "started" => Outcome::new().entity(
                "reconciliation",
                outcome::key(&answer, "reconciliation_id")?,
            ),
            "invalid" => invalid(&answer),
            _ => outcome::refusal(&answer, REFUSALS)?,
        }
        .into())
    }
}
