//! updateEvent: changes what is given. When the event has one date, that date moves along.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde_json::{Map, Value as Json};

use super::fields::{self, Use};
use crate::{
    fault::Fault,
    outcome,
    verbs::{Call, Done, Handle},
};

/// The verb.
pub struct UpdateEvent;

#[async_trait]
impl Handle for UpdateEvent {
    type Input = Map<String, Json>;

    fn describe() -> Verb {
        let verb = Verb::new(
            "updateEvent",
            "Changes an event; what is left out stays. When it has one date, that date moves along.",
        )
        .scope("events:write")
        .takes("eventId", InputType::Scalar(Scalar::Id("Event".to_owned())), "Which one.");
        fields::fail(fields::take(verb, Use::Update))
            .gives(
                "event",
                PayloadType::Entity("Event".to_owned()),
                "The event.",
            )
            .fails("EVENT_NOT_FOUND", "There is no such event.")
            .fails("CURRENCY_IN_USE", "Tickets were sold in the currency.")
            .fails("NOT_EDITABLE", "It cannot be changed in this state.")
    }

    async fn run(call: Call<'_>, input: Map<String, Json>) -> Result<Done, Fault> {
        let answer = outcome::decide_own(call, "update_event", &fields::request(input)).await?;
        Ok(match outcome::word(&answer) {
            "updated" | "unchanged" => {
                Outcome::new().entity("event", outcome::key(&answer, "event_id")?)
            }
            _ => fields::refusal(&answer)?,
        }
        .into())
    }
}
