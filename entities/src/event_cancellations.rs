//! Events that were called off.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// An event that was called off: its registrations are cancelled one by one, their money goes back but for what is kept.
    #[sea_orm(table_name = "event_cancellations")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// The event.
        pub event_id: Uuid,
        /// What is kept of each paid registration, in minor units of the currency.
        pub kept_fixed_minor: i64,
        /// What is kept of each of its places beyond that, in minor units.
        pub kept_per_ticket_minor: i64,
        /// The share of its total that is kept beyond that, in millionths. Never more is kept than was paid.
        pub kept_rate_millionths: i32,
        /// Currency of the amounts, ISO 4217.
        #[sea_orm(column_type = "Text")]
        pub currency: String,
        /// How many registrations were to be cancelled.
        pub registrations: i32,
        /// When the last one was; null before.
        pub finished_at: Option<DateTimeUtc>,
        /// When the event was called off.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

relations! {
    keys {
        Event(OrgId, EventId) -> events(OrgId, Id);
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("EventCancellation", 105, &DOCS)
        .root("eventCancellation", "eventCancellations")
        .scope("events:read")
        .hide([Column::Currency])
        .money(
            "keptFixed",
            Column::KeptFixedMinor,
            Column::Currency,
            "What is kept of each paid registration.",
        )
        .money(
            "keptPerTicket",
            Column::KeptPerTicketMinor,
            Column::Currency,
            "What is kept of each of its places beyond that.",
        )
        .to_one("event", Relation::Event.def(), "The event.")
        .key_of(Column::EventId, "Event")
        .filter([Column::EventId])
        .order([Column::CreatedAt])
        .default_order(Column::CreatedAt, true)
        .done()
}
