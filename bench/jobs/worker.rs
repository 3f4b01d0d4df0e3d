//! Our worker with a kind that does nothing but count itself. Started by `bench jobs` with JOBS, DATABASE_URL and
//! SECRET_KEY; says `first` and `last` when that job has run, and at the end how often each did.

use std::sync::{
    OnceLock,
    atomic::{AtomicU8, AtomicUsize, Ordering},
};

use async_trait::async_trait;
use eventsphere::{
    app::{self, Context},
    assemble,
    clock::Clock,
    config::{Config, Settings},
    jobs::{self, Failed, Handler, Jobs, Queue, Running},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

static TIMES: OnceLock<Vec<AtomicU8>> = OnceLock::new();
static RAN: AtomicUsize = AtomicUsize::new(0);

struct Nothing;

#[derive(Debug, Deserialize, Serialize)]
struct Which {
    n: usize,
}

#[async_trait]
impl Handler for Nothing {
    type Payload = Which;

    const KIND: &'static str = "bench.nothing";

    fn policy() -> jobs::Policy {
        jobs::Policy::new().queue("bench")
    }

    async fn run(_: &Running, which: Which) -> Result<(), Failed> {
        let times = TIMES.get().ok_or(Failed::GiveBack)?;
        times[which.n].fetch_add(1, Ordering::Relaxed);
        let ran = RAN.fetch_add(1, Ordering::Relaxed) + 1;
        if ran == 1 {
            println!("first");
        }
        if ran == times.len() {
            println!("last");
        }
        Ok(())
    }
}

async fn work(context: Context) -> Result<(), eventsphere::error::StartError> {
    let app = assemble::app(&context, Clock::default()).await?;
    let mut registry = assemble::jobs();
    registry.queue(Queue::new("bench", 24, 24)).add::<Nothing>();
    let app = app.with(|parts| parts.jobs = Jobs::new(registry));
    jobs::work(app, context.stopping).await;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let jobs: usize = std::env::var("JOBS")?.parse()?;
    TIMES.get_or_init(|| (0..jobs).map(|_| AtomicU8::new(0)).collect());
    let config = Config::read(&Settings::from_environment(), false)?;
    app::run_alone(config, work).await?;
    let times = TIMES.get().map_or(&[][..], Vec::as_slice);
    let count = |wanted: fn(u8) -> bool| {
        let counted = times
            .iter()
            .filter(|one| wanted(one.load(Ordering::Relaxed)));
        counted.count()
    };
    let told = json!({
        "ran": RAN.load(Ordering::Relaxed), "doubled": count(|n| n > 1), "lost": count(|n| n == 0),
    });
    println!("{told}");
    Ok(())
}
