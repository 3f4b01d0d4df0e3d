//! Who runs jobs. No weak role reads it.

use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// A process that runs jobs.
    #[sea_orm(table_name = "job_workers")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// Since when.
        pub started_at: DateTimeUtc,
        /// When it last said that it is there.
        pub beat_at: DateTimeUtc,
    }
}

relations! {}
