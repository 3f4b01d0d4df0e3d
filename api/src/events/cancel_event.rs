//! cancelEvent: sales stop at once, registrations are cancelled by a job.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::status::{REFUSALS, describe};
use crate::{
    checkout::{Money, invalid},
    fault::Fault,
    outcome,
    verbs::{Call, Done, Handle},
};

/// The verb.
pub struct CancelEvent;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    event_id: Uuid,
    #[serde(default)]
    kept_fixed: Option<Money>,
    #[serde(default)]
    kept_per_ticket: Option<Money>,
    #[serde(default)]
    kept_rate_millionths: Option<i32>,
}

#[async_trait]
impl Handle for CancelEvent {
    type Input = Input;

    fn describe() -> Verb {
        describe(
            "cancelEvent",
            "Calls a published event off: sales stop first, then every live registration is cancelled, one by one, and what \
             was paid goes back but for what is kept. `EventCancellation` says how far that is. Repeated, it goes on where it \
             was given up.",
        )
        .may_take(
            "keptFixed",
            InputType::Money,
            "What is kept of each paid registration; nothing when left out.",
        )
        .may_take(
            "keptPerTicket",
            InputType::Money,
            "What is kept of each of its places beyond that.",
        )
        .may_take(
            "keptRateMillionths",
            InputType::Scalar(Scalar::Int),
            "The share of its total that is kept beyond that, in millionths. Never more is kept than was paid.",
        )
        .fails("INVALID", "A value cannot be accepted.")
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        let kept = [&input.kept_fixed, &input.kept_per_ticket];
        let mut currencies = kept.into_iter().flatten().map(|kept| &kept.currency_code);
        let currency = currencies.next();
        if currencies.any(|other| Some(other) != currency) {
            let sentence = "all amounts are in the event's currency";
            return Ok(Outcome::refused("INVALID", sentence, &["keptPerTicket"]).into());
        }
        let minor = |kept: &Option<Money>| kept.as_ref().map(|kept| kept.minor_units);
        let request = json!({
            "event_id": input.event_id, "currency": currency, "kept_fixed_minor": minor(&input.kept_fixed),
            "kept_per_ticket_minor": minor(&input.kept_per_ticket), "kept_rate_millionths": input.kept_rate_millionths,
        });
        let answer = outcome::decide_own(call, "cancel_event", &request).await?;
        call.app.jobs.wake();
        Ok(match outcome::word(&answer) {
            "changed" | "unchanged" => Outcome::new().entity("event", input.event_id),
            "invalid" => invalid(&answer),
            _ => outcome::refusal(&answer, REFUSALS)?,
        }
        .into())
    }
}
