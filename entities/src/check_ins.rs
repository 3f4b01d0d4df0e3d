//! Scans at the door.

use eventsphere_graphql::{Aggregates, Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations, text_enum};

documented! {
    /// A scan at the door with the answer that was given, whether somebody was let in or not. Those who hold the
    /// ticket see their admissions only.
    #[sea_orm(table_name = "check_ins")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// The event of the list.
        pub event_id: Uuid,
        /// The list that was asked.
        pub list_id: Uuid,
        /// The ticket that the code belongs to.
        pub ticket_id: Option<Uuid>,
        /// Whether somebody came or left.
        pub direction: CheckInDirection,
        /// The answer that was given.
        pub outcome: CheckInOutcome,
        /// When it was scanned, by the scanner's clock; one that was offline tells later.
        pub scanned_at: DateTimeUtc,
        /// The member who scanned it.
        pub scanned_by: Option<Uuid>,
        /// Chosen by the scanner for this scan, 8 to 200 characters: the same one again gets the first answer again.
        #[sea_orm(column_type = "Text")]
        pub nonce: String,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

text_enum! {
    /// Whether somebody came or left. Expect new values.
    pub enum CheckInDirection {
        /// Came in.
        Entry = "entry",
        /// Left.
        Exit = "exit",
    }
}

text_enum! {
    /// The answer to a scan. Expect new values.
    pub enum CheckInOutcome {
        /// Let in, or out.
        Admitted = "admitted",
        /// There is no such ticket.
        Unknown = "unknown",
        /// The code was not signed by the event.
        InvalidSignature = "invalid_signature",
        /// The ticket is for another event.
        WrongEvent = "wrong_event",
        /// The ticket is not on this list.
        WrongList = "wrong_list",
        /// The ticket was cancelled.
        Cancelled = "cancelled",
        /// A new code took the place of this one.
        Revoked = "revoked",
        /// A member blocked the ticket.
        Blocked = "blocked",
        /// The registration is not paid.
        Unpaid = "unpaid",
        /// The registration is not approved.
        Unapproved = "unapproved",
        /// Somebody came in with this ticket before.
        AlreadyIn = "already_in",
        /// The ticket does not count yet.
        NotYetValid = "not_yet_valid",
        /// The ticket does not count any more.
        NoLongerValid = "no_longer_valid",
        /// A rule of the list says no.
        Rules = "rules",
        /// Questions must be answered first.
        Incomplete = "incomplete",
    }
}

relations! {
    keys {
        Event(OrgId, EventId) -> events(OrgId, Id);
        List(OrgId, ListId) -> check_in_lists(OrgId, Id);
        Ticket(OrgId, TicketId) -> tickets(OrgId, Id);
        ScannedBy(ScannedBy) -> users(Id);
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("CheckIn", 27, &DOCS)
        .scope("check_ins:read")
        .enumeration::<CheckInDirection>(Column::Direction)
        .enumeration::<CheckInOutcome>(Column::Outcome)
        .hide([Column::Nonce])
        .to_one("event", Relation::Event.def(), "The event of the list.")
        .to_one(
            "list",
            Relation::List.def(),
            "The list that was asked. Members only.",
        )
        .to_one(
            "ticket",
            Relation::Ticket.def(),
            "The ticket, maybe of another event; null when the code belongs to none.",
        )
        .to_one(
            "scannedBy",
            Relation::ScannedBy.def(),
            "The member who scanned it, as far as the caller may see people; null when it was none.",
        )
        .key_of(Column::EventId, "Event")
        .key_of(Column::ListId, "CheckInList")
        .key_of(Column::TicketId, "Ticket")
        .filter([Column::Outcome, Column::ScannedAt])
        .order([Column::ScannedAt])
        .default_order(Column::ScannedAt, true)
        .aggregates(
            Aggregates::for_scope("check_ins:read")
                .by(Column::Outcome)
                .by(Column::Direction)
                .by_relation("list")
                .by_time(Column::ScannedAt)
                .in_zone_of("event", crate::events::Column::TimeZone),
        )
        .done()
}
