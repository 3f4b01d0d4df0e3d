//! placeRegistration: holds stock for a buyer, at today's price, for the event's hold time.

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    counter::{Held, Kind, Wish},
    request::{Person, argument_hash, check_key, clean, fault_of},
    source::Source,
};
use crate::{
    fault::Fault,
    outcome::{self, Refusals},
    statements,
    tenancy::Guest,
    vault::{Purpose, hex},
    verbs::{Call, Done, Handle},
};

/// The verb.
pub struct PlaceRegistration;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    event_id: Uuid,
    occurrence_id: Option<Uuid>,
    buyer: Person,
    lines: Vec<Line>,
    #[serde(default)]
    source: Option<Source>,
    idempotency_key: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    ticket_type_id: Uuid,
    quantity: i32,
    #[serde(default)]
    attendees: Option<Vec<Person>>,
}

const REFUSALS: Refusals = &[
    (
        "sold_out",
        "SOLD_OUT",
        "there are not enough places left",
        &["lines"],
    ),
    (
        "event_not_found",
        "EVENT_NOT_FOUND",
        "there is no such event on sale",
        &["eventId"],
    ),
    (
        "occurrence_not_found",
        "OCCURRENCE_NOT_FOUND",
        "the event has no such date",
        &["occurrenceId"],
    ),
    (
        "ticket_type_not_found",
        "TICKET_TYPE_NOT_FOUND",
        "the event has no such ticket type",
        &["lines"],
    ),
    (
        "sale_not_open",
        "SALE_NOT_OPEN",
        "this ticket type is not on sale now",
        &["lines"],
    ),
    (
        "quantity_out_of_range",
        "QUANTITY_OUT_OF_RANGE",
        "so many cannot be placed in one registration",
        &["lines"],
    ),
    (
        "already_registered",
        "ALREADY_REGISTERED",
        "one of these addresses is registered already",
        &["buyer"],
    ),
    ("invalid", "INVALID", "a value cannot be accepted", &[]),
];

#[async_trait]
impl Handle for PlaceRegistration {
    type Input = Input;

    fn describe() -> Verb {
        let id = |name: &str| InputType::Scalar(Scalar::Id(name.to_owned()));
        Verb::new(
            "placeRegistration",
            "Holds places for a buyer until `expiresAt` of the registration. Open to visitors: they get a guest \
             secret, which opens the registration later in the header `X-Guest-Secret`.",
        )
        .takes("eventId", id("Event"), "The event.")
        .may_take("occurrenceId", id("Occurrence"), "The date of the event; the next one when left out.")
        .takes("buyer", InputType::Object("RegistrationBuyerInput".to_owned()), "Who places it.")
        .takes("lines", InputType::Objects("RegistrationLineInput".to_owned()), "What is placed.")
        .may_take(
            "source",
            InputType::Object("RegistrationSourceInput".to_owned()),
            "Where the buyer came from; for the organizers alone.",
        )
        .idempotent()
        .gives("registration", PayloadType::Entity("Registration".to_owned()), "The registration.")
        .gives(
            "guestSecret",
            PayloadType::Scalar(Scalar::String),
            "For buyers who are not signed in: what opens the registration later. Keep it.",
        )
        .fails("SOLD_OUT", "There are not enough places left.")
        .fails("EVENT_NOT_FOUND", "There is no such event on sale.")
        .fails("OCCURRENCE_NOT_FOUND", "The event has no such date.")
        .fails("TICKET_TYPE_NOT_FOUND", "The event has no such ticket type.")
        .fails("SALE_NOT_OPEN", "A ticket type is not on sale now.")
        .fails("QUANTITY_OUT_OF_RANGE", "Fewer or more tickets than allowed.")
        .fails("ALREADY_REGISTERED", "The event takes one registration an address, and there is one.")
        .fails("INVALID", "A value cannot be accepted.")
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        check_key(&input.idempotency_key)?;
        if let Some(refused) = check(&input) {
            return Ok(refused.into());
        }
        let Some(org_id) = org_of_event(call, input.event_id).await? else {
            return Ok(
                outcome::refusal(&json!({ "outcome": "event_not_found" }), REFUSALS)?.into(),
            );
        };
        let arguments = arguments(&input);
        let hash = argument_hash(&arguments);
        let signed_in = call.actor.user_id().is_some();
        let secret = match signed_in {
            true => None,
            false => Some(guest_secret(call, org_id, &input.idempotency_key, &hash)?),
        };
        let mut request = arguments;
        request["idempotency_key"] = json!(input.idempotency_key);
        request["argument_hash"] = json!(hash);
        if let Some((_, digest)) = &secret {
            request["guest_secret_hash"] = json!(hex(digest));
        }
        let answer = decide(call, org_id, &input, request).await?;
        if outcome::word(&answer) != "placed" {
            return Ok(outcome::refusal(&answer, REFUSALS)?.into());
        }
        let registration = outcome::key(&answer, "registration_id")?;
        let mut done = Outcome::new().entity("registration", registration);
        let mut reader = call.actor.clone();
        if let Some((text, digest)) = secret {
            done = done.value("guestSecret", text);
            let mut guest = Guest::default();
            guest.secret_hashes.push(digest);
            reader = reader.as_buyer().with_guest(guest);
        } else if call.actor.org_id() != Some(org_id) {
            reader = reader.as_buyer();
        }
        Ok(Done {
            outcome: done,
            read_as: Some(reader),
        })
    }
}

/// A member acts by their permissions, alone; everybody else stands at the counter.
async fn decide(call: Call<'_>, org_id: Uuid, input: &Input, request: Json) -> Result<Json, Fault> {
    if call.actor.org_id() == Some(org_id) {
        return outcome::decide(call, org_id, "place_registration", &request).await;
    }
    let wish = Wish {
        buyer: call.actor.as_buyer(),
        key: input.idempotency_key.clone(),
        request,
    };
    let counter = &call.app.counter;
    let served = counter.serve(call.app, org_id, Kind::Place, wish).await?;
    let answer = served["outcome"].clone();
    if let Ok(items) = Vec::deserialize(&served["items"]) {
        counter.memory.keep(
            outcome::key(&answer, "registration_id")?,
            Held {
                org_id,
                event_id: input.event_id,
                occurrence_id: outcome::key(&served, "occurrence_id")?,
                items,
                free: answer["total_minor"] == 0,
            },
        );
    }
    Ok(answer)
}

/// What needs no database to be refused.
fn check(input: &Input) -> Option<Outcome> {
    let invalid = |message: &str, field: &[&str]| Some(Outcome::refused("INVALID", message, field));
    if let Some((field, message)) = fault_of(&input.buyer) {
        return invalid(message, &["buyer", field]);
    }
    if let Some(refused) = input.source.as_ref().and_then(Source::fault) {
        return Some(refused);
    }
    if input.lines.is_empty() || input.lines.len() > 50 {
        return Some(Outcome::refused(
            "QUANTITY_OUT_OF_RANGE",
            "a registration has 1 to 50 lines",
            &["lines"],
        ));
    }
    for (index, line) in input.lines.iter().enumerate() {
        let place = index.to_string();
        if !(1..=100).contains(&line.quantity) {
            return Some(Outcome::refused(
                "QUANTITY_OUT_OF_RANGE",
                "a line has 1 to 100 tickets",
                &["lines", &place, "quantity"],
            ));
        }
        let attendees = line.attendees.as_deref().unwrap_or_default();
        if !attendees.is_empty() && attendees.len() != line.quantity.unsigned_abs() as usize {
            return invalid(
                "give an attendee for each ticket of the line, or none",
                &["lines", &place, "attendees"],
            );
        }
        for (number, person) in attendees.iter().enumerate() {
            if let Some((field, message)) = fault_of(person) {
                return invalid(
                    message,
                    &["lines", &place, "attendees", &number.to_string(), field],
                );
            }
        }
    }
    None
}

fn arguments(input: &Input) -> Json {
    let mut arguments = json!({
        "event_id": input.event_id,
        "occurrence_id": input.occurrence_id,
        "buyer": clean(&input.buyer),
        "items": input.lines.iter().map(|line| json!({
            "ticket_type_id": line.ticket_type_id,
            "quantity": line.quantity,
            "attendees": line.attendees.as_deref().unwrap_or_default().iter().map(clean).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
    });
    if let Some(source) = &input.source {
        arguments["source"] = source.request();
    }
    arguments
}

/// The organization of an event that can be bought, without revealing anything else of it.
async fn org_of_event(call: Call<'_>, event_id: Uuid) -> Result<Option<Uuid>, Fault> {
    let memory = &call.app.counter.memory;
    if let Some(known) = memory.organization_of(event_id) {
        return Ok(Some(known));
    }
    let tx = call.app.door.begin(call.actor).await?;
    let row =
        statements::first(&tx, "select public.event_org($1) as org", [event_id.into()]).await?;
    tx.commit().await?;
    let org_id: Option<Uuid> = match row {
        Some(row) => row.try_get("", "org")?,
        None => None,
    };
    // Members find their own drafts too; what they found is not for everybody.
    if let (Some(org_id), None) = (org_id, call.actor.org_id()) {
        memory.keep_organization(event_id, org_id);
    }
    Ok(org_id)
}

/// The guest's secret, made from the idempotency key: who repeats a call whose answer was lost gets the same one.
pub(super) fn guest_secret(
    call: Call<'_>,
    org_id: Uuid,
    key: &str,
    hash: &str,
) -> Result<(String, [u8; 32]), Fault> {
    let bytes = call
        .app
        .vault
        .mac(
            Purpose::GuestSecrets,
            &[org_id.as_bytes(), key.as_bytes(), hash.as_bytes()],
        )
        .map_err(Fault::internal)?;
    let text = format!("gs_{}", URL_SAFE_NO_PAD.encode(&bytes[..24]));
    let digest = Sha256::digest(text.as_bytes()).into();
    Ok((text, digest))
}
