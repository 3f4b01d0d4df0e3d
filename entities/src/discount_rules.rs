//! Discounts that need no code.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations, text_enum};

documented! {
    /// A discount that everybody gets who takes enough. Of several the one that saves most is given; promo codes come
    /// off what is left. Donations are not discounted.
    #[sea_orm(table_name = "discount_rules")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// The event.
        pub event_id: Uuid,
        /// The ticket type.
        pub ticket_type_id: Option<Uuid>,
        /// Name, 1 to 200 characters; buyers see it.
        #[sea_orm(column_type = "Text")]
        pub name: String,
        /// How it takes off.
        pub kind: DiscountKind,
        /// Share that is taken off, in millionths, 1 to 1000000 (150000 is 15 %): for `PERCENT` of each price, for
        /// `BUY_X_GET_Y` of the price of those that are got.
        pub rate_millionths: Option<i32>,
        /// Amount that is taken off, in minor units of the currency.
        pub amount_minor: Option<i64>,
        /// Currency of the amount, ISO 4217; always the event's.
        #[sea_orm(column_type = "Text")]
        pub currency: Option<String>,
        /// For `BUY_X_GET_Y`: X, 1 to 100.
        pub buy_quantity: Option<i32>,
        /// For `BUY_X_GET_Y`: Y, 1 to 100. The cheapest ones are got.
        pub get_quantity: Option<i32>,
        /// How many places it takes at least, 1 to 100.
        #[sea_orm(default_value = 1)]
        pub min_tickets: i32,
        /// From when it is given; null for from the beginning.
        pub starts_at: Option<DateTimeUtc>,
        /// Until when it is given; null for no end.
        pub ends_at: Option<DateTimeUtc>,
        /// Whether it is given at all.
        #[sea_orm(default_value = true)]
        pub active: bool,
        /// Place in the list, smallest first; decides between two that save the same.
        #[sea_orm(default_value = 0)]
        pub position: i32,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

text_enum! {
    /// How a discount takes off. Expect new values.
    pub enum DiscountKind {
        /// A share of each price.
        Percent = "percent",
        /// An amount off each place, at most its price.
        AmountPerTicket = "amount_per_ticket",
        /// An amount off all places together, shared out in proportion to their prices.
        AmountPerRegistration = "amount_per_registration",
        /// Of each X + Y places the Y cheapest are cheaper, by the share.
        BuyXGetY = "buy_x_get_y",
    }
}

relations! {
    keys {
        Event(OrgId, EventId) -> events(OrgId, Id);
        TicketType(OrgId, TicketTypeId) -> ticket_types(OrgId, Id);
    }
}

const WRITABLE: [Column; 13] = [
    Column::Name,
    Column::TicketTypeId,
    Column::Kind,
    Column::RateMillionths,
    Column::AmountMinor,
    Column::Currency,
    Column::BuyQuantity,
    Column::GetQuantity,
    Column::MinTickets,
    Column::StartsAt,
    Column::EndsAt,
    Column::Active,
    Column::Position,
];

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("DiscountRule", 51, &DOCS)
        .scope("events:read")
        .enumeration::<DiscountKind>(Column::Kind)
        .hide([Column::Currency])
        .money(
            "amount",
            Column::AmountMinor,
            Column::Currency,
            "Amount that is taken off.",
        )
        .to_one_required("event", Relation::Event.def(), "The event.")
        .to_one(
            "ticketType",
            Relation::TicketType.def(),
            "The one ticket type that it is for; null for all.",
        )
        .key_of(Column::EventId, "Event")
        .key_of(Column::TicketTypeId, "TicketType")
        .order([Column::Position])
        .default_order(Column::Position, false)
        .creates(
            "events:write",
            std::iter::once(Column::EventId).chain(WRITABLE),
            &[(Column::OrgId, "es.current_org()")],
        )
        .updates("events:write", WRITABLE)
        .constraint(
            "discount_rules_event_fk",
            "eventId",
            "There is no such event.",
        )
        .constraint(
            "discount_rules_currency_of_event",
            "amount",
            "The amount must be in the currency of the event.",
        )
        .constraint(
            "discount_rules_ticket_type_fk",
            "ticketTypeId",
            "The event has no such ticket type.",
        )
        .constraint(
            "discount_rules_name_length",
            "name",
            "A name has 1 to 200 characters.",
        )
        .constraint(
            "discount_rules_min_tickets_range",
            "minTickets",
            "It takes 1 to 100 places.",
        )
        .constraint(
            "discount_rules_window",
            "endsAt",
            "It must end after it begins.",
        )
        .constraint(
            "discount_rules_value",
            "kind",
            "This kind needs `rateMillionths` or `amount`.",
        )
        .constraint(
            "discount_rules_rate_range",
            "rateMillionths",
            "A share is 1 to 1000000 millionths.",
        )
        .constraint(
            "discount_rules_amount_range",
            "amount",
            "An amount is 1 to 100000000000 minor units.",
        )
        .constraint(
            "discount_rules_buy_and_get",
            "buyQuantity",
            "This kind needs `buyQuantity` and `getQuantity`.",
        )
        .constraint(
            "discount_rules_buy_range",
            "buyQuantity",
            "Quantities are 1 to 100.",
        )
        .done()
}
