//! Who waits for places.

use eventsphere_graphql::{Aggregates, Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations, text_enum};

documented! {
    /// Somebody who waits for places at one date of an event. What becomes free is offered by `priority`, then by
    /// `joinedAt`; a group gets all of its places at once or none.
    #[sea_orm(table_name = "waitlist_entries")]
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
        /// The account of whoever waits.
        pub user_id: Option<Uuid>,
        /// What became of an accepted offer.
        pub registration_id: Option<Uuid>,
        /// Name of whoever waits, 1 to 200 characters.
        #[sea_orm(column_type = "Text")]
        pub name: String,
        /// Address to which offers are sent, in lower case.
        #[sea_orm(column_type = "Text")]
        pub email: String,
        /// Where the entry stands.
        pub status: WaitlistStatus,
        /// Greater comes first; set by members, -1000000 to 1000000. While an entry could take what is free but not all
        /// of it is there yet, none of a lower priority is offered it.
        #[sea_orm(default_value = 0)]
        pub priority: i32,
        /// Since when.
        pub joined_at: DateTimeUtc,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

text_enum! {
    /// Where an entry of a waitlist stands. Expect new values.
    pub enum WaitlistStatus {
        /// Waits for places.
        Waiting = "waiting",
        /// Places are kept for it until its offer expires.
        Offered = "offered",
        /// The offer was accepted; see `registration`.
        Accepted = "accepted",
        /// The offer was declined.
        Declined = "declined",
        /// The offer was not answered in time.
        Expired = "expired",
        /// Does not wait any more.
        Left = "left",
    }
}

relations! {
    keys {
        Event(OrgId, EventId) -> events(OrgId, Id);
        Occurrence(OrgId, OccurrenceId) -> occurrences(OrgId, Id);
        Registration(OrgId, RegistrationId) -> registrations(OrgId, Id);
        User(UserId) -> users(Id);
    }
    many {
        Lines = waitlist_lines::Entry;
        Offers = waitlist_offers::Entry;
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("WaitlistEntry", 62, &DOCS)
        .root("waitlistEntry", "waitlistEntries")
        .scope("registrations:read")
        .enumeration::<WaitlistStatus>(Column::Status)
        .to_one("event", Relation::Event.def(), "The event.")
        .to_one("occurrence", Relation::Occurrence.def(), "The date.")
        .to_one(
            "registration",
            Relation::Registration.def(),
            "What became of an accepted offer; null when the caller may not see it.",
        )
        .to_one(
            "user",
            Relation::User.def(),
            "The account of whoever waits; null for guests, and when the caller may not see it.",
        )
        .to_many("lines", Relation::Lines.def(), 3, "What it waits for.")
        .to_many(
            "offers",
            Relation::Offers.def(),
            2,
            "Offers made to it; one is open at most.",
        )
        .key_of(Column::EventId, "Event")
        .key_of(Column::OccurrenceId, "Occurrence")
        .key_of(Column::UserId, "User")
        .key_of(Column::RegistrationId, "Registration")
        .filter([
            Column::Status,
            Column::EventId,
            Column::OccurrenceId,
            Column::UserId,
            Column::Email,
            Column::Priority,
            Column::JoinedAt,
        ])
        .order([Column::JoinedAt, Column::Priority])
        .default_order(Column::JoinedAt, false)
        .aggregates(
            Aggregates::for_scope("registrations:read")
                .by(Column::Status)
                .by_relation("event")
                .by_relation("occurrence"),
        )
        .done()
}
