//! Who speaks in which session.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// One speaker's part in one session.
    #[sea_orm(table_name = "session_speakers")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// The event of the session.
        pub event_id: Uuid,
        /// The session.
        pub session_id: Uuid,
        /// The speaker.
        pub speaker_id: Uuid,
        /// Place in the order of speakers, smallest first.
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
        Session(OrgId, SessionId) -> sessions(OrgId, Id);
        Speaker(OrgId, SpeakerId) -> speakers(OrgId, Id);
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("SessionSpeaker", 16, &DOCS)
        .scope("events:read")
        .to_one_required("session", Relation::Session.def(), "The session.")
        .to_one_required("speaker", Relation::Speaker.def(), "The speaker.")
        .key_of(Column::EventId, "Event")
        .key_of(Column::SessionId, "Session")
        .key_of(Column::SpeakerId, "Speaker")
        .order([Column::Position])
        .default_order(Column::Position, false)
        .creates(
            "events:write",
            [
                Column::EventId,
                Column::SessionId,
                Column::SpeakerId,
                Column::Position,
            ],
            &[(Column::OrgId, "es.current_org()")],
        )
        .updates("events:write", [Column::Position])
        .constraint(
            "session_speakers_pair_key",
            "speakerId",
            "They speak in this session already.",
        )
        .constraint(
            "session_speakers_session_fk",
            "sessionId",
            "The event has no such session.",
        )
        .constraint(
            "session_speakers_speaker_fk",
            "speakerId",
            "There is no such speaker.",
        )
        .done()
}
