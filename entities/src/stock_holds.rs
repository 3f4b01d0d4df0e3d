//! Places that staff set aside.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations, text_enum};

documented! {
    /// Places set aside by staff: of one ticket type at one date, or of one stock. Nobody buys them but who is given the
    /// hold's key, and staff.
    #[sea_orm(table_name = "stock_holds")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// The event.
        pub event_id: Uuid,
        /// The date.
        pub occurrence_id: Option<Uuid>,
        /// The ticket type, when it keeps places of one.
        pub ticket_type_id: Option<Uuid>,
        /// The stock, when it keeps places of one whatever their ticket type.
        pub pool_id: Option<Uuid>,
        /// For whom or what, 1 to 200 characters.
        #[sea_orm(column_type = "Text")]
        pub name: String,
        /// What members should know of it, at most 2000 characters; may be empty.
        #[sea_orm(column_type = "Text")]
        pub note: String,
        /// How many places were set aside, those sold from it included; 1 to 1000000.
        pub quantity: i32,
        /// How many of them were sold from it. What is cancelled later goes back on sale, not into the hold.
        #[sea_orm(default_value = 0)]
        pub sold: i32,
        /// Where it stands.
        pub status: HoldStatus,
        /// Until when it keeps places; null when it does not run out. From that instant on they are on sale.
        pub expires_at: Option<DateTimeUtc>,
        /// When it was released or cleared away; null while it is active.
        pub ended_at: Option<DateTimeUtc>,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

text_enum! {
    /// Where a hold of staff stands. Expect new values.
    pub enum HoldStatus {
        /// It keeps its places, until `expiresAt` if that is set.
        Active = "active",
        /// Staff gave its places back.
        Released = "released",
        /// Its time ran out, and its places were given back.
        Expired = "expired",
    }
}

relations! {
    keys {
        Event(OrgId, EventId) -> events(OrgId, Id);
        Occurrence(OrgId, OccurrenceId) -> occurrences(OrgId, Id);
        TicketType(OrgId, TicketTypeId) -> ticket_types(OrgId, Id);
        Pool(OrgId, PoolId) -> capacity_pools(OrgId, Id);
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("Hold", 61, &DOCS)
        .root("hold", "holds")
        .scope("registrations:read")
        .enumeration::<HoldStatus>(Column::Status)
        .to_one("event", Relation::Event.def(), "The event.")
        .to_one(
            "occurrence",
            Relation::Occurrence.def(),
            "The date; null when it keeps places of a stock that belongs to all dates.",
        )
        .to_one(
            "ticketType",
            Relation::TicketType.def(),
            "The ticket type, when it keeps places of one.",
        )
        .to_one(
            "capacityPool",
            Relation::Pool.def(),
            "The stock, when it keeps places of one whatever their ticket type.",
        )
        .key_of(Column::EventId, "Event")
        .key_of(Column::OccurrenceId, "Occurrence")
        .key_of(Column::TicketTypeId, "TicketType")
        .key_of(Column::PoolId, "CapacityPool")
        .filter([
            Column::Status,
            Column::EventId,
            Column::OccurrenceId,
            Column::TicketTypeId,
            Column::PoolId,
            Column::CreatedAt,
        ])
        .order([Column::CreatedAt])
        .default_order(Column::CreatedAt, true)
        .done()
}
