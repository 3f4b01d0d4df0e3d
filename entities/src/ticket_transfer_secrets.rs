//! What opens an offer of a ticket, hashed. No weak role reads it.

use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// The secret of one offer.
    #[sea_orm(table_name = "ticket_transfer_secrets")]
    pub struct Model {
        /// The offer.
        #[sea_orm(primary_key, auto_increment = false)]
        pub transfer_id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// SHA-256 of the code that was mailed.
        #[sea_orm(column_type = "VarBinary(StringLen::None)")]
        pub secret_hash: Vec<u8>,
    }
}

relations! {
    keys {
        Transfer(OrgId, TransferId) -> ticket_transfers(OrgId, Id);
    }
}
