//! Taxes on tickets.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// A tax on tickets. A ticket type bears its own taxes; when it has none, those of its event; when that has none,
    /// those of the organization. All of that level together. A tax of 0 says that there is none. Fees have taxes of
    /// their own.
    #[sea_orm(table_name = "tax_rules")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// The event.
        pub event_id: Option<Uuid>,
        /// The ticket type.
        pub ticket_type_id: Option<Uuid>,
        /// Name, 1 to 100 characters; buyers see it.
        #[sea_orm(column_type = "Text")]
        pub name: String,
        /// Its rate in millionths of the net price, 0 to 1000000 (88750 is 8.875 %).
        pub rate_millionths: i32,
        /// Whether prices contain it; else it comes on top of them.
        #[sea_orm(default_value = true)]
        pub inclusive: bool,
        /// Place in the list, smallest first.
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
        Organization(OrgId) -> organizations(Id);
        Event(OrgId, EventId) -> events(OrgId, Id);
        TicketType(OrgId, TicketTypeId) -> ticket_types(OrgId, Id);
    }
}

const WRITABLE: [Column; 4] = [
    Column::Name,
    Column::RateMillionths,
    Column::Inclusive,
    Column::Position,
];

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("TaxRule", 55, &DOCS)
        .scope("events:read")
        .root("taxRule", "taxRules")
        .to_one(
            "event",
            Relation::Event.def(),
            "The event that it is for; null for all of the organization.",
        )
        .to_one(
            "ticketType",
            Relation::TicketType.def(),
            "The ticket type that it is for; null for all.",
        )
        .key_of(Column::EventId, "Event")
        .key_of(Column::TicketTypeId, "TicketType")
        .filter([Column::EventId, Column::TicketTypeId])
        .order([Column::Position])
        .default_order(Column::Position, false)
        .creates(
            "events:write",
            [Column::EventId, Column::TicketTypeId]
                .into_iter()
                .chain(WRITABLE),
            &[(Column::OrgId, "es.current_org()")],
        )
        .updates("events:write", WRITABLE)
        .constraint("tax_rules_event_fk", "eventId", "There is no such event.")
        .constraint(
            "tax_rules_ticket_type_fk",
            "ticketTypeId",
            "The event has no such ticket type.",
        )
        .constraint(
            "tax_rules_type_of_event",
            "eventId",
            "Say the event of the ticket type, too.",
        )
        .constraint(
            "tax_rules_name_length",
            "name",
            "A name has 1 to 100 characters.",
        )
        .constraint(
            "tax_rules_rate_range",
            "rateMillionths",
            "A rate is 0 to 1000000 millionths.",
        )
        .done()
}
