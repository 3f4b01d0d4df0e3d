//! cancelRegistration: gives the places back and takes the tickets out of service.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    confirm::org_of_registration,
    guest::reader,
    refusals,
    request::{check_key, keyed},
};
use crate::{
    fault::Fault,
    outcome::{self, Refusals},
    verbs::{Call, Done, Handle},
};

/// The verb.
pub struct CancelRegistration;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    registration_id: Uuid,
    #[serde(default)]
    item_ids: Option<Vec<Uuid>>,
    #[serde(default)]
    reason: Option<String>,
    idempotency_key: String,
}

const REFUSALS: Refusals = &[
    refusals::REGISTRATION_NOT_FOUND,
    (
        "registration_expired",
        "NOT_CANCELLABLE",
        "the hold has run out already",
        &["registrationId"],
    ),
    (
        "registration_rejected",
        "NOT_CANCELLABLE",
        "the registration was rejected",
        &["registrationId"],
    ),
    (
        "item_not_found",
        "ITEM_NOT_FOUND",
        "the registration has no such place",
        &["itemIds"],
    ),
    (
        "cancellation_closed",
        "CANCELLATION_CLOSED",
        "the time to cancel by oneself is over",
        &["registrationId"],
    ),
    (
        "ticket_given_away",
        "TICKET_GIVEN_AWAY",
        "a ticket of it was handed on, and is its holder's",
        &["registrationId"],
    ),
    (
        "ticket_used",
        "TICKET_USED",
        "somebody came in with a ticket of it",
        &["registrationId"],
    ),
    (
        "quantity_out_of_range",
        "QUANTITY_OUT_OF_RANGE",
        "so few of a ticket type cannot be had in one registration",
        &["itemIds"],
    ),
    (
        "add_on_out_of_range",
        "ADD_ON_OUT_OF_RANGE",
        "add-ons would be left without their tickets",
        &["itemIds"],
    ),
    (
        "payment_required",
        "PAYMENT_REQUIRED",
        "what is left would cost more, because a discount was given for all of it",
        &["itemIds"],
    ),
    (
        "invalid",
        "INVALID",
        "a value cannot be accepted",
        &["reason"],
    ),
];

#[async_trait]
impl Handle for CancelRegistration {
    type Input = Input;

    fn describe() -> Verb {
        Verb::new(
            "cancelRegistration",
            "Cancels a registration, or some of its places: they are free again, their tickets admit nobody. Places that \
             stay keep their price, unless a discount was given for more of them than are left. The buyer \
             may (what is confirmed until `cancellationClosesMinutes` of the event), and members with \
             `registrations:write`. Cancelling twice is no error.",
        )
        .takes(
            "registrationId",
            InputType::Scalar(Scalar::Id("Registration".to_owned())),
            "The registration; guests open it with the header `X-Guest-Secret`.",
        )
        .may_take(
            "itemIds",
            InputType::List(Scalar::Id("RegistrationItem".to_owned())),
            "The places to cancel, at most 100; the whole registration when left out.",
        )
        .may_take("reason", InputType::Scalar(Scalar::String), "Why, at most 500 characters.")
        .idempotent()
        .gives("registration", PayloadType::Entity("Registration".to_owned()), "The registration.")
        .fails("REGISTRATION_NOT_FOUND", "There is no such registration for the caller.")
        .fails("NOT_CANCELLABLE", "It is rejected or expired.")
        .fails("ITEM_NOT_FOUND", "The registration has no such place.")
        .fails("CANCELLATION_CLOSED", "Buyers may not cancel it now.")
        .fails("TICKET_GIVEN_AWAY", "A ticket of it was handed on; only members may.")
        .fails("TICKET_USED", "Somebody came in with a ticket of it; only members may.")
        .fails("QUANTITY_OUT_OF_RANGE", "Fewer would be left of a ticket type than can be had.")
        .fails("ADD_ON_OUT_OF_RANGE", "Add-ons would be left without their tickets.")
        .fails("PAYMENT_REQUIRED", "What is left would cost more, a discount for many being lost; only members may.")
        .fails("INVALID", "A value cannot be accepted.")
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        check_key(&input.idempotency_key)?;
        if input
            .reason
            .as_ref()
            .is_some_and(|text| text.chars().count() > 500)
        {
            let outcome = Outcome::refused(
                "INVALID",
                "a reason has at most 500 characters",
                &["reason"],
            );
            return Ok(outcome.into());
        }
        if input.item_ids.as_ref().is_some_and(|ids| ids.len() > 100) {
            return Err(Fault::BadInput(
                "`input.itemIds` has at most 100 ids".to_owned(),
            ));
        }
        let Some(org_id) = org_of_registration(call, input.registration_id).await? else {
            let answer = json!({ "outcome": "registration_not_found" });
            return Ok(outcome::refusal(&answer, REFUSALS)?.into());
        };
        let mut arguments =
            json!({ "registration_id": input.registration_id, "reason": input.reason });
        if let Some(items) = &input.item_ids {
            arguments["item_ids"] = json!(items);
        }
        let request = keyed(arguments, &input.idempotency_key);
        let answer = outcome::decide(call, org_id, "cancel_registration", &request).await?;
        let outcome = match outcome::word(&answer) {
            "cancelled" | "units_cancelled" => {
                call.app.jobs.wake();
                Outcome::new().entity("registration", input.registration_id)
            }
            _ => outcome::refusal(&answer, REFUSALS)?,
        };
        Ok(Done {
            outcome,
            read_as: Some(reader(call, org_id)),
        })
    }
}
