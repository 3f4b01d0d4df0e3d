//! replayWebhookEndpoint: what was made in a span of time, once more. There may be many of them, so a job does it.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{KEPT, given::REFUSALS};
use crate::{
    fault::Fault,
    jobs::{Failed, Handler, Policy, Running, in_steps},
    outcome,
    verbs::{Call, Done, Handle},
};

/// Deliveries of one step.
const STEP: u64 = 200;

/// The verb.
pub(super) struct ReplayWebhookEndpoint;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    id: Uuid,
    from: DateTime<Utc>,
    until: Option<DateTime<Utc>>,
    delivered_too: Option<bool>,
}

#[async_trait]
impl Handle for ReplayWebhookEndpoint {
    type Input = Input;

    fn describe() -> Verb {
        let time = || InputType::Scalar(Scalar::DateTime);
        Verb::new(
            "replayWebhookEndpoint",
            "Sends again what an endpoint was to get in a span of time and did not, with the same `webhook-id` and the \
             same bytes; what is no longer kept is left out. A job does it, whose progress can be watched.",
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
            "job",
            PayloadType::Entity("Job".to_owned()),
            "The job: `progressDone` of `progressTotal` are on their way. It is kept for a day after it was done.",
        )
        .fails("WEBHOOK_ENDPOINT_NOT_FOUND", "There is no such endpoint.")
        .fails("ENDPOINT_NOT_ACTIVE", "The endpoint is turned off.")
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        let request = json!({
            "endpoint_id": input.id,
            "from": input.from,
            "until": input.until,
            "delivered": input.delivered_too.unwrap_or(false),
        });
        let answer = outcome::decide_own(call, "replay_webhook_endpoint", &request).await?;
        Ok(match outcome::word(&answer) {
            "begun" => {
                call.app.jobs.wake();
                Outcome::new().entity("job", outcome::key(&answer, "job_id")?)
            }
            _ => outcome::refusal(&answer, REFUSALS)?,
        }
        .into())
    }
}

/// The job.
pub(super) struct Replay;

/// What to send again; made and read by `webhook_replay.sql`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(transparent)]
pub(super) struct Span(Json);

#[async_trait]
impl Handler for Replay {
    type Payload = Span;

    const KIND: &'static str = "webhooks.replay";

    fn policy() -> Policy {
        Policy::new()
            .time_limit(Duration::from_secs(900))
            .keep(KEPT)
    }

    async fn run(job: &Running, Span(span): Span) -> Result<(), Failed> {
        in_steps(job, "replay_webhook_step", span, STEP).await
    }
}
