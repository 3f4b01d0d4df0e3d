//! Fees on top of prices.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations, text_enum};

documented! {
    /// A fee on top of the prices, an amount, a share of the price, or both, with a tax of its own. Fees of the
    /// organization and of the event add up. Places that cost nothing bear none.
    #[sea_orm(table_name = "fee_rules")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// The event.
        pub event_id: Option<Uuid>,
        /// What it is for.
        pub kind: FeeKind,
        /// Name, 1 to 100 characters; buyers see it.
        #[sea_orm(column_type = "Text")]
        pub name: String,
        /// What it is charged for.
        #[sea_orm(default_value = "ticket")]
        pub basis: FeeBasis,
        /// Amount, in minor units of the currency.
        pub amount_minor: Option<i64>,
        /// Currency of the amount, ISO 4217. At events in another currency an organization's amount does not apply.
        #[sea_orm(column_type = "Text")]
        pub currency: Option<String>,
        /// Share of the price after discounts, in millionths, 0 to 1000000 (29000 is 2.9 %).
        #[sea_orm(default_value = 0)]
        pub rate_millionths: i32,
        /// Name of the tax on the fee, at most 100 characters; empty when there is none.
        #[sea_orm(column_type = "Text", default_value = "")]
        pub tax_name: String,
        /// Rate of the tax on the fee, in millionths of its net amount, 0 to 1000000.
        #[sea_orm(default_value = 0)]
        pub tax_rate_millionths: i32,
        /// Whether the fee contains its tax; else it comes on top.
        #[sea_orm(default_value = false)]
        pub tax_inclusive: bool,
        /// Whether it is charged at all.
        #[sea_orm(default_value = true)]
        pub active: bool,
        /// Place in the list, smallest first.
        #[sea_orm(default_value = 0)]
        pub position: i32,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

text_enum! {
    /// What a fee is for. Expect new values.
    pub enum FeeKind {
        /// The platform's.
        Platform = "platform",
        /// For taking the money.
        Payment = "payment",
        /// The organizer's.
        Service = "service",
    }
}

text_enum! {
    /// What a fee is charged for. Expect new values.
    pub enum FeeBasis {
        /// Each place.
        Ticket = "ticket",
        /// The registration; shared out over its places in proportion to their prices.
        Registration = "registration",
    }
}

relations! {
    keys {
        Event(OrgId, EventId) -> events(OrgId, Id);
    }
}

const WRITABLE: [Column; 11] = [
    Column::Kind,
    Column::Name,
    Column::Basis,
    Column::AmountMinor,
    Column::Currency,
    Column::RateMillionths,
    Column::TaxName,
    Column::TaxRateMillionths,
    Column::TaxInclusive,
    Column::Active,
    Column::Position,
];

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("FeeRule", 56, &DOCS)
        .scope("events:read")
        .root("feeRule", "feeRules")
        .enumeration::<FeeKind>(Column::Kind)
        .enumeration::<FeeBasis>(Column::Basis)
        .hide([Column::Currency])
        .money(
            "amount",
            Column::AmountMinor,
            Column::Currency,
            "Amount of the fee; null when it is a share alone.",
        )
        .to_one(
            "event",
            Relation::Event.def(),
            "The event that it is for; null for all of the organization.",
        )
        .key_of(Column::EventId, "Event")
        .filter([Column::EventId])
        .order([Column::Position])
        .default_order(Column::Position, false)
        .creates(
            "events:write",
            std::iter::once(Column::EventId).chain(WRITABLE),
            &[(Column::OrgId, "es.current_org()")],
        )
        .updates("events:write", WRITABLE)
        .constraint("fee_rules_event_fk", "eventId", "There is no such event.")
        .constraint(
            "fee_rules_currency_of_event",
            "amount",
            "The amount must be in the currency of the event.",
        )
        .constraint(
            "fee_rules_name_length",
            "name",
            "A name has 1 to 100 characters.",
        )
        .constraint(
            "fee_rules_amount_range",
            "amount",
            "An amount is 0 to 100000000000 minor units.",
        )
        .constraint(
            "fee_rules_rate_range",
            "rateMillionths",
            "A share is 0 to 1000000 millionths.",
        )
        .constraint(
            "fee_rules_tax_rate_range",
            "taxRateMillionths",
            "A rate is 0 to 1000000 millionths.",
        )
        .constraint(
            "fee_rules_tax_name_length",
            "taxName",
            "A name has at most 100 characters.",
        )
        .constraint("fee_rules_tax_named", "taxName", "A tax needs a name.")
        .done()
}
