//! Work that is done after the commit.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations, text_enum};

documented! {
    /// A piece of background work of an organization: a letter to deliver, a long calculation. Most are gone once they
    /// are done; long ones are kept for a while, and those that failed for good for 30 days.
    #[sea_orm(table_name = "jobs")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to; null for the program's own.
        pub org_id: Option<Uuid>,
        /// What is done, such as `mail.deliver`. Expect new ones.
        #[sea_orm(column_type = "Text")]
        pub kind: String,
        /// Which workers take it.
        #[sea_orm(column_type = "Text")]
        pub queue: String,
        /// Lower is taken first.
        pub priority: i16,
        /// Whose turn it is; workers serve lanes in turn.
        pub lane: Uuid,
        /// Where it stands.
        #[sea_orm(column_type = "Text")]
        pub status: JobStatus,
        /// How often it was begun.
        #[sea_orm(default_value = 0)]
        pub attempts: i32,
        /// After so many it is dead.
        pub max_attempts: i32,
        /// Not begun before.
        pub run_at: DateTimeUtc,
        /// Of the same kind there is one with this key at most.
        #[sea_orm(column_type = "Text", nullable)]
        pub key: Option<String>,
        /// Until when the key is kept: `taken`, `ended` or `gone`.
        #[sea_orm(column_type = "Text", default_value = "gone")]
        pub key_until: String,
        /// How long it is kept after it was done, in seconds.
        #[sea_orm(default_value = 0)]
        pub keep_seconds: i32,
        /// What it is told.
        #[sea_orm(column_type = "JsonBinary")]
        pub payload: Json,
        /// Who runs it.
        pub worker_id: Option<Uuid>,
        /// How far it is, in steps of its own.
        #[sea_orm(default_value = 0)]
        pub progress_done: i64,
        /// How many steps there are; null when nobody knows.
        pub progress_total: Option<i64>,
        /// Why the last attempt failed.
        #[sea_orm(column_type = "Text", nullable)]
        pub failure: Option<String>,
        /// When it was last begun.
        pub started_at: Option<DateTimeUtc>,
        /// When it was done, or failed for good.
        pub finished_at: Option<DateTimeUtc>,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

text_enum! {
    /// Where a job stands. Expect new values.
    pub enum JobStatus {
        /// Waits for its time: `runAt`.
        Scheduled = "scheduled",
        /// Waits for a worker.
        Ready = "ready",
        /// Is being done.
        Running = "running",
        /// Is done.
        Done = "done",
        /// Failed for good; `replayJobs` lets it run again.
        Dead = "dead",
    }
}

relations! {
    keys {
        Organization(OrgId) -> organizations(Id);
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("Job", 70, &DOCS)
        .root("job", "jobs")
        .scope("jobs:read")
        .enumeration::<JobStatus>(Column::Status)
        .hide([
            Column::Queue,
            Column::Priority,
            Column::Lane,
            Column::Key,
            Column::KeyUntil,
            Column::KeepSeconds,
            Column::Payload,
            Column::WorkerId,
        ])
        .to_one(
            "organization",
            Relation::Organization.def(),
            "The organization.",
        )
        .filter([Column::Status, Column::CreatedAt])
        .order([Column::CreatedAt])
        .default_order(Column::CreatedAt, true)
        .done()
}
