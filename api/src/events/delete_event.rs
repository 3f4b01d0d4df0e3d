//! deleteEvent: takes a draft away for good. What was published is archived instead, for people hold tickets to it.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::Value as Json;
use uuid::Uuid;

use super::fields;
use crate::{
    fault::Fault,
    outcome, statements,
    verbs::{Call, Done, Handle},
};

/// The verb.
pub struct DeleteEvent;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    event_id: Uuid,
}

#[async_trait]
impl Handle for DeleteEvent {
    type Input = Input;

    fn describe() -> Verb {
        Verb::new(
            "deleteEvent",
            "Deletes a draft that nobody registered for, with everything that belongs to it.",
        )
        .scope("events:write")
        .takes(
            "eventId",
            InputType::Scalar(Scalar::Id("Event".to_owned())),
            "Which one.",
        )
        .gives(
            "deletedEventId",
            PayloadType::Scalar(Scalar::Id("Event".to_owned())),
            "Its id; null when nothing was deleted.",
        )
        .fails("EVENT_NOT_FOUND", "There is no such event.")
        .fails("NOT_A_DRAFT", "It was published; archive it instead.")
        .fails("IN_USE", "It has registrations.")
        .fails("INVALID", "A value cannot be accepted.")
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        let tx = call.app.door.begin(call.actor).await?;
        let row = statements::first(
            &tx,
            "select public.delete_event($1) as answer",
            [input.event_id.into()],
        )
        .await
        .map_err(outcome::fault)?
        .ok_or_else(|| Fault::Internal("delete_event answered nothing".to_owned()))?;
        let answer: Json = row.try_get("", "answer")?;
        tx.commit().await?;
        Ok(match outcome::word(&answer) {
            "deleted" => Outcome::new().value("deletedEventId", input.event_id.to_string()),
            _ => fields::refusal(&answer)?,
        }
        .into())
    }
}
