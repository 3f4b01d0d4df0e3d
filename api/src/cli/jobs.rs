//! `admin jobs` and `admin replay-jobs`.

use serde_json::Value as Json;

use crate::{app::Context, assemble, clock::Clock, error::StartError, fault::Fault, jobs};

fn failed(fault: Fault) -> StartError {
    StartError::Part(Box::new(fault))
}

/// Prints what waits.
pub(super) async fn tell(context: Context) -> Result<(), StartError> {
    let app = assemble::app(&context, Clock::default()).await?;
    let figures = jobs::figures(&app).await.map_err(failed)?;
    println!(
        "{:<12} {:>9} {:>9} {:>9} {:>9}  oldest ready",
        "queue", "ready", "scheduled", "running", "dead"
    );
    for queue in figures["queues"].as_array().into_iter().flatten() {
        println!(
            "{:<12} {:>9} {:>9} {:>9} {:>9}  {:.1} s",
            queue["queue"].as_str().unwrap_or_default(),
            queue["ready"],
            queue["scheduled"],
            queue["running"],
            queue["dead"],
            seconds(&queue["oldest_seconds"]),
        );
    }
    let outbox = &figures["outbox"];
    println!(
        "{} events not relayed, the oldest for {:.1} s; {} workers",
        outbox["unsent"],
        seconds(&outbox["oldest_seconds"]),
        figures["workers"],
    );
    Ok(())
}

/// Lets dead jobs run again, and says how many.
pub(super) async fn replay(context: Context, kind: Option<String>) -> Result<(), StartError> {
    let app = assemble::app(&context, Clock::default()).await?;
    let replayed = jobs::replay_dead(&app, kind.as_deref())
        .await
        .map_err(failed)?;
    println!("{replayed} jobs run again");
    Ok(())
}

fn seconds(figure: &Json) -> f64 {
    figure.as_f64().unwrap_or(0.0)
}
