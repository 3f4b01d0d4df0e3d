//! changeRegistration: other ticket types, more units, other people; judged as a difference.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    codes,
    confirm::org_of_registration,
    guest::reader,
    price, refusals,
    request::{Money, Person, check_key, clean, expect, fault_of, keyed},
};
use crate::{
    fault::Fault,
    outcome::{self, Refusals},
    verbs::{Call, Done, Handle},
};

/// The verb.
pub struct ChangeRegistration;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    registration_id: Uuid,
    #[serde(default)]
    swap: Option<Vec<Swap>>,
    #[serde(default)]
    add: Option<Vec<Addition>>,
    #[serde(default)]
    reassign: Option<Vec<Reassignment>>,
    #[serde(default)]
    expected_total: Option<Money>,
    idempotency_key: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Swap {
    item_id: Uuid,
    ticket_type_id: Uuid,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Addition {
    ticket_type_id: Uuid,
    quantity: i32,
    #[serde(default)]
    price: Option<Money>,
    #[serde(default)]
    attendees: Option<Vec<Person>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reassignment {
    item_id: Uuid,
    name: String,
    email: String,
}

const REFUSALS: Refusals = &[
    refusals::REGISTRATION_NOT_FOUND,
    (
        "hold_expired",
        "HOLD_EXPIRED",
        "the hold has run out; extend it first",
        &["registrationId"],
    ),
    (
        "not_changeable",
        "NOT_CHANGEABLE",
        "a registration in this state is not changed any more",
        &["registrationId"],
    ),
    (
        "changes_closed",
        "CHANGES_CLOSED",
        "the time for changes of one's own is over",
        &["registrationId"],
    ),
    (
        "approval_required",
        "APPROVAL_REQUIRED",
        "what was approved is enlarged by members only",
        &["registrationId"],
    ),
    (
        "payment_required",
        "PAYMENT_REQUIRED",
        "what is confirmed cannot become dearer without a payment",
        &["registrationId"],
    ),
    (
        "code_used_up",
        "CODE_USED_UP",
        "the promo code of the registration cannot be used so often any more",
        &["registrationId"],
    ),
    (
        "code_used_by_buyer",
        "CODE_USED_BY_BUYER",
        "the buyer has used the promo code of the registration as often as one may",
        &["registrationId"],
    ),
    (
        "add_on_out_of_range",
        "ADD_ON_OUT_OF_RANGE",
        "so many add-ons do not go with these tickets",
        &[],
    ),
    (
        "price_out_of_range",
        "PRICE_OUT_OF_RANGE",
        "a price is said for donations only, in the currency of the event and not below their least",
        &["add"],
    ),
    (
        "item_not_found",
        "ITEM_NOT_FOUND",
        "the registration has no such place",
        &[],
    ),
    (
        "ticket_given_away",
        "TICKET_GIVEN_AWAY",
        "the ticket of this place was handed on",
        &[],
    ),
    (
        "ticket_used",
        "TICKET_USED",
        "somebody came in with the ticket of this place",
        &[],
    ),
    (
        "tickets_missing",
        "CHANGED_MEANWHILE",
        "the registration was confirmed at this very moment; try again with a new key",
        &["registrationId"],
    ),
    (
        "sold_out",
        "SOLD_OUT",
        "there are not enough places left",
        &[],
    ),
    (
        "ticket_type_not_found",
        "TICKET_TYPE_NOT_FOUND",
        "the event has no such ticket type",
        &[],
    ),
    (
        "sale_not_open",
        "SALE_NOT_OPEN",
        "this ticket type is not on sale now",
        &[],
    ),
    (
        "occurrence_not_found",
        "SALE_NOT_OPEN",
        "the date of the registration does not take place",
        &[],
    ),
    (
        "quantity_out_of_range",
        "QUANTITY_OUT_OF_RANGE",
        "so many, or so few, cannot be had in one registration",
        &[],
    ),
    refusals::PRICE_CHANGED,
    super::refusals::INVALID,
];

#[async_trait]
impl Handle for ChangeRegistration {
    type Input = Input;

    fn describe() -> Verb {
        let objects = |name: &str| InputType::Objects(name.to_owned());
        let verb = Verb::new(
            "changeRegistration",
            "Changes a registration: other ticket types, more places, other people. Only the difference has to be \
             free; places that stay keep their price (unless a discount was given for company that leaves), others have \
             that of now, with the registration's promo code as long as it is valid. Tickets of changed places get new \
             codes, the old ones admit nobody. Buyers may change what is confirmed until `changesCloseMinutes` of the \
             event, as long as it does not become dearer; members with `registrations:write` always.",
        )
        .takes(
            "registrationId",
            InputType::Scalar(Scalar::Id("Registration".to_owned())),
            "The registration; guests open it with the header `X-Guest-Secret`.",
        )
        .may_take("swap", objects("RegistrationSwapInput"), "Places that get another ticket type.")
        .may_take("add", objects("RegistrationLineInput"), "Places to add.")
        .may_take("reassign", objects("ItemAttendeeInput"), "Who comes instead.")
        .may_take(
            "expectedTotal",
            InputType::Money,
            "What the caller expects the whole registration to cost afterwards. If it would cost something else, nothing is \
             changed.",
        )
        .idempotent()
        .gives("registration", PayloadType::Entity("Registration".to_owned()), "The registration.")
        .gives(
            "priceChange",
            PayloadType::Value("PriceChange".to_owned()),
            "With `PRICE_CHANGED`: what it would cost.",
        )
        .fails("REGISTRATION_NOT_FOUND", "There is no such registration for the caller.")
        .fails("HOLD_EXPIRED", "The hold has run out.")
        .fails("NOT_CHANGEABLE", "It is cancelled, rejected or expired.")
        .fails("CHANGES_CLOSED", "Buyers may not change it now.")
        .fails("APPROVAL_REQUIRED", "Buyers may not enlarge what was approved.")
        .fails("PAYMENT_REQUIRED", "What is confirmed would cost more than before.")
        .fails("CODE_USED_UP", "The promo code of the registration cannot be used so often any more.")
        .fails("CODE_USED_BY_BUYER", "The buyer has used the promo code as often as one may.")
        .fails("ADD_ON_OUT_OF_RANGE", "An add-on without its ticket, or too few or too many of them.")
        .fails("PRICE_OUT_OF_RANGE", "A price for something that is no donation, in another currency, or below the least.")
        .fails("ITEM_NOT_FOUND", "The registration has no such place.");
        place_codes(verb)
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        check_key(&input.idempotency_key)?;
        if let Some(refused) = check(&input) {
            return Ok(refused.into());
        }
        let Some(org_id) = org_of_registration(call, input.registration_id).await? else {
            let answer = json!({ "outcome": "registration_not_found" });
            return Ok(outcome::refusal(&answer, REFUSALS)?.into());
        };
        let mut told = keyed(arguments(&input, Uuid::nil), &input.idempotency_key);
        let mut request = arguments(&input, Uuid::now_v7);
        let items = named(&request);
        request["tickets"] = codes::for_change(call, org_id, input.registration_id, &items).await?;
        for name in ["idempotency_key", "argument_hash"] {
            request[name] = told[name].take();
        }
        let answer = outcome::decide(call, org_id, "change_registration", &request).await?;
        let outcome = match outcome::word(&answer) {
            "changed" => {
                // Places of a type that is left are free.
                call.app.jobs.wake();
                Outcome::new().entity("registration", input.registration_id)
            }
            "price_changed" => {
                let change = json!({ "total": price::money(&answer, "total_minor") });
                outcome::refusal(&answer, REFUSALS)?.value("priceChange", change)
            }
            _ => outcome::refusal(&answer, REFUSALS)?,
        };
        Ok(Done {
            outcome,
            read_as: Some(reader(call, org_id)),
        })
    }
}

fn place_codes(verb: Verb) -> Verb {
    verb.fails("TICKET_GIVEN_AWAY", "The ticket of a place was handed on.")
        .fails(
            "TICKET_USED",
            "Somebody came in with the ticket of a place.",
        )
        .fails(
            "CHANGED_MEANWHILE",
            "It was confirmed at the same moment; try again.",
        )
        .fails("SOLD_OUT", "There are not enough places left.")
        .fails(
            "TICKET_TYPE_NOT_FOUND",
            "The event has no such ticket type.",
        )
        .fails("SALE_NOT_OPEN", "A ticket type is not on sale now.")
        .fails(
            "PRICE_CHANGED",
            "It would cost something else than was expected.",
        )
        .fails(
            "QUANTITY_OUT_OF_RANGE",
            "Fewer or more tickets than allowed.",
        )
        .fails("INVALID", "A value cannot be accepted.")
}

/// What needs no database to be refused.
fn check(input: &Input) -> Option<Outcome> {
    let invalid = |message: &str, field: &[&str]| Some(Outcome::refused("INVALID", message, field));
    let swaps = input.swap.as_deref().unwrap_or_default();
    let adds = input.add.as_deref().unwrap_or_default();
    let reassigns = input.reassign.as_deref().unwrap_or_default();
    if swaps.len() + adds.len() + reassigns.len() == 0 {
        return invalid("nothing is to be changed", &[]);
    }
    if swaps.len() > 100 || adds.len() > 50 || reassigns.len() > 100 {
        return invalid("so much is not changed at once", &[]);
    }
    for (index, line) in adds.iter().enumerate() {
        let place = index.to_string();
        let people = line.attendees.as_deref().unwrap_or_default();
        if !(1..=100).contains(&line.quantity) {
            return Some(Outcome::refused(
                "QUANTITY_OUT_OF_RANGE",
                "a line has 1 to 100 tickets",
                &["add", &place, "quantity"],
            ));
        }
        if !people.is_empty() && people.len() != line.quantity.unsigned_abs() as usize {
            return invalid(
                "give an attendee for each ticket of the line, or none",
                &["add", &place, "attendees"],
            );
        }
        for (number, person) in people.iter().enumerate() {
            if let Some((field, message)) = fault_of(person) {
                let at = number.to_string();
                return invalid(message, &["add", &place, "attendees", &at, field]);
            }
        }
    }
    for (index, given) in reassigns.iter().enumerate() {
        if let Some((field, message)) = fault_of(&person(given)) {
            return invalid(message, &["reassign", &index.to_string(), field]);
        }
    }
    None
}

fn person(given: &Reassignment) -> Person {
    Person {
        name: given.name.clone(),
        email: given.email.clone(),
    }
}

/// The request without codes. Added units get keys here, so that their codes can be signed; the hash of the arguments
/// leaves keys out, for they are others at each call.
fn arguments(input: &Input, mut key: impl FnMut() -> Uuid) -> Json {
    let mut adds = vec![];
    for line in input.add.as_deref().unwrap_or_default() {
        for unit in 0..line.quantity.unsigned_abs() as usize {
            let mut one = price::item(line.ticket_type_id, 1, line.price.as_ref());
            one["item_id"] = json!(key());
            if let Some(who) = line
                .attendees
                .as_deref()
                .and_then(|people| people.get(unit))
            {
                let who = clean(who);
                one["name"] = json!(who.name);
                one["email"] = json!(who.email);
            }
            adds.push(one);
        }
    }
    let swaps: Vec<_> = input
        .swap
        .iter()
        .flatten()
        .map(|swap| json!({ "item_id": swap.item_id, "ticket_type_id": swap.ticket_type_id }))
        .collect();
    let reassigns: Vec<_> = input
        .reassign
        .iter()
        .flatten()
        .map(|given| {
            let who = clean(&person(given));
            json!({ "item_id": given.item_id, "name": who.name, "email": who.email })
        })
        .collect();
    let mut arguments = json!({
        "registration_id": input.registration_id, "swaps": swaps, "adds": adds, "reassigns": reassigns,
    });
    expect(&mut arguments, input.expected_total.as_ref());
    arguments
}

/// Every unit that the request names, once.
fn named(request: &Json) -> Vec<Uuid> {
    let mut items: Vec<Uuid> = ["swaps", "adds", "reassigns"]
        .iter()
        .filter_map(|kind| request[*kind].as_array())
        .flatten()
        .filter_map(|one| one["item_id"].as_str()?.parse().ok())
        .collect();
    items.sort_unstable();
    items.dedup();
    items
}
