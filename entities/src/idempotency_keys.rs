//! Answers to requests that may be repeated. No weak role reads it.

use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// A request that changes money or stock, remembered so that its repetition answers the same.
    #[sea_orm(table_name = "idempotency_keys")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// Who asked, as in the audit log.
        #[sea_orm(column_type = "Text")]
        pub actor: String,
        /// The mutation.
        #[sea_orm(column_type = "Text")]
        pub operation: String,
        /// The client's key, 8 to 200 characters.
        #[sea_orm(column_type = "Text")]
        pub key: String,
        /// SHA-256 of the arguments; a repetition with others is refused.
        #[sea_orm(column_type = "VarBinary(StringLen::None)")]
        pub argument_hash: Vec<u8>,
        /// What was answered; null while it is being worked on.
        #[sea_orm(column_type = "JsonBinary")]
        pub outcome: Option<Json>,
        /// When it was made.
        pub created_at: DateTimeUtc,
    }
}

relations! {
    keys {
        Organization(OrgId) -> organizations(Id);
    }
}
