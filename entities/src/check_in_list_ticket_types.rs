//! Which ticket type is on which check-in list.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// Says that tickets of a type are on a check-in list. Of no effect while the list takes all types.
    #[sea_orm(table_name = "check_in_list_ticket_types")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// The event of both.
        pub event_id: Uuid,
        /// The list.
        pub list_id: Uuid,
        /// The ticket type.
        pub ticket_type_id: Uuid,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

relations! {
    keys {
        List(OrgId, ListId) -> check_in_lists(OrgId, Id);
        TicketType(OrgId, TicketTypeId) -> ticket_types(OrgId, Id);
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("CheckInListTicketType", 26, &DOCS)
        .scope("check_ins:read")
        .to_one_required("list", Relation::List.def(), "The list.")
        .to_one("ticketType", Relation::TicketType.def(), "The ticket type.")
        .key_of(Column::EventId, "Event")
        .key_of(Column::ListId, "CheckInList")
        .key_of(Column::TicketTypeId, "TicketType")
        .creates(
            "events:write",
            [Column::EventId, Column::ListId, Column::TicketTypeId],
            &[(Column::OrgId, "es.current_org()")],
        )
        .constraint(
            "check_in_list_ticket_types_pair_key",
            "ticketTypeId",
            "The ticket type is on this list already.",
        )
        .constraint(
            "check_in_list_ticket_types_list_fk",
            "listId",
            "The event has no such list.",
        )
        .constraint(
            "check_in_list_ticket_types_ticket_type_fk",
            "ticketTypeId",
            "The event has no such ticket type.",
        )
        .done()
}
