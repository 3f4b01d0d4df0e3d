//! From the outbox to jobs, and to those who watch. Several processes relay side by side: each takes what no other has in
//! hand.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::worker::Life;
use crate::{fault::Fault, state::App, tenancy::SystemReason};

/// How long an event may lie before it is looked at. Sales do not notify: that would put all commits in one line. Whoever
/// watches waits for this too.
const PAUSE: Duration = Duration::from_millis(100);
/// Jobs are looked for no more often than that, however often events are passed on.
const WAKE: Duration = Duration::from_millis(250);
/// Events of one transaction.
const BATCH: u64 = 500;

/// Relays until the life is over or the program stops.
pub(super) async fn relay(app: App, life: Life) {
    let (mut woken, mut news) = (Instant::now(), false);
    loop {
        let pause = match once(&app).await {
            Ok(sent) => {
                news |= sent > 0;
                if news && woken.elapsed() >= WAKE {
                    app.jobs.wake.notify_waiters();
                    (woken, news) = (Instant::now(), false);
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
    let request = json!({
        "limit": BATCH, "consumers": app.jobs.registry.consumers(), "notify": app.live.database_rings(),
    });
    let answer = app
        .door
        .decide_as_system(SystemReason::Jobs, "relay_outbox", &request)
        .await?;
    if let Some(position) = answer["position"].as_i64() {
        app.live.ring(position).await;
    }
    Ok(answer["sent"].as_u64().unwrap_or(0))
}
