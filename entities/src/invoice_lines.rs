//! Lines of invoices and credit notes.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations, text_enum};

documented! {
    /// A line of an invoice, or what a credit note takes back of one.
    #[sea_orm(table_name = "invoice_lines")]
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
        /// The document.
        pub invoice_id: Uuid,
        /// Place in the document, from 1; a credit note's line has the place of the invoice's.
        pub position: i32,
        /// What is charged.
        pub kind: InvoiceLineKind,
        /// In words: the ticket type, or the fees.
        #[sea_orm(column_type = "Text")]
        pub description: String,
        /// How many places the line is for.
        pub quantity: i32,
        /// All of them together without taxes, in minor units of the currency.
        pub net_minor: i64,
        /// Their taxes, in minor units.
        pub tax_minor: i64,
        /// All of them together, in minor units.
        pub total_minor: i64,
        /// Currency of the amounts, ISO 4217.
        #[sea_orm(column_type = "Text")]
        pub currency: String,
        /// When it was written.
        pub created_at: DateTimeUtc,
    }
}

text_enum! {
    /// What a line is for. Expect new values.
    pub enum InvoiceLineKind {
        /// Places.
        Ticket = "ticket",
        /// Fees of places.
        Fee = "fee",
    }
}

relations! {
    keys {
        Invoice(OrgId, EventId, RegistrationId, InvoiceId) -> invoices(OrgId, EventId, RegistrationId, Id);
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("InvoiceLine", 101, &DOCS)
        .scope("payments:read")
        .own_rows()
        .enumeration::<InvoiceLineKind>(Column::Kind)
        .hide([Column::Currency])
        .money(
            "net",
            Column::NetMinor,
            Column::Currency,
            "All of it without taxes.",
        )
        .money("tax", Column::TaxMinor, Column::Currency, "Its taxes.")
        .money("total", Column::TotalMinor, Column::Currency, "All of it.")
        .to_one_required("invoice", Relation::Invoice.def(), "The document.")
        .order([Column::Position])
        .default_order(Column::Position, false)
        .done()
}
