//! Which ticket type draws from which stock.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// Says that a ticket type draws from a stock. A type that draws from several must fit in all of them.
    #[sea_orm(table_name = "ticket_type_pools")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// The event of both.
        pub event_id: Uuid,
        /// The ticket type.
        pub ticket_type_id: Uuid,
        /// The stock.
        pub pool_id: Uuid,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

relations! {
    keys {
        TicketType(OrgId, TicketTypeId) -> ticket_types(OrgId, Id);
        Pool(OrgId, PoolId) -> capacity_pools(OrgId, Id);
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("TicketTypePool", 19, &DOCS)
        .scope("events:read")
        .to_one_required("ticketType", Relation::TicketType.def(), "The ticket type.")
        .to_one_required("pool", Relation::Pool.def(), "The stock.")
        .key_of(Column::EventId, "Event")
        .key_of(Column::TicketTypeId, "TicketType")
        .key_of(Column::PoolId, "CapacityPool")
        .creates(
            "events:write",
            [Column::EventId, Column::TicketTypeId, Column::PoolId],
            &[(Column::OrgId, "es.current_org()")],
        )
        .constraint(
            "ticket_type_pools_pair_key",
            "poolId",
            "The ticket type draws from this stock already.",
        )
        .constraint(
            "ticket_type_pools_ticket_type_fk",
            "ticketTypeId",
            "The event has no such ticket type.",
        )
        .constraint(
            "ticket_type_pools_pool_fk",
            "poolId",
            "The event has no such stock.",
        )
        .done()
}
