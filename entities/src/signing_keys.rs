//! Keys that sign access tokens. No weak role reads it.

use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// A key pair that signs access tokens. Retired ones still verify what they signed.
    #[sea_orm(table_name = "signing_keys")]
    pub struct Model {
        /// The key id (`kid`) that tokens and the published key set carry.
        #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
        pub id: String,
        /// The signature algorithm, `EdDSA`.
        #[sea_orm(column_type = "Text")]
        pub algorithm: String,
        /// The public half, raw.
        #[sea_orm(column_type = "VarBinary(StringLen::None)")]
        pub public_key: Vec<u8>,
        /// The private half, encrypted with the program's secret key.
        #[sea_orm(column_type = "VarBinary(StringLen::None)")]
        pub private_key_encrypted: Vec<u8>,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// Since when it signs nothing new; null while it signs.
        pub retired_at: Option<DateTimeUtc>,
    }
}

relations! {}
