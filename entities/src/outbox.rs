//! What the outside must hear of. No weak role reads it.

use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// A domain event, written in the transaction that makes it true.
    #[sea_orm(table_name = "outbox")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// What happened, such as `registration.confirmed`.
        #[sea_orm(column_name = "type", column_type = "Text")]
        pub event_type: String,
        /// Version of the payload's shape.
        pub version: i32,
        /// Kind of the thing that it happened to.
        #[sea_orm(column_type = "Text")]
        pub object_type: String,
        /// Key of that thing.
        pub object_id: Uuid,
        /// Counts the events of that thing from 1.
        pub sequence: i64,
        /// What a receiver needs to know.
        #[sea_orm(column_type = "JsonBinary")]
        pub payload: Json,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When the relay passed it on; null until then.
        pub sent_at: Option<DateTimeUtc>,
        /// Where it stands in the order in which events are passed on; null until then.
        pub position: Option<i64>,
    }
}

relations! {
    keys {
        Organization(OrgId) -> organizations(Id);
    }
}
