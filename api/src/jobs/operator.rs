//! What operators ask about jobs, over all organizations.

use serde_json::{Value as Json, json};

use crate::{fault::Fault, state::App, tenancy::SystemReason};

/// What waits: by queue how many jobs are in each state, what the outbox holds, how many workers there are.
pub async fn figures(app: &App) -> Result<Json, Fault> {
    let answer = app
        .door
        .decide_as_system(SystemReason::Jobs, "job_figures", &json!({}))
        .await?;
    Ok(answer)
}

/// Lets dead jobs run again, those of one kind or all; how many.
pub async fn replay_dead(app: &App, kind: Option<&str>) -> Result<i64, Fault> {
    let request = json!({ "kind": kind });
    let answer = app
        .door
        .decide_as_system(SystemReason::Operator, "replay_dead_jobs", &request)
        .await?;
    Ok(answer["replayed"].as_i64().unwrap_or(0))
}
