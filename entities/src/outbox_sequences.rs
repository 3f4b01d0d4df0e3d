//! Counters of the outbox. No weak role reads it.

use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// How far the events of one thing are counted.
    #[sea_orm(table_name = "outbox_sequences")]
    pub struct Model {
        /// The organization that it belongs to.
        #[sea_orm(primary_key, auto_increment = false)]
        pub org_id: Uuid,
        /// Kind of the thing.
        #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
        pub object_type: String,
        /// Key of the thing.
        #[sea_orm(primary_key, auto_increment = false)]
        pub object_id: Uuid,
        /// Number of its last event.
        pub last_sequence: i64,
    }
}

relations! {
    keys {
        Organization(OrgId) -> organizations(Id);
    }
}
