//! The books.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations, text_enum};

documented! {
    /// A movement of money, booked once and never changed, with both accounts that it touches.
    #[sea_orm(table_name = "ledger_entries")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// What happened.
        pub kind: LedgerEntryKind,
        /// The account that it is booked to: `provider`, `buyer`, `refunds`, `disputes`, `fees` or `platform`.
        #[sea_orm(column_type = "Text")]
        pub debit: String,
        /// The account that it is booked from.
        #[sea_orm(column_type = "Text")]
        pub credit: String,
        /// How much, in minor units of the currency; never negative.
        pub amount_minor: i64,
        /// Its currency, ISO 4217.
        #[sea_orm(column_type = "Text")]
        pub currency: String,
        /// The event.
        pub event_id: Uuid,
        /// The registration whose money it is.
        pub registration_id: Uuid,
        /// The payment.
        pub payment_id: Uuid,
        /// The refund, for what is part of one.
        pub refund_id: Option<Uuid>,
        /// The dispute, for what is part of one.
        pub dispute_id: Option<Uuid>,
        /// What a fee was reckoned from, in minor units; null for other movements, and where a fee is kept whatever goes back.
        pub base_minor: Option<i64>,
        /// When it was booked.
        pub created_at: DateTimeUtc,
    }
}

text_enum! {
    /// What a movement of money is. Expect new values.
    pub enum LedgerEntryKind {
        /// A payment came in.
        Capture = "capture",
        /// Money was promised back to the buyer.
        RefundPromised = "refund_promised",
        /// What was promised is gone.
        RefundPaid = "refund_paid",
        /// What was promised stayed after all.
        RefundReturned = "refund_returned",
        /// A provider took money back until a dispute is decided.
        DisputeWithdrawn = "dispute_withdrawn",
        /// It gave it again.
        DisputeReturned = "dispute_returned",
        /// The money of a dispute is the buyer's.
        DisputeLost = "dispute_lost",
        /// What a provider took for a dispute.
        DisputeFee = "dispute_fee",
        /// What the platform takes.
        PlatformFee = "platform_fee",
        /// What of that it gives back.
        PlatformFeeReturned = "platform_fee_returned",
    }
}

relations! {
    keys {
        Payment(OrgId, EventId, RegistrationId, PaymentId) -> payments(OrgId, EventId, RegistrationId, Id);
        Refund(OrgId, RefundId) -> refunds(OrgId, Id);
        Dispute(OrgId, DisputeId) -> disputes(OrgId, Id);
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("LedgerEntry", 83, &DOCS)
        .root("ledgerEntry", "ledgerEntries")
        .scope("payments:read")
        .enumeration::<LedgerEntryKind>(Column::Kind)
        .hide([Column::Currency, Column::BaseMinor])
        .money("amount", Column::AmountMinor, Column::Currency, "How much.")
        .to_one("payment", Relation::Payment.def(), "The payment.")
        .to_one(
            "refund",
            Relation::Refund.def(),
            "The refund, for what is part of one.",
        )
        .to_one(
            "dispute",
            Relation::Dispute.def(),
            "The dispute, for what is part of one.",
        )
        .key_of(Column::RegistrationId, "Registration")
        .key_of(Column::PaymentId, "Payment")
        .filter([Column::RegistrationId, Column::PaymentId, Column::CreatedAt])
        .order([Column::CreatedAt])
        .default_order(Column::CreatedAt, true)
        .done()
}
