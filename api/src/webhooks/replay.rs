//! replayWebhookDeliveries, replayWebhookEndpoint: what was sent before, once more.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::{
    fault::Fault,
    outcome::{self, Refusals},
    verbs::{Call, Done, Handle},
};

/// The verb for those that are named.
pub(super) struct ReplayWebhookDeliveries;

/// The verb for those of a span of time.
pub(super) struct ReplayWebhookEndpoint;

/// Deliveries that one call may name.
const MOST_NAMED: usize = 100;

/// What the first takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Named {
    delivery_ids: Vec<Uuid>,
}

/// What the second takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Span {
    id: Uuid,
    from: DateTime<Utc>,
    until: Option<DateTime<Utc>>,
    delivered_too: Option<bool>,
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
        let answer = replay(call, &json!({ "ids": ids })).await?;
        Ok(match outcome::word(&answer) {
            "replayed" => {
                ids.dedup();
                Outcome::new().entities("webhookDeliveries", ids)
            }
            _ => outcome::refusal(&answer, REFUSALS)?,
        }
        .into())
    }
}

#[async_trait]
impl Handle for ReplayWebhookEndpoint {
    type Input = Span;

    fn describe() -> Verb {
        let time = || InputType::Scalar(Scalar::DateTime);
        Verb::new(
            "replayWebhookEndpoint",
            "Sends again what an endpoint was to get in a span of time and did not, with the same `webhook-id` and the \
             same bytes; what is no longer kept is left out.",
        )
        .scope("webhooks:write")
        .takes(
            "id",
            InputType::Scalar(Scalar::Id("WebhookEndpoint".to_owned())),
            "The endpoint.",
        )
        .takes("from", time(), "Its beginning.")
        .may_take("until", time(), "Its end, which is not in it; now when left out.")
        .may_take(
            "deliveredToo",
            InputType::Scalar(Scalar::Boolean),
            "Also those that arrived; else only those that were given up.",
        )
        .gives(
            "count",
            PayloadType::Scalar(Scalar::Int),
            "How many are sent again, at most 1000.",
        )
        .gives(
            "hasMore",
            PayloadType::Scalar(Scalar::Boolean),
            "Whether the span has more of them: call again once these are done.",
        )
        .fails("WEBHOOK_ENDPOINT_NOT_FOUND", "There is no such endpoint.")
        .fails("ENDPOINT_NOT_ACTIVE", "The endpoint is turned off.")
    }

    async fn run(call: Call<'_>, input: Span) -> Result<Done, Fault> {
        // Deliveries are dated by the database, whose clock may be ahead of ours.
        let request = json!({
            "ids": [],
            "endpoint_id": input.id,
            "from": input.from,
            "until": input.until,
            "delivered": input.delivered_too.unwrap_or(false),
        });
        let answer = replay(call, &request).await?;
        Ok(match outcome::word(&answer) {
            "replayed" => {
                let count = answer["ids"].as_array().map_or(0, Vec::len);
                Outcome::new()
                    .value("count", count)
                    .value("hasMore", answer["more"].clone())
            }
            _ => outcome::refusal(&answer, super::given::REFUSALS)?,
        }
        .into())
    }
}

async fn replay(call: Call<'_>, request: &Json) -> Result<Json, Fault> {
    let answer = outcome::decide_own(call, "replay_webhook_deliveries", request).await?;
    call.app.jobs.wake();
    Ok(answer)
}
