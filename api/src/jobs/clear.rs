//! Clears away what was done, and events that were relayed long ago.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;

use super::{Failed, Handler, Policy, Priority, Running};
use crate::{fault::Fault, tenancy::SystemReason};

/// Rows of one transaction.
const BATCH: i64 = 5_000;
/// How long dead jobs and events that were sent are kept, in days.
const DAYS: i64 = 30;

/// The job.
pub(super) struct ClearFinished;

#[async_trait]
impl Handler for ClearFinished {
    type Payload = ();

    const KIND: &'static str = "jobs.clear";

    fn policy() -> Policy {
        Policy::new()
            .priority(Priority::Bulk)
            .attempts(3)
            .time_limit(Duration::from_secs(300))
    }

    async fn run(job: &Running, (): ()) -> Result<(), Failed> {
        let request = json!({ "limit": BATCH, "days": DAYS });
        while !job.stopping() {
            let cleared = job
                .app
                .door
                .decide_as_system(SystemReason::Jobs, "clear_finished", &request)
                .await
                .map_err(Fault::from)?;
            let full = |name: &str| cleared[name].as_i64().unwrap_or(0) >= BATCH;
            if !full("jobs") && !full("events") {
                break;
            }
        }
        Ok(())
    }
}
