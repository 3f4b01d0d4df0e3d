//! Bodies and deliveries are kept for a set time, and what waits for an endpoint that is turned off.

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

    const KIND: &'static str = "webhooks.prune";

    fn policy() -> Policy {
        clearing()
    }

    async fn run(job: &Running, (): ()) -> Result<(), Failed> {
        let request = json!({ "limit": BATCH });
        let (reason, counted) = (SystemReason::Webhooks, ["pruned", "removed", "given_up"]);
        clear_away(job, reason, "prune_webhook_deliveries", &request, &counted).await
    }
}
