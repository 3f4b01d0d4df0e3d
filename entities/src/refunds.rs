//! Refunds.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations, text_enum};

documented! {
    /// Money of a payment that goes back to the buyer. Refunds of a payment are never more than came in by it; tickets
    /// stay as they are.
    #[sea_orm(table_name = "refunds")]
    pub struct Model {
        /// Key; the provider knows the refund by it.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// The event.
        pub event_id: Uuid,
        /// The registration.
        pub registration_id: Uuid,
        /// The payment.
        pub payment_id: Uuid,
        /// Where it stands.
        pub status: RefundStatus,
        /// How much, in minor units of the currency.
        pub amount_minor: i64,
        /// Its currency, ISO 4217; that of the payment.
        #[sea_orm(column_type = "Text")]
        pub currency: String,
        /// Why, in words, or the reason that the rules had; null when nobody said.
        #[sea_orm(column_type = "Text")]
        pub reason: Option<String>,
        /// What the provider calls it; null until it answered.
        #[sea_orm(column_type = "Text")]
        pub provider_reference: Option<String>,
        /// Why nothing came of it, in the provider's word; null otherwise.
        #[sea_orm(column_type = "Text")]
        pub failure: Option<String>,
        /// When the provider is asked next; null when nobody asks any more.
        pub check_at: Option<DateTimeUtc>,
        /// When it was done, or came to nothing; null before.
        pub settled_at: Option<DateTimeUtc>,
        /// When it was asked for.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

text_enum! {
    /// Where a refund stands. Expect new values.
    pub enum RefundStatus {
        /// Promised; the provider has not been told yet.
        Requested = "requested",
        /// The provider was told and has not finished it.
        InTransit = "in_transit",
        /// The money is on its way to the buyer for good.
        Done = "done",
        /// The provider refused it; the money stayed.
        Failed = "failed",
        /// It was called off before the provider was told.
        Cancelled = "cancelled",
        /// It was made at the provider itself.
        External = "external",
    }
}

relations! {
    keys {
        Payment(OrgId, EventId, RegistrationId, PaymentId) -> payments(OrgId, EventId, RegistrationId, Id);
        Registration(OrgId, EventId, RegistrationId) -> registrations(OrgId, EventId, Id);
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("Refund", 82, &DOCS)
        .root("refund", "refunds")
        .scope("payments:read")
        .own_rows()
        .enumeration::<RefundStatus>(Column::Status)
        .hide([Column::Currency, Column::CheckAt])
        .money("amount", Column::AmountMinor, Column::Currency, "How much.")
        .to_one("payment", Relation::Payment.def(), "The payment.")
        .to_one(
            "registration",
            Relation::Registration.def(),
            "The registration.",
        )
        .key_of(Column::EventId, "Event")
        .key_of(Column::RegistrationId, "Registration")
        .key_of(Column::PaymentId, "Payment")
        .filter([
            Column::Status,
            Column::EventId,
            Column::RegistrationId,
            Column::PaymentId,
            Column::CreatedAt,
        ])
        .order([Column::CreatedAt])
        .default_order(Column::CreatedAt, true)
        .done()
}
