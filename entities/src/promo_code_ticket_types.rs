//! Which ticket types a promo code is for.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// Says that a promo code is for a ticket type. A code without such links is for all.
    #[sea_orm(table_name = "promo_code_ticket_types")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// The event of the ticket type.
        pub event_id: Uuid,
        /// The code.
        pub promo_code_id: Uuid,
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
        PromoCode(OrgId, PromoCodeId) -> promo_codes(OrgId, Id);
        TicketType(OrgId, TicketTypeId) -> ticket_types(OrgId, Id);
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("PromoCodeTicketType", 53, &DOCS)
        .scope("promo_codes:read")
        .to_one_required("promoCode", Relation::PromoCode.def(), "The code.")
        .to_one("ticketType", Relation::TicketType.def(), "The ticket type.")
        .key_of(Column::EventId, "Event")
        .key_of(Column::PromoCodeId, "PromoCode")
        .key_of(Column::TicketTypeId, "TicketType")
        .creates(
            "promo_codes:write",
            [Column::EventId, Column::PromoCodeId, Column::TicketTypeId],
            &[(Column::OrgId, "es.current_org()")],
        )
        .constraint(
            "promo_code_ticket_types_pair_key",
            "ticketTypeId",
            "The code is for this ticket type already.",
        )
        .constraint(
            "promo_code_ticket_types_code_fk",
            "promoCodeId",
            "There is no such code.",
        )
        .constraint(
            "promo_code_ticket_types_ticket_type_fk",
            "ticketTypeId",
            "The event has no such ticket type.",
        )
        .done()
}
