//! createHold: sets places aside, of a ticket type or of a stock.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::key;
use crate::{
    checkout::request::{check_key, keyed},
    fault::Fault,
    outcome::{self, Refusals},
    verbs::{Call, Done, Handle},
};

/// The verb.
pub struct CreateHold;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    event_id: Uuid,
    occurrence_id: Option<Uuid>,
    ticket_type_id: Option<Uuid>,
    capacity_pool_id: Option<Uuid>,
    name: String,
    note: Option<String>,
    quantity: i32,
    expires_at: Option<String>,
    idempotency_key: String,
}

const REFUSALS: Refusals = &[
    (
        "event_not_found",
        "EVENT_NOT_FOUND",
        "there is no such event, or it is over",
        &["eventId"],
    ),
    (
        "occurrence_not_found",
        "OCCURRENCE_NOT_FOUND",
        "there is no such date to come",
        &["occurrenceId"],
    ),
    (
        "sale_not_open",
        "OCCURRENCE_NOT_FOUND",
        "there is no such date to come",
        &["occurrenceId"],
    ),
    (
        "ticket_type_not_found",
        "TICKET_TYPE_NOT_FOUND",
        "the event has no such ticket type",
        &["ticketTypeId"],
    ),
    (
        "pool_not_found",
        "CAPACITY_POOL_NOT_FOUND",
        "the event has no such stock",
        &["capacityPoolId"],
    ),
    (
        "nothing_to_hold",
        "NOTHING_TO_HOLD",
        "the ticket type draws from no stock at this date, so nothing limits it",
        &["ticketTypeId"],
    ),
    (
        "sold_out",
        "SOLD_OUT",
        "so many places are not free",
        &["quantity"],
    ),
];

#[async_trait]
impl Handle for CreateHold {
    type Input = Input;

    fn describe() -> Verb {
        let id = |name: &str| InputType::Scalar(Scalar::Id(name.to_owned()));
        Verb::new(
            "createHold",
            "Sets places aside: of one ticket type at one date, or of one stock. The public cannot buy them; members with \
             `registrations:write` can, and whoever is given the hold's key (`placeRegistration`). What others wait for \
             is not free to be held.",
        )
        .scope("registrations:write")
        .takes("eventId", id("Event"), "The event.")
        .may_take("occurrenceId", id("Occurrence"), "The date; the next one when left out. For a stock: its own, or any.")
        .may_take("ticketTypeId", id("TicketType"), "The ticket type, if places of one are kept. Either this or the stock.")
        .may_take("capacityPoolId", id("CapacityPool"), "The stock, if its places are kept whatever their ticket type.")
        .takes("name", InputType::Scalar(Scalar::String), "For whom or what, 1 to 200 characters.")
        .may_take("note", InputType::Scalar(Scalar::String), "What members should know, at most 2000 characters.")
        .takes("quantity", InputType::Scalar(Scalar::Int), "How many places, 1 to 1000000.")
        .may_take("expiresAt", InputType::Scalar(Scalar::DateTime), "When they go back on sale. Never when left out.")
        .idempotent()
        .gives("hold", PayloadType::Entity("Hold".to_owned()), "The hold.")
        .gives(
            "holdKey",
            PayloadType::Scalar(Scalar::String),
            "What opens the hold to whoever places with it. Keep it: it is not shown again.",
        )
        .fails("EVENT_NOT_FOUND", "There is no such event, or it is over.")
        .fails("OCCURRENCE_NOT_FOUND", "There is no such date to come.")
        .fails("TICKET_TYPE_NOT_FOUND", "The event has no such ticket type.")
        .fails("CAPACITY_POOL_NOT_FOUND", "The event has no such stock.")
        .fails("NOTHING_TO_HOLD", "The ticket type draws from no stock.")
        .fails("SOLD_OUT", "So many places are not free.")
        .fails("INVALID", "A value cannot be accepted.")
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        check_key(&input.idempotency_key)?;
        if input.ticket_type_id.is_some() == input.capacity_pool_id.is_some() {
            return Ok(Outcome::refused(
                "INVALID",
                "a hold is of a ticket type or of a stock: give one of them",
                &["ticketTypeId"],
            )
            .into());
        }
        let arguments = json!({
            "event_id": input.event_id, "occurrence_id": input.occurrence_id,
            "ticket_type_id": input.ticket_type_id, "pool_id": input.capacity_pool_id,
            "name": input.name, "note": input.note, "quantity": input.quantity, "expires_at": input.expires_at,
        });
        let mut request = keyed(arguments, &input.idempotency_key);
        let org_id = outcome::own_org(call)?;
        let text = key::make(call, org_id, &request)?;
        request["key_hash"] = json!(key::hash(&text));
        let answer = outcome::decide(call, org_id, "create_hold", &request).await?;
        Ok(match outcome::word(&answer) {
            "created" => Outcome::new()
                .entity("hold", outcome::key(&answer, "hold_id")?)
                .value("holdKey", text),
            "invalid" => invalid(&answer),
            _ => outcome::refusal(&answer, REFUSALS)?,
        }
        .into())
    }
}

/// What the function found wrong with a field, which it names as the input does.
pub(super) fn invalid(answer: &serde_json::Value) -> Outcome {
    let text = |name: &str| answer.get(name).and_then(|value| value.as_str());
    Outcome::refused(
        "INVALID",
        text("message").unwrap_or("a value cannot be accepted"),
        &[text("field").unwrap_or_default()],
    )
}
