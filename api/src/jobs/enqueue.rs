//! Jobs as rows of the caller's transaction. In a flight, the SQL function does it: `es.enqueue_job(kind, payload, key)`.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::handler::Handler;
use crate::{fault::Fault, statements, tenancy::TenantTx};

/// A job to be written. It belongs to the organization of the transaction, if that has one.
#[derive(Clone, Debug)]
pub struct New(Json);

impl New {
    /// To be done at once.
    pub fn of<H: Handler>(payload: &H::Payload) -> Result<Self, Fault> {
        let payload = serde_json::to_value(payload).map_err(Fault::internal)?;
        Ok(Self(json!({ "kind": H::KIND, "payload": payload })))
    }

    /// Not before that instant.
    #[must_use]
    pub fn at(self, instant: DateTime<Utc>) -> Self {
        self.with("run_at", json!(instant.to_rfc3339()))
    }

    /// Not before that time is over.
    #[must_use]
    pub fn after(self, time: Duration) -> Self {
        self.with("after_seconds", json!(time.as_secs_f64()))
    }

    /// Not if the kind has a job with this key already, 1 to 200 characters. A job that is gone has no key any more: kinds
    /// that rely on it are kept after they are done.
    #[must_use]
    pub fn once(self, key: impl Into<String>) -> Self {
        self.with("key", json!(key.into()))
    }

    /// In a transaction that has no organization: of this one.
    #[must_use]
    pub fn of_organization(self, org_id: Uuid) -> Self {
        self.with("org_id", json!(org_id))
    }

    /// In a lane of its own, narrower than the organization: those of one lane wait for each other.
    #[must_use]
    pub fn in_lane(self, lane: Uuid) -> Self {
        self.with("lane", json!(lane))
    }

    /// With another priority than its kind has.
    #[must_use]
    pub fn priority(self, priority: super::Priority) -> Self {
        self.with("priority", json!(priority as i16))
    }

    fn with(mut self, name: &str, value: Json) -> Self {
        self.0[name] = value;
        self
    }
}

/// Writes the job.
pub async fn enqueue(tx: &TenantTx, job: New) -> Result<(), Fault> {
    enqueue_all(tx, vec![job]).await.map(drop)
}

/// Writes them; how many were new.
pub async fn enqueue_all(tx: &TenantTx, jobs: Vec<New>) -> Result<i32, Fault> {
    let jobs: Json = jobs.into_iter().map(|New(job)| job).collect();
    let row = statements::first(tx, "select es.enqueue_jobs($1) as n", [jobs.into()]).await?;
    match row {
        Some(row) => Ok(row.try_get("", "n")?),
        None => Ok(0),
    }
}
