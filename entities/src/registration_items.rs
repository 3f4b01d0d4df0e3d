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
        /// Price, in minor units of the currency; fixed when the place was taken.
        pub price_minor: i64,
        /// Currency of the price, ISO 4217.
        #[sea_orm(column_type = "Text")]
        pub currency: String,
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
    }
    many {
        Tickets = tickets::Item;
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("RegistrationItem", 22, &DOCS)
        .scope("registrations:read")
        .hide([Column::Currency])
        .money(
            "price",
            Column::PriceMinor,
            Column::Currency,
            "What the place costs; fixed when it was taken.",
        )
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
                .sum_money("price"),
        )
        .done()
}
