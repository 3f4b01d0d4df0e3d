//! How each kind of job is queued. No weak role reads it.

use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// A kind of job, as the program registered it when it last started.
    #[sea_orm(table_name = "job_kinds")]
    pub struct Model {
        /// Its name.
        #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
        pub kind: String,
        /// Its queue.
        #[sea_orm(column_type = "Text")]
        pub queue: String,
        /// Lower is taken first.
        pub priority: i16,
        /// After so many attempts a job is dead.
        pub max_attempts: i32,
        /// How long a job is kept after it was done, in seconds.
        pub keep_seconds: i32,
    }
}

relations! {}
