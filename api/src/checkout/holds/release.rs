//! releaseHold: what was not sold from it goes back on sale.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::{
    checkout::request::{check_key, keyed},
    fault::Fault,
    outcome::{self, Refusals},
    verbs::{Call, Done, Handle},
};

/// The verb.
pub struct ReleaseHold;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    hold_id: Uuid,
    idempotency_key: String,
}

const REFUSALS: Refusals = &[(
    "hold_not_found",
    "HOLD_NOT_FOUND",
    "there is no such hold",
    &["holdId"],
)];

#[async_trait]
impl Handle for ReleaseHold {
    type Input = Input;

    fn describe() -> Verb {
        Verb::new(
            "releaseHold",
            "Releases a hold: what was not sold from it is free again, first for those who wait. Releasing twice is no \
             error.",
        )
        .scope("registrations:write")
        .takes(
            "holdId",
            InputType::Scalar(Scalar::Id("Hold".to_owned())),
            "Which one.",
        )
        .idempotent()
        .gives("hold", PayloadType::Entity("Hold".to_owned()), "The hold.")
        .fails("HOLD_NOT_FOUND", "There is no such hold.")
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        check_key(&input.idempotency_key)?;
        let arguments = json!({ "hold_id": input.hold_id });
        let request = keyed(arguments, &input.idempotency_key);
        let answer = outcome::decide_own(call, "release_hold", &request).await?;
        Ok(match outcome::word(&answer) {
            "released" => {
                call.app.jobs.wake();
                Outcome::new().entity("hold", input.hold_id)
            }
            _ => outcome::refusal(&answer, REFUSALS)?,
        }
        .into())
    }
}
