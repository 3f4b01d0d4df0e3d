//! How to take part online, kept apart from the event: not everybody who sees the event may see it.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// How to take part in an event online. Seen by members and by those whose registration is confirmed.
    #[sea_orm(table_name = "event_online_access")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// The event.
        pub event_id: Uuid,
        /// Where to go, `https` and at most 2000 characters.
        #[sea_orm(column_type = "Text")]
        pub join_url: String,
        /// What to know beforehand, at most 5000 characters; may be empty.
        #[sea_orm(column_type = "Text", default_value = "")]
        pub instructions: String,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

relations! {
    keys {
        Event(OrgId, EventId) -> events(OrgId, Id);
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("OnlineAccess", 13, &DOCS)
        .scope("events:read")
        .to_one_required("event", Relation::Event.def(), "The event.")
        .key_of(Column::EventId, "Event")
        .creates(
            "events:write",
            [Column::EventId, Column::JoinUrl, Column::Instructions],
            &[(Column::OrgId, "es.current_org()")],
        )
        .updates("events:write", [Column::JoinUrl, Column::Instructions])
        .constraint(
            "event_online_access_event_fk",
            "eventId",
            "There is no such event.",
        )
        .constraint(
            "event_online_access_event_key",
            "eventId",
            "The event has its online access already; update it.",
        )
        .constraint(
            "event_online_access_join_url_shape",
            "joinUrl",
            "An address starts with https:// and has at most 2000 characters.",
        )
        .constraint(
            "event_online_access_instructions_length",
            "instructions",
            "Instructions have at most 5000 characters.",
        )
        .done()
}
