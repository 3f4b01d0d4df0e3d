//! From events of the outbox to letters. Who is told what is decided in SQL; of an event with many buyers it is done in
//! steps, each of which may be repeated.

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use crate::{
    fault::Fault,
    jobs::{Failed, Handler, Policy, Priority, Running, Together},
};

/// Registrations of one step.
const STEP: u64 = 500;

/// The job.
pub(super) struct Follow;

#[async_trait]
impl Handler for Follow {
    type Payload = Together;

    const KIND: &'static str = "messages.follow";

    fn policy() -> Policy {
        Policy::new().queue("mail").priority(Priority::Urgent)
    }

    async fn run(job: &Running, told: Together) -> Result<(), Failed> {
        let request = json!({ "events": told.events, "limit": STEP });
        let mut answer = ask(job, "message_follow_many", &request).await?;
        let Json::Array(left) = answer["left"].take() else {
            return Ok(());
        };
        for event in left {
            further(job, event).await?;
        }
        Ok(())
    }
}

/// The rest of an event that concerns many.
async fn further(job: &Running, mut event: Json) -> Result<(), Failed> {
    event["limit"] = json!(STEP);
    loop {
        if job.stopping() {
            return Err(Failed::GiveBack);
        }
        let mut answer = ask(job, "message_follow", &event).await?;
        match answer["after"].take() {
            Json::Null => return Ok(()),
            next => event["after"] = next,
        }
    }
}

async fn ask(job: &Running, function: &'static str, request: &Json) -> Result<Json, Fault> {
    let answer = job.decide(function, request).await?;
    if answer["written"].as_u64().unwrap_or(0) > 0 {
        job.app.jobs.wake();
    }
    Ok(answer)
}
