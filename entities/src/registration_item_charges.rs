//! Fees and taxes, one row for each of a place.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations, text_enum};
use crate::fee_rules::FeeKind;

documented! {
    /// A fee or a tax that a place was charged; fixed when it was placed.
    #[sea_orm(table_name = "registration_item_charges")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// The event.
        pub event_id: Uuid,
        /// The registration.
        pub registration_id: Uuid,
        /// The place.
        pub item_id: Uuid,
        /// What it is.
        pub kind: ChargeKind,
        /// What a fee is for; null for taxes.
        pub fee_kind: Option<FeeKind>,
        /// Name of the fee or the tax.
        #[sea_orm(column_type = "Text")]
        pub name: String,
        /// Rate of a tax, or share that a fee takes of the price, in millionths.
        pub rate_millionths: i32,
        /// Whether a tax is contained in what it is on; false for fees.
        pub inclusive: bool,
        /// Amount, in minor units of the currency.
        pub amount_minor: i64,
        /// What it was reckoned from, in minor units: the price of the place, or the fee that is taxed.
        pub base_minor: i64,
        /// Its turn among the charges of the place.
        pub position: i32,
        /// Currency of the amount, ISO 4217.
        #[sea_orm(column_type = "Text")]
        pub currency: String,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

text_enum! {
    /// What a charge is. Expect new values.
    pub enum ChargeKind {
        /// A fee.
        Fee = "fee",
        /// A tax on the place.
        Tax = "tax",
        /// A tax on a fee.
        FeeTax = "fee_tax",
    }
}

relations! {
    keys {
        Registration(OrgId, RegistrationId) -> registrations(OrgId, Id);
        Item(OrgId, ItemId) -> registration_items(OrgId, Id);
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("RegistrationItemCharge", 57, &DOCS)
        .scope("registrations:read")
        .enumeration::<ChargeKind>(Column::Kind)
        .enumeration::<FeeKind>(Column::FeeKind)
        .hide([Column::Currency, Column::BaseMinor, Column::Position])
        .money(
            "amount",
            Column::AmountMinor,
            Column::Currency,
            "What it comes to.",
        )
        .to_one_required(
            "registration",
            Relation::Registration.def(),
            "The registration.",
        )
        .to_one_required("item", Relation::Item.def(), "The place.")
        .order([Column::CreatedAt])
        .default_order(Column::CreatedAt, false)
        .done()
}
