//! What providers of messages ask for; no part of the API.

use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// The secret of an account, sealed.
    #[sea_orm(table_name = "message_account_secrets")]
    pub struct Model {
        /// The account.
        #[sea_orm(primary_key, auto_increment = false)]
        pub account_id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// Sealed by the program.
        pub sealed: Vec<u8>,
    }
}

relations! {
    keys {
        Account(OrgId, AccountId) -> message_accounts(OrgId, Id);
    }
}
