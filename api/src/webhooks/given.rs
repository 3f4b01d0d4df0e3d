//! What members write when they make or change an endpoint: checked before anything is stored, the document against the
//! schema and then by a run under the endpoint's scopes.

use async_graphql::parser::types::{DocumentOperations, OperationType};
use eventsphere_graphql::{InputType, Scalar, Verb, document::Document, engine::Outcome};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    events::{self, EVENT_TYPES},
    render::{self, Question},
    sender::SendError,
    versions,
};
use crate::{
    accounts::input::{Problem, Problems},
    fault::Fault,
    outcome::Refusals,
    verbs::Call,
};

const LONGEST_URL: usize = 2000;
const LONGEST_DESCRIPTION: usize = 200;
const LARGEST_DOCUMENT: usize = 64 * 1024;
const MOST_SCOPES: usize = 50;

/// An endpoint as it shall be.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Wanted {
    pub url: String,
    pub description: String,
    pub event_types: Vec<String>,
    pub api_version: String,
    pub document: Option<String>,
    pub scopes: Vec<String>,
}

/// What the functions refuse, for all verbs of this slice.
pub(super) const REFUSALS: Refusals = &[
    (
        "not_found",
        "WEBHOOK_ENDPOINT_NOT_FOUND",
        "there is no such endpoint",
        &["id"],
    ),
    (
        "exceeds_own_permissions",
        "EXCEEDS_OWN_PERMISSIONS",
        "an endpoint is told no more than those may see who make or change it",
        &["scopes"],
    ),
    (
        "too_many",
        "TOO_MANY_ENDPOINTS",
        "an organization has at most 20 endpoints",
        &["url"],
    ),
    (
        "changed_meanwhile",
        "CHANGED_MEANWHILE",
        "somebody else has just changed the endpoint; look at it and try again",
        &["id"],
    ),
    (
        "not_active",
        "ENDPOINT_NOT_ACTIVE",
        "the endpoint is turned off",
        &["id"],
    ),
];

/// The fields that making and changing have in common.
pub(super) fn fields(verb: Verb) -> Verb {
    let text = || InputType::Scalar(Scalar::String);
    verb.may_take("description", text(), "What it is for, at most 200 characters.")
        .may_take(
            "eventTypes",
            InputType::List(Scalar::String),
            "Types of events that it gets, such as `registration.confirmed`; an empty list means all.",
        )
        .may_take(
            "apiVersion",
            text(),
            "Version of what is sent, a date; the newest when none was ever chosen.",
        )
        .may_take(
            "document",
            text(),
            "A query against this schema that makes `data` of each delivery, with the variables `$id: ID!` (the object \
             of the event) and `$eventType: String!` if it wants them. It is checked and tried now, runs under \
             `scopes`, and once per delivery. Null for the documented default.",
        )
        .may_take(
            "scopes",
            InputType::List(Scalar::String),
            "Codes of the permissions that the query runs with; one must hold them oneself.",
        )
        .fails("URL_INVALID", "The address is no `https` address of a public host.")
        .fails("DESCRIPTION_INVALID", "The description is too long.")
        .fails("EVENT_TYPE_UNKNOWN", "One of the types does not exist.")
        .fails("API_VERSION_UNKNOWN", "There is no such version.")
        .fails("PERMISSION_UNKNOWN", "One of the scopes does not exist, or there are too many.")
        .fails("DOCUMENT_INVALID", "The document is not valid, no single query, or fails under the scopes.")
        .fails("EXCEEDS_OWN_PERMISSIONS", "One does not hold all of the endpoint's scopes.")
}

/// What is wrong with it, if anything is.
pub(super) async fn check(
    call: Call<'_>,
    endpoint_id: Uuid,
    wanted: &Wanted,
) -> Result<Option<Outcome>, Fault> {
    let mut problems = Problems::default();
    problems.check("url", url(call, &wanted.url));
    problems.check("description", description(&wanted.description));
    problems.check("eventTypes", event_types(&wanted.event_types));
    problems.check("apiVersion", api_version(&wanted.api_version));
    problems.check("scopes", scopes(&wanted.scopes));
    if !problems.any()
        && let Some(text) = &wanted.document
    {
        let checked = document(call, endpoint_id, wanted, text).await?;
        problems.check("document", checked);
    }
    Ok(problems.any().then(|| problems.outcome()))
}

fn url(call: Call<'_>, url: &str) -> Result<(), Problem> {
    let message = match call.app.webhooks.sender.target(url) {
        Ok(_) if url.len() <= LONGEST_URL => return Ok(()),
        Err(SendError::Refused) => "This address is not public.",
        _ => {
            "An address is `https://host/path`, without a name or password in it and at most 2000 bytes."
        }
    };
    Err(Problem::new("URL_INVALID", message))
}

fn description(text: &str) -> Result<(), Problem> {
    let fits = text.chars().count() <= LONGEST_DESCRIPTION && !text.contains('\0');
    let message = "A description has at most 200 characters.";
    fits.then_some(())
        .ok_or_else(|| Problem::new("DESCRIPTION_INVALID", message))
}

fn event_types(types: &[String]) -> Result<(), Problem> {
    let unknown = types
        .iter()
        .find(|name| !EVENT_TYPES.iter().any(|event| event.name == name.as_str()));
    match unknown {
        None => Ok(()),
        Some(name) => {
            let name: String = name.chars().take(100).collect();
            let message = format!("There are no events of the type {name:?}.");
            Err(Problem::new("EVENT_TYPE_UNKNOWN", &message))
        }
    }
}

fn api_version(version: &str) -> Result<(), Problem> {
    let message = format!("There are the versions {}.", versions::names());
    versions::version(version)
        .map(drop)
        .ok_or_else(|| Problem::new("API_VERSION_UNKNOWN", &message))
}

fn scopes(scopes: &[String]) -> Result<(), Problem> {
    let codes = scopes.iter().map(String::as_str);
    let unknown = eventsphere_entities::permissions::unknown_codes(codes);
    let fits = unknown.is_empty() && scopes.len() <= MOST_SCOPES;
    let message = "Scopes are at most 50 codes of permissions.";
    fits.then_some(())
        .ok_or_else(|| Problem::new("PERMISSION_UNKNOWN", message))
}

async fn document(
    call: Call<'_>,
    endpoint_id: Uuid,
    wanted: &Wanted,
    text: &str,
) -> Result<Result<(), Problem>, Fault> {
    let unfit = |message: &str| {
        let message: String = message.chars().take(400).collect();
        Ok(Err(Problem::new("DOCUMENT_INVALID", &message)))
    };
    if text.is_empty() || text.len() > LARGEST_DOCUMENT || text.contains('\0') {
        return unfit("A document has 1 to 65536 bytes.");
    }
    let document = match call.app.engine.check(text).await {
        Ok(document) => document,
        Err(fails) => {
            let message = fails.first().map_or("", |fail| &fail.message);
            return unfit(message);
        }
    };
    if !is_one_query(&document) {
        return unfit("A document has one operation, a query.");
    }
    let Some(org_id) = call.actor.org_id() else {
        return unfit("Choose an organization first.");
    };
    // An object that is not there: what is tried is whether it may be asked, of every kind that events can be about. The
    // caller's own permissions bound what the trial is run with; that they hold all scopes is judged after the lock.
    let held: Vec<String> = wanted
        .scopes
        .iter()
        .filter(|scope| call.actor.may(scope))
        .cloned()
        .collect();
    if held.len() < wanted.scopes.len() {
        return Ok(Ok(()));
    }
    let question = Question {
        endpoint_id,
        org_id,
        scopes: &held,
        document: &document,
    };
    for entity in events::entities(&wanted.event_types) {
        let told = render::ask(call.app, &question, entity, Uuid::nil(), None).await?;
        if let Some(errors) = told.errors {
            let message = errors[0]["message"].as_str().unwrap_or_default();
            return unfit(&format!("For events of {entity}: {message}"));
        }
    }
    Ok(Ok(()))
}

fn is_one_query(document: &Document) -> bool {
    let is_query = |ty| ty == OperationType::Query;
    match &document.parsed.operations {
        DocumentOperations::Single(operation) => is_query(operation.node.ty),
        DocumentOperations::Multiple(all) => {
            all.len() == 1 && all.values().all(|operation| is_query(operation.node.ty))
        }
    }
}

/// How long the secret before signs too when nothing is said, hours.
pub(super) const OVERLAP_HOURS: i32 = 24;
