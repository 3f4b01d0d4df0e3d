//! Keys that sign ticket codes. No weak role reads it.

use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// A key pair that signs the ticket codes of one event.
    #[sea_orm(table_name = "event_signing_keys")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// The event.
        pub event_id: Uuid,
        /// The number by which codes name the key, unique in the event.
        pub key_number: i16,
        /// The public half, raw; scanners carry it.
        #[sea_orm(column_type = "VarBinary(StringLen::None)")]
        pub public_key: Vec<u8>,
        /// The private half, encrypted with the program's secret key.
        #[sea_orm(column_type = "VarBinary(StringLen::None)")]
        pub private_key_encrypted: Vec<u8>,
        /// Since when it signs nothing new; null while it signs.
        pub retired_at: Option<DateTimeUtc>,
        /// When it was made.
        pub created_at: DateTimeUtc,
    }
}

relations! {
    keys {
        Event(OrgId, EventId) -> events(OrgId, Id);
    }
}
