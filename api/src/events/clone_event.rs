//! cloneEvent: a draft like another event, at another time.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde_json::{Map, Value as Json};

use super::fields;
use crate::{
    fault::Fault,
    outcome,
    verbs::{Call, Done, Handle},
};

/// The verb.
pub struct CloneEvent;

#[async_trait]
impl Handle for CloneEvent {
    type Input = Map<String, Json>;

    fn describe() -> Verb {
        let text = || InputType::Scalar(Scalar::String);
        let verb = Verb::new(
            "cloneEvent",
            "Makes a draft like another event: dates, programme, stocks, ticket types with tiers, discounts, promo codes, \
             taxes and fees, no registrations. All times \
             move by as much as the start does.",
        )
        .scope("events:write")
        .takes("eventId", InputType::Scalar(Scalar::Id("Event".to_owned())), "What is copied.")
        .takes("slug", text(), "Name of the copy in addresses.")
        .may_take("title", text(), "Title of the copy; the same when left out.")
        .may_take("startsAt", InputType::Scalar(Scalar::DateTime), "When the copy begins; the same when left out.");
        fields::fail(verb)
            .gives(
                "event",
                PayloadType::Entity("Event".to_owned()),
                "The copy.",
            )
            .fails("EVENT_NOT_FOUND", "There is no such event.")
    }

    async fn run(call: Call<'_>, input: Map<String, Json>) -> Result<Done, Fault> {
        let answer = outcome::decide_own(call, "clone_event", &fields::request(input)).await?;
        Ok(match outcome::word(&answer) {
            "cloned" | "created" => {
                Outcome::new().entity("event", outcome::key(&answer, "event_id")?)
            }
            _ => fields::refusal(&answer)?,
        }
        .into())
    }
}
