//! Bodies and deliveries are kept for a set time.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;

use crate::{
    fault::Fault,
    jobs::{Failed, Handler, Policy, Priority, Running},
    tenancy::SystemReason,
};

/// Rows of one transaction.
const BATCH: i64 = 1_000;

/// The job, by the clock.
pub(super) struct Prune;

#[async_trait]
impl Handler for Prune {
    type Payload = ();

    const KIND: &'static str = "webhooks.prune";

    fn policy() -> Policy {
        Policy::new()
            .priority(Priority::Bulk)
            .attempts(3)
            .time_limit(Duration::from_secs(300))
    }

    async fn run(job: &Running, (): ()) -> Result<(), Failed> {
        let request = json!({ "limit": BATCH });
        while !job.stopping() {
            let done = job
                .app
                .door
                .decide_as_system(SystemReason::Webhooks, "prune_webhook_deliveries", &request)
                .await
                .map_err(Fault::from)?;
            let full = |name: &str| done[name].as_i64().unwrap_or(0) >= BATCH;
            if !full("pruned") && !full("removed") {
                break;
            }
        }
        Ok(())
    }
}
