//! Secrets of API tokens, hashed. No weak role reads it.

use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// The secret of one API token.
    #[sea_orm(table_name = "api_token_secrets")]
    pub struct Model {
        /// The token.
        #[sea_orm(primary_key, auto_increment = false)]
        pub token_id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// SHA-256 of the secret.
        #[sea_orm(column_type = "VarBinary(StringLen::None)")]
        pub secret_hash: Vec<u8>,
    }
}

relations! {
    keys {
        Token(OrgId, TokenId) -> api_tokens(OrgId, Id);
    }
}
