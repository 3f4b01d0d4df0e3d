//! What a delivery says. Made once, before the first attempt; after that the bytes are the same.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use eventsphere_graphql::{Incoming, answer::Reached, document::Document, global_id};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::{
    events,
    versions::{self, Told as Said},
};
use crate::{
    clock,
    fault::Fault,
    http::RequestHost,
    state::App,
    tenancy::{Actor, ActorKind, Guest},
    verbs::RequestInfo,
};

/// What is kept for 30 days and sent a dozen times.
const LARGEST_BODY: usize = 512 * 1024;

/// An event on its way to an endpoint, with what the endpoint wants to hear of it.
#[derive(Debug, Deserialize)]
pub(super) struct Message {
    pub message_id: String,
    event_type: String,
    event_version: i32,
    object_type: String,
    object_id: Uuid,
    sequence: i64,
    data: Map<String, Json>,
    occurred_at: DateTime<Utc>,
    pub endpoint_id: Uuid,
    pub api_version: String,
    document: Option<String>,
    pub scopes: Vec<String>,
}

/// The query of an endpoint and whom it is run as.
pub(super) struct Question<'a> {
    pub endpoint_id: Uuid,
    pub org_id: Uuid,
    pub scopes: &'a [String],
    pub document: &'a Document,
}

/// What a query answered.
pub(super) struct Told {
    pub data: Json,
    pub errors: Option<Json>,
}

/// The body of the delivery.
pub(super) async fn body(app: &App, org_id: Uuid, message: &Message) -> Result<String, Fault> {
    let version = versions::version(&message.api_version).ok_or_else(|| {
        let gone = format!("the API version {} is no longer sent", message.api_version);
        Fault::BadInput(gone)
    })?;
    let entity = events::entity(&message.object_type);
    let object = entity.and_then(|name| Some((name, id(app, name, message.object_id)?)));
    let (data, errors) = match &message.document {
        Some(text) if message.event_type != events::TEST => {
            let (name, _) = object.clone().unwrap_or_default();
            match app.engine.check(text).await {
                Ok(document) => {
                    let question = Question {
                        endpoint_id: message.endpoint_id,
                        org_id,
                        scopes: &message.scopes,
                        document: &document,
                    };
                    let told = ask(app, &question, name, message.object_id, Some(message)).await?;
                    (told.data, told.errors)
                }
                // The schema has moved on since it was saved; what is announced long before is told nevertheless.
                Err(fails) => {
                    let messages = fails.iter().take(3);
                    let errors = messages.map(|fail| json!({ "message": fail.message }));
                    (Json::Null, Some(errors.collect()))
                }
            }
        }
        _ => (default(app, &message.data), None),
    };
    let said = Said {
        message_id: &message.message_id,
        event_type: &message.event_type,
        event_version: message.event_version,
        timestamp: clock::written(message.occurred_at),
        organization_id: id(app, "Organization", org_id),
        object: object.map(|(name, id)| json!({ "type": name, "id": id })),
        sequence: message.sequence,
        data,
        errors,
    };
    let body = (version.shape)(version.name, said).to_string();
    if body.len() > LARGEST_BODY {
        let problem = "the answer of the endpoint's document has more than 512 KiB";
        return Err(Fault::BadInput(problem.to_owned()));
    }
    Ok(body)
}

/// Runs the query about that object, as nobody but the endpoint: what its scopes do not allow is not told.
pub(super) async fn ask(
    app: &App,
    question: &Question<'_>,
    entity: &str,
    object_id: Uuid,
    about: Option<&Message>,
) -> Result<Told, Fault> {
    let mut variables = Map::new();
    variables.insert("id".to_owned(), json!(id(app, entity, object_id)));
    variables.insert(
        "eventType".to_owned(),
        json!(about.map_or(events::TEST, |message| &message.event_type)),
    );
    let host = RequestHost {
        app: app.clone(),
        actor: Actor {
            kind: ActorKind::Token {
                token_id: question.endpoint_id,
                org_id: question.org_id,
                permissions: question.scopes.to_vec(),
                trusted_only: false,
            },
            guest: Guest::default(),
        },
        info: RequestInfo {
            request_id: format!("webhook-{}", question.endpoint_id),
            ip: None,
            user_agent: String::new(),
        },
    };
    let incoming = Arc::new(Incoming {
        operation_name: None,
        variables,
    });
    let execution = app.engine.execute(question.document, &incoming, &host);
    let answer = tokio::time::timeout(app.posture.request_timeout, execution)
        .await
        .map_err(|_| Fault::Timeout)?;
    match answer.reached {
        Reached::Throttled => {
            return Err(Fault::Throttled {
                retry_after_seconds: answer.retry_after_seconds.unwrap_or(5),
            });
        }
        Reached::Unavailable => {
            return Err(Fault::Unavailable(
                "while a webhook was rendered".to_owned(),
            ));
        }
        Reached::Refused | Reached::Executed => {}
    }
    let mut whole: Json = serde_json::from_str(&answer.body).map_err(Fault::internal)?;
    let errors = whole["errors"].take();
    Ok(Told {
        data: whole["data"].take(),
        errors: errors.is_array().then_some(errors),
    })
}

/// What was told with the event, in the API's words: ids of things, camel case, states as the enums are written.
fn default(app: &App, data: &Map<String, Json>) -> Json {
    let told = data.iter().map(|(name, value)| {
        let camel = eventsphere_graphql::declare::camel_case(name);
        let key = value.as_str().and_then(|text| text.parse::<Uuid>().ok());
        let shown = match (events::referred(name), key, value) {
            (Some(entity), Some(key), _) => json!(id(app, entity, key)),
            (_, _, Json::String(word)) if name == "status" => json!(word.to_ascii_uppercase()),
            // Amounts are strings everywhere, for not everybody reads large numbers to the last digit.
            (_, _, Json::Number(amount)) if name.ends_with("_minor") => json!(amount.to_string()),
            (_, _, Json::Object(inner)) => default(app, inner),
            _ => value.clone(),
        };
        (camel, shown)
    });
    Json::Object(told.collect())
}

fn id(app: &App, entity: &str, key: Uuid) -> Option<String> {
    let entity = app.engine.catalog.entities.get(entity)?;
    Some(global_id::encode(entity.tag, key))
}
