//! Events.

use eventsphere_graphql::{Aggregates, Declaration, RowSource, Scalar, catalog::Argument, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations, text_enum};

documented! {
    /// An event: what people register for. Its programme, its dates and what is on sale hang on it.
    #[sea_orm(table_name = "events")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// The place.
        pub venue_id: Option<Uuid>,
        /// Its name in addresses, unique in the organization: 1 to 100 of `a-z`, `0-9` and inner hyphens.
        #[sea_orm(column_type = "Text")]
        pub slug: String,
        /// Title, 1 to 200 characters.
        #[sea_orm(column_type = "Text")]
        pub title: String,
        /// One or two sentences for lists, at most 500 characters; may be empty.
        #[sea_orm(column_type = "Text")]
        pub summary: String,
        /// The whole description in Markdown, at most 20000 characters; may be empty.
        #[sea_orm(column_type = "Text")]
        pub description: String,
        /// Where the event stands.
        pub status: EventStatus,
        /// Who can find it once it is published.
        pub visibility: EventVisibility,
        /// Whether people come to a place, meet online, or both.
        pub format: EventFormat,
        /// Zone in which its times are meant, an IANA name such as `Europe/Berlin`.
        #[sea_orm(column_type = "Text")]
        pub time_zone: String,
        /// Currency of its prices, ISO 4217.
        #[sea_orm(column_type = "Text")]
        pub currency: String,
        /// When it begins.
        pub starts_at: DateTimeUtc,
        /// When it ends; after it begins.
        pub ends_at: DateTimeUtc,
        /// How long places are held for a buyer who has not confirmed yet, in seconds, 30 to 86400.
        pub hold_seconds: i32,
        /// How many tickets one registration can have at most, 1 to 100.
        pub max_tickets_per_registration: i32,
        /// Whether a member has to approve each registration.
        pub requires_approval: bool,
        /// How much longer than `holdSeconds` places can be held for a buyer who asks, in seconds, 0 to 86400.
        pub hold_extension_seconds: i32,
        /// Whether registrations that wait for approval keep their places; else those are sold on meanwhile.
        pub pending_keeps_stock: bool,
        /// How long whoever was approved has to pay, in hours, 1 to 8760.
        pub payment_due_hours: i32,
        /// Whether a payment that comes after its registration has expired takes the places again, where they are free.
        pub revives_late_payments: bool,
        /// Whether a late payment that takes no places is refunded by itself; else members see it as owed back.
        pub refunds_late_payments: bool,
        /// From when on late payments take no places; null: never.
        pub last_payment_at: Option<DateTimeUtc>,
        /// Until how many minutes before the date begins buyers may change a confirmed registration; null: not at all.
        pub changes_close_minutes: Option<i32>,
        /// Until how many minutes before the date begins holders may hand tickets on; null: not at all.
        pub transfers_close_minutes: Option<i32>,
        /// Until how many minutes before the date begins buyers may cancel what is confirmed; null: not at all.
        pub cancellation_closes_minutes: Option<i32>,
        /// Whether one address can have one registration only.
        pub one_per_person: bool,
        /// Whether people may wait for places once it is sold out.
        pub waitlist: bool,
        /// How long places are kept for somebody who waited and was offered them, in seconds, 60 to 2592000.
        pub waitlist_offer_seconds: i32,
        /// How taxes of a registration are rounded.
        pub tax_rounding: TaxRounding,
        /// Counts changes that calendars should take over (`SEQUENCE` of iCalendar).
        pub calendar_sequence: i32,
        /// When it was published; null before.
        pub published_at: Option<DateTimeUtc>,
        /// When it was cancelled; null when it was not.
        pub cancelled_at: Option<DateTimeUtc>,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

text_enum! {
    /// Where an event stands. Expect new values.
    pub enum EventStatus {
        /// Being prepared; only members see it.
        Draft = "draft",
        /// Open to its visitors, and for sale when its ticket types are.
        Published = "published",
        /// Over.
        Completed = "completed",
        /// Called off; its page still says so.
        Cancelled = "cancelled",
        /// Put away; only members and those who registered see it.
        Archived = "archived",
    }
}

text_enum! {
    /// Who can find a published event. Expect new values.
    pub enum EventVisibility {
        /// Everybody, in lists too.
        Public = "public",
        /// Everybody who has its address; in no list.
        Unlisted = "unlisted",
        /// Members, and those who are registered.
        Private = "private",
    }
}

text_enum! {
    /// How people take part. Expect new values.
    pub enum EventFormat {
        /// At a place.
        InPerson = "in_person",
        /// Online.
        Online = "online",
        /// At a place and online.
        Hybrid = "hybrid",
    }
}

text_enum! {
    /// How taxes of a registration are rounded. Expect new values.
    pub enum TaxRounding {
        /// Each place by itself.
        PerUnit = "per_unit",
        /// Net prices by place, each tax once over the whole registration; a price that contains its tax may move by a
        /// minor unit for that.
        DocumentNet = "document_net",
        /// Once over the whole registration; prices that contain their tax stay as they are, and minor units move
        /// between net and tax.
        KeepGross = "keep_gross",
    }
}

relations! {
    keys {
        Organization(OrgId) -> organizations(Id);
        Venue(OrgId, VenueId) -> venues(OrgId, Id);
    }
    many {
        Occurrences = occurrences::Event;
        Sessions = sessions::Event;
        TicketTypes = ticket_types::Event;
        CapacityPools = capacity_pools::Event;
        PriceTiers = price_tiers::Event;
        DiscountRules = discount_rules::Event;
        PromoCodes = promo_codes::Event;
        TaxRules = tax_rules::Event;
        FeeRules = fee_rules::Event;
        Registrations = registrations::Event;
        Tickets = tickets::Event;
        Holds = stock_holds::Event;
        WaitlistEntries = waitlist_entries::Event;
        CheckInLists = check_in_lists::Event;
        CheckIns = check_ins::Event;
    }
    one {
        OnlineAccess = event_online_access::Event;
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("Event", 11, &DOCS)
        .root("event", "events")
        .scope("events:read")
        .enumeration::<EventStatus>(Column::Status)
        .enumeration::<EventVisibility>(Column::Visibility)
        .enumeration::<EventFormat>(Column::Format)
        .enumeration::<TaxRounding>(Column::TaxRounding)
        .to_one_required("organization", Relation::Organization.def(), "Who holds it.")
        .to_one("venue", Relation::Venue.def(), "Where it happens; null when it has no place.")
        .to_one_back(
            "onlineAccess",
            Relation::OnlineAccess.def(),
            "How to take part online. Null for everybody but members and those whose registration is confirmed.",
        )
        .to_many("occurrences", Relation::Occurrences.def(), 5, "Its dates; at least one.")
        .to_many("sessions", Relation::Sessions.def(), 30, "Its programme.")
        .to_many("ticketTypes", Relation::TicketTypes.def(), 10, "What is on sale, as far as the caller may see it.")
        .to_many("capacityPools", Relation::CapacityPools.def(), 10, "The stocks that its ticket types draw from. Members only.")
        .to_many("priceTiers", Relation::PriceTiers.def(), 20, "Prices that hold for a time or for the first ones. Members only.")
        .to_many("discountRules", Relation::DiscountRules.def(), 5, "Discounts that need no code. Members only.")
        .to_many("promoCodes", Relation::PromoCodes.def(), 20, "Codes for this event alone. Members only.")
        .to_many("taxRules", Relation::TaxRules.def(), 5, "Taxes at this event, those of single ticket types included. Members only.")
        .to_many("feeRules", Relation::FeeRules.def(), 5, "Fees at this event, beside the organization's. Members only.")
        .to_many("registrations", Relation::Registrations.def(), 100, "Registrations: all of them for members, their own for buyers.")
        .to_many("tickets", Relation::Tickets.def(), 100, "Tickets: all of them for members, their own for buyers.")
        .to_many("holds", Relation::Holds.def(), 20, "Places that staff set aside. Members only.")
        .to_many(
            "waitlistEntries",
            Relation::WaitlistEntries.def(),
            100,
            "Who waits for places: all of them for members, their own for those who wait.",
        )
        .to_many("checkInLists", Relation::CheckInLists.def(), 5, "Whom to let in where. Members only.")
        .to_many("checkIns", Relation::CheckIns.def(), 100, "Scans at the door, newest first: all of them for members, their own admissions for buyers.")
        .rows(
            "sessionsOn",
            "Session",
            RowSource::listing("public.event_sessions_on", 2),
            30,
            "The part of its programme that begins on that day, as the calendar stands in `timeZone`.",
        )
        .with_arguments(
            "sessionsOn",
            [Argument::needed("day", Scalar::Date, "The day.")],
        )
        .key_of(Column::VenueId, "Venue")
        .filter([
            Column::Status,
            Column::StartsAt,
            Column::CreatedAt,
            Column::Title,
            Column::VenueId,
        ])
        .order([Column::StartsAt, Column::CreatedAt, Column::Title])
        .default_order(Column::StartsAt, false)
        .filter_by(&["venue", "ticketTypes", "sessions", "registrations"])
        .aggregates(
            Aggregates::for_scope("events:read")
                .by(Column::Status)
                .by(Column::Format)
                .by_relation("venue")
                .by_time(Column::StartsAt)
                .in_zone(Column::TimeZone),
        )
        .done()
}
