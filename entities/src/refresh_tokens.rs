//! Tokens that renew a device's access, hashed. No weak role reads it.

use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// A token that renews the access of a device once. Seeing a used one again means that somebody copied it.
    #[sea_orm(table_name = "refresh_tokens")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The device.
        pub session_id: Uuid,
        /// SHA-256 of the token.
        #[sea_orm(column_type = "VarBinary(StringLen::None)")]
        pub token_hash: Vec<u8>,
        /// When it stops working.
        pub expires_at: DateTimeUtc,
        /// When it was traded for its successor; null until then.
        pub used_at: Option<DateTimeUtc>,
        /// When it was made.
        pub created_at: DateTimeUtc,
    }
}

relations! {
    keys {
        Session(SessionId) -> device_sessions(Id);
    }
}
