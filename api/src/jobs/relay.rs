//! From the outbox to jobs. Several processes relay side by side: each takes what no other has in hand.

use std::time::Duration;

use serde_json::json;

use super::worker::Life;
use crate::{fault::Fault, state::App, tenancy::SystemReason};

/// How long an event may lie before it is looked at. Sales do not notify: that would put all commits in one line.
const PAUSE: Duration = Duration::from_millis(250);
/// Events of one transaction.
const BATCH: u64 = 500;

/// Relays until the life is over or the program stops.
pub(super) async fn relay(app: App, life: Life) {
    loop {
        let pause = match once(&app).await {
            Ok(sent) => {
                if sent > 0 {
                    app.jobs.wake.notify_waiters();
                }
                if sent == BATCH {
                    continue;
                }
                PAUSE
            }
            Err(error) => {
                tracing::warn!(%error, "the outbox could not be relayed; tried again soon");
                Duration::from_secs(1)
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = app.jobs.wake.notified() => {}
            () = life.over_or_stopping() => return,
        }
    }
}

async fn once(app: &App) -> Result<u64, Fault> {
    let request = json!({ "limit": BATCH, "consumers": app.jobs.registry.consumers() });
    let answer = app
        .door
        .decide_as_system(SystemReason::Jobs, "relay_outbox", &request)
        .await?;
    Ok(answer["sent"].as_u64().unwrap_or(0))
}
