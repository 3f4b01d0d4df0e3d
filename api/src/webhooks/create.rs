//! createWebhookEndpoint: an address that events are sent to from now on.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    given::{self, REFUSALS, Wanted},
    sign::SigningSecret,
    versions,
};
use crate::{
    fault::Fault,
    outcome,
    verbs::{Call, Done, Handle},
};

/// The verb.
pub(super) struct CreateWebhookEndpoint;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    url: String,
    description: Option<String>,
    event_types: Option<Vec<String>>,
    api_version: Option<String>,
    document: Option<String>,
    scopes: Option<Vec<String>>,
}

#[async_trait]
impl Handle for CreateWebhookEndpoint {
    type Input = Input;

    fn describe() -> Verb {
        let verb = Verb::new(
            "createWebhookEndpoint",
            "Has events of the organization sent to an address from now on, each as a POST that is signed as Standard \
             Webhooks says, tried again for days until it is answered with a status from 200 to 299.",
        )
        .scope("webhooks:write")
        .takes(
            "url",
            InputType::Scalar(Scalar::String),
            "Where to: `https`, a public host, at most 2000 bytes.",
        );
        given::fields(verb)
            .gives(
                "webhookEndpoint",
                PayloadType::Entity("WebhookEndpoint".to_owned()),
                "The new endpoint.",
            )
            .gives(
                "secret",
                PayloadType::Scalar(Scalar::String),
                "What signatures are verified with, `whsec_...`. It cannot be shown again.",
            )
            .fails(
                "TOO_MANY_ENDPOINTS",
                "The organization has 20 endpoints already.",
            )
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        let id = Uuid::now_v7();
        let wanted = Wanted {
            url: input.url,
            description: input.description.unwrap_or_default(),
            event_types: input.event_types.unwrap_or_default(),
            api_version: input
                .api_version
                .unwrap_or_else(|| versions::newest().to_owned()),
            document: input.document,
            scopes: input.scopes.unwrap_or_default(),
        };
        if let Some(refused) = given::check(call, id, &wanted).await? {
            return Ok(refused.into());
        }
        let secret = SigningSecret::generate()?;
        let mut request = serde_json::to_value(&wanted).map_err(Fault::internal)?;
        request["id"] = json!(id);
        request["sealed"] = json!(secret.seal(&call.app.vault, id)?);
        let answer = outcome::decide_own(call, "create_webhook_endpoint", &request).await?;
        Ok(match outcome::word(&answer) {
            "created" => Outcome::new()
                .entity("webhookEndpoint", id)
                .value("secret", secret.text()),
            "forbidden" => return Err(outcome::forbidden()),
            _ => outcome::refusal(&answer, REFUSALS)?,
        }
        .into())
    }
}
