//! Keys of accounts at payment providers, sealed. No weak role reads them.

use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// What an account needs to be spoken for, and to be believed.
    #[sea_orm(table_name = "payment_account_secrets")]
    pub struct Model {
        /// The account.
        #[sea_orm(primary_key, auto_increment = false)]
        pub account_id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// Its keys as JSON, encrypted with the program's secret key.
        #[sea_orm(column_type = "VarBinary(StringLen::None)")]
        pub sealed: Vec<u8>,
    }
}

relations! {
    keys {
        Account(OrgId, AccountId) -> payment_accounts(OrgId, Id);
    }
}
