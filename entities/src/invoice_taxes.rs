//! Taxes of invoices and credit notes.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// What one tax comes to in an invoice, or in what a credit note takes back.
    #[sea_orm(table_name = "invoice_taxes")]
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
        /// Place in the document, from 1.
        pub position: i32,
        /// Name of the tax.
        #[sea_orm(column_type = "Text")]
        pub name: String,
        /// Its rate, in millionths.
        pub rate_millionths: i32,
        /// What it is on, without any tax, in minor units of the currency. Where two taxes are on one price, each says it.
        pub net_minor: i64,
        /// What it comes to, in minor units.
        pub tax_minor: i64,
        /// Currency of the amounts, ISO 4217.
        #[sea_orm(column_type = "Text")]
        pub currency: String,
        /// When it was written.
        pub created_at: DateTimeUtc,
    }
}

relations! {
    keys {
        Invoice(OrgId, EventId, RegistrationId, InvoiceId) -> invoices(OrgId, EventId, RegistrationId, Id);
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("InvoiceTax", 102, &DOCS)
        .scope("payments:read")
        .own_rows()
        .hide([Column::Currency])
        .money(
            "net",
            Column::NetMinor,
            Column::Currency,
            "What it is on, without any tax.",
        )
        .money(
            "tax",
            Column::TaxMinor,
            Column::Currency,
            "What it comes to.",
        )
        .to_one_required("invoice", Relation::Invoice.def(), "The document.")
        .order([Column::Position])
        .default_order(Column::Position, false)
        .done()
}
