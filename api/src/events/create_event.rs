//! createEvent: a draft with its first date.

use async_trait::async_trait;
use eventsphere_graphql::{PayloadType, Verb, engine::Outcome};
use serde_json::{Map, Value as Json};

use super::fields::{self, Use};
use crate::{
    fault::Fault,
    outcome,
    verbs::{Call, Done, Handle},
};

/// The verb.
pub struct CreateEvent;

#[async_trait]
impl Handle for CreateEvent {
    type Input = Map<String, Json>;

    fn describe() -> Verb {
        let verb = Verb::new(
            "createEvent",
            "Creates an event as a draft, with its first date.",
        )
        .scope("events:write");
        fields::fail(fields::take(verb, Use::Create)).gives(
            "event",
            PayloadType::Entity("Event".to_owned()),
            "The draft.",
        )
    }

    async fn run(call: Call<'_>, input: Map<String, Json>) -> Result<Done, Fault> {
        let answer = outcome::decide_own(call, "create_event", &fields::request(input)).await?;
        Ok(match outcome::word(&answer) {
            "created" => Outcome::new().entity("event", outcome::key(&answer, "event_id")?),
            _ => fields::refusal(&answer)?,
        }
        .into())
    }
}
