//! Accounts at payment providers.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// An account at a payment provider: where money of buyers goes. Its keys are kept encrypted and shown to nobody.
    #[sea_orm(table_name = "payment_accounts")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// The provider, such as `stripe`.
        #[sea_orm(column_type = "Text")]
        pub provider: String,
        /// Name for members, 1 to 100 characters, unique in the organization.
        #[sea_orm(column_type = "Text")]
        pub name: String,
        /// Whether buyers can pay by it. What was paid by it before is refunded by it all the same.
        pub active: bool,
        /// Whether it moves real money; tickets are real in any case.
        pub live: bool,
        /// Where buyers may be sent after they paid (`createPayment(returnUrl:)`): origins such as `https://shop.example`.
        /// Pages of this server are allowed in any case.
        pub return_origins: Vec<String>,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

relations! {
    many {
        Payments = payments::Account;
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("PaymentAccount", 80, &DOCS)
        .root("paymentAccount", "paymentAccounts")
        .scope("payment_accounts:read")
        .order([Column::CreatedAt])
        .default_order(Column::CreatedAt, false)
        .done()
}
