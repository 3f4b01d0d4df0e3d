//! rejectRegistration and rejectRegistrations: a member says no, and the places are free again.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, Scalar, Verb};
use serde_json::Value as Json;

use super::decision::{self, Decision, Many, One};
use crate::{
    fault::Fault,
    outcome::Refusals,
    verbs::{Call, Done, Handle},
};

/// Rejects one.
pub struct RejectRegistration;

/// Rejects up to a hundred.
pub struct RejectRegistrations;

const REFUSALS: Refusals = &[
    decision::NOT_FOUND,
    decision::NOT_PENDING,
    (
        "invalid",
        "INVALID",
        "a reason has at most 1000 characters",
        &["reason"],
    ),
];

const DECISION: Decision = Decision {
    function: "reject_registrations",
    done: &["rejected"],
    refusals: REFUSALS,
};

fn more(verb: Verb) -> Verb {
    verb.may_take(
        "reason",
        InputType::Scalar(Scalar::String),
        "Why, at most 1000 characters; the buyer reads it.",
    )
    .fails("REGISTRATION_NOT_FOUND", "There is no such registration.")
    .fails("NOT_PENDING", "It does not wait for approval.")
    .fails("INVALID", "A value cannot be accepted.")
}

#[async_trait]
impl Handle for RejectRegistration {
    type Input = One;

    fn describe() -> Verb {
        more(decision::takes_one(Verb::new(
            "rejectRegistration",
            "Rejects a registration that waits for approval; its places are free again. Rejecting twice is no error.",
        )))
    }

    async fn run(call: Call<'_>, input: One) -> Result<Done, Fault> {
        decision::one(call, &DECISION, input, Json::Null).await
    }
}

#[async_trait]
impl Handle for RejectRegistrations {
    type Input = Many;

    fn describe() -> Verb {
        more(decision::takes_many(Verb::new(
            "rejectRegistrations",
            "Rejects up to 100 registrations that wait for approval, for one reason. All is one transaction.",
        )))
    }

    async fn run(call: Call<'_>, input: Many) -> Result<Done, Fault> {
        input.check()?;
        decision::many(call, &DECISION, input, Json::Null).await
    }
}
