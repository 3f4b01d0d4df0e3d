//! The sweep that marks holds as expired and serves those who wait. Stock does not wait for it: an expired hold stopped
//! counting at its instant, and what those who wait could take is not for sale meanwhile.

use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::waitlist;
use crate::{fault::Fault, state::App, statements, tenancy::SystemReason};

const PAUSE: Duration = Duration::from_secs(5);

/// Wakes this process's sweep before its pause is over.
static FREED: Notify = Notify::const_new();

/// Something was given back: whoever waits for it need not wait for the end of a pause. Told after the commit.
pub(super) fn nudge() {
    FREED.notify_one();
}
const BATCH: i32 = 200;

/// Sweeps until the program stops.
pub async fn sweep(app: App, stopping: CancellationToken) {
    loop {
        match once(&app).await {
            // A full batch means that more may wait.
            Ok(expired) if expired >= BATCH => continue,
            Ok(0) => {}
            Ok(expired) => tracing::info!(expired, "expired holds"),
            Err(error) => tracing::warn!(%error, "holds could not be expired; tried again soon"),
        }
        match waitlist::serve(&app).await {
            Ok(0) => {}
            Ok(offered) => tracing::info!(offered, "offered places to those who wait"),
            Err(error) => tracing::warn!(%error, "waitlists could not be served; tried again soon"),
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            () = FREED.notified() => {}
            () = stopping.cancelled() => return,
        }
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
