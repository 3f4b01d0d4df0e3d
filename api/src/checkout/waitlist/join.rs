//! joinWaitlist: waits for places that are not there.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::{
    checkout::{
        guest,
        place::org_of_sale,
        refusals,
        request::{Person, check_key, clean, fault_of},
    },
    fault::Fault,
    outcome::{self, Refusals},
    throttle::{Size, client_key},
    verbs::{Call, Done, Handle},
};

/// The verb.
pub struct JoinWaitlist;

/// How often one address may join: who waits keeps places from the public, so made-up people must not come for nothing.
fn joining() -> Size {
    Size::one_every(30, 60_000)
}

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    event_id: Uuid,
    occurrence_id: Option<Uuid>,
    person: Person,
    lines: Vec<Line>,
    idempotency_key: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    ticket_type_id: Uuid,
    quantity: i32,
}

const REFUSALS: Refusals = &[
    (
        "places_available",
        "PLACES_AVAILABLE",
        "there are places: place a registration",
        &["lines"],
    ),
    (
        "already_waiting",
        "ALREADY_WAITING",
        "somebody with this address waits for this date already",
        &["person", "email"],
    ),
    (
        "waitlist_closed",
        "WAITLIST_CLOSED",
        "the event has no waitlist",
        &["eventId"],
    ),
    (
        "never_enough",
        "NEVER_ENOUGH",
        "there will never be so many places",
        &["lines"],
    ),
    refusals::EVENT_NOT_FOUND,
    refusals::OCCURRENCE_NOT_FOUND,
    refusals::TICKET_TYPE_NOT_FOUND,
    refusals::SALE_NOT_OPEN,
    refusals::QUANTITY_OUT_OF_RANGE,
    refusals::INVALID,
];

#[async_trait]
impl Handle for JoinWaitlist {
    type Input = Input;

    fn describe() -> Verb {
        let id = |name: &str| InputType::Scalar(Scalar::Id(name.to_owned()));
        Verb::new(
            "joinWaitlist",
            "Waits for places that are sold out, for one date of an event. What becomes free is offered in order, all \
             places of an entry at once or none, and announced by mail; it is kept until the offer expires. Open to \
             visitors: they get a guest secret, which opens the entry later in the header `X-Guest-Secret`.",
        )
        .takes("eventId", id("Event"), "The event.")
        .may_take("occurrenceId", id("Occurrence"), "The date of the event; the next one when left out.")
        .takes("person", InputType::Object("RegistrationBuyerInput".to_owned()), "Who waits.")
        .takes("lines", InputType::Objects("WaitlistLineInput".to_owned()), "What for.")
        .idempotent()
        .gives("waitlistEntry", PayloadType::Entity("WaitlistEntry".to_owned()), "The entry.")
        .gives(
            "guestSecret",
            PayloadType::Scalar(Scalar::String),
            "For those who are not signed in: what opens the entry later. Keep it.",
        )
        .fails("PLACES_AVAILABLE", "There are places; nobody needs to wait.")
        .fails("ALREADY_WAITING", "Somebody with this address waits for this date already.")
        .fails("WAITLIST_CLOSED", "The event has no waitlist.")
        .fails("NEVER_ENOUGH", "There will never be so many places.")
        .fails("EVENT_NOT_FOUND", "There is no such event on sale.")
        .fails("OCCURRENCE_NOT_FOUND", "The event has no such date.")
        .fails("TICKET_TYPE_NOT_FOUND", "The event has no such ticket type.")
        .fails("SALE_NOT_OPEN", "A ticket type is not on sale now.")
        .fails("QUANTITY_OUT_OF_RANGE", "Fewer or more tickets than allowed.")
        .fails("INVALID", "A value cannot be accepted.")
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        check_key(&input.idempotency_key)?;
        if let Some((field, message)) = fault_of(&input.person) {
            return Ok(Outcome::refused("INVALID", message, &["person", field]).into());
        }
        if call.actor.org_id().is_none() {
            let by = format!("client:{}", client_key(call.request.ip));
            call.app
                .throttle
                .count("join-waitlist", &by, joining())
                .await?;
        }
        let key = &input.idempotency_key;
        let Some(org_id) = org_of_sale(call, input.event_id, "join_waitlist", key).await? else {
            let answer = json!({ "outcome": "event_not_found" });
            return Ok(outcome::refusal(&answer, REFUSALS)?.into());
        };
        let (request, secret) =
            guest::with_secret(call, org_id, arguments(&input), &input.idempotency_key)?;
        let answer = outcome::decide(call, org_id, "join_waitlist", &request).await?;
        if outcome::word(&answer) != "joined" {
            return Ok(outcome::refusal(&answer, REFUSALS)?.into());
        }
        let done = Outcome::new().entity("waitlistEntry", outcome::key(&answer, "entry_id")?);
        Ok(guest::done(call, org_id, done, secret))
    }
}

fn arguments(input: &Input) -> Json {
    json!({
        "event_id": input.event_id,
        "occurrence_id": input.occurrence_id,
        "person": clean(&input.person),
        "items": input.lines.iter().map(|line| json!({
            "ticket_type_id": line.ticket_type_id,
            "quantity": line.quantity,
        })).collect::<Vec<_>>(),
    })
}
