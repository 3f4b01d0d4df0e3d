//! What is on sale.

use eventsphere_graphql::{Declaration, Scalar, catalog::Argument, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations, text_enum};

documented! {
    /// A kind of ticket on sale for an event, with its price and its rules.
    #[sea_orm(table_name = "ticket_types")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// The event.
        pub event_id: Uuid,
        /// Name, 1 to 200 characters.
        #[sea_orm(column_type = "Text")]
        pub name: String,
        /// What it includes, at most 5000 characters; may be empty.
        #[sea_orm(column_type = "Text", default_value = "")]
        pub description: String,
        /// Listed price of one, in minor units of the currency; 0 for free. For a donation the one that is suggested.
        #[sea_orm(default_value = 0)]
        pub price_minor: i64,
        /// Currency of the price, ISO 4217; always the event's.
        #[sea_orm(column_type = "Text")]
        pub currency: String,
        /// Who says the price.
        #[sea_orm(default_value = "fixed")]
        pub price_kind: TicketPriceKind,
        /// For donations: the least that can be given, in minor units of the currency.
        #[sea_orm(default_value = 0)]
        pub min_price_minor: i64,
        /// From when it is sold; null for as soon as the event is published.
        pub sales_start_at: Option<DateTimeUtc>,
        /// Until when it is sold; null for as long as the event is.
        pub sales_end_at: Option<DateTimeUtc>,
        /// How many one registration takes at least, 1 to 100.
        #[sea_orm(default_value = 1)]
        pub min_per_registration: i32,
        /// How many one registration takes at most, from the least to 100.
        #[sea_orm(default_value = 10)]
        pub max_per_registration: i32,
        /// Whether visitors do not see it.
        #[sea_orm(default_value = false)]
        pub hidden: bool,
        /// Whether it is sold at all.
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
    /// Who says the price of a ticket type. Expect new values.
    pub enum TicketPriceKind {
        /// The organizer.
        Fixed = "fixed",
        /// The buyer, from the least price on.
        Donation = "donation",
    }
}

text_enum! {
    /// Whether a ticket type can be bought right now. Expect new values.
    pub enum TicketSaleStatus {
        /// It can.
        OnSale = "on_sale",
        /// No place is left in a stock that it draws from.
        SoldOut = "sold_out",
        /// Its sale has not begun.
        NotYetOnSale = "not_yet_on_sale",
        /// Its sale is over.
        SaleEnded = "sale_ended",
        /// It is not sold, or its event is not open for sale.
        Unavailable = "unavailable",
    }
}

relations! {
    keys {
        Event(OrgId, EventId) -> events(OrgId, Id);
    }
    many {
        TicketTypePools = ticket_type_pools::TicketType;
        PriceTiers = price_tiers::TicketType;
        TaxRules = tax_rules::TicketType;
        AddOns = ticket_type_add_ons::TicketType;
        AddOnOf = ticket_type_add_ons::AddOn;
        Items = registration_items::TicketType;
        Tickets = tickets::TicketType;
    }
}

const WRITABLE: [Column; 13] = [
    Column::Name,
    Column::Description,
    Column::PriceMinor,
    Column::Currency,
    Column::PriceKind,
    Column::MinPriceMinor,
    Column::SalesStartAt,
    Column::SalesEndAt,
    Column::MinPerRegistration,
    Column::MaxPerRegistration,
    Column::Hidden,
    Column::Active,
    Column::Position,
];

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("TicketType", 17, &DOCS)
        .scope("events:read")
        .uses_enum::<TicketSaleStatus>()
        .hide([Column::Currency])
        .money("price", Column::PriceMinor, Column::Currency, "Listed price of one, in the currency of the event.")
        .enumeration::<TicketPriceKind>(Column::PriceKind)
        .computed_money(
            "currentPrice",
            "public.ticket_type_current_price",
            Column::Currency,
            "What the next one costs right now, by tiers, before discounts, fees and taxes that come on top.",
        )
        .computed(
            "currentTierName",
            "public.ticket_type_current_tier_name",
            Scalar::String,
            true,
            "Name of the tier that gives `currentPrice`; null when it is the listed price.",
        )
        .computed(
            "currentTierEndsAt",
            "public.ticket_type_current_tier_ends_at",
            Scalar::DateTime,
            true,
            "When that tier ends, if it does; it may be sold out before.",
        )
        .computed(
            "available",
            "public.ticket_type_available",
            Scalar::Int,
            true,
            "How many could be bought right now: the least that any of its stocks has left. Null when nothing limits it.",
        )
        .computed(
            "availableAt",
            "public.ticket_type_available_at",
            Scalar::Int,
            true,
            "How many could be bought right now for that date of the event. Null when nothing limits it.",
        )
        .with_arguments(
            "availableAt",
            [Argument::needed("occurrenceId", Scalar::Id("Occurrence".to_owned()), "The date.")],
        )
        .computed(
            "saleStatus",
            "public.ticket_type_sale_status",
            Scalar::Enum("TicketSaleStatus".to_owned()),
            false,
            "Whether it can be bought right now, and if not, why.",
        )
        .to_one_required("event", Relation::Event.def(), "The event.")
        .many_to_many(
            "capacityPools",
            Relation::TicketTypePools.def(),
            crate::ticket_type_pools::Relation::Pool.def(),
            3,
            "The stocks that it draws from; it must fit in all. Members only.",
        )
        .to_many("ticketTypePools", Relation::TicketTypePools.def(), 3, "The links to those stocks. Members only.")
        .to_many("priceTiers", Relation::PriceTiers.def(), 5, "Prices that hold for a time or for the first ones. Members only.")
        .to_many("taxRules", Relation::TaxRules.def(), 2, "Taxes of this type, which stand for those of the event. Members only.")
        .to_many("addOns", Relation::AddOns.def(), 5, "What can be bought with it only.")
        .to_many("addOnOf", Relation::AddOnOf.def(), 5, "The tickets that it is an add-on of; none when it is bought by itself.")
        .to_many("tickets", Relation::Tickets.def(), 100, "Tickets of this type: all of them for members, their own for buyers.")
        .key_of(Column::EventId, "Event")
        .filter([Column::PriceMinor])
        .order([Column::Position])
        .default_order(Column::Position, false)
        .creates(
            "events:write",
            std::iter::once(Column::EventId).chain(WRITABLE),
            &[(Column::OrgId, "es.current_org()")],
        )
        .updates("events:write", WRITABLE)
        .constraint("ticket_types_event_fk", "eventId", "There is no such event.")
        .constraint("ticket_types_currency_of_event", "price", "The price must be in the currency of the event.")
        .constraint("ticket_types_name_length", "name", "A name has 1 to 200 characters.")
        .constraint("ticket_types_description_length", "description", "A description has at most 5000 characters.")
        .constraint("ticket_types_price_range", "price", "A price is 0 to 100000000000 minor units.")
        .constraint("ticket_types_min_price_range", "minPriceMinor", "A price is 0 to 100000000000 minor units.")
        .constraint("ticket_types_suggested_price", "price", "A donation is not suggested below the least.")
        .constraint("ticket_types_sales_window", "salesEndAt", "The sale must end after it begins.")
        .constraint(
            "ticket_types_quantity_range",
            "maxPerRegistration",
            "A registration takes 1 to 100, and the most is not below the least.",
        )
        .constraint("registration_items_ticket_type_fk", "id", "It was sold, so it must stay; set `active` to false instead.")
        .constraint("stock_holds_ticket_type_fk", "id", "Places of it were set aside, so it must stay; set `active` to false instead.")
        .constraint("waitlist_lines_ticket_type_fk", "id", "Somebody waited for it, so it must stay; set `active` to false instead.")
        .constraint("tickets_ticket_type_fk", "id", "It was sold, so it must stay; set `active` to false instead.")
        .done()
}
