//! sendTestEvent: something that arrives although nothing happened.

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
pub(super) struct SendTestEvent;

/// What it takes.
#[derive(Debug, Deserialize)]
pub(super) struct Input {
    id: Uuid,
}

#[async_trait]
impl Handle for SendTestEvent {
    type Input = Input;

    fn describe() -> Verb {
        Verb::new(
            "sendTestEvent",
            "Sends an event of the type `webhook.test` to an endpoint, whatever types it asked for.",
        )
        .scope("webhooks:write")
        .takes(
            "id",
            InputType::Scalar(Scalar::Id("WebhookEndpoint".to_owned())),
            "Which one.",
        )
        .gives(
            "webhookDelivery",
            PayloadType::Entity("WebhookDelivery".to_owned()),
            "The delivery, on its way; read it again to see what was answered.",
        )
        .fails("WEBHOOK_ENDPOINT_NOT_FOUND", "There is no such endpoint.")
        .fails("ENDPOINT_NOT_ACTIVE", "The endpoint is turned off.")
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        let request = json!({ "id": input.id });
        let answer = outcome::decide_own(call, "send_test_event", &request).await?;
        Ok(match outcome::word(&answer) {
            "sent" => {
                call.app.jobs.wake();
                let delivery = outcome::key(&answer, "delivery_id")?;
                Outcome::new().entity("webhookDelivery", delivery)
            }
            _ => outcome::refusal(&answer, REFUSALS)?,
        }
        .into())
    }
}
