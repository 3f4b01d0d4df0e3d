//! From what an SQL function says to what a verb answers: its outcome is a word; each word that is no success has a
//! code, a sentence and a field of the input.

use chrono::{DateTime, Utc};
use eventsphere_graphql::engine::Outcome;
use serde_json::Value as Json;
use uuid::Uuid;

use crate::{
    clock,
    fault::{Fault, database_error},
    tenancy::{SystemReason, Undecided},
};

/// (outcome of the function, code, sentence, path of the input's field).
pub type Refusal = (
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
);

/// All that a function refuses.
pub type Refusals = &'static [Refusal];

/// The word that the function answered.
pub fn word(answer: &Json) -> &str {
    answer.get("outcome").and_then(Json::as_str).unwrap_or("")
}

/// A key in the answer.
pub fn key(answer: &Json, name: &str) -> Result<Uuid, Fault> {
    answer
        .get(name)
        .and_then(Json::as_str)
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| Fault::Internal(format!("the function answered without {name}: {answer}")))
}

/// An instant in the answer, as the API writes it; null where there is none.
pub fn instant(answer: &Json, name: &str) -> Json {
    let text = answer.get(name).and_then(Json::as_str);
    let instant = text.and_then(|text| DateTime::parse_from_rfc3339(text).ok());
    instant.map_or(Json::Null, |instant| {
        clock::written(instant.with_timezone(&Utc)).into()
    })
}

/// The user error of a word that is no success.
pub fn refusal(answer: &Json, refusals: Refusals) -> Result<Outcome, Fault> {
    let word = word(answer);
    refusals
        .iter()
        .find(|(known, ..)| *known == word)
        .map(|(_, code, message, field)| {
            // A function that knows more than the word says so.
            let message = answer
                .get("message")
                .and_then(Json::as_str)
                .unwrap_or(message);
            Outcome::refused(code, message, field)
        })
        .ok_or_else(|| Fault::Internal(format!("no one expects the outcome {answer}")))
}

/// A function of ours refuses with a class of its own: what it means to the caller.
pub fn fault(error: sea_orm::DbErr) -> Fault {
    database_error(&error)
        .and_then(|database| raised(&database.code()?, database.message()))
        .unwrap_or_else(|| error.into())
}

fn raised(code: &str, message: &str) -> Option<Fault> {
    let message = message.to_owned();
    match code {
        "ES400" => Some(Fault::BadInput(message)),
        "ES401" => Some(Fault::Unauthenticated(message)),
        "ES403" => Some(Fault::Forbidden(message)),
        "ES404" => Some(Fault::NotFound(message)),
        "ES409" => Some(Fault::Conflict(message)),
        _ => None,
    }
}

impl From<Undecided> for Fault {
    fn from(error: Undecided) -> Self {
        match error {
            Undecided::Sql { code, message } => raised(&code, &message)
                .or_else(|| Self::passing(&code, &message))
                .unwrap_or_else(|| Self::Internal(format!("{code}: {message}"))),
            Undecided::Unavailable(reason) => Self::Unavailable(reason),
            Undecided::Unreadable => Self::internal(error),
        }
    }
}

/// Calls the function as the actor in that organization; it is committed when this returns. Two verbs that met in a
/// circle (a deadlock) are no reason to bother anybody: the one that was rolled back tries again.
pub async fn decide(
    call: crate::verbs::Call<'_>,
    org_id: Uuid,
    function: &'static str,
    request: &Json,
) -> Result<Json, Fault> {
    decide_as(call.app, call.actor, org_id, function, request).await
}

/// The same without a call: for what is done after it was taken in.
pub async fn decide_as(
    app: &crate::state::App,
    actor: &crate::tenancy::Actor,
    org_id: Uuid,
    function: &'static str,
    request: &Json,
) -> Result<Json, Fault> {
    again(function, || {
        app.door.decide(actor, org_id, function, request)
    })
    .await
}

/// The same as the program, in that organization.
pub async fn decide_for_many(
    app: &crate::state::App,
    reason: SystemReason,
    org_id: Uuid,
    function: &'static str,
    request: &Json,
) -> Result<Json, Fault> {
    again(function, || {
        app.door.decide_for_many(reason, org_id, function, request)
    })
    .await
}

/// Asks, and asks again when it was rolled back for another's sake.
async fn again<A>(function: &'static str, ask: impl Fn() -> A) -> Result<Json, Fault>
where
    A: Future<Output = Result<Json, Undecided>>,
{
    const TRIES: usize = 3;
    let mut tried = 1;
    loop {
        match ask().await {
            Err(Undecided::Sql { code, .. })
                if tried < TRIES && matches!(code.as_str(), "40P01" | "40001") =>
            {
                tracing::warn!(function, tried, "a deadlock; tried again");
                tried += 1;
            }
            decided => return Ok(decided?),
        }
    }
}

/// The same in the organization that the actor acts in.
pub async fn decide_own(
    call: crate::verbs::Call<'_>,
    function: &'static str,
    request: &Json,
) -> Result<Json, Fault> {
    decide(call, own_org(call)?, function, request).await
}

/// The organization that the caller acts in.
pub fn own_org(call: crate::verbs::Call<'_>) -> Result<Uuid, Fault> {
    call.actor.org_id().ok_or_else(|| {
        Fault::Forbidden("choose an organization first (switchOrganization)".to_owned())
    })
}

/// The answer to `forbidden`: what was allowed some seconds ago is no longer. Nothing of the caller's own role is told but
/// that it does not do.
pub fn forbidden() -> Fault {
    Fault::Forbidden("your role or token does not (any more) allow this".to_owned())
}
