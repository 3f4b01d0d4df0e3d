//! Reminders: by the clock what is due is begun, then written to everybody with a ticket, in steps, each of which may be
//! repeated. Nothing is planned ahead, so a date that moves takes its reminders along.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::KEPT;
use crate::{
    fault::Fault,
    jobs::{Failed, Handler, Policy, Running, in_steps},
    tenancy::SystemReason,
};

/// Reminders that are begun at once.
const BEGUN: u64 = 200;
/// Tickets of one step.
const STEP: u64 = 500;

/// By the clock: begins what is due.
pub(super) struct Remind;

#[async_trait]
impl Handler for Remind {
    type Payload = ();

    const KIND: &'static str = "messages.remind";

    async fn run(job: &Running, (): ()) -> Result<(), Failed> {
        loop {
            let request = json!({ "limit": BEGUN });
            let answer = job
                .app
                .door
                .decide_as_system(SystemReason::Jobs, "message_reminders_due", &request)
                .await
                .map_err(Fault::from)?;
            let begun = answer["begun"].as_u64().unwrap_or(0);
            if begun > 0 {
                tracing::info!(begun, "began to remind people of dates");
                job.app.jobs.wake();
            }
            if begun < BEGUN {
                return Ok(());
            }
        }
    }
}

/// One reminder of one date.
pub(super) struct RemindPeople;

/// Which.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Payload {
    reminder_id: Uuid,
    occurrence_id: Uuid,
}

#[async_trait]
impl Handler for RemindPeople {
    type Payload = Payload;

    const KIND: &'static str = "messages.remind_people";

    fn policy() -> Policy {
        Policy::new()
            .time_limit(Duration::from_secs(900))
            .keep(KEPT)
    }

    async fn run(job: &Running, payload: Payload) -> Result<(), Failed> {
        let request = json!({
            "reminder_id": payload.reminder_id, "occurrence_id": payload.occurrence_id,
        });
        in_steps(job, "message_remind", request, STEP).await
    }
}
