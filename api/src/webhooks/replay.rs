//! replayWebhookDeliveries: what was sent before, once more.

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

/// The verb.
pub(super) struct ReplayWebhookDeliveries;

/// Deliveries that one call may name.
const MOST_NAMED: usize = 100;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    delivery_ids: Option<Vec<Uuid>>,
    endpoint_id: Option<Uuid>,
    from: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
    delivered_too: Option<bool>,
}

const REFUSALS: Refusals = &[
    (
        "not_found",
        "WEBHOOK_DELIVERY_NOT_FOUND",
        "one of the deliveries, or the endpoint, does not exist",
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
        "the endpoint is turned off",
        &["endpointId"],
    ),
];

#[async_trait]
impl Handle for ReplayWebhookDeliveries {
    type Input = Input;

    fn describe() -> Verb {
        let time = || InputType::Scalar(Scalar::DateTime);
        Verb::new(
            "replayWebhookDeliveries",
            "Sends deliveries again, with the same `webhook-id` and the same bytes: those named, all or none, or those \
             that an endpoint was to get in a span of time.",
        )
        .scope("webhooks:write")
        .may_take(
            "deliveryIds",
            InputType::List(Scalar::Id("WebhookDelivery".to_owned())),
            "Which ones, 1 to 100; `DELIVERED` or `DEAD`. Either these or the span.",
        )
        .may_take(
            "endpointId",
            InputType::Scalar(Scalar::Id("WebhookEndpoint".to_owned())),
            "The endpoint of the span.",
        )
        .may_take("from", time(), "Its beginning.")
        .may_take("until", time(), "Its end, which is not in it; now when left out.")
        .may_take(
            "deliveredToo",
            InputType::Scalar(Scalar::Boolean),
            "Of the span, also those that arrived; else only those that were given up.",
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
        .fails("WEBHOOK_DELIVERY_NOT_FOUND", "A delivery or the endpoint does not exist.")
        .fails("NOT_FINISHED", "One of the deliveries is still tried.")
        .fails("BODY_GONE", "What was sent is no longer kept.")
        .fails("ENDPOINT_NOT_ACTIVE", "The endpoint is turned off.")
        .fails("INVALID", "Neither 1 to 100 deliveries nor a span were given, or both.")
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        let Some(request) = request(call, input) else {
            let message =
                "Give either 1 to 100 deliveries, or an endpoint and the beginning of a span.";
            return Ok(Outcome::refused("INVALID", message, &["deliveryIds"]).into());
        };
        let answer = outcome::decide_own(call, "replay_webhook_deliveries", &request).await?;
        Ok(match outcome::word(&answer) {
            "replayed" => {
                call.app.jobs.wake();
                let count = answer["ids"].as_array().map_or(0, Vec::len);
                Outcome::new()
                    .value("count", count)
                    .value("hasMore", answer["more"].clone())
            }
            _ => outcome::refusal(&answer, REFUSALS)?,
        }
        .into())
    }
}

fn request(call: Call<'_>, input: Input) -> Option<Json> {
    match (input.delivery_ids, input.endpoint_id, input.from) {
        (Some(ids), None, None) if (1..=MOST_NAMED).contains(&ids.len()) => {
            Some(json!({ "ids": ids }))
        }
        (None, Some(endpoint_id), Some(from)) => Some(json!({
            "ids": [],
            "endpoint_id": endpoint_id,
            "from": from,
            "until": input.until.unwrap_or_else(|| call.app.clock.now()),
            "delivered": input.delivered_too.unwrap_or(false),
        })),
        _ => None,
    }
}
