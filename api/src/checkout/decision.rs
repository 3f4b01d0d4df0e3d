//! What approving and rejecting have in common: one registration or many, and an answer for each.

use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::request::{check_key, keyed};
use crate::{
    fault::Fault,
    outcome::{self, Refusal, Refusals},
    verbs::{Call, Done},
};

/// How many registrations are decided at once at most.
const MOST: usize = 100;

/// What either decision refuses. The field is told where it is known of which of many it is.
pub(super) const NOT_FOUND: Refusal = (
    "registration_not_found",
    "REGISTRATION_NOT_FOUND",
    "there is no such registration",
    &[],
);
pub(super) const NOT_PENDING: Refusal = (
    "not_pending",
    "NOT_PENDING",
    "the registration does not wait for approval",
    &[],
);

/// A decision: the function that makes it, its words for "done", and what the others mean.
pub(super) struct Decision {
    pub function: &'static str,
    pub done: &'static [&'static str],
    pub refusals: Refusals,
}

/// The input of a decision on one registration.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct One {
    pub(super) registration_id: Uuid,
    #[serde(default)]
    reason: Option<String>,
    idempotency_key: String,
}

/// The input of a decision on many.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Many {
    pub(super) registration_ids: Vec<Uuid>,
    #[serde(default)]
    error_policy: Option<String>,
    #[serde(default)]
    reason: Option<String>,
    idempotency_key: String,
}

impl Many {
    /// Refuses lists of another size.
    pub(super) fn check(&self) -> Result<(), Fault> {
        match (1..=MOST).contains(&self.registration_ids.len()) {
            true => Ok(()),
            false => Err(Fault::BadInput(format!(
                "`input.registrationIds` has 1 to {MOST} ids"
            ))),
        }
    }
}

/// Input and payload of a decision on one.
pub(super) fn takes_one(verb: Verb) -> Verb {
    verb.takes(
        "registrationId",
        InputType::Scalar(Scalar::Id("Registration".to_owned())),
        "The registration.",
    )
    .idempotent()
    .gives(
        "registration",
        PayloadType::Entity("Registration".to_owned()),
        "The registration.",
    )
    .scope("registrations:write")
}

/// Input and payload of a decision on many.
pub(super) fn takes_many(verb: Verb) -> Verb {
    verb.takes(
        "registrationIds",
        InputType::List(Scalar::Id("Registration".to_owned())),
        "The registrations, 1 to 100.",
    )
    .may_take(
        "errorPolicy",
        InputType::Scalar(Scalar::Enum("ErrorPolicy".to_owned())),
        "What becomes of the others when one is refused; `REJECT_ALL` by default.",
    )
    .idempotent()
    .gives(
        "registrations",
        PayloadType::Entities("Registration".to_owned()),
        "Those that were decided, in the order asked; a user error with the place in `registrationIds` for each \
         other.",
    )
    .scope("registrations:write")
}

/// Decides on one.
pub(super) async fn one(
    call: Call<'_>,
    decision: &Decision,
    input: One,
    tickets: Json,
) -> Result<Done, Fault> {
    check_key(&input.idempotency_key)?;
    let ids = [input.registration_id];
    let request = request(
        &ids,
        "skip_failed",
        input.reason,
        &input.idempotency_key,
        tickets,
    );
    let answer = outcome::decide_own(call, decision.function, &request).await?;
    // What was rejected is free.
    call.app.jobs.wake();
    if !matches!(outcome::word(&answer), "decided" | "refused") {
        return Ok(outcome::refusal(&answer, decision.refusals)?.into());
    }
    let result = &answer["results"][0];
    if decision.done.contains(&outcome::word(result)) {
        return Ok(Outcome::new()
            .entity("registration", input.registration_id)
            .into());
    }
    let (code, message) = meaning(decision, result)?;
    Ok(Outcome::refused(code, message, &["registrationId"]).into())
}

/// Decides on many.
pub(super) async fn many(
    call: Call<'_>,
    decision: &Decision,
    input: Many,
    tickets: Json,
) -> Result<Done, Fault> {
    check_key(&input.idempotency_key)?;
    let policy = match input.error_policy.as_deref() {
        Some("skip_failed") => "skip_failed",
        _ => "reject_all",
    };
    let ids = &input.registration_ids;
    let request = request(ids, policy, input.reason, &input.idempotency_key, tickets);
    let answer = outcome::decide_own(call, decision.function, &request).await?;
    // What was rejected is free.
    call.app.jobs.wake();
    if !matches!(outcome::word(&answer), "decided" | "refused") {
        return Ok(outcome::refusal(&answer, decision.refusals)?.into());
    }
    let mut done = vec![];
    let mut outcome = Outcome::new();
    for result in answer["results"].as_array().into_iter().flatten() {
        let id = outcome::key(result, "registration_id")?;
        if decision.done.contains(&outcome::word(result)) {
            done.push(id);
            continue;
        }
        let (code, message) = meaning(decision, result)?;
        let place = ids.iter().position(|asked| *asked == id).unwrap_or(0);
        outcome = outcome.error(code, message, &["registrationIds", &place.to_string()]);
    }
    if outcome::word(&answer) == "refused" {
        done.clear();
    }
    Ok(outcome.entities("registrations", done).into())
}

fn request(ids: &[Uuid], policy: &str, reason: Option<String>, key: &str, tickets: Json) -> Json {
    let arguments = json!({ "registration_ids": ids, "error_policy": policy, "reason": reason });
    let mut request = keyed(arguments, key);
    request["tickets"] = tickets;
    request
}

fn meaning(decision: &Decision, result: &Json) -> Result<(&'static str, &'static str), Fault> {
    let word = outcome::word(result);
    decision
        .refusals
        .iter()
        .find(|(known, ..)| *known == word)
        .map(|(_, code, message, _)| (*code, *message))
        .ok_or_else(|| Fault::Internal(format!("no one expects the outcome {result}")))
}
