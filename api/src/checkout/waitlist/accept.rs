//! acceptWaitlistOffer: the places offered become a registration that is held, to be confirmed like any other.

use async_trait::async_trait;
use eventsphere_graphql::{PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{leave::named, org_of_entry};
use crate::{
    checkout::{guest, request::check_key},
    fault::Fault,
    outcome::{self, Refusals},
    verbs::{Call, Done, Handle},
};

/// The verb.
pub struct AcceptWaitlistOffer;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    waitlist_entry_id: Uuid,
    idempotency_key: String,
}

const ENTRY: &[&str] = &["waitlistEntryId"];

const REFUSALS: Refusals = &[
    (
        "entry_not_found",
        "WAITLIST_ENTRY_NOT_FOUND",
        "there is no such entry in a waitlist",
        ENTRY,
    ),
    (
        "no_offer",
        "NO_OFFER",
        "there is no open offer: none was made yet, or it was declined or has expired",
        ENTRY,
    ),
    (
        "offer_expired",
        "OFFER_EXPIRED",
        "the offer has expired",
        ENTRY,
    ),
    (
        "sold_out",
        "SOLD_OUT",
        "the ticket type now draws from another stock, which is sold out",
        ENTRY,
    ),
    (
        "event_not_found",
        "SALE_NOT_OPEN",
        "the event is not on sale any more",
        ENTRY,
    ),
    (
        "occurrence_not_found",
        "SALE_NOT_OPEN",
        "the date does not take place any more",
        ENTRY,
    ),
    (
        "ticket_type_not_found",
        "SALE_NOT_OPEN",
        "the ticket type is not sold any more",
        ENTRY,
    ),
    (
        "sale_not_open",
        "SALE_NOT_OPEN",
        "the ticket type is not on sale now",
        ENTRY,
    ),
    (
        "quantity_out_of_range",
        "QUANTITY_OUT_OF_RANGE",
        "so many can no longer be placed in one registration",
        ENTRY,
    ),
    (
        "already_registered",
        "ALREADY_REGISTERED",
        "this address is registered already",
        ENTRY,
    ),
    ("invalid", "INVALID", "a value cannot be accepted", ENTRY),
];

#[async_trait]
impl Handle for AcceptWaitlistOffer {
    type Input = Input;

    fn describe() -> Verb {
        named(Verb::new(
            "acceptWaitlistOffer",
            "Accepts the open offer of an entry: its places are held as a registration, at the price of now, until that \
             is confirmed (`confirmRegistration`) or its hold runs out. Whoever waits may, and members with \
             `registrations:write`. Accepting twice gives the same registration.",
        ))
        .gives("registration", PayloadType::Entity("Registration".to_owned()), "The registration.")
        .gives(
            "guestSecret",
            PayloadType::Scalar(Scalar::String),
            "For those who are not signed in: what opens the registration later. Keep it.",
        )
        .fails("NO_OFFER", "There is no open offer: none was made yet, or it was declined or has expired.")
        .fails("OFFER_EXPIRED", "The offer has expired.")
        .fails("SOLD_OUT", "The ticket type now draws from another stock, which is sold out.")
        .fails("SALE_NOT_OPEN", "What was offered is not on sale any more.")
        .fails("QUANTITY_OUT_OF_RANGE", "Fewer or more tickets than allowed.")
        .fails("ALREADY_REGISTERED", "The event takes one registration an address, and there is one.")
        .fails("INVALID", "A value cannot be accepted.")
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        check_key(&input.idempotency_key)?;
        let Some(org_id) = org_of_entry(call, input.waitlist_entry_id).await? else {
            let answer = json!({ "outcome": "entry_not_found" });
            return Ok(outcome::refusal(&answer, REFUSALS)?.into());
        };
        let arguments = json!({ "entry_id": input.waitlist_entry_id });
        let (request, secret) =
            guest::with_secret(call, org_id, arguments, &input.idempotency_key)?;
        let answer = outcome::decide(call, org_id, "accept_waitlist_offer", &request).await?;
        if outcome::word(&answer) != "accepted" {
            return Ok(outcome::refusal(&answer, REFUSALS)?.into());
        }
        // An earlier call, under another key, gave its own secret; this one opens nothing.
        let secret = secret.filter(|_| answer["already"] != json!(true));
        let done = Outcome::new()
            .entity("waitlistEntry", input.waitlist_entry_id)
            .entity("registration", outcome::key(&answer, "registration_id")?);
        Ok(guest::done(call, org_id, done, secret))
    }
}
