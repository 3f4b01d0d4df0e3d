//! A worker: all that a process does about jobs, from its first beat to its last.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde_json::json;
use tokio::{task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{queue, relay};
use crate::{fault::Fault, state::App, tenancy::SystemReason};

/// How long jobs may go on when the program stops.
pub(super) const GRACE: Duration = Duration::from_secs(8);
/// How often a worker says that it is there.
const BEAT: Duration = Duration::from_secs(5);
/// A worker that was silent for so long is dead: its jobs are given to others, and it must not go on by itself.
const DEAD_AFTER: Duration = Duration::from_secs(30);
/// How often it is looked what the clock asks for.
const CLOCK: Duration = Duration::from_millis(500);
/// After the database was away.
const TROUBLE: Duration = Duration::from_secs(1);

/// A worker as the database knows it. One that was silent for too long is declared dead, and begins a new life.
#[derive(Clone)]
pub(super) struct Life {
    pub id: Uuid,
    pub stopping: CancellationToken,
    /// Cancelled when its jobs are somebody else's.
    pub over: CancellationToken,
    running: Arc<Mutex<HashSet<Uuid>>>,
}

/// Keeps a job among those that run.
pub(super) struct Known {
    running: Arc<Mutex<HashSet<Uuid>>>,
    id: Uuid,
}

impl Drop for Known {
    fn drop(&mut self) {
        lock(&self.running).remove(&self.id);
    }
}

fn lock(running: &Mutex<HashSet<Uuid>>) -> std::sync::MutexGuard<'_, HashSet<Uuid>> {
    // Whoever panicked left a whole set behind.
    running.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Life {
    fn new(stopping: CancellationToken) -> Self {
        Self {
            id: Uuid::now_v7(),
            stopping,
            over: CancellationToken::new(),
            running: Arc::default(),
        }
    }

    /// From now until the answer is dropped.
    pub fn runs(&self, id: Uuid) -> Known {
        lock(&self.running).insert(id);
        Known {
            running: self.running.clone(),
            id,
        }
    }

    /// Jobs that run now.
    pub fn running(&self) -> Vec<Uuid> {
        lock(&self.running).iter().copied().collect()
    }

    pub async fn over_or_stopping(&self) {
        tokio::select! {
            () = self.over.cancelled() => {}
            () = self.stopping.cancelled() => {}
        }
    }
}

/// Runs jobs until the program stops; what runs then may end, the rest is given back.
pub async fn work(app: App, stopping: CancellationToken) {
    while !stopping.is_cancelled() {
        let life = Life::new(stopping.clone());
        if born(&app, &life).await {
            live(&app, &life).await;
        }
    }
}

/// Says that there is a new worker, as soon as the database takes it.
async fn born(app: &App, life: &Life) -> bool {
    loop {
        match beat(app, life, true).await {
            Ok(stands) => return stands,
            Err(error) => tracing::warn!(%error, "no jobs can be run yet; tried again soon"),
        }
        tokio::select! {
            () = tokio::time::sleep(TROUBLE) => {}
            () = life.stopping.cancelled() => return false,
        }
    }
}

async fn live(app: &App, life: &Life) {
    let behind = app.with(|parts| parts.door = parts.door.letting_by());
    tracing::debug!(worker = %life.id, "running jobs");
    let mut queues = JoinSet::new();
    for queue in app.jobs.registry.queues() {
        let runs = match queue.behind {
            true => behind.clone(),
            false => app.clone(),
        };
        queues.spawn(queue::serve(app.clone(), runs, queue, life.clone()));
    }
    let mut others = JoinSet::new();
    others.spawn(relay::relay(behind, life.clone()));
    others.spawn(follow_the_clock(app.clone(), life.clone()));
    tokio::select! {
        () = async { while queues.join_next().await.is_some() {} } => {}
        () = keep_beating(app, life) => {
            // Its jobs are others' by now.
            queues.shutdown().await;
        }
    }
    while others.join_next().await.is_some() {}
    if life.over.is_cancelled() {
        tracing::warn!("this worker was silent for too long; its jobs were given to others");
        return;
    }
    let request = json!({ "worker": life.id });
    let left = app
        .door
        .decide_as_system(SystemReason::Jobs, "job_worker_leaves", &request)
        .await;
    match left {
        Ok(answer) => tracing::debug!(%answer, "gave back what was not done"),
        Err(error) => {
            tracing::warn!(%error, "others will find out by themselves that this worker left")
        }
    }
}

/// Returns when the worker does not count any more.
async fn keep_beating(app: &App, life: &Life) {
    let mut last = Instant::now();
    loop {
        tokio::select! {
            () = tokio::time::sleep(BEAT) => {}
            () = life.over.cancelled() => return,
        }
        match tokio::time::timeout(BEAT, beat(app, life, false)).await {
            Ok(Ok(true)) => last = Instant::now(),
            Ok(Ok(false)) => break,
            Ok(Err(error)) => {
                tracing::warn!(%error, "the database was not told that this worker is there")
            }
            Err(_) => tracing::warn!("the database does not take the beat of this worker"),
        }
        // Others may think so already, and begin what runs here.
        if last.elapsed() > DEAD_AFTER {
            break;
        }
    }
    life.over.cancel();
}

async fn beat(app: &App, life: &Life, new: bool) -> Result<bool, Fault> {
    let request = json!({ "worker": life.id, "new": new, "dead_after": DEAD_AFTER.as_secs() });
    let answer = app
        .door
        .decide_as_system(SystemReason::Jobs, "job_beat", &request)
        .await?;
    match answer["given_away"].as_i64() {
        Some(0) | None => {}
        Some(jobs) => {
            tracing::warn!(jobs, "a worker died; its jobs run again");
            app.jobs.wake();
        }
    }
    Ok(answer["stands"].as_bool().unwrap_or(false))
}

/// Writes what the clock asks for.
async fn follow_the_clock(app: App, life: Life) {
    // Until the database has told its own.
    let mut now = app.clock.now();
    loop {
        let schedules = app.jobs.registry.schedules(now);
        let asked = app
            .door
            .decide_as_system(SystemReason::Jobs, "run_job_schedules", &schedules)
            .await;
        let pause = match asked {
            Ok(answer) => {
                let told = answer["now"].as_str().and_then(|text| text.parse().ok());
                now = told.unwrap_or(now);
                if answer["written"]
                    .as_i64()
                    .is_some_and(|written| written > 0)
                {
                    app.jobs.wake();
                }
                CLOCK
            }
            Err(error) => {
                tracing::warn!(%error, "what the clock asks for could not be written; tried again soon");
                TROUBLE
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = life.over_or_stopping() => return,
        }
    }
}
