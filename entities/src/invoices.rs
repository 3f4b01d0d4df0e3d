//! Invoices and credit notes.

use eventsphere_graphql::{Declaration, declare, declare::Builder};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations, text_enum};

documented! {
    /// An invoice of a confirmed registration, or a credit note that takes back an invoice or a part of it. Neither is ever
    /// changed: what is corrected has a credit note and a new invoice.
    #[sea_orm(table_name = "invoices")]
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
        /// Which of the two.
        pub kind: InvoiceKind,
        /// The year that its number is of, in the organization's zone.
        pub year: i32,
        /// Its turn among the organization's documents of the kind and year; there are no gaps.
        pub series_number: i32,
        /// Its number, as people quote it.
        #[sea_orm(column_type = "Text")]
        pub number: String,
        /// The invoice that a credit note takes back.
        pub corrects_id: Option<Uuid>,
        /// The refund that a credit note is for.
        pub refund_id: Option<Uuid>,
        /// Why there is a credit note: `refund`, `changed`, `cancelled` or `event_cancelled`; null for invoices.
        #[sea_orm(column_type = "Text")]
        pub reason: Option<String>,
        /// Who sells, by its legal name where one was said.
        #[sea_orm(column_type = "Text")]
        pub seller_name: String,
        /// Where the seller is; null when nothing was said.
        #[sea_orm(column_type = "Text")]
        pub seller_address: Option<String>,
        /// The number by which tax offices know the seller; null when nothing was said.
        #[sea_orm(column_type = "Text")]
        pub seller_tax_number: Option<String>,
        /// Country of the seller, ISO 3166-1 alpha-2; null when nothing was said.
        #[sea_orm(column_type = "Text")]
        pub seller_country: Option<String>,
        /// Who buys.
        #[sea_orm(column_type = "Text")]
        pub buyer_name: String,
        /// Address of the buyer, in lower case.
        #[sea_orm(column_type = "Text")]
        pub buyer_email: String,
        /// The event, as it was called then.
        #[sea_orm(column_type = "Text")]
        pub event_title: String,
        /// The sum without taxes, in minor units of the currency.
        pub net_minor: i64,
        /// All taxes, in minor units.
        pub tax_minor: i64,
        /// The sum with taxes, in minor units; of a credit note, what is taken back.
        pub total_minor: i64,
        /// Its currency, ISO 4217.
        #[sea_orm(column_type = "Text")]
        pub currency: String,
        /// When it was issued.
        pub issued_at: DateTimeUtc,
        /// When it was written.
        pub created_at: DateTimeUtc,
    }
}

text_enum! {
    /// What a document is. Expect new values.
    pub enum InvoiceKind {
        /// Asks for money.
        Invoice = "invoice",
        /// Takes back an invoice or a part of it.
        CreditNote = "credit_note",
    }
}

relations! {
    keys {
        Registration(OrgId, EventId, RegistrationId) -> registrations(OrgId, EventId, Id);
        Corrects(OrgId, EventId, RegistrationId, CorrectsId) -> invoices(OrgId, EventId, RegistrationId, Id);
        Refund(OrgId, RefundId) -> refunds(OrgId, Id);
    }
    many {
        CreditNotes = invoices::Corrects;
        Lines = invoice_lines::Invoice;
        Taxes = invoice_taxes::Invoice;
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    related(
        declare::<Entity>("Invoice", 100, &DOCS)
            .root("invoice", "invoices")
            .scope("payments:read")
            .own_rows()
            .enumeration::<InvoiceKind>(Column::Kind)
            .hide([Column::Currency]),
    )
    .key_of(Column::EventId, "Event")
    .key_of(Column::RegistrationId, "Registration")
    .filter([
        Column::Kind,
        Column::Number,
        Column::EventId,
        Column::RegistrationId,
        Column::IssuedAt,
    ])
    .order([Column::IssuedAt])
    .default_order(Column::IssuedAt, true)
    .done()
}

fn related(invoice: Builder<Entity>) -> Builder<Entity> {
    invoice
        .money(
            "net",
            Column::NetMinor,
            Column::Currency,
            "The sum without taxes.",
        )
        .money("tax", Column::TaxMinor, Column::Currency, "All taxes.")
        .money(
            "total",
            Column::TotalMinor,
            Column::Currency,
            "Net and tax; of a credit note, what is taken back.",
        )
        .to_one(
            "registration",
            Relation::Registration.def(),
            "The registration.",
        )
        .to_one(
            "corrects",
            Relation::Corrects.def(),
            "The invoice that a credit note takes back; null for invoices.",
        )
        .to_one(
            "refund",
            Relation::Refund.def(),
            "The refund that a credit note is for; null for others.",
        )
        .to_many(
            "creditNotes",
            Relation::CreditNotes.def(),
            3,
            "What was taken back of an invoice.",
        )
        .to_many(
            "lines",
            Relation::Lines.def(),
            5,
            "What is charged, or taken back.",
        )
        .to_many(
            "taxes",
            Relation::Taxes.def(),
            3,
            "Its taxes, by name and rate.",
        )
}
