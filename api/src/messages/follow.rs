//! From events of the outbox to letters. Who is told what is decided in SQL; of an event with many buyers it is done in
//! steps, each of which may be repeated, while members see how far it is.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;

use super::KEPT;
use crate::{
    fault::Fault,
    jobs::{Event, Failed, Handler, Policy, Priority, Running, in_steps},
    tenancy::SystemReason,
};

/// Registrations of one step.
const STEP: u64 = 500;

/// The job for what concerns one buyer.
pub(super) struct Follow;

#[async_trait]
impl Handler for Follow {
    type Payload = Event;

    const KIND: &'static str = "messages.follow";

    fn policy() -> Policy {
        Policy::new().queue("mail").priority(Priority::Urgent)
    }

    async fn run(job: &Running, event: Event) -> Result<(), Failed> {
        let Some(org_id) = job.org_id else {
            return Err(Failed::Never("an event without an organization".to_owned()));
        };
        let request = json!({
            "type": event.event_type, "object_id": event.object_id, "data": event.data,
        });
        let answer = job
            .app
            .door
            .decide_for_many(SystemReason::Jobs, org_id, "message_follow", &request)
            .await
            .map_err(Fault::from)?;
        if answer["written"].as_u64().unwrap_or(0) > 0 {
            job.app.jobs.wake();
        }
        Ok(())
    }
}

/// The job for an event that was called off.
pub(super) struct TellBuyers;

#[async_trait]
impl Handler for TellBuyers {
    type Payload = Event;

    const KIND: &'static str = "messages.tell_buyers";

    fn policy() -> Policy {
        Policy::new()
            .time_limit(Duration::from_secs(900))
            .keep(KEPT)
    }

    async fn run(job: &Running, event: Event) -> Result<(), Failed> {
        let request = json!({ "event_id": event.object_id });
        in_steps(job, "message_tell_buyers", request, STEP).await
    }
}
