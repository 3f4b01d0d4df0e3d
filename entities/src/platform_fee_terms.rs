//! What the platform takes.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// What the platform takes of an organization's payments in one currency. The operator of the platform says it; no row,
    /// no fee.
    #[sea_orm(table_name = "platform_fee_terms")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// The currency of the payments, ISO 4217.
        #[sea_orm(column_type = "Text")]
        pub currency: String,
        /// The share of what comes in, in millionths.
        pub rate_millionths: i32,
        /// The amount on top, once a registration, in minor units of the currency.
        pub fixed_minor: i64,
        /// Whether the fee goes back in proportion when money of a payment does.
        pub returned_on_refund: bool,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

relations! {}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("PlatformFeeTerms", 104, &DOCS)
        .root("platformFeeTerms", "allPlatformFeeTerms")
        .scope("payments:read")
        .money(
            "fixed",
            Column::FixedMinor,
            Column::Currency,
            "The amount on top, once a registration.",
        )
        .order([Column::CreatedAt])
        .default_order(Column::CreatedAt, false)
        .done()
}
