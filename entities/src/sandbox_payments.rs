//! What the sandbox, a payment provider inside the program, knows. No weak role reads it.

use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// A payment as the sandbox knows it.
    #[sea_orm(table_name = "sandbox_payments")]
    pub struct Model {
        /// Key, the provider's reference.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization of the account.
        pub org_id: Uuid,
        /// The account.
        pub account_id: Uuid,
        /// What the merchant calls it.
        pub reference: Uuid,
        /// `open`, `challenge`, `succeeded`, `failed` or `cancelled`.
        #[sea_orm(column_type = "Text")]
        pub status: String,
        /// Minor units of the currency.
        pub amount_minor: i64,
        /// ISO 4217.
        #[sea_orm(column_type = "Text")]
        pub currency: String,
        /// What the buyer reads.
        #[sea_orm(column_type = "Text")]
        pub description: String,
        /// Where the buyer goes afterwards.
        #[sea_orm(column_type = "Text")]
        pub return_url: Option<String>,
        /// Why it failed.
        #[sea_orm(column_type = "Text")]
        pub failure: Option<String>,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

relations! {
    many {
        Refunds = sandbox_refunds::Payment;
    }
}
