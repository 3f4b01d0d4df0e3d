//! extendRegistration: holds places for longer; what has run out is taken again, at the prices of now.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::{Value as Json, json};
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
pub struct ExtendRegistration;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    registration_id: Uuid,
    idempotency_key: String,
}

const NOT_ON_SALE: &str =
    "the hold has run out, and what it held is not on sale in that way any more";

const OVER_CODE: &str = "the hold has run out, and its promo code is no longer valid for it";

const REFUSALS: Refusals = &[
    refusals::REGISTRATION_NOT_FOUND,
    (
        "extension_limit_reached",
        "EXTENSION_LIMIT_REACHED",
        "places of this event are not held for longer than that",
        &["registrationId"],
    ),
    (
        "not_extendable",
        "NOT_EXTENDABLE",
        "only a hold can be extended",
        &["registrationId"],
    ),
    (
        "sold_out",
        "SOLD_OUT",
        "the hold has run out, and its places are taken",
        &["registrationId"],
    ),
    (
        "code_used_up",
        "CODE_USED_UP",
        "the hold has run out, and its promo code cannot be used so often any more",
        &["registrationId"],
    ),
    (
        "code_used_by_buyer",
        "CODE_USED_BY_BUYER",
        "the hold has run out, and its buyer has used the promo code as often as one may",
        &["registrationId"],
    ),
    (
        "code_expired",
        "CODE_EXPIRED",
        OVER_CODE,
        &["registrationId"],
    ),
    (
        "code_not_yet_valid",
        "CODE_EXPIRED",
        OVER_CODE,
        &["registrationId"],
    ),
    (
        "code_unknown",
        "CODE_EXPIRED",
        OVER_CODE,
        &["registrationId"],
    ),
    (
        "code_not_applicable",
        "CODE_EXPIRED",
        OVER_CODE,
        &["registrationId"],
    ),
    (
        "add_on_out_of_range",
        "SALE_NOT_OPEN",
        NOT_ON_SALE,
        &["registrationId"],
    ),
    (
        "price_out_of_range",
        "SALE_NOT_OPEN",
        NOT_ON_SALE,
        &["registrationId"],
    ),
    (
        "already_registered",
        "ALREADY_REGISTERED",
        "the hold has run out, and its address is registered already",
        &["registrationId"],
    ),
    (
        "sale_not_open",
        "SALE_NOT_OPEN",
        NOT_ON_SALE,
        &["registrationId"],
    ),
    (
        "event_not_found",
        "SALE_NOT_OPEN",
        NOT_ON_SALE,
        &["registrationId"],
    ),
    (
        "occurrence_not_found",
        "SALE_NOT_OPEN",
        NOT_ON_SALE,
        &["registrationId"],
    ),
    (
        "ticket_type_not_found",
        "SALE_NOT_OPEN",
        NOT_ON_SALE,
        &["registrationId"],
    ),
    (
        "quantity_out_of_range",
        "SALE_NOT_OPEN",
        NOT_ON_SALE,
        &["registrationId"],
    ),
];

#[async_trait]
impl Handle for ExtendRegistration {
    type Input = Input;

    fn describe() -> Verb {
        let said = || PayloadType::Scalar(Scalar::Boolean);
        Verb::new(
            "extendRegistration",
            "Holds the places of a registration for the event's hold time again, `holdExtensionSeconds` of the event \
             longer than at first altogether. A hold that has run out takes its places again, at the prices of now: \
             `takenAgain` and `priceChanged` say so.",
        )
        .takes(
            "registrationId",
            InputType::Scalar(Scalar::Id("Registration".to_owned())),
            "The registration; guests open it with the header `X-Guest-Secret`.",
        )
        .idempotent()
        .gives(
            "registration",
            PayloadType::Entity("Registration".to_owned()),
            "The registration, with its new `expiresAt`.",
        )
        .gives(
            "takenAgain",
            said(),
            "Whether the hold had run out, and its places were taken again.",
        )
        .gives(
            "priceChanged",
            said(),
            "Whether the total is another one than before.",
        )
        .fails("REGISTRATION_NOT_FOUND", "There is no such registration for the caller.")
        .fails("EXTENSION_LIMIT_REACHED", "It cannot be held for longer.")
        .fails("NOT_EXTENDABLE", "It is no hold.")
        .fails("SOLD_OUT", "It had run out, and its places are taken.")
        .fails("ALREADY_REGISTERED", "It had run out, and its address has another registration.")
        .fails("CODE_USED_UP", "It had run out, and its promo code cannot be used so often any more.")
        .fails("CODE_USED_BY_BUYER", "It had run out, and its buyer has used the promo code as often as one may.")
        .fails("CODE_EXPIRED", "It had run out, and its promo code is no longer valid for it.")
        .fails("SALE_NOT_OPEN", "It had run out, and what it held is not on sale any more.")
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        check_key(&input.idempotency_key)?;
        let Some(org_id) = org_of_registration(call, input.registration_id).await? else {
            let answer = json!({ "outcome": "registration_not_found" });
            return Ok(outcome::refusal(&answer, REFUSALS)?.into());
        };
        let arguments = json!({ "registration_id": input.registration_id });
        let request = keyed(arguments, &input.idempotency_key);
        let answer = outcome::decide(call, org_id, "extend_registration", &request).await?;
        let outcome = match outcome::word(&answer) {
            "extended" => Outcome::new()
                .entity("registration", input.registration_id)
                .value("takenAgain", answer["taken_again"] == Json::Bool(true))
                .value(
                    "priceChanged",
                    answer["total_before"] != answer["total_minor"],
                ),
            _ => outcome::refusal(&answer, REFUSALS)?,
        };
        Ok(Done {
            outcome,
            read_as: Some(reader(call, org_id)),
        })
    }
}
