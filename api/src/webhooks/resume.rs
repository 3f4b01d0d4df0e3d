//! What waited while an endpoint was turned off goes out when it is turned on.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::KEPT;
use crate::jobs::{Failed, Handler, Policy, Running, in_steps};

/// Deliveries of one step.
const STEP: u64 = 500;

/// The job; see `update_webhook_endpoint`.
pub(super) struct Resume;

/// Which endpoint.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Payload {
    endpoint_id: Uuid,
}

#[async_trait]
impl Handler for Resume {
    type Payload = Payload;

    const KIND: &'static str = "webhooks.resume";

    fn policy() -> Policy {
        Policy::new()
            .time_limit(Duration::from_secs(900))
            .keep(KEPT)
    }

    async fn run(job: &Running, payload: Payload) -> Result<(), Failed> {
        let request = json!({ "endpoint_id": payload.endpoint_id });
        in_steps(job, "resume_webhook_endpoint", request, STEP).await
    }
}
