//! Keeps PostgreSQL's statistics young while tables grow fast: its autovacuum comes by once a minute, and a rush on a
//! young database begins before. On 5,000 sales made within 15 s of an empty database a sale took three times the time.

use async_trait::async_trait;
use serde_json::json;

use super::{Failed, Handler, Policy, Running};
use crate::{fault::Fault, tenancy::SystemReason};

/// A table of fewer rows is small, whatever plan reads it.
const ROWS: i64 = 250;

/// The job, by the clock.
pub(super) struct RefreshStatistics;

#[async_trait]
impl Handler for RefreshStatistics {
    type Payload = ();

    const KIND: &'static str = "database.statistics";

    fn policy() -> Policy {
        Policy::often()
    }

    async fn run(job: &Running, (): ()) -> Result<(), Failed> {
        let answer = job
            .app
            .door
            .decide_as_system(
                SystemReason::Jobs,
                "refresh_statistics",
                &json!({ "rows": ROWS }),
            )
            .await
            .map_err(Fault::from)?;
        let tables = &answer["tables"];
        if tables.as_array().is_some_and(|tables| !tables.is_empty()) {
            tracing::debug!(%tables, "counted again in tables that have doubled");
        }
        Ok(())
    }
}
