//! updateWebhookEndpoint: what is left out stays.

use async_trait::async_trait;
use eventsphere_entities::webhook_endpoints;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use sea_orm::EntityTrait;
use serde::{Deserialize, Deserializer};
use serde_json::json;
use uuid::Uuid;

use super::given::{self, REFUSALS, Wanted};
use crate::{
    fault::Fault,
    outcome,
    verbs::{Call, Done, Handle},
};

/// The verb.
pub(super) struct UpdateWebhookEndpoint;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    id: Uuid,
    url: Option<String>,
    description: Option<String>,
    event_types: Option<Vec<String>>,
    api_version: Option<String>,
    /// Absent: stays; null: the default.
    #[serde(default, deserialize_with = "present")]
    document: Option<Option<String>>,
    scopes: Option<Vec<String>>,
    active: Option<bool>,
}

fn present<'de, D: Deserializer<'de>>(given: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(given).map(Some)
}

#[async_trait]
impl Handle for UpdateWebhookEndpoint {
    type Input = Input;

    fn describe() -> Verb {
        let verb = Verb::new(
            "updateWebhookEndpoint",
            "Changes an endpoint; what is left out stays. Deliveries that were tried already keep their bodies. While \
             it is turned off nothing is sent, and nothing is lost: what happens meanwhile, and what still waited, waits until \
             it is turned on again, for 30 days at most.",
        )
        .scope("webhooks:write")
        .takes(
            "id",
            InputType::Scalar(Scalar::Id("WebhookEndpoint".to_owned())),
            "Which one.",
        )
        .may_take(
            "url",
            InputType::Scalar(Scalar::String),
            "Where to: `https`, a public host, at most 2000 bytes.",
        );
        given::fields(verb)
            .may_take(
                "active",
                InputType::Scalar(Scalar::Boolean),
                "Whether it gets deliveries; true turns one on again that was turned off or answered 410.",
            )
            .gives(
                "webhookEndpoint",
                PayloadType::Entity("WebhookEndpoint".to_owned()),
                "The endpoint.",
            )
            .fails("WEBHOOK_ENDPOINT_NOT_FOUND", "There is no such endpoint.")
            .fails(
                "CHANGED_MEANWHILE",
                "Somebody else has changed it at the same time.",
            )
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        let tx = call.app.door.begin(call.actor).await?;
        let found = webhook_endpoints::Entity::find_by_id(input.id)
            .one(tx.db())
            .await?;
        tx.commit().await?;
        let Some(seen) = found else {
            let answer = json!({ "outcome": "not_found" });
            return Ok(outcome::refusal(&answer, REFUSALS)?.into());
        };
        let wanted = Wanted {
            url: input.url.unwrap_or_else(|| seen.url.clone()),
            description: input
                .description
                .unwrap_or_else(|| seen.description.clone()),
            event_types: input
                .event_types
                .unwrap_or_else(|| seen.event_types.clone()),
            api_version: input
                .api_version
                .unwrap_or_else(|| seen.api_version.clone()),
            document: input.document.unwrap_or_else(|| seen.document.clone()),
            scopes: input.scopes.unwrap_or_else(|| seen.scopes.clone()),
        };
        if let Some(refused) = given::check(call, input.id, &wanted).await? {
            return Ok(refused.into());
        }
        let mut request = serde_json::to_value(&wanted).map_err(Fault::internal)?;
        request["id"] = json!(input.id);
        let status = |active| if active { "active" } else { "paused" };
        request["status"] = json!(input.active.map(status));
        request["seen"] = json!({
            "url": seen.url, "description": seen.description, "event_types": seen.event_types,
            "api_version": seen.api_version, "document": seen.document, "scopes": seen.scopes,
        });
        let answer = outcome::decide_own(call, "update_webhook_endpoint", &request).await?;
        Ok(match outcome::word(&answer) {
            "updated" => {
                // What waited for it.
                call.app.jobs.wake();
                Outcome::new().entity("webhookEndpoint", input.id)
            }
            "forbidden" => return Err(outcome::forbidden()),
            _ => outcome::refusal(&answer, REFUSALS)?,
        }
        .into())
    }
}
