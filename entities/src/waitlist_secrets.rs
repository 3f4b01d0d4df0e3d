//! What opens a guest's entry of a waitlist, hashed. No weak role reads it.

use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// A secret that opens an entry: the one that a guest got when joining, or one that came with an offer.
    #[sea_orm(table_name = "waitlist_secrets")]
    pub struct Model {
        /// SHA-256 of the secret.
        #[sea_orm(primary_key, auto_increment = false, column_type = "VarBinary(StringLen::None)")]
        pub secret_hash: Vec<u8>,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// The entry.
        pub entry_id: Uuid,
    }
}

relations! {
    keys {
        Entry(OrgId, EntryId) -> waitlist_entries(OrgId, Id);
    }
}
