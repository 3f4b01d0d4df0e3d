//! What payment providers told us. No weak role reads it.

use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// One event of a provider, verified and stored as it came.
    #[sea_orm(table_name = "payment_events")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// The account that it was told to.
        pub account_id: Uuid,
        /// The provider's key of the event, or the hash of what it sent.
        #[sea_orm(column_type = "Text")]
        pub event_key: String,
        /// `waiting`, `applied`, `ignored` or `unmatched`.
        #[sea_orm(column_type = "Text")]
        pub status: String,
        /// What was sent, byte for byte.
        #[sea_orm(column_type = "VarBinary(StringLen::None)")]
        pub body: Vec<u8>,
        /// How often it was told.
        pub told: i32,
        /// What was to be said of it; null when nothing was.
        #[sea_orm(column_type = "Text")]
        pub detail: Option<String>,
        /// When it was applied.
        pub applied_at: Option<DateTimeUtc>,
        /// When it came.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

relations! {
    keys {
        Account(OrgId, AccountId) -> payment_accounts(OrgId, Id);
    }
}
