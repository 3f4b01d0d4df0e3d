//! What differs between our books and a provider's.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations, text_enum};

documented! {
    /// A sum of a payment that the books and its provider tell differently.
    #[sea_orm(table_name = "reconciliation_differences")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// The comparison.
        pub reconciliation_id: Uuid,
        /// What differs.
        pub kind: DifferenceKind,
        /// The payment here; null when it is not known here.
        pub payment_id: Option<Uuid>,
        /// What the provider calls it; null when it was never told.
        #[sea_orm(column_type = "Text")]
        pub provider_reference: Option<String>,
        /// What is booked, in minor units of the currency.
        pub ours_minor: i64,
        /// What the provider says, in minor units.
        pub theirs_minor: i64,
        /// Currency of the amounts, ISO 4217; where both differ, the provider's.
        #[sea_orm(column_type = "Text")]
        pub currency: String,
        /// When it was found.
        pub created_at: DateTimeUtc,
    }
}

text_enum! {
    /// What the books and the provider tell differently. Expect new values.
    pub enum DifferenceKind {
        /// The provider took money by a payment that is not known here.
        UnknownHere = "unknown_here",
        /// A payment is booked that the provider does not know.
        UnknownThere = "unknown_there",
        /// What came in.
        Captured = "captured",
        /// What went back by refunds.
        Refunded = "refunded",
        /// What the provider holds back, or gave back, for disputes.
        Disputed = "disputed",
        /// The currency.
        Currency = "currency",
    }
}

relations! {
    keys {
        Reconciliation(OrgId, ReconciliationId) -> reconciliations(OrgId, Id);
        Payment(OrgId, PaymentId) -> payments(OrgId, Id);
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("ReconciliationDifference", 107, &DOCS)
        .scope("payments:read")
        .enumeration::<DifferenceKind>(Column::Kind)
        .hide([Column::Currency])
        .money(
            "ours",
            Column::OursMinor,
            Column::Currency,
            "What is booked.",
        )
        .money(
            "theirs",
            Column::TheirsMinor,
            Column::Currency,
            "What the provider says.",
        )
        .to_one_required(
            "reconciliation",
            Relation::Reconciliation.def(),
            "The comparison.",
        )
        .to_one(
            "payment",
            Relation::Payment.def(),
            "The payment here; null when it is not known here.",
        )
        .order([Column::CreatedAt])
        .default_order(Column::CreatedAt, false)
        .done()
}
