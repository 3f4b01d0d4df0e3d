//! Jobs, with workers in this process: how they fail and run again, whose turn it is, the clock, the outbox, progress.
//! Workers that are killed are in `tests/startup/jobs.rs`.

mod clock;
mod failing;
mod fairness;
mod outbox;
mod progress;
mod transactions;

use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex},
    time::Duration,
};

use eventsphere::{
    assemble,
    jobs::{self, Jobs, Registry},
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::harness::{Database, TestApp};

/// What handlers of tests note, by test: each takes a key of its own along in the payload.
static NOTED: LazyLock<Mutex<HashMap<Uuid, Vec<String>>>> = LazyLock::new(Mutex::default);

fn note(test: Uuid, what: impl Into<String>) {
    NOTED
        .lock()
        .unwrap()
        .entry(test)
        .or_default()
        .push(what.into());
}

fn noted(test: Uuid) -> Vec<String> {
    NOTED
        .lock()
        .unwrap()
        .get(&test)
        .cloned()
        .unwrap_or_default()
}

/// Waits for it; fails after a minute.
pub async fn until(what: &str, mut done: impl AsyncFnMut() -> bool) {
    for _ in 0..3000 {
        if done().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("never: {what}");
}

/// A server that knows further kinds.
async fn app(database: Database, add: impl FnOnce(&mut Registry)) -> TestApp {
    let mut registry = assemble::jobs();
    add(&mut registry);
    let app = TestApp::over_changed(database, &[], |parts| parts.jobs = Jobs::new(registry)).await;
    jobs::register(&app.app).await.expect("kinds");
    app
}

/// A worker of this process.
pub struct Worker {
    stopping: CancellationToken,
    task: JoinHandle<()>,
}

impl Worker {
    pub fn start(app: &TestApp) -> Self {
        let stopping = CancellationToken::new();
        let task = tokio::spawn(jobs::work(app.app.clone(), stopping.clone()));
        Self { stopping, task }
    }

    pub async fn stop(self) {
        self.stopping.cancel();
        self.task.await.expect("it ends");
    }
}
