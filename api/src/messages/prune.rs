//! Letters and the log of them are kept for a set time (`MESSAGE_DAYS`, `MESSAGE_LOG_DAYS`).

use async_trait::async_trait;
use serde_json::json;

use crate::{
    jobs::{Failed, Handler, Policy, Running, clear_away, clearing},
    tenancy::SystemReason,
};

/// Rows of one transaction.
const BATCH: i64 = 1_000;

/// The job, by the clock.
pub(super) struct Prune;

#[async_trait]
impl Handler for Prune {
    type Payload = ();

    const KIND: &'static str = "messages.prune";

    fn policy() -> Policy {
        clearing()
    }

    async fn run(job: &Running, (): ()) -> Result<(), Failed> {
        let kept = &job.app.messages.kept;
        let request = json!({
            "limit": BATCH, "letter_days": kept.letter_days, "log_days": kept.log_days,
        });
        let (reason, counted) = (SystemReason::Messages, ["letters", "deliveries"]);
        clear_away(job, reason, "prune_messages", &request, &counted).await
    }
}
