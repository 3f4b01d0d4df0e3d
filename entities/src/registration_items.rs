//! What registrations consist of, one row a place.

use eventsphere_graphql::{Aggregates, Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// One place in a registration.
    #[sea_orm(table_name = "registration_items")]
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
        /// What was taken.
        pub ticket_type_id: Uuid,
        /// Who comes.
        pub attendee_id: Option<Uuid>,
        /// Place in the registration, from 1.
        pub position: i32,
        /// Price after tier and discounts, before fees and taxes that come on top, in minor units of the currency; fixed
        /// when the place was taken.
        pub price_minor: i64,
        /// The tier that the price is of.
        pub tier_id: Option<Uuid>,
        /// What the tier took off the listed price, in minor units; less than 0 when it is dearer.
        pub tier_minor: i64,
        /// What all discounts took off, in minor units.
        pub discount_minor: i64,
        /// What of that the promo code took off, in minor units.
        pub code_discount_minor: i64,
        /// Fees, without taxes that come on top of them, in minor units.
        pub fee_minor: i64,
        /// All taxes, contained or on top, of the place and of its fees, in minor units.
        pub tax_minor: i64,
        /// What taxes on top and the rounding of the whole registration add, in minor units; the latter may take one off.
        pub added_minor: i64,
        /// Listed price: price + discounts + what the tier took off, in minor units.
        pub list_price_minor: i64,
        /// What is paid for the place: price + fees + what is added, in minor units.
        pub total_minor: i64,
        /// What of that is no tax, in minor units.
        pub net_minor: i64,
        /// Currency of the price, ISO 4217.
        #[sea_orm(column_type = "Text")]
        pub currency: String,
        /// Whether it was priced with the promo code of its registration, and counts as a use of it.
        pub coded: bool,
        /// Terms of its discounts, as far as they hold only together with other places.
        #[sea_orm(column_type = "JsonBinary")]
        pub discount_terms: Option<Json>,
        /// When it was cancelled; null while it counts.
        pub cancelled_at: Option<DateTimeUtc>,
        /// Whether its ticket was handed on: then it is its receiver's, who is not told here to the buyer.
        pub given_away: bool,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

relations! {
    keys {
        Registration(OrgId, RegistrationId) -> registrations(OrgId, Id);
        TicketType(OrgId, TicketTypeId) -> ticket_types(OrgId, Id);
        Attendee(OrgId, AttendeeId) -> attendees(OrgId, Id);
        Tier(OrgId, TierId) -> price_tiers(OrgId, Id);
    }
    many {
        Tickets = tickets::Item;
        Charges = registration_item_charges::Item;
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("RegistrationItem", 22, &DOCS)
        .scope("registrations:read")
        .hide([
            Column::Currency,
            Column::TierMinor,
            Column::AddedMinor,
            Column::Coded,
            Column::DiscountTerms,
        ])
        .money(
            "price",
            Column::PriceMinor,
            Column::Currency,
            "What the place costs after tier and discounts, before fees and taxes that come on top; fixed when it was \
             taken.",
        )
        .money("listPrice", Column::ListPriceMinor, Column::Currency, "What the ticket type listed.")
        .money("discount", Column::DiscountMinor, Column::Currency, "What all discounts took off.")
        .money("codeDiscount", Column::CodeDiscountMinor, Column::Currency, "What of that the promo code took off.")
        .money("fee", Column::FeeMinor, Column::Currency, "Fees, without taxes that come on top of them.")
        .money("tax", Column::TaxMinor, Column::Currency, "All taxes, contained or on top.")
        .money("net", Column::NetMinor, Column::Currency, "What of the total is no tax.")
        .money("total", Column::TotalMinor, Column::Currency, "What is paid for the place: net and tax.")
        .to_one_required(
            "registration",
            Relation::Registration.def(),
            "The registration.",
        )
        .to_one("ticketType", Relation::TicketType.def(), "What was taken.")
        .to_one(
            "attendee",
            Relation::Attendee.def(),
            "Who comes; null while nobody is named.",
        )
        .to_one(
            "tier",
            Relation::Tier.def(),
            "The tier that the price is of; null when it is the listed one. Members only.",
        )
        .to_many(
            "charges",
            Relation::Charges.def(),
            4,
            "Its fees and taxes, one by one.",
        )
        .to_many(
            "tickets",
            Relation::Tickets.def(),
            2,
            "Tickets issued for the place; at most one of them counts.",
        )
        .key_of(Column::TicketTypeId, "TicketType")
        .filter([Column::TicketTypeId])
        .order([Column::Position])
        .default_order(Column::Position, false)
        .aggregates(
            Aggregates::for_scope("registrations:read")
                .by_relation("ticketType")
                .sum_money("price")
                .sum_money("discount")
                .sum_money("fee")
                .sum_money("tax")
                .sum_money("total"),
        )
        .done()
}
