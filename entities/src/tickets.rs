//! Tickets.

use eventsphere_graphql::{Aggregates, Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations, text_enum};

documented! {
    /// A ticket: lets one person in.
    #[sea_orm(table_name = "tickets")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// The event.
        pub event_id: Uuid,
        /// The registration.
        pub registration_id: Uuid,
        /// The place in the registration.
        pub item_id: Uuid,
        /// What was bought.
        pub ticket_type_id: Uuid,
        /// Whom it was issued to.
        pub attendee_id: Option<Uuid>,
        /// The signed text in its QR code; scanners can verify it offline.
        #[sea_orm(column_type = "Text")]
        pub code: String,
        /// Whether it counts.
        pub status: TicketStatus,
        /// When it was issued.
        pub issued_at: DateTimeUtc,
        /// Whether it was handed on to whoever holds it: then it is not the buyer's.
        pub received: bool,
        /// The account of whoever it was handed on to.
        pub holder_id: Option<Uuid>,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

text_enum! {
    /// Whether a ticket counts. Having been used is no status: see check-ins. Expect new values.
    pub enum TicketStatus {
        /// It does.
        Valid = "valid",
        /// Its registration or place was cancelled.
        Cancelled = "cancelled",
        /// A new ticket took its place.
        Transferred = "transferred",
        /// A member blocked it.
        Blocked = "blocked",
    }
}

relations! {
    keys {
        Event(OrgId, EventId) -> events(OrgId, Id);
        Registration(OrgId, RegistrationId) -> registrations(OrgId, Id);
        Item(OrgId, ItemId) -> registration_items(OrgId, Id);
        TicketType(OrgId, TicketTypeId) -> ticket_types(OrgId, Id);
        Attendee(OrgId, AttendeeId) -> attendees(OrgId, Id);
        Holder(HolderId) -> users(Id);
    }
    many {
        CheckIns = check_ins::Ticket;
        Transfers = ticket_transfers::Ticket;
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("Ticket", 23, &DOCS)
        .root("ticket", "tickets")
        .scope("registrations:read")
        .enumeration::<TicketStatus>(Column::Status)
        .to_one("event", Relation::Event.def(), "The event.")
        .to_one(
            "registration",
            Relation::Registration.def(),
            "The registration; null for whoever the ticket was handed on to.",
        )
        .to_one(
            "item",
            Relation::Item.def(),
            "The place in the registration; null for whoever the ticket was handed on to.",
        )
        .to_one("ticketType", Relation::TicketType.def(), "What was bought.")
        .to_one(
            "attendee",
            Relation::Attendee.def(),
            "Whom it was issued to; null when nobody is named.",
        )
        .to_many(
            "checkIns",
            Relation::CheckIns.def(),
            3,
            "Its scans at the door, newest first; its holder sees admissions only.",
        )
        .to_many(
            "transfers",
            Relation::Transfers.def(),
            2,
            "Offers of this ticket to others, newest first.",
        )
        .key_of(Column::EventId, "Event")
        .key_of(Column::RegistrationId, "Registration")
        .key_of(Column::TicketTypeId, "TicketType")
        .key_of(Column::AttendeeId, "Attendee")
        .filter([
            Column::Status,
            Column::EventId,
            Column::RegistrationId,
            Column::TicketTypeId,
            Column::AttendeeId,
            Column::Code,
            Column::IssuedAt,
        ])
        .order([Column::IssuedAt])
        .default_order(Column::IssuedAt, true)
        .filter_by(&["event", "registration", "checkIns"])
        .aggregates(
            Aggregates::for_scope("registrations:read")
                .by(Column::Status)
                .by_relation("event")
                .by_relation("ticketType")
                .by_time(Column::IssuedAt)
                .in_zone_of("event", crate::events::Column::TimeZone),
        )
        .done()
}
