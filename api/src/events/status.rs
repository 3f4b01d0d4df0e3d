//! The steps of an event's life. One function in SQL knows which step may follow which.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::Value as Json;
use uuid::Uuid;

use crate::{
    fault::Fault,
    outcome::{self, Refusals},
    statements,
    verbs::{Call, Done, Handle},
};

/// What each of these verbs takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    event_id: Uuid,
}

pub(super) const REFUSALS: Refusals = &[
    (
        "event_not_found",
        "EVENT_NOT_FOUND",
        "there is no such event",
        &["eventId"],
    ),
    (
        "illegal_transition",
        "ILLEGAL_TRANSITION",
        "an event in this state cannot take this step",
        &["eventId"],
    ),
    (
        "not_ready",
        "NOT_READY",
        "an event needs a date and an active ticket type before it is published",
        &["eventId"],
    ),
];

pub(super) fn describe(name: &str, description: &str) -> Verb {
    Verb::new(name, description)
        .scope("events:write")
        .takes(
            "eventId",
            InputType::Scalar(Scalar::Id("Event".to_owned())),
            "Which one.",
        )
        .gives(
            "event",
            PayloadType::Entity("Event".to_owned()),
            "The event.",
        )
        .fails("EVENT_NOT_FOUND", "There is no such event.")
        .fails(
            "ILLEGAL_TRANSITION",
            "It cannot take this step from where it is.",
        )
        .fails(
            "NOT_READY",
            "Something is missing that a published event needs.",
        )
}

async fn change(call: Call<'_>, event_id: Uuid, to: &str) -> Result<Done, Fault> {
    let tx = call.app.door.begin(call.actor).await?;
    let row = statements::first(
        &tx,
        "select public.change_event_status($1, $2) as answer",
        [event_id.into(), to.into()],
    )
    .await
    .map_err(outcome::fault)?
    .ok_or_else(|| Fault::Internal("change_event_status answered nothing".to_owned()))?;
    let answer: Json = row.try_get("", "answer")?;
    tx.commit().await?;
    Ok(match outcome::word(&answer) {
        "changed" | "unchanged" => Outcome::new().entity("event", event_id),
        _ => outcome::refusal(&answer, REFUSALS)?,
    }
    .into())
}

macro_rules! step {
    ($verb:ident, $name:literal, $to:literal, $description:literal) => {
        #[doc = $description]
        pub struct $verb;

        #[async_trait]
        impl Handle for $verb {
            type Input = Input;

            fn describe() -> Verb {
                describe($name, $description)
            }

            async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
                change(call, input.event_id, $to).await
            }
        }
    };
}

step!(
    PublishEvent,
    "publishEvent",
    "published",
    "Opens a draft to its visitors. It needs a date and an active ticket type."
);
step!(
    CompleteEvent,
    "completeEvent",
    "completed",
    "Marks a published event as over. Nothing is sold any more; its page stays."
);
step!(
    ArchiveEvent,
    "archiveEvent",
    "archived",
    "Puts an event away: only members, and those who registered, still see it."
);
step!(
    RestoreEvent,
    "restoreEvent",
    "draft",
    "Takes an archived event that was never published back to draft."
);
