//! What is bought together with a ticket only.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// Says that a ticket type is an add-on of another one: it is bought in the same registration only, so many for each
    /// ticket of the other. An add-on of several types adds their bounds up.
    #[sea_orm(table_name = "ticket_type_add_ons")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// The event of both.
        pub event_id: Uuid,
        /// The ticket that it is bought with.
        pub ticket_type_id: Uuid,
        /// The add-on.
        pub add_on_id: Uuid,
        /// How many have to be bought with each ticket, 0 to 100.
        #[sea_orm(default_value = 0)]
        pub min_per_ticket: i32,
        /// How many may be bought with each ticket, 1 to 100, not less than the least.
        #[sea_orm(default_value = 1)]
        pub max_per_ticket: i32,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

relations! {
    keys {
        TicketType(OrgId, TicketTypeId) -> ticket_types(OrgId, Id);
        AddOn(OrgId, AddOnId) -> ticket_types(OrgId, Id);
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("TicketTypeAddOn", 54, &DOCS)
        .scope("events:read")
        .to_one(
            "ticketType",
            Relation::TicketType.def(),
            "The ticket that it is bought with.",
        )
        .to_one("addOn", Relation::AddOn.def(), "The add-on.")
        .key_of(Column::EventId, "Event")
        .key_of(Column::TicketTypeId, "TicketType")
        .key_of(Column::AddOnId, "TicketType")
        .creates(
            "events:write",
            [
                Column::EventId,
                Column::TicketTypeId,
                Column::AddOnId,
                Column::MinPerTicket,
                Column::MaxPerTicket,
            ],
            &[(Column::OrgId, "es.current_org()")],
        )
        .updates("events:write", [Column::MinPerTicket, Column::MaxPerTicket])
        .constraint(
            "ticket_type_add_ons_pair_key",
            "addOnId",
            "It is an add-on of this ticket type already.",
        )
        .constraint(
            "ticket_type_add_ons_ticket_type_fk",
            "ticketTypeId",
            "The event has no such ticket type.",
        )
        .constraint(
            "ticket_type_add_ons_add_on_fk",
            "addOnId",
            "The event has no such ticket type.",
        )
        .constraint(
            "ticket_type_add_ons_not_itself",
            "addOnId",
            "A ticket type is no add-on of itself.",
        )
        .constraint(
            "ticket_type_add_ons_range",
            "maxPerTicket",
            "The least is 0 to 100, the most 1 to 100 and not below the least.",
        )
        .done()
}
