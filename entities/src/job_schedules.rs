//! What runs by the clock. No weak role reads it.

use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// A kind of job that runs by the clock.
    #[sea_orm(table_name = "job_schedules")]
    pub struct Model {
        /// The kind.
        #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
        pub kind: String,
        /// The beginning of the slot that a job was last written for.
        pub last_slot: DateTimeUtc,
    }
}

relations! {}
