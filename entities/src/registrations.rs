//! Registrations.

use eventsphere_graphql::{Aggregates, Declaration, Scalar, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations, text_enum};

documented! {
    /// A registration: what one buyer takes for one date of an event, from the hold to the tickets.
    #[sea_orm(table_name = "registrations")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// The event.
        pub event_id: Uuid,
        /// The date.
        pub occurrence_id: Uuid,
        /// The account of the buyer.
        pub user_id: Option<Uuid>,
        /// Number for people to read aloud, `REG-` with date and check character; unique in the organization. It
        /// opens nothing by itself.
        #[sea_orm(column_type = "Text")]
        pub confirmation_number: String,
        /// Where the registration stands.
        pub status: RegistrationStatus,
        /// Name of the buyer, 1 to 200 characters.
        #[sea_orm(column_type = "Text")]
        pub buyer_name: String,
        /// Address of the buyer, in lower case.
        #[sea_orm(column_type = "Text")]
        pub buyer_email: String,
        /// Currency of the total, ISO 4217.
        #[sea_orm(column_type = "Text")]
        pub currency: String,
        /// The promo code that it was placed with.
        pub promo_code_id: Option<Uuid>,
        /// What all items cost together, in minor units of the currency.
        pub total_minor: i64,
        /// What of it was kept when the registration was cancelled, in minor units; 0 otherwise.
        pub kept_minor: i64,
        /// What discounts took off, in minor units.
        pub discount_minor: i64,
        /// Fees, without taxes that come on top of them, in minor units.
        pub fee_minor: i64,
        /// All taxes, contained or on top, in minor units.
        pub tax_minor: i64,
        /// What taxes on top and rounding add, in minor units.
        pub added_minor: i64,
        /// Prices by tiers before discounts: total - fees - what is added + discounts, in minor units.
        pub subtotal_minor: i64,
        /// Until when its places are held; null when they no longer run out.
        pub expires_at: Option<DateTimeUtc>,
        /// When it was placed.
        pub placed_at: DateTimeUtc,
        /// When it was confirmed; null before.
        pub confirmed_at: Option<DateTimeUtc>,
        /// When it was cancelled; null when it was not.
        pub cancelled_at: Option<DateTimeUtc>,
        /// Why it was cancelled, in words; null when nobody said.
        #[sea_orm(column_type = "Text")]
        pub cancel_reason: Option<String>,
        /// Where the buyer came from.
        pub source_id: Option<Uuid>,
        /// When a member approved it; null when none did.
        pub approved_at: Option<DateTimeUtc>,
        /// When a member rejected it; null when none did.
        pub rejected_at: Option<DateTimeUtc>,
        /// Why it was rejected, in words; null when nobody said.
        #[sea_orm(column_type = "Text")]
        pub reject_reason: Option<String>,
        /// Whether it waits for approval while its places are sold on; approving takes them again.
        pub waits_without_stock: bool,
        /// By how much changes have raised the total since it was confirmed (lowered it, when negative), in minor units.
        pub balance_minor: i64,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

text_enum! {
    /// Where a registration stands. Expect new values.
    pub enum RegistrationStatus {
        /// Its places are held until `expiresAt`.
        Held = "held",
        /// Waits for a member to approve it.
        PendingApproval = "pending_approval",
        /// Waits for money.
        PendingPayment = "pending_payment",
        /// Done; it has tickets.
        Confirmed = "confirmed",
        /// A member refused it; its places were given back.
        Rejected = "rejected",
        /// Not confirmed in time; its places were given back.
        Expired = "expired",
        /// Called off; its places were given back.
        Cancelled = "cancelled",
    }
}

text_enum! {
    /// How a registration stands with its price. Nobody sets it; it follows from what was booked. Expect new values.
    pub enum PaymentState {
        /// Nothing was paid, and something costs.
        Unpaid = "unpaid",
        /// Some of it was paid.
        PartiallyPaid = "partially_paid",
        /// All of it was paid, or nothing costs.
        Paid = "paid",
        /// More was paid than it costs: the rest is owed back.
        Overpaid = "overpaid",
        /// Some of what was paid went back, and less than it costs is left.
        PartiallyRefunded = "partially_refunded",
        /// All that was paid went back.
        Refunded = "refunded",
        /// The buyer asks the money back by the bank or the provider, and nothing is decided yet.
        Disputed = "disputed",
    }
}

relations! {
    keys {
        Organization(OrgId) -> organizations(Id);
        Event(OrgId, EventId) -> events(OrgId, Id);
        Occurrence(OrgId, OccurrenceId) -> occurrences(OrgId, Id);
        User(UserId) -> users(Id);
        Source(OrgId, SourceId) -> registration_sources(OrgId, Id);
        PromoCode(OrgId, PromoCodeId) -> promo_codes(OrgId, Id);
    }
    many {
        Charges = registration_item_charges::Registration;
        Items = registration_items::Registration;
        Tickets = tickets::Registration;
        Claims = pool_claims::Registration;
        Payments = payments::Registration;
        Refunds = refunds::Registration;
        Invoices = invoices::Registration;
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("Registration", 21, &DOCS)
        .root("registration", "registrations")
        .scope("registrations:read")
        .enumeration::<RegistrationStatus>(Column::Status)
        .hide([Column::Currency, Column::AddedMinor])
        .money(
            "total",
            Column::TotalMinor,
            Column::Currency,
            "What all items cost together. Each price is fixed when its place is taken.",
        )
        .money(
            "balance",
            Column::BalanceMinor,
            Column::Currency,
            "By how much changes have raised the total since it was confirmed: what is still to be paid, or to be given \
             back when negative.",
        )
        .money(
            "kept",
            Column::KeptMinor,
            Column::Currency,
            "What was kept of the total when it was cancelled.",
        )
        .money(
            "subtotal",
            Column::SubtotalMinor,
            Column::Currency,
            "Prices by tiers, before discounts, fees and taxes on top.",
        )
        .money(
            "discount",
            Column::DiscountMinor,
            Column::Currency,
            "What discounts took off.",
        )
        .money(
            "fee",
            Column::FeeMinor,
            Column::Currency,
            "Fees, without taxes that come on top of them.",
        )
        .money(
            "tax",
            Column::TaxMinor,
            Column::Currency,
            "All taxes, contained in prices or on top.",
        )
        .computed_money(
            "paid",
            "public.registration_paid",
            Column::Currency,
            "What was paid, less what was given back or promised back.",
        )
        .computed(
            "paymentState",
            "public.registration_payment_state",
            Scalar::Enum("PaymentState".to_owned()),
            true,
            "How it stands with its price.",
        )
        .uses_enum::<PaymentState>()
        .to_one_required(
            "organization",
            Relation::Organization.def(),
            "Who holds the event.",
        )
        .to_one("event", Relation::Event.def(), "The event.")
        .to_one("occurrence", Relation::Occurrence.def(), "The date.")
        .to_one(
            "user",
            Relation::User.def(),
            "The buyer's account; null for guests, and when the caller may not see it.",
        )
        .to_one(
            "source",
            Relation::Source.def(),
            "Where the buyer came from; null when nothing was said. Members only.",
        )
        .to_one(
            "promoCode",
            Relation::PromoCode.def(),
            "The promo code that it was placed with. Members only.",
        )
        .to_many(
            "charges",
            Relation::Charges.def(),
            10,
            "Its fees and taxes, by place.",
        )
        .to_many(
            "items",
            Relation::Items.def(),
            5,
            "What was taken, one item a place.",
        )
        .to_many(
            "tickets",
            Relation::Tickets.def(),
            5,
            "Tickets issued for it, those that no longer count included.",
        )
        .to_many(
            "payments",
            Relation::Payments.def(),
            3,
            "Attempts to pay for it, and what came of them.",
        )
        .to_many(
            "refunds",
            Relation::Refunds.def(),
            3,
            "Money that was given back.",
        )
        .to_many(
            "invoices",
            Relation::Invoices.def(),
            3,
            "Invoices for it, and credit notes.",
        )
        .key_of(Column::EventId, "Event")
        .key_of(Column::OccurrenceId, "Occurrence")
        .key_of(Column::UserId, "User")
        .filter([
            Column::Status,
            Column::EventId,
            Column::OccurrenceId,
            Column::UserId,
            Column::ConfirmationNumber,
            Column::BuyerEmail,
            Column::PlacedAt,
        ])
        .order([Column::PlacedAt])
        .default_order(Column::PlacedAt, true)
        .filter_by(&["event", "items", "tickets", "source"])
        .aggregates(
            Aggregates::for_scope("registrations:read")
                .by(Column::Status)
                .by_relation("event")
                .by_relation("occurrence")
                .by_relation("source")
                .by_time(Column::PlacedAt)
                .by_time(Column::ConfirmedAt)
                .in_zone_of("event", crate::events::Column::TimeZone)
                .sum_money("discount")
                .sum_money("fee")
                .sum_money("tax")
                .sum_money("total"),
        )
        .done()
}
