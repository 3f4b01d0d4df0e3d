//! cancelRegistration: gives the places back and takes the tickets out of service.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    confirm::{org_of_registration, reader},
    expire::nudge,
    request::{argument_hash, check_key},
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
    reason: Option<String>,
    idempotency_key: String,
}

const REFUSALS: Refusals = &[
    (
        "registration_not_found",
        "REGISTRATION_NOT_FOUND",
        "there is no such registration",
        &["registrationId"],
    ),
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
            "Cancels a registration: its places are free again, its tickets admit nobody. The buyer may, and members \
             with `registrations:write`. Cancelling twice is no error.",
        )
        .takes(
            "registrationId",
            InputType::Scalar(Scalar::Id("Registration".to_owned())),
            "The registration; guests open it with the header `X-Guest-Secret`.",
        )
        .may_take("reason", InputType::Scalar(Scalar::String), "Why, at most 500 characters.")
        .idempotent()
        .gives("registration", PayloadType::Entity("Registration".to_owned()), "The registration.")
        .fails("REGISTRATION_NOT_FOUND", "There is no such registration for the caller.")
        .fails("NOT_CANCELLABLE", "It is rejected or expired.")
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
        let Some(org_id) = org_of_registration(call, input.registration_id).await? else {
            let answer = json!({ "outcome": "registration_not_found" });
            return Ok(outcome::refusal(&answer, REFUSALS)?.into());
        };
        let mut request =
            json!({ "registration_id": input.registration_id, "reason": input.reason });
        let hash = argument_hash(&request);
        request["idempotency_key"] = json!(input.idempotency_key);
        request["argument_hash"] = json!(hash);
        let answer = outcome::decide(call, org_id, "cancel_registration", &request).await?;
        let outcome = match outcome::word(&answer) {
            "cancelled" => {
                nudge();
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
