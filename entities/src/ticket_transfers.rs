//! Tickets that are handed on.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations, text_enum};

documented! {
    /// A ticket that was offered to somebody by mail. Whoever accepts gets a new ticket with a new code; until then
    /// nothing changes for its holder.
    #[sea_orm(table_name = "ticket_transfers")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// The event.
        pub event_id: Uuid,
        /// The ticket that was offered.
        pub ticket_id: Uuid,
        /// The ticket that was issued in its place.
        pub new_ticket_id: Option<Uuid>,
        /// The address that it was offered to, in lower case.
        #[sea_orm(column_type = "Text")]
        pub recipient_email: String,
        /// Where the offer stands.
        pub status: TransferStatus,
        /// Until when it can be accepted.
        pub expires_at: DateTimeUtc,
        /// When it was accepted, declined or taken back; null before.
        pub decided_at: Option<DateTimeUtc>,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

text_enum! {
    /// Where the offer of a ticket stands. Expect new values.
    pub enum TransferStatus {
        /// It can be accepted until `expiresAt`.
        Offered = "offered",
        /// Somebody has the new ticket.
        Accepted = "accepted",
        /// The receiver did not want it.
        Declined = "declined",
        /// Its holder took it back, or the ticket was cancelled or changed.
        Cancelled = "cancelled",
        /// Nobody accepted in time.
        Expired = "expired",
    }
}

relations! {
    keys {
        Event(OrgId, EventId) -> events(OrgId, Id);
        Ticket(OrgId, TicketId) -> tickets(OrgId, Id);
        NewTicket(OrgId, NewTicketId) -> tickets(OrgId, Id);
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("TicketTransfer", 65, &DOCS)
        .root("ticketTransfer", "ticketTransfers")
        .scope("registrations:read")
        .enumeration::<TransferStatus>(Column::Status)
        .to_one("event", Relation::Event.def(), "The event.")
        .to_one(
            "ticket",
            Relation::Ticket.def(),
            "The ticket that was offered; null for its receiver.",
        )
        .to_one(
            "newTicket",
            Relation::NewTicket.def(),
            "The ticket in its place: its holder's and the organization's to see.",
        )
        .key_of(Column::EventId, "Event")
        .key_of(Column::TicketId, "Ticket")
        .filter([
            Column::Status,
            Column::EventId,
            Column::TicketId,
            Column::CreatedAt,
        ])
        .order([Column::CreatedAt])
        .default_order(Column::CreatedAt, true)
        .done()
}
