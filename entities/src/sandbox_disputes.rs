//! Disputes as the sandbox knows them.

use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// A dispute at the sandbox, a payment provider inside the program that stands outside of all tenants.
    #[sea_orm(table_name = "sandbox_disputes")]
    pub struct Model {
        /// Key; the sandbox's name for it.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization of the account.
        pub org_id: Uuid,
        /// The payment at the sandbox.
        pub payment_id: Uuid,
        /// Where it stands.
        #[sea_orm(column_type = "Text")]
        pub status: String,
        /// What is asked back, in minor units.
        pub amount_minor: i64,
        /// What the sandbox takes for it, in minor units.
        pub fee_minor: i64,
        /// When it was opened.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

relations! {}
