//! From events of the outbox to letters. Who is told what is decided in SQL; of an event with many buyers it is done in
//! steps, each of which may be repeated.

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use crate::{
    fault::Fault,
    jobs::{Event, Failed, Handler, Policy, Priority, Running},
    tenancy::SystemReason,
};

/// Registrations of one step.
const STEP: u64 = 500;

/// The job.
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
        let mut after = Json::Null;
        loop {
            let request = json!({
                "type": event.event_type, "object_id": event.object_id, "after": after, "limit": STEP,
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
            match &answer["after"] {
                Json::Null => return Ok(()),
                next => after = next.clone(),
            }
            if job.stopping() {
                return Err(Failed::GiveBack);
            }
        }
    }
}
