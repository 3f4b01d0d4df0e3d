//! Stocks of places.

use eventsphere_graphql::{Aggregates, Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// A stock of places that ticket types draw from. One that several types share bounds their sum.
    #[sea_orm(table_name = "capacity_pools")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// The event.
        pub event_id: Uuid,
        /// The date that it belongs to.
        pub occurrence_id: Option<Uuid>,
        /// Name for members, 1 to 200 characters.
        #[sea_orm(column_type = "Text")]
        pub name: String,
        /// How many places there are, 0 to 10000000; null for no limit. Never below what is claimed.
        pub capacity: Option<i32>,
        /// How many places are sold, held, offered or reserved, also what ran out and was not cleared away yet.
        pub claimed: i32,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

relations! {
    keys {
        Event(OrgId, EventId) -> events(OrgId, Id);
        Occurrence(OrgId, OccurrenceId) -> occurrences(OrgId, Id);
    }
    many {
        TicketTypePools = ticket_type_pools::Pool;
        Claims = pool_claims::Pool;
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("CapacityPool", 18, &DOCS)
        .scope("events:read")
        .to_one_required("event", Relation::Event.def(), "The event.")
        .to_one(
            "occurrence",
            Relation::Occurrence.def(),
            "The date that it belongs to; null when it belongs to all.",
        )
        .many_to_many(
            "ticketTypes",
            Relation::TicketTypePools.def(),
            crate::ticket_type_pools::Relation::TicketType.def(),
            10,
            "Ticket types that draw from it.",
        )
        .to_many(
            "ticketTypePools",
            Relation::TicketTypePools.def(),
            10,
            "The links to those ticket types.",
        )
        .key_of(Column::EventId, "Event")
        .key_of(Column::OccurrenceId, "Occurrence")
        // Pools that count uses of an organization's code are of no event; a policy hides them.
        .filled_where_seen(Column::EventId)
        .order([Column::CreatedAt])
        .default_order(Column::CreatedAt, false)
        .aggregates(
            Aggregates::for_scope("events:read")
                .by_relation("occurrence")
                .sum(Column::Capacity)
                .sum(Column::Claimed),
        )
        .creates(
            "events:write",
            [
                Column::EventId,
                Column::OccurrenceId,
                Column::Name,
                Column::Capacity,
            ],
            &[(Column::OrgId, "es.current_org()")],
        )
        .updates("events:write", [Column::Name, Column::Capacity])
        .constraint(
            "capacity_pools_event_fk",
            "eventId",
            "There is no such event.",
        )
        .constraint(
            "capacity_pools_occurrence_fk",
            "occurrenceId",
            "The event has no such date.",
        )
        .constraint(
            "capacity_pools_name_length",
            "name",
            "A name has 1 to 200 characters.",
        )
        .constraint(
            "capacity_pools_capacity_range",
            "capacity",
            "A capacity is 0 to 10000000.",
        )
        .constraint(
            "capacity_pools_never_oversold",
            "capacity",
            "More places than this are sold, held, offered or reserved.",
        )
        .constraint(
            "stock_holds_pool_fk",
            "id",
            "Places of it were set aside, so it must stay.",
        )
        .constraint(
            "pool_claims_pool_fk",
            "id",
            "Places of it were sold or held, so it must stay.",
        )
        .done()
}
