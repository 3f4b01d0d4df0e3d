//! retryWebhookDeliveries: what waits for its next attempt is tried now.

use std::time::Duration;

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::replay::MOST_NAMED;
use crate::{
    fault::Fault,
    jobs::{Failed, Handler, Running},
    outcome::{self, Refusals},
    verbs::{Call, Done, Handle},
};

/// The verb.
pub(super) struct RetryWebhookDeliveries;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
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
        "not_waiting",
        "NOT_WAITING",
        "one of the deliveries has arrived or was given up",
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
impl Handle for RetryWebhookDeliveries {
    type Input = Input;

    fn describe() -> Verb {
        Verb::new(
            "retryWebhookDeliveries",
            "Tries deliveries now that wait for their next attempt, also where the endpoint rests after failures. All of \
             them or none. The pause after this attempt is the next one of the row, as if it had been waited for.",
        )
        .scope("webhooks:write")
        .takes(
            "deliveryIds",
            InputType::List(Scalar::Id("WebhookDelivery".to_owned())),
            "Which ones, 1 to 100; `PENDING`.",
        )
        .gives(
            "webhookDeliveries",
            PayloadType::Entities("WebhookDelivery".to_owned()),
            "The deliveries, on their way.",
        )
        .fails("WEBHOOK_DELIVERY_NOT_FOUND", "One of the deliveries does not exist.")
        .fails("NOT_WAITING", "One of the deliveries has arrived or was given up.")
        .fails("ENDPOINT_NOT_ACTIVE", "An endpoint is turned off.")
        .fails("INVALID", "Not 1 to 100 deliveries were named.")
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        let ids = input.delivery_ids;
        if !(1..=MOST_NAMED).contains(&ids.len()) {
            let message = "Name 1 to 100 deliveries.";
            return Ok(Outcome::refused("INVALID", message, &["deliveryIds"]).into());
        }
        let request = json!({ "ids": ids });
        let answer = outcome::decide_own(call, "retry_webhook_deliveries", &request).await?;
        Ok(match outcome::word(&answer) {
            "hurried" => {
                call.app.jobs.wake();
                Outcome::new().entities("webhookDeliveries", ids)
            }
            _ => outcome::refusal(&answer, REFUSALS)?,
        }
        .into())
    }
}

/// How soon to look again whether an attempt is over.
const PAUSE: Duration = Duration::from_millis(250);

/// The job for what was just being tried when somebody asked: once that is over, and has failed, it is tried again.
pub(super) struct Hurry;

/// Made and read by `webhook_waiting.sql`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(transparent)]
pub(super) struct Wish(Json);

#[async_trait]
impl Handler for Hurry {
    type Payload = Wish;

    const KIND: &'static str = "webhooks.hurry";

    async fn run(job: &Running, Wish(wish): Wish) -> Result<(), Failed> {
        let answer = job.decide("hurry_webhook_deliveries", &wish).await?;
        match answer["running"].as_i64() {
            Some(0) => {
                job.app.jobs.wake();
                Ok(())
            }
            _ => Err(Failed::NotYet(PAUSE)),
        }
    }
}
