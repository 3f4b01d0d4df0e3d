//! Whom to let in where.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// A list of tickets that are let in at one place: an entrance, a workshop, a dinner. Scans are made against a list.
    #[sea_orm(table_name = "check_in_lists")]
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
        /// Name for members and scanners, 1 to 200 characters.
        #[sea_orm(column_type = "Text")]
        pub name: String,
        /// Whether tickets of every type are on it; else those of the types in `ticketTypes`, maybe none.
        #[sea_orm(default_value = true)]
        pub all_ticket_types: bool,
        /// Place in the order of lists, smallest first.
        #[sea_orm(default_value = 0)]
        pub position: i32,
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
        TicketTypeLinks = check_in_list_ticket_types::List;
        CheckIns = check_ins::List;
    }
}

const WRITABLE: [Column; 4] = [
    Column::OccurrenceId,
    Column::Name,
    Column::AllTicketTypes,
    Column::Position,
];

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("CheckInList", 25, &DOCS)
        .scope("check_ins:read")
        .to_one("event", Relation::Event.def(), "The event.")
        .to_one(
            "occurrence",
            Relation::Occurrence.def(),
            "The date that it belongs to; null when it belongs to all.",
        )
        .many_to_many(
            "ticketTypes",
            Relation::TicketTypeLinks.def(),
            crate::check_in_list_ticket_types::Relation::TicketType.def(),
            10,
            "Ticket types that are on it, unless all are.",
        )
        .to_many(
            "checkInListTicketTypes",
            Relation::TicketTypeLinks.def(),
            10,
            "The links to those ticket types.",
        )
        .to_many(
            "checkIns",
            Relation::CheckIns.def(),
            100,
            "Scans against it, refused ones too; newest first.",
        )
        .key_of(Column::EventId, "Event")
        .key_of(Column::OccurrenceId, "Occurrence")
        .order([Column::Position])
        .default_order(Column::Position, false)
        .creates(
            "events:write",
            std::iter::once(Column::EventId).chain(WRITABLE),
            &[(Column::OrgId, "es.current_org()")],
        )
        .updates("events:write", WRITABLE)
        .constraint(
            "check_in_lists_event_fk",
            "eventId",
            "There is no such event.",
        )
        .constraint(
            "check_in_lists_occurrence_fk",
            "occurrenceId",
            "The event has no such date.",
        )
        .constraint(
            "check_in_lists_name_length",
            "name",
            "A name has 1 to 200 characters.",
        )
        .constraint(
            "check_ins_list_fk",
            "id",
            "Tickets were scanned against it, so it must stay.",
        )
        .done()
}
