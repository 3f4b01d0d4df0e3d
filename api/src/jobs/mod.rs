//! Work after the commit. A job is a row that is written in the transaction of whoever wants it done ([`enqueue`], or
//! `es.enqueue_job` in SQL), so it exists exactly when that was committed. Workers ([`work`]) take jobs in turns, lane
//! after lane, so that nobody waits for what another has heaped up; what fails is tried again later, and after its last
//! attempt it lies dead until somebody lets it run again. A worker that dies leaves its jobs to others. The relay turns
//! events of the outbox into jobs of those who asked for them.
//!
//! A job runs at least once. Where its effect is in the database, [`Running::finish_in`] ends it in the transaction of
//! the effect: both are there, or none is. Other effects need a key that the other side knows them by: the job's id.
//!
//! A slice adds its kinds in `jobs(registry)`: a file each with a [`Handler`], and a line.

mod backoff;
mod clear;
mod enqueue;
mod figures;
mod handler;
mod operator;
mod policy;
mod queue;
mod registry;
mod relay;
mod replay;
mod running;
mod schedule;
mod statistics;
mod steps;
mod worker;

use std::sync::Arc;

use tokio::sync::Notify;

pub use backoff::Backoff;
pub use clear::{clear_away, clearing};
pub use enqueue::{New, enqueue, enqueue_all};
pub use figures::write as write_figures;
pub use handler::{Failed, Handler};
pub use operator::{figures, replay_dead};
pub use policy::{Policy, Priority, Queue};
pub use registry::{Event, Events, Registry, Together};
pub use running::Running;
pub use schedule::Schedule;
pub use steps::in_steps;
pub use worker::work;

use crate::{fault::Fault, state::App, tenancy::SystemReason, verbs::Verbs};

/// What the program knows of jobs. Cheap to clone.
#[derive(Clone)]
pub struct Jobs {
    registry: Arc<Registry>,
    wake: Arc<Notify>,
}

impl Jobs {
    /// With these kinds.
    pub fn new(registry: Registry) -> Self {
        Self {
            registry: Arc::new(registry),
            wake: Arc::default(),
        }
    }

    /// Something was committed that workers should look at: those of this process do at once, others within a quarter
    /// of a second by themselves.
    pub fn wake(&self) {
        self.wake.notify_waiters();
    }
}

/// The kinds of the floor.
pub fn jobs(registry: &mut Registry) {
    registry
        .add::<clear::ClearFinished>()
        .every::<clear::ClearFinished>(Schedule::minutes(10))
        .add::<statistics::RefreshStatistics>()
        .every::<statistics::RefreshStatistics>(Schedule::seconds(5));
}

/// The mutations of the floor.
pub fn verbs(registry: &mut Verbs) {
    registry.add::<replay::ReplayJobs>();
}

/// Tells the database how each kind is queued, so that SQL can enqueue it by its name alone.
pub async fn register(app: &App) -> Result<(), Fault> {
    let kinds = app.jobs.registry.described();
    app.door
        .decide_as_system(SystemReason::Jobs, "register_job_kinds", &kinds)
        .await?;
    Ok(())
}
