//! From an event to its deliveries.

use async_trait::async_trait;
use serde_json::json;

use crate::{
    fault::Fault,
    jobs::{Event, Failed, Handler, Policy, Running},
    statements,
};

/// The job, one an event.
pub(super) struct FanOut;

#[async_trait]
impl Handler for FanOut {
    type Payload = Event;

    const KIND: &'static str = "webhooks.fan_out";

    fn policy() -> Policy {
        Policy::new().attempts(30)
    }

    async fn run(job: &Running, event: Event) -> Result<(), Failed> {
        let request = serde_json::to_value(&event).map_err(Fault::internal)?;
        let tx = job.begin().await?;
        let made = statements::call(&tx, "webhook_fan_out", request)
            .await
            .map_err(Fault::from)?;
        job.finish_in(&tx).await?;
        tx.commit().await.map_err(Fault::from)?;
        if made["deliveries"] != json!(0) {
            job.app.jobs.wake();
        }
        Ok(())
    }
}
