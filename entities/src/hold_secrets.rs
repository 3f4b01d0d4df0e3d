//! What sells from a hold, hashed. No weak role reads it.

use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// The key of a hold, as it was shown once to whoever made it.
    #[sea_orm(table_name = "hold_secrets")]
    pub struct Model {
        /// The hold.
        #[sea_orm(primary_key, auto_increment = false)]
        pub hold_id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// SHA-256 of the key.
        #[sea_orm(column_type = "VarBinary(StringLen::None)")]
        pub secret_hash: Vec<u8>,
    }
}

relations! {
    keys {
        Hold(OrgId, HoldId) -> stock_holds(OrgId, Id);
    }
}
