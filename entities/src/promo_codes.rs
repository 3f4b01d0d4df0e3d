//! Promo codes.

use eventsphere_graphql::{Declaration, Scalar, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations, text_enum};

documented! {
    /// A code that buyers type in: it takes something off, unlocks hidden ticket types, or both. Only members see which
    /// codes there are.
    #[sea_orm(table_name = "promo_codes")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// The event.
        pub event_id: Option<Uuid>,
        /// What is typed in, 3 to 40 of `A-Z`, `0-9` and inner `-`, `_`, `.`; kept in capital letters, found in any
        /// case. Unique at its event, and among those of the whole organization. An event's own comes first.
        #[sea_orm(column_type = "Text")]
        pub code: String,
        /// What it takes off.
        pub kind: PromoCodeKind,
        /// Share that is taken off, in millionths, 1 to 1000000 (150000 is 15 %): for `PERCENT` of each price, for
        /// `BUY_X_GET_Y` of the price of those that are got.
        pub rate_millionths: Option<i32>,
        /// Amount that is taken off, in minor units of the currency.
        pub amount_minor: Option<i64>,
        /// Currency of the amount, ISO 4217; a code of the whole organization is for events in this currency.
        #[sea_orm(column_type = "Text")]
        pub currency: Option<String>,
        /// For `BUY_X_GET_Y`: X, 1 to 100.
        pub buy_quantity: Option<i32>,
        /// For `BUY_X_GET_Y`: Y, 1 to 100. The cheapest ones are got.
        pub get_quantity: Option<i32>,
        /// What counts as one use.
        #[sea_orm(default_value = "registration")]
        pub counted_by: PromoCodeUse,
        /// How often it may be used in all, 0 to 10000000; null for no limit. Holds and registrations that count are
        /// uses; what runs out or is cancelled is none any more. Never below that.
        pub max_uses: Option<i32>,
        /// How often one buyer may use it, by account and by e-mail address; null for no limit.
        pub max_uses_per_buyer: Option<i32>,
        /// Whether it sells the hidden ticket types that it is for.
        #[sea_orm(default_value = false)]
        pub unlocks_hidden: bool,
        /// From when it may be used; null for from the beginning.
        pub starts_at: Option<DateTimeUtc>,
        /// Until when it may be used; null for no end.
        pub ends_at: Option<DateTimeUtc>,
        /// Whether it may be used at all; one that may not is told like one that does not exist.
        #[sea_orm(default_value = true)]
        pub active: bool,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

text_enum! {
    /// What a promo code takes off. Expect new values.
    pub enum PromoCodeKind {
        /// Nothing; it unlocks ticket types, or tells who came by it.
        None = "none",
        /// A share of each price.
        Percent = "percent",
        /// An amount off each place, at most its price.
        AmountPerTicket = "amount_per_ticket",
        /// An amount off all places together, shared out in proportion to their prices.
        AmountPerRegistration = "amount_per_registration",
        /// Of each X + Y places the Y cheapest are cheaper, by the share.
        BuyXGetY = "buy_x_get_y",
    }
}

text_enum! {
    /// What counts as one use of a promo code. Expect new values.
    pub enum PromoCodeUse {
        /// A registration, however many places it has.
        Registration = "registration",
        /// Each place of a registration that the code is for.
        Ticket = "ticket",
    }
}

relations! {
    keys {
        Event(OrgId, EventId) -> events(OrgId, Id);
    }
    many {
        Types = promo_code_ticket_types::PromoCode;
        Registrations = registrations::PromoCode;
    }
}

const WRITABLE: [Column; 14] = [
    Column::Code,
    Column::Kind,
    Column::RateMillionths,
    Column::AmountMinor,
    Column::Currency,
    Column::BuyQuantity,
    Column::GetQuantity,
    Column::CountedBy,
    Column::MaxUses,
    Column::MaxUsesPerBuyer,
    Column::UnlocksHidden,
    Column::StartsAt,
    Column::EndsAt,
    Column::Active,
];

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("PromoCode", 52, &DOCS)
        .root("promoCode", "promoCodes")
        .scope("promo_codes:read")
        .enumeration::<PromoCodeKind>(Column::Kind)
        .enumeration::<PromoCodeUse>(Column::CountedBy)
        .hide([Column::Currency])
        .money(
            "amount",
            Column::AmountMinor,
            Column::Currency,
            "Amount that is taken off.",
        )
        .computed(
            "uses",
            "public.promo_code_uses",
            Scalar::Int,
            true,
            "How often it is used, holds that ran out and were not cleared away yet included.",
        )
        .to_one(
            "event",
            Relation::Event.def(),
            "The one event that it is for; null for all of the organization.",
        )
        .many_to_many(
            "ticketTypes",
            Relation::Types.def(),
            crate::promo_code_ticket_types::Relation::TicketType.def(),
            5,
            "The ticket types that it is for; none means all.",
        )
        .to_many(
            "promoCodeTicketTypes",
            Relation::Types.def(),
            5,
            "The links to those ticket types.",
        )
        .to_many(
            "registrations",
            Relation::Registrations.def(),
            100,
            "Registrations that were placed with it.",
        )
        .key_of(Column::EventId, "Event")
        .filter([Column::EventId, Column::Code])
        .order([Column::CreatedAt])
        .default_order(Column::CreatedAt, false)
        .creates(
            "promo_codes:write",
            std::iter::once(Column::EventId).chain(WRITABLE),
            &[(Column::OrgId, "es.current_org()")],
        )
        .updates("promo_codes:write", WRITABLE)
        .constraint(
            "pool_claims_code_fk",
            "id",
            "It reserved places, so it must stay; set `active` to false instead.",
        )
        .constraint("promo_codes_event_fk", "eventId", "There is no such event.")
        .constraint(
            "capacity_pools_event_fk",
            "eventId",
            "There is no such event.",
        )
        .constraint(
            "promo_codes_code_key",
            "code",
            "There is such a code already.",
        )
        .constraint(
            "promo_codes_code_shape",
            "code",
            "A code has 3 to 40 of A-Z, 0-9 and inner - _ .",
        )
        .constraint(
            "promo_codes_currency_of_event",
            "amount",
            "The amount must be in the currency of the event.",
        )
        .constraint(
            "promo_codes_window",
            "endsAt",
            "It must end after it begins.",
        )
        .constraint(
            "promo_codes_value",
            "kind",
            "This kind needs `rateMillionths` or `amount`.",
        )
        .constraint(
            "promo_codes_rate_range",
            "rateMillionths",
            "A share is 1 to 1000000 millionths.",
        )
        .constraint(
            "promo_codes_amount_range",
            "amount",
            "An amount is 1 to 100000000000 minor units.",
        )
        .constraint(
            "promo_codes_buy_and_get",
            "buyQuantity",
            "This kind needs `buyQuantity` and `getQuantity`.",
        )
        .constraint(
            "promo_codes_buy_range",
            "buyQuantity",
            "Quantities are 1 to 100.",
        )
        .constraint(
            "promo_codes_max_uses_range",
            "maxUses",
            "A limit is 0 to 10000000.",
        )
        .constraint(
            "capacity_pools_capacity_range",
            "maxUses",
            "A limit is 0 to 10000000.",
        )
        .constraint(
            "capacity_pools_never_oversold",
            "maxUses",
            "It is used more often than this.",
        )
        .constraint(
            "promo_codes_max_uses_per_buyer_range",
            "maxUsesPerBuyer",
            "A limit is 1 to 10000000.",
        )
        .constraint(
            "registrations_promo_code_fk",
            "id",
            "It was used, so it must stay; set `active` to false instead.",
        )
        .constraint(
            "pool_claims_pool_fk",
            "id",
            "It was used, so it must stay; set `active` to false instead.",
        )
        .done()
}
