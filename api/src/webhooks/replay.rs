//! replayWebhookDeliveries: what was sent before, once more.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::{
    fault::Fault,
    outcome::{self, Refusals},
    verbs::{Call, Done, Handle},
};

/// The verb.
pub(super) struct ReplayWebhookDeliveries;

/// Deliveries that one call may name.
pub(super) const MOST_NAMED: usize = 100;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Named {
    delivery_ids: Vec<Uuid>,
}

const REFUSALS: Refusals = &[
    (
        "not_found",
        "WEBHOOK_DELIVERY_NOT_FOUND",
        "one of the deliveries does not exist",
        &["deliveryIds"],
    ),
    (
        "not_finished",
        "NOT_FINISHED",
        "one of the deliveries is still tried",
        &["deliveryIds"],
    ),
    (
        "body_gone",
        "BODY_GONE",
        "the body of one of the deliveries is no longer kept",
        &["deliveryIds"],
    ),
    (
        "not_active",
        "ENDPOINT_NOT_ACTIVE",
        "an endpoint is turned off",
        &["deliveryIds"],
    ),
];

#[async_trait]
impl Handle for ReplayWebhookDeliveries {
    type Input = Named;

    fn describe() -> Verb {
        Verb::new(
            "replayWebhookDeliveries",
            "Sends deliveries again, with the same `webhook-id` and the same bytes. All of them or none.",
        )
        .scope("webhooks:write")
        .takes(
            "deliveryIds",
            InputType::List(Scalar::Id("WebhookDelivery".to_owned())),
            "Which ones, 1 to 100; `DELIVERED` or `DEAD`.",
        )
        .gives(
            "webhookDeliveries",
            PayloadType::Entities("WebhookDelivery".to_owned()),
            "The deliveries, on their way.",
        )
        .fails("WEBHOOK_DELIVERY_NOT_FOUND", "One of the deliveries does not exist.")
        .fails("NOT_FINISHED", "One of the deliveries is still tried.")
        .fails("BODY_GONE", "What was sent is no longer kept.")
        .fails("ENDPOINT_NOT_ACTIVE", "An endpoint is turned off.")
        .fails("INVALID", "Not 1 to 100 deliveries were named.")
    }

    async fn run(call: Call<'_>, input: Named) -> Result<Done, Fault> {
        let mut ids = input.delivery_ids;
        if !(1..=MOST_NAMED).contains(&ids.len()) {
            let message = "Name 1 to 100 deliveries.";
            return Ok(Outcome::refused("INVALID", message, &["deliveryIds"]).into());
        }
        let request = json!({ "ids": ids });
        let answer = outcome::decide_own(call, "replay_webhook_deliveries", &request).await?;
        Ok(match outcome::word(&answer) {
            "replayed" => {
                call.app.jobs.wake();
                ids.dedup();
                Outcome::new().entities("webhookDeliveries", ids)
            }
            _ => outcome::refusal(&answer, REFUSALS)?,
        }
        .into())
    }
}
