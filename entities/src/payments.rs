//! Payments.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations, text_enum};

documented! {
    /// An attempt to pay something of what a registration costs, and what came of it. A registration may have several.
    #[sea_orm(table_name = "payments")]
    pub struct Model {
        /// Key; the provider knows the payment by it.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// The event.
        pub event_id: Uuid,
        /// The registration that it pays for.
        pub registration_id: Uuid,
        /// The account that the money goes to.
        pub account_id: Uuid,
        /// The provider, such as `stripe`.
        #[sea_orm(column_type = "Text")]
        pub provider: String,
        /// Where it stands.
        pub status: PaymentStatus,
        /// What was asked for, in minor units of the currency.
        pub amount_minor: i64,
        /// What came in, in minor units; 0 until it succeeded.
        pub captured_minor: i64,
        /// Its currency, ISO 4217.
        #[sea_orm(column_type = "Text")]
        pub currency: String,
        /// What the provider calls it; null until it was told.
        #[sea_orm(column_type = "Text")]
        pub provider_reference: Option<String>,
        /// The provider's page where the buyer pays; null until the provider answered.
        #[sea_orm(column_type = "Text")]
        pub checkout_url: Option<String>,
        /// How the buyer pays where there is no page for it, such as the bank account to transfer to; null where there is one.
        #[sea_orm(column_type = "Text")]
        pub instructions: Option<String>,
        /// Until when the money is waited for; null where it has to come at once.
        pub due_at: Option<DateTimeUtc>,
        /// Minor units that members say came in by hand; null until they do.
        pub received_minor: Option<i64>,
        /// When they said so.
        pub received_at: Option<DateTimeUtc>,
        /// Where the provider sends the buyer afterwards; null when nothing was said.
        #[sea_orm(column_type = "Text")]
        pub return_url: Option<String>,
        /// Why nothing came of it, in the provider's word; null otherwise.
        #[sea_orm(column_type = "Text")]
        pub failure: Option<String>,
        /// Why its money, or some of it, is owed back to the buyer, such as `overpaid`, `registration_cancelled` or
        /// `sold_out`; null when it is not.
        #[sea_orm(column_type = "Text")]
        pub owed_back: Option<String>,
        /// When the provider is asked next; null when nobody asks any more.
        pub check_at: Option<DateTimeUtc>,
        /// When the provider was last asked; null when it never was.
        pub checked_at: Option<DateTimeUtc>,
        /// How often the provider was to be asked.
        pub checks: i32,
        /// When it succeeded; null until then.
        pub succeeded_at: Option<DateTimeUtc>,
        /// When it was started.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

text_enum! {
    /// Where a payment stands. Expect new values.
    pub enum PaymentStatus {
        /// The provider has not answered yet.
        Created = "created",
        /// The provider waits for the buyer, or for the money.
        Pending = "pending",
        /// The money is there. It stays so, whatever is heard later.
        Succeeded = "succeeded",
        /// The provider refused it.
        Failed = "failed",
        /// It was called off.
        Cancelled = "cancelled",
    }
}

relations! {
    keys {
        Registration(OrgId, EventId, RegistrationId) -> registrations(OrgId, EventId, Id);
        Account(OrgId, AccountId) -> payment_accounts(OrgId, Id);
    }
    many {
        Refunds = refunds::Payment;
        LedgerEntries = ledger_entries::Payment;
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("Payment", 81, &DOCS)
        .root("payment", "payments")
        .scope("payments:read")
        .own_rows()
        .enumeration::<PaymentStatus>(Column::Status)
        .hide([
            Column::Currency,
            Column::CheckAt,
            Column::CheckedAt,
            Column::Checks,
            Column::ReturnUrl,
            Column::ReceivedMinor,
            Column::ReceivedAt,
        ])
        .money(
            "amount",
            Column::AmountMinor,
            Column::Currency,
            "What was asked for.",
        )
        .money(
            "captured",
            Column::CapturedMinor,
            Column::Currency,
            "What came in; nothing until it succeeded.",
        )
        .to_one(
            "registration",
            Relation::Registration.def(),
            "The registration that it pays for.",
        )
        .to_one(
            "account",
            Relation::Account.def(),
            "The account that the money goes to. Members only.",
        )
        .to_many(
            "refunds",
            Relation::Refunds.def(),
            3,
            "What of it was given back.",
        )
        .to_many(
            "ledgerEntries",
            Relation::LedgerEntries.def(),
            3,
            "What of it was booked. Members only.",
        )
        .key_of(Column::EventId, "Event")
        .key_of(Column::RegistrationId, "Registration")
        .filter([
            Column::Status,
            Column::EventId,
            Column::RegistrationId,
            Column::CreatedAt,
        ])
        .order([Column::CreatedAt])
        .default_order(Column::CreatedAt, true)
        .done()
}
