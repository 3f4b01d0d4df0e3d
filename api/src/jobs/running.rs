//! A job that is being done, as its handler sees it.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    fault::Fault,
    outcome,
    state::App,
    statements,
    tenancy::{SystemReason, TenantTx},
};

/// Progress is written no more often.
const PROGRESS_PAUSE: Duration = Duration::from_millis(500);

/// A job that is being done.
pub struct Running {
    /// The program.
    pub app: App,
    /// Its key; the same at each attempt, so that others can know an effect by it.
    pub id: Uuid,
    /// The organization that it belongs to; none for the program's own.
    pub org_id: Option<Uuid>,
    /// Which attempt it is, from 1.
    pub attempt: u32,
    /// Whether it is the last one.
    pub last: bool,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    pub(super) worker: Uuid,
    pub(super) stopping: CancellationToken,
    pub(super) told: Mutex<Option<Instant>>,
}

impl Running {
    /// A transaction of the job, in its organization if it has one; as the program, not as a member.
    pub async fn begin(&self) -> Result<TenantTx, Fault> {
        Ok(match self.org_id {
            Some(org_id) => self.app.door.system_at(SystemReason::Jobs, org_id).await?,
            None => self.app.door.system(SystemReason::Jobs).await?,
        })
    }

    /// Ends the job in the transaction of its effect: committed, both are there. Refused when the job was given to another
    /// worker meanwhile; then the effect must not be committed.
    pub async fn finish_in(&self, tx: &TenantTx) -> Result<(), Fault> {
        statements::run(
            tx,
            "select es.finish_job($1, $2)",
            [self.id.into(), self.worker.into()],
        )
        .await
        .map_err(outcome::fault)?;
        Ok(())
    }

    /// What the function `public.<function>(jsonb)` answers, called in one flight as [`Self::begin`] would; committed when
    /// this returns.
    pub async fn decide(&self, function: &'static str, request: &Json) -> Result<Json, Fault> {
        let door = &self.app.door;
        Ok(match self.org_id {
            Some(org_id) => {
                door.decide_for_many(SystemReason::Jobs, org_id, function, request)
                    .await?
            }
            None => {
                door.decide_as_system(SystemReason::Jobs, function, request)
                    .await?
            }
        })
    }

    /// Writes `job` and `worker` into a request, by which the function called ends the job (`es.finish_job`) in the
    /// transaction of its effect.
    pub fn name_in(&self, request: &mut Json) {
        request["job"] = self.id.to_string().into();
        request["worker"] = self.worker.to_string().into();
    }

    /// How far it is, for whoever watches: written twice a second at most, and at the end.
    pub async fn progress(&self, done: u64, total: Option<u64>) -> Result<(), Fault> {
        if Some(done) != total && !self.may_tell() {
            return Ok(());
        }
        let number = |steps: u64| i64::try_from(steps).unwrap_or(i64::MAX);
        let tx = self.app.door.system(SystemReason::Jobs).await?;
        statements::run(
            &tx,
            "select es.progress_job($1, $2, $3, $4)",
            [
                self.id.into(),
                self.worker.into(),
                number(done).into(),
                total.map(number).into(),
            ],
        )
        .await?;
        Ok(tx.commit().await?)
    }

    /// Whether the program is stopping: a long job then ends with [`super::Failed::GiveBack`] where it can go on later.
    pub fn stopping(&self) -> bool {
        self.stopping.is_cancelled()
    }

    fn may_tell(&self) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let may = told.is_none_or(|at| at.elapsed() >= PROGRESS_PAUSE);
        if may {
            *told = Some(Instant::now());
        }
        may
    }
}
