//! The sweep that marks holds as expired. Stock does not wait for it: an expired hold stopped counting at its instant.

use async_trait::async_trait;

use crate::{
    fault::Fault,
    jobs::{Failed, Handler, Policy, Running},
    state::App,
    statements,
    tenancy::SystemReason,
};

const BATCH: i32 = 200;

/// The job, by the clock.
pub(super) struct ExpireHolds;

#[async_trait]
impl Handler for ExpireHolds {
    type Payload = ();

    const KIND: &'static str = "holds.expire";

    fn policy() -> Policy {
        Policy::often()
    }

    async fn run(job: &Running, (): ()) -> Result<(), Failed> {
        // A full batch means that more may wait.
        while !job.stopping() {
            let expired = once(&job.app).await?;
            if expired > 0 {
                tracing::info!(expired, "expired holds");
            }
            if expired < BATCH {
                break;
            }
        }
        Ok(())
    }
}

async fn once(app: &App) -> Result<i32, Fault> {
    let tx = app.door.system(SystemReason::ExpireHolds).await?;
    let row = statements::first(
        &tx,
        "select public.expire_registrations($1) as n",
        [BATCH.into()],
    )
    .await?;
    let expired = match row {
        Some(row) => row.try_get("", "n")?,
        None => 0,
    };
    tx.commit().await?;
    Ok(expired)
}
