//! What was offered to those who wait.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations, text_enum};

documented! {
    /// Places kept for an entry of a waitlist until it accepts them, or until the offer expires.
    #[sea_orm(table_name = "waitlist_offers")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// The event.
        pub event_id: Uuid,
        /// The entry.
        pub entry_id: Uuid,
        /// Where the offer stands.
        pub status: WaitlistOfferStatus,
        /// Until when the places are kept.
        pub expires_at: DateTimeUtc,
        /// When it was made.
        pub offered_at: DateTimeUtc,
        /// When it was accepted, declined, or cleared away after it expired; null before.
        pub answered_at: Option<DateTimeUtc>,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

text_enum! {
    /// Where an offer of a waitlist stands. Expect new values.
    pub enum WaitlistOfferStatus {
        /// Open until `expiresAt`.
        Offered = "offered",
        /// Its places are held by a registration.
        Accepted = "accepted",
        /// Its places went to whoever waits next.
        Declined = "declined",
        /// Not answered in time; its places went to whoever waits next.
        Expired = "expired",
    }
}

relations! {
    keys {
        Entry(OrgId, EntryId) -> waitlist_entries(OrgId, Id);
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("WaitlistOffer", 64, &DOCS)
        .scope("registrations:read")
        .enumeration::<WaitlistOfferStatus>(Column::Status)
        .to_one_required("entry", Relation::Entry.def(), "The entry.")
        .order([Column::OfferedAt])
        .default_order(Column::OfferedAt, true)
        .done()
}
