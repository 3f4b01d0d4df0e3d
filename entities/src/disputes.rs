//! Disputes.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations, text_enum};

documented! {
    /// A buyer asks money of a payment back by the bank or the provider. The provider tells of it; tickets stay as they are.
    #[sea_orm(table_name = "disputes")]
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
        /// The payment.
        pub payment_id: Uuid,
        /// Where it stands.
        pub status: DisputeStatus,
        /// What the provider calls it.
        #[sea_orm(column_type = "Text")]
        pub provider_reference: String,
        /// What is asked back, in minor units of the currency.
        pub amount_minor: i64,
        /// What the provider takes for it, in minor units.
        pub fee_minor: i64,
        /// Its currency, ISO 4217; that of the payment.
        #[sea_orm(column_type = "Text")]
        pub currency: String,
        /// Why, in the provider's word; null when it said nothing.
        #[sea_orm(column_type = "Text")]
        pub reason: Option<String>,
        /// When the provider took the money back; null while it did not.
        pub withdrawn_at: Option<DateTimeUtc>,
        /// When it was decided; null while it is open.
        pub settled_at: Option<DateTimeUtc>,
        /// When it was heard of.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

text_enum! {
    /// Where a dispute stands. Expect new values.
    pub enum DisputeStatus {
        /// Nothing is decided.
        Open = "open",
        /// The organization keeps the money.
        Won = "won",
        /// The buyer has the money.
        Lost = "lost",
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
    declare::<Entity>("Dispute", 103, &DOCS)
        .root("dispute", "disputes")
        .scope("payments:read")
        .enumeration::<DisputeStatus>(Column::Status)
        .hide([Column::Currency])
        .money(
            "amount",
            Column::AmountMinor,
            Column::Currency,
            "What is asked back.",
        )
        .money(
            "fee",
            Column::FeeMinor,
            Column::Currency,
            "What the provider takes for it.",
        )
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
