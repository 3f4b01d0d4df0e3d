//! Refunds that the sandbox made. No weak role reads them.

use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// A refund as the sandbox knows it.
    #[sea_orm(table_name = "sandbox_refunds")]
    pub struct Model {
        /// Key, the provider's reference.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization of the account.
        pub org_id: Uuid,
        /// The payment.
        pub payment_id: Uuid,
        /// What the merchant calls it; null for what was refunded at the sandbox itself.
        pub reference: Option<Uuid>,
        /// `pending`, `succeeded` or `failed`.
        #[sea_orm(column_type = "Text")]
        pub status: String,
        /// Minor units.
        pub amount_minor: i64,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

relations! {
    keys {
        Payment(OrgId, PaymentId) -> sandbox_payments(OrgId, Id);
    }
}
