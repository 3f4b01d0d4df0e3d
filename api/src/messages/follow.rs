//! From events of the outbox to letters. Who is told what is decided in SQL.

use async_trait::async_trait;
use serde_json::json;

use crate::jobs::{Failed, Handler, Policy, Priority, Running, Together};

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
