//! deleteWebhookEndpoint.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::given::REFUSALS;
use crate::{
    fault::Fault,
    outcome,
    verbs::{Call, Done, Handle},
};

/// The verb.
pub(super) struct DeleteWebhookEndpoint;

/// What it takes.
#[derive(Debug, Deserialize)]
pub(super) struct Input {
    id: Uuid,
}

#[async_trait]
impl Handle for DeleteWebhookEndpoint {
    type Input = Input;

    fn describe() -> Verb {
        Verb::new(
            "deleteWebhookEndpoint",
            "Removes an endpoint with its secret and its deliveries. What is on its way at this moment may still arrive.",
        )
        .scope("webhooks:write")
        .takes(
            "id",
            InputType::Scalar(Scalar::Id("WebhookEndpoint".to_owned())),
            "Which one.",
        )
        .gives(
            "deletedId",
            PayloadType::Scalar(Scalar::Id("WebhookEndpoint".to_owned())),
            "The id that no longer exists.",
        )
        .fails("WEBHOOK_ENDPOINT_NOT_FOUND", "There is no such endpoint.")
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        let request = json!({ "id": input.id });
        let answer = outcome::decide_own(call, "delete_webhook_endpoint", &request).await?;
        Ok(match outcome::word(&answer) {
            "deleted" => Outcome::new().value("deletedId", json!(input.id)),
            _ => outcome::refusal(&answer, REFUSALS)?,
        }
        .into())
    }
}
