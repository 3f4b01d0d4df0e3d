//! The programme of events.

use eventsphere_graphql::{Declaration, RowSource, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// A part of an event's programme: a talk, a workshop, a break.
    #[sea_orm(table_name = "sessions")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// The event.
        pub event_id: Uuid,
        /// The date that it belongs to.
        pub occurrence_id: Option<Uuid>,
        /// Title, 1 to 200 characters.
        #[sea_orm(column_type = "Text")]
        pub title: String,
        /// What it is about, in Markdown, at most 20000 characters; may be empty.
        #[sea_orm(column_type = "Text", default_value = "")]
        pub description: String,
        /// Where at the venue, at most 200 characters; may be empty.
        #[sea_orm(column_type = "Text", default_value = "")]
        pub room: String,
        /// Strand of the programme, at most 200 characters; may be empty.
        #[sea_orm(column_type = "Text", default_value = "")]
        pub track: String,
        /// When it begins.
        pub starts_at: DateTimeUtc,
        /// When it ends; after it begins.
        pub ends_at: DateTimeUtc,
        /// Place among sessions that begin together, smallest first.
        #[sea_orm(default_value = 0)]
        pub position: i32,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

relations! {
    keys {
        Event(OrgId, EventId) -> events(OrgId, Id);
        Occurrence(OrgId, OccurrenceId) -> occurrences(OrgId, Id);
    }
    many {
        SessionSpeakers = session_speakers::Session;
    }
}

const WRITABLE: [Column; 8] = [
    Column::OccurrenceId,
    Column::Title,
    Column::Description,
    Column::Room,
    Column::Track,
    Column::StartsAt,
    Column::EndsAt,
    Column::Position,
];

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("Session", 14, &DOCS)
        .scope("events:read")
        .to_one_required("event", Relation::Event.def(), "The event.")
        .to_one(
            "occurrence",
            Relation::Occurrence.def(),
            "The date that it belongs to; null when it belongs to all.",
        )
        .many_to_many(
            "speakers",
            Relation::SessionSpeakers.def(),
            crate::session_speakers::Relation::Speaker.def(),
            5,
            "Who speaks.",
        )
        .to_many(
            "sessionSpeakers",
            Relation::SessionSpeakers.def(),
            5,
            "Who speaks, with their place in the order of speakers.",
        )
        .key_of(Column::EventId, "Event")
        .key_of(Column::OccurrenceId, "Occurrence")
        .filter([Column::OccurrenceId, Column::StartsAt, Column::Track])
        .order([Column::StartsAt])
        .default_order(Column::StartsAt, false)
        .filter_by(&["speakers"])
        .rows(
            "clashes",
            "Session",
            RowSource::listing("public.session_clashes", 2),
            5,
            "Sessions of the event that take place meanwhile in the same room or with one of the same speakers.",
        )
        .creates(
            "events:write",
            std::iter::once(Column::EventId).chain(WRITABLE),
            &[(Column::OrgId, "es.current_org()")],
        )
        .updates("events:write", WRITABLE)
        .constraint("sessions_event_fk", "eventId", "There is no such event.")
        .constraint(
            "sessions_occurrence_fk",
            "occurrenceId",
            "The event has no such date.",
        )
        .constraint(
            "sessions_title_length",
            "title",
            "A title has 1 to 200 characters.",
        )
        .constraint(
            "sessions_description_length",
            "description",
            "A description has at most 20000 characters.",
        )
        .constraint(
            "sessions_room_length",
            "room",
            "A room has at most 200 characters.",
        )
        .constraint(
            "sessions_track_length",
            "track",
            "A track has at most 200 characters.",
        )
        .constraint(
            "sessions_ends_after_start",
            "endsAt",
            "It must end after it begins.",
        )
        .done()
}
