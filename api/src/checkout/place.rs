//! placeRegistration: holds stock for a buyer, at today's price, for the event's hold time.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    counter::{Held, Kind, Wish},
    guest, holds, price, refusals,
    request::{Money, Person, check_key, clean, expect, fault_of},
    source::Source,
};
use crate::{
    fault::Fault,
    outcome::{self, Refusals},
    statements,
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
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    expected_total: Option<Money>,
    #[serde(default)]
    hold_id: Option<Uuid>,
    #[serde(default)]
    hold_key: Option<String>,
    idempotency_key: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    ticket_type_id: Uuid,
    quantity: i32,
    #[serde(default)]
    price: Option<Money>,
    #[serde(default)]
    attendees: Option<Vec<Person>>,
}

const REFUSALS: Refusals = &[
    refusals::SOLD_OUT,
    refusals::EVENT_NOT_FOUND,
    refusals::OCCURRENCE_NOT_FOUND,
    refusals::TICKET_TYPE_NOT_FOUND,
    refusals::SALE_NOT_OPEN,
    refusals::QUANTITY_OUT_OF_RANGE,
    (
        "already_registered",
        "ALREADY_REGISTERED",
        "one of these addresses is registered already",
        &["buyer"],
    ),
    (
        "hold_not_found",
        "HOLD_NOT_FOUND",
        "there is no such hold at this event",
        &["holdKey"],
    ),
    (
        "hold_ended",
        "HOLD_ENDED",
        "the hold was released or has run out",
        &["holdKey"],
    ),
    (
        "hold_keeps_others",
        "HOLD_KEEPS_OTHERS",
        "the hold keeps none of what is asked for",
        &["lines"],
    ),
    (
        "hold_used_up",
        "HOLD_USED_UP",
        "the hold has fewer places left",
        &["lines"],
    ),
    refusals::ADD_ONS,
    refusals::CHOSEN_PRICE,
    refusals::UNKNOWN_CODE,
    refusals::EARLY_CODE,
    refusals::LATE_CODE,
    refusals::USELESS_CODE,
    refusals::USED_CODE,
    refusals::CODE_OF_BUYER,
    refusals::PRICE_CHANGED,
    refusals::INVALID,
];

#[async_trait]
impl Handle for PlaceRegistration {
    type Input = Input;

    fn describe() -> Verb {
        let id = |name: &str| InputType::Scalar(Scalar::Id(name.to_owned()));
        let verb = Verb::new(
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
        .may_take(
            "holdKey",
            InputType::Scalar(Scalar::String),
            "The key of a hold: places are taken from it, not from what is on sale.",
        )
        .may_take(
            "holdId",
            id("Hold"),
            "The same without its key, for members with `registrations:write`.",
        )
        .may_take("code", InputType::Scalar(Scalar::String), "A promo code, in any case; at most 40 characters.")
        .may_take(
            "expectedTotal",
            InputType::Money,
            "The total that the buyer has seen (`priceCheckout`). If it costs something else by now, nothing is held.",
        )
        .idempotent()
        .gives("registration", PayloadType::Entity("Registration".to_owned()), "The registration.")
        .gives(
            "guestSecret",
            PayloadType::Scalar(Scalar::String),
            "For buyers who are not signed in: what opens the registration later. Keep it.",
        )
        .gives(
            "priceChange",
            PayloadType::Value("PriceChange".to_owned()),
            "With `PRICE_CHANGED`: what it costs now.",
        )
        .fails("SOLD_OUT", "There are not enough places left.")
        .fails("EVENT_NOT_FOUND", "There is no such event on sale.")
        .fails("OCCURRENCE_NOT_FOUND", "The event has no such date.")
        .fails("TICKET_TYPE_NOT_FOUND", "The event has no such ticket type.")
        .fails("SALE_NOT_OPEN", "A ticket type is not on sale now.")
        .fails("QUANTITY_OUT_OF_RANGE", "Fewer or more tickets than allowed.")
        .fails("ALREADY_REGISTERED", "The event takes one registration an address, and there is one.")
        .fails("HOLD_NOT_FOUND", "There is no such hold at this event.")
        .fails("HOLD_ENDED", "The hold was released or has run out.")
        .fails("HOLD_KEEPS_OTHERS", "The hold keeps none of what is asked for.")
        .fails("HOLD_USED_UP", "The hold has fewer places left.")
        .fails("PRICE_CHANGED", "It costs something else than was expected.");
        price::fails(verb)
            .fails(
                "CODE_USED_BY_BUYER",
                "This buyer has used the promo code as often as one may.",
            )
            .fails("INVALID", "A value cannot be accepted.")
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        check_key(&input.idempotency_key)?;
        if let Some(refused) = check(&input) {
            return Ok(refused.into());
        }
        let key = &input.idempotency_key;
        let Some(org_id) = org_of_sale(call, input.event_id, "place_registration", key).await?
        else {
            return Ok(
                outcome::refusal(&json!({ "outcome": "event_not_found" }), REFUSALS)?.into(),
            );
        };
        let (request, secret) =
            guest::with_secret(call, org_id, arguments(&input), &input.idempotency_key)?;
        price::count_code(call, org_id, input.code.is_some()).await?;
        let answer = decide(call, org_id, &input, request).await?;
        match outcome::word(&answer) {
            "placed" => {}
            "price_changed" => {
                let change = json!({ "total": price::money(&answer, "total_minor") });
                let refused = outcome::refusal(&answer, REFUSALS)?;
                return Ok(refused.value("priceChange", change).into());
            }
            _ => return Ok(outcome::refusal(&answer, REFUSALS)?.into()),
        }
        let registration = outcome::key(&answer, "registration_id")?;
        let done = Outcome::new().entity("registration", registration);
        Ok(guest::done(call, org_id, done, secret))
    }
}

/// A member acts by their permissions, alone; everybody else stands at the counter.
async fn decide(call: Call<'_>, org_id: Uuid, input: &Input, request: Json) -> Result<Json, Fault> {
    // Members bring their permissions. A hold is locked before pools, so it cannot come in the middle of a batch.
    let from_hold = input.hold_id.is_some() || input.hold_key.is_some();
    if from_hold || call.actor.org_id() == Some(org_id) {
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
    if let Some(refused) = price::too_long(input.code.as_deref()) {
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
    let items = input.lines.iter().map(|line| {
        let mut item = price::item(line.ticket_type_id, line.quantity, line.price.as_ref());
        let attendees = line.attendees.as_deref().unwrap_or_default();
        item["attendees"] = attendees.iter().map(|one| json!(clean(one))).collect();
        item
    });
    let mut arguments = json!({
        "event_id": input.event_id,
        "occurrence_id": input.occurrence_id,
        "buyer": clean(&input.buyer),
        "items": items.collect::<Vec<_>>(),
    });
    if let Some(source) = &input.source {
        arguments["source"] = source.request();
    }
    if let Some(code) = &input.code {
        arguments["code"] = json!(code);
    }
    if let Some(hold_id) = input.hold_id {
        arguments["hold_id"] = json!(hold_id);
    }
    if let Some(key) = &input.hold_key {
        arguments["hold_key_hash"] = json!(holds::key_hash(key));
    }
    expect(&mut arguments, input.expected_total.as_ref());
    arguments
}

/// The organization of an event that can be bought; or could be, when this call came first under its key: it is told
/// again what it was told then, whatever became of the event.
pub(super) async fn org_of_sale(
    call: Call<'_>,
    event_id: Uuid,
    operation: &str,
    key: &str,
) -> Result<Option<Uuid>, Fault> {
    if let Some(org_id) = org_of_event(call, event_id).await? {
        return Ok(Some(org_id));
    }
    let tx = call.app.door.begin(call.actor).await?;
    let row = statements::first(
        &tx,
        "select public.event_org_of_key($1, $2, $3) as org",
        [event_id.into(), operation.into(), key.into()],
    )
    .await?;
    tx.commit().await?;
    match row {
        Some(row) => Ok(row.try_get("", "org")?),
        None => Ok(None),
    }
}

/// The organization of an event that can be bought, without revealing anything else of it.
pub(super) async fn org_of_event(call: Call<'_>, event_id: Uuid) -> Result<Option<Uuid>, Fault> {
    // Members find their own drafts too; what they find is not for everybody.
    if call.actor.org_id().is_some() {
        return find_org(call, event_id).await;
    }
    let known = call.app.counter.memory.organization_of(event_id);
    let found = known
        .get_or_try_init(|| async { find_org(call, event_id).await?.ok_or(Nowhere::NotOnSale) })
        .await;
    match found {
        Ok(org_id) => Ok(Some(*org_id)),
        Err(Nowhere::NotOnSale) => Ok(None),
        Err(Nowhere::Unasked(fault)) => Err(fault),
    }
}

/// Why no organization was found; neither is kept in mind.
enum Nowhere {
    NotOnSale,
    Unasked(Fault),
}

impl From<Fault> for Nowhere {
    fn from(fault: Fault) -> Self {
        Self::Unasked(fault)
    }
}

async fn find_org(call: Call<'_>, event_id: Uuid) -> Result<Option<Uuid>, Fault> {
    let tx = call.app.door.begin(call.actor).await?;
    let row =
        statements::first(&tx, "select public.event_org($1) as org", [event_id.into()]).await?;
    tx.commit().await?;
    match row {
        Some(row) => Ok(row.try_get("", "org")?),
        None => Ok(None),
    }
}
