//! Dates of events.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations, text_enum};

documented! {
    /// A date on which an event happens. Every event has at least one; places are sold per date.
    #[sea_orm(table_name = "occurrences")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// The event.
        pub event_id: Uuid,
        /// When it begins.
        pub starts_at: DateTimeUtc,
        /// When it ends; after it begins.
        pub ends_at: DateTimeUtc,
        /// Whether it takes place.
        pub status: OccurrenceStatus,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

text_enum! {
    /// Whether a date takes place. Expect new values.
    pub enum OccurrenceStatus {
        /// It does.
        Scheduled = "scheduled",
        /// It was called off.
        Cancelled = "cancelled",
    }
}

relations! {
    keys {
        Event(OrgId, EventId) -> events(OrgId, Id);
    }
    many {
        Sessions = sessions::Occurrence;
        CapacityPools = capacity_pools::Occurrence;
        Registrations = registrations::Occurrence;
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("Occurrence", 12, &DOCS)
        .scope("events:read")
        .enumeration::<OccurrenceStatus>(Column::Status)
        .to_one_required("event", Relation::Event.def(), "The event.")
        .to_many(
            "sessions",
            Relation::Sessions.def(),
            30,
            "The part of the programme that belongs to this date.",
        )
        .to_many(
            "capacityPools",
            Relation::CapacityPools.def(),
            10,
            "Stocks of this date. Members only.",
        )
        .to_many(
            "registrations",
            Relation::Registrations.def(),
            100,
            "Registrations for this date: all of them for members, their own for buyers.",
        )
        .filter([Column::StartsAt])
        .order([Column::StartsAt])
        .default_order(Column::StartsAt, false)
        .done()
}
