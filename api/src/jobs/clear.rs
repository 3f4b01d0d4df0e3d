//! Clears away what was done, and events that were relayed long ago.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value as Json, json};

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
        clearing()
    }

    async fn run(job: &Running, (): ()) -> Result<(), Failed> {
        let request = json!({ "limit": BATCH, "days": DAYS });
        let counted = ["jobs", "events"];
        clear_away(
            job,
            SystemReason::Jobs,
            "clear_finished",
            &request,
            &counted,
        )
        .await
    }
}

/// For what clears away and runs again soon by itself.
pub fn clearing() -> Policy {
    Policy::new()
        .priority(Priority::Bulk)
        .attempts(3)
        .time_limit(Duration::from_secs(300))
}

/// Lets the function clear away one batch after the other, each in a transaction of its own, of at most `limit` rows of the
/// request, until none of what it counts in its answer is a full one.
pub async fn clear_away(
    job: &Running,
    reason: SystemReason,
    function: &'static str,
    request: &Json,
    counted: &[&str],
) -> Result<(), Failed> {
    let limit = request["limit"].as_i64().unwrap_or(i64::MAX);
    while !job.stopping() {
        let cleared = job
            .app
            .door
            .decide_as_system(reason, function, request)
            .await
            .map_err(Fault::from)?;
        let full = |name: &str| cleared[name].as_i64().unwrap_or(0) >= limit;
        if !counted.iter().copied().any(full) {
            break;
        }
    }
    Ok(())
}
