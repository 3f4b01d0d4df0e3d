//! Prices that hold for a time or for the first ones.

use eventsphere_graphql::{Declaration, Scalar, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// A price of a ticket type that holds for a time, for the first so many, or both. Each place takes the first tier,
    /// by position, that is open and has one left; when none does, it costs the type's own price. So the places of one
    /// registration may fall into several tiers. Donations have none.
    #[sea_orm(table_name = "price_tiers")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// The event.
        pub event_id: Uuid,
        /// The ticket type.
        pub ticket_type_id: Uuid,
        /// Name, 1 to 200 characters; buyers see it.
        #[sea_orm(column_type = "Text")]
        pub name: String,
        /// Price of one, in minor units of the currency.
        pub price_minor: i64,
        /// Currency of the price, ISO 4217; always the event's.
        #[sea_orm(column_type = "Text")]
        pub currency: String,
        /// From when it holds; null for from the beginning.
        pub starts_at: Option<DateTimeUtc>,
        /// Until when it holds; null for as long as the type is sold.
        pub ends_at: Option<DateTimeUtc>,
        /// How many places are sold at this price, over all dates of the event, 0 to 10000000; null for no limit. Never
        /// below what is sold or held.
        pub quantity: Option<i32>,
        /// Place in the order in which tiers are tried, smallest first.
        #[sea_orm(default_value = 0)]
        pub position: i32,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

relations! {
    keys {
        Event(OrgId, EventId) -> events(OrgId, Id);
        TicketType(OrgId, TicketTypeId) -> ticket_types(OrgId, Id);
    }
}

const WRITABLE: [Column; 7] = [
    Column::Name,
    Column::PriceMinor,
    Column::Currency,
    Column::StartsAt,
    Column::EndsAt,
    Column::Quantity,
    Column::Position,
];

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("PriceTier", 50, &DOCS)
        .scope("events:read")
        .hide([Column::Currency])
        .money("price", Column::PriceMinor, Column::Currency, "Price of one, in the currency of the event.")
        .computed(
            "claimed",
            "public.price_tier_claimed",
            Scalar::Int,
            true,
            "How many places are sold or held at this price, holds that ran out and were not cleared away yet included.",
        )
        .to_one_required("event", Relation::Event.def(), "The event.")
        .to_one_required("ticketType", Relation::TicketType.def(), "The ticket type.")
        .key_of(Column::EventId, "Event")
        .key_of(Column::TicketTypeId, "TicketType")
        .order([Column::Position])
        .default_order(Column::Position, false)
        .creates(
            "events:write",
            [Column::EventId, Column::TicketTypeId].into_iter().chain(WRITABLE),
            &[(Column::OrgId, "es.current_org()")],
        )
        .updates("events:write", WRITABLE)
        .constraint("price_tiers_ticket_type_fk", "ticketTypeId", "The event has no such ticket type.")
        .constraint("price_tiers_currency_of_event", "price", "The price must be in the currency of the event.")
        .constraint("capacity_pools_event_fk", "eventId", "There is no such event.")
        .constraint("price_tiers_name_length", "name", "A name has 1 to 200 characters.")
        .constraint("capacity_pools_name_length", "name", "A name has 1 to 200 characters.")
        .constraint("price_tiers_price_range", "price", "A price is 0 to 100000000000 minor units.")
        .constraint("price_tiers_window", "endsAt", "It must end after it begins.")
        .constraint("price_tiers_quantity_range", "quantity", "A quantity is 0 to 10000000.")
        .constraint("capacity_pools_capacity_range", "quantity", "A quantity is 0 to 10000000.")
        .constraint("capacity_pools_never_oversold", "quantity", "More places than this are sold or held at this price.")
        .constraint("registration_items_tier_fk", "id", "Places were sold at this price, so it must stay; end it instead.")
        .constraint("pool_claims_pool_fk", "id", "Places were sold at this price, so it must stay; end it instead.")
        .done()
}
