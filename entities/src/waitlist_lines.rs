//! What those who wait are waiting for.

use eventsphere_graphql::{Aggregates, Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// How many places of one ticket type an entry waits for.
    #[sea_orm(table_name = "waitlist_lines")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// The event.
        pub event_id: Uuid,
        /// The entry.
        pub entry_id: Uuid,
        /// The ticket type.
        pub ticket_type_id: Uuid,
        /// How many places, 1 to 100.
        pub quantity: i32,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

relations! {
    keys {
        Entry(OrgId, EntryId) -> waitlist_entries(OrgId, Id);
        TicketType(OrgId, TicketTypeId) -> ticket_types(OrgId, Id);
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("WaitlistLine", 63, &DOCS)
        .scope("registrations:read")
        .to_one_required("entry", Relation::Entry.def(), "The entry.")
        .to_one(
            "ticketType",
            Relation::TicketType.def(),
            "The ticket type; null when the caller may not see it.",
        )
        .key_of(Column::TicketTypeId, "TicketType")
        .order([Column::CreatedAt])
        .default_order(Column::CreatedAt, false)
        .aggregates(
            Aggregates::for_scope("registrations:read")
                .by_relation("ticketType")
                .sum(Column::Quantity),
        )
        .done()
}
