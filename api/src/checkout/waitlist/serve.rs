//! What is done for those who wait, when something was given back and by the clock: ends offers and holds of staff whose time has passed, and offers what is free.

use async_trait::async_trait;
use uuid::Uuid;

use crate::{
    fault::Fault,
    jobs::{Failed, Handler, Policy, Running},
    state::App,
    statements,
    tenancy::SystemReason,
};

const BATCH: i32 = 100;

/// The job.
pub(in crate::checkout) struct ServeWaitlists;

#[async_trait]
impl Handler for ServeWaitlists {
    type Payload = ();

    const KIND: &'static str = "waitlists.serve";

    fn policy() -> Policy {
        Policy::often()
    }

    async fn run(job: &Running, (): ()) -> Result<(), Failed> {
        let offered = once(&job.app).await?;
        if offered > 0 {
            tracing::info!(offered, "offered places to those who wait");
        }
        Ok(())
    }
}

/// Once over all organizations; how many offers were made. Each event is a transaction of its own: one that fails is
/// told, and keeps none of the others waiting.
async fn once(app: &App) -> Result<u32, Fault> {
    while call(
        app,
        "select public.expire_set_aside($1) as n",
        [BATCH.into()],
    )
    .await?
        >= BATCH
    {}
    let mut offered = 0;
    for event in events(app).await? {
        loop {
            let sql = "select public.serve_waitlist($1, $2) as n";
            match call(app, sql, [event.into(), BATCH.into()]).await {
                Ok(made) => {
                    offered += made.unsigned_abs();
                    if made < BATCH {
                        break;
                    }
                }
                Err(error) => {
                    tracing::warn!(%event, %error, "a waitlist could not be served; tried again soon");
                    break;
                }
            }
        }
    }
    Ok(offered)
}

/// Events where somebody waits and something may be free.
async fn events(app: &App) -> Result<Vec<Uuid>, Fault> {
    let tx = app.door.system(SystemReason::ServeWaitlists).await?;
    let rows = statements::all(&tx, "select public.waitlists_to_serve() as event", []).await?;
    tx.commit().await?;
    rows.iter()
        .map(|row| Ok(row.try_get("", "event")?))
        .collect()
}

async fn call<const N: usize>(
    app: &App,
    sql: &str,
    values: [sea_orm::Value; N],
) -> Result<i32, Fault> {
    let tx = app.door.system(SystemReason::ServeWaitlists).await?;
    let row = statements::first(&tx, sql, values).await?;
    let number = match row {
        Some(row) => row.try_get("", "n")?,
        None => 0,
    };
    tx.commit().await?;
    Ok(number)
}
