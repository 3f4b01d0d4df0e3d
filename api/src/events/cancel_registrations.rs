//! Cancels the registrations of an event that was called off, each in a transaction of its own (R17). Cut off anywhere, it
//! goes on with those that are still alive.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::{
    fault::Fault,
    jobs::{Backoff, Failed, Handler, Policy, Running},
    outcome,
    tenancy::SystemReason,
};

/// How many are looked up at a time.
const BATCH: i32 = 100;

/// The job; `cancel_event` enqueues it.
pub(super) struct CancelRegistrations;

/// Which event.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Payload {
    event_id: Uuid,
}

#[derive(Deserialize)]
struct Left {
    left: u64,
    total: Option<u64>,
    registrations: Vec<Uuid>,
}

#[async_trait]
impl Handler for CancelRegistrations {
    type Payload = Payload;

    const KIND: &'static str = "events.cancel";

    fn policy() -> Policy {
        Policy::new()
            .backoff(Backoff::new(
                Duration::from_secs(2),
                Duration::from_secs(3600),
            ))
            .time_limit(Duration::from_secs(600))
            .keep(Duration::from_secs(86_400))
    }

    async fn run(job: &Running, payload: Payload) -> Result<(), Failed> {
        let org_id = job.org_id.ok_or_else(|| {
            Fault::Internal("an event is cancelled without an organization".to_owned())
        })?;
        let (mut after, mut failed) = (None, None);
        loop {
            let request = json!({ "event_id": payload.event_id, "limit": BATCH, "after": after });
            let answer = decide(job, org_id, "event_to_cancel", &request).await?;
            let left: Left = serde_json::from_value(answer).map_err(Fault::internal)?;
            let total = left.total.unwrap_or(left.left).max(left.left);
            job.progress(total - left.left, Some(total)).await?;
            if left.registrations.is_empty() {
                job.app.jobs.wake();
                return failed.map_or(Ok(()), |fault: Fault| Err(fault.into()));
            }
            for id in &left.registrations {
                if job.stopping() {
                    return Err(Failed::GiveBack);
                }
                let request = json!({ "registration_id": id });
                // One that cannot be cancelled now holds up none of the others.
                if let Err(fault) = decide(job, org_id, "cancel_for_event", &request).await {
                    failed = Some(fault);
                }
                after = Some(*id);
            }
        }
    }
}

async fn decide(
    job: &Running,
    org_id: Uuid,
    function: &'static str,
    request: &Json,
) -> Result<Json, Fault> {
    outcome::decide_for_many(
        &job.app,
        SystemReason::CancelEvents,
        org_id,
        function,
        request,
    )
    .await
}
