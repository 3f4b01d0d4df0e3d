//! For which dates a reminder was begun; no part of the API.

use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// A reminder that was begun for a date.
    #[sea_orm(table_name = "message_reminder_runs")]
    pub struct Model {
        /// The reminder.
        #[sea_orm(primary_key, auto_increment = false)]
        pub reminder_id: Uuid,
        /// The date.
        #[sea_orm(primary_key, auto_increment = false)]
        pub occurrence_id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// When.
        pub begun_at: DateTimeUtc,
    }
}

relations! {
    keys {
        Reminder(OrgId, ReminderId) -> message_reminders(OrgId, Id);
        Occurrence(OrgId, OccurrenceId) -> occurrences(OrgId, Id);
    }
}
