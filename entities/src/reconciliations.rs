//! Our books held against a provider's.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations, text_enum};

documented! {
    /// A comparison of the books with what a payment provider says moved. It changes nothing: people look at what differs.
    #[sea_orm(table_name = "reconciliations")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// The account at the provider.
        pub account_id: Uuid,
        /// How far it is.
        pub status: ReconciliationStatus,
        /// Payments that were begun from then on.
        pub from_at: DateTimeUtc,
        /// And before then.
        pub to_at: DateTimeUtc,
        /// Whether the provider listed its payments: otherwise only those were asked about that are known here.
        pub whole: bool,
        /// How many payments were compared.
        pub compared: i32,
        /// How many differences there are.
        pub differing: i32,
        /// Why it came to nothing; null otherwise.
        #[sea_orm(column_type = "Text")]
        pub failure: Option<String>,
        /// When it was done; null before.
        pub finished_at: Option<DateTimeUtc>,
        /// When it was asked for.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

text_enum! {
    /// How far a reconciliation is. Expect new values.
    pub enum ReconciliationStatus {
        /// The provider is being asked.
        Running = "running",
        /// It is compared; see its differences.
        Done = "done",
        /// The provider gave no answer.
        Failed = "failed",
    }
}

relations! {
    keys {
        Account(OrgId, AccountId) -> payment_accounts(OrgId, Id);
    }
    many {
        Differences = reconciliation_differences::Reconciliation;
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("Reconciliation", 106, &DOCS)
        .root("reconciliation", "reconciliations")
        .scope("payments:read")
        .enumeration::<ReconciliationStatus>(Column::Status)
        .to_one(
            "account",
            Relation::Account.def(),
            "The account at the provider.",
        )
        .to_many(
            "differences",
            Relation::Differences.def(),
            3,
            "What differs, a row for each payment and sum.",
        )
        .key_of(Column::AccountId, "PaymentAccount")
        .filter([Column::Status, Column::AccountId, Column::CreatedAt])
        .order([Column::CreatedAt])
        .default_order(Column::CreatedAt, true)
        .done()
}
