//! From events of the outbox to letters. Who is told what is decided in SQL; of an event with many buyers it is done in
//! steps, each of which may be repeated, while members see how far it is.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;

use super::KEPT;
use crate::jobs::{Event, Failed, Handler, Policy, Priority, Running, Together, in_steps};

/// Registrations of one step.
const STEP: u64 = 500;

/// The job for what concerns one buyer, of several events.
pub(super) struct Follow;

#[async_trait]
impl Handler for Follow {
    type Payload = Together;

    const KIND: &'static str = "messages.follow";

    fn policy() -> Policy {
        Policy::new().queue("mail").priority(Priority::Urgent)
    }

    async fn run(job: &Running, told: Together) -> Result<(), Failed> {
        let request = json!({ "events": told.events });
        let answer = job.decide("message_follow_many", &request).await?;
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
