//! People who speak at events.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// A person who speaks at events of an organization.
    #[sea_orm(table_name = "speakers")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// Full name, 1 to 200 characters.
        #[sea_orm(column_type = "Text")]
        pub name: String,
        /// What they are, such as a profession, at most 200 characters; may be empty.
        #[sea_orm(column_type = "Text", default_value = "")]
        pub title: String,
        /// Where they work, at most 200 characters; may be empty.
        #[sea_orm(column_type = "Text", default_value = "")]
        pub company: String,
        /// About them, in Markdown, at most 10000 characters; may be empty.
        #[sea_orm(column_type = "Text", default_value = "")]
        pub bio: String,
        /// Address of a portrait, `https` and at most 2000 characters; null for none.
        #[sea_orm(column_type = "Text")]
        pub photo_url: Option<String>,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

relations! {
    keys {
        Organization(OrgId) -> organizations(Id);
    }
    many {
        SessionSpeakers = session_speakers::Speaker;
    }
}

const WRITABLE: [Column; 5] = [
    Column::Name,
    Column::Title,
    Column::Company,
    Column::Bio,
    Column::PhotoUrl,
];

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("Speaker", 15, &DOCS)
        .scope("events:read")
        .to_one_required(
            "organization",
            Relation::Organization.def(),
            "The organization.",
        )
        .many_to_many(
            "sessions",
            Relation::SessionSpeakers.def(),
            crate::session_speakers::Relation::Session.def(),
            10,
            "Where they speak.",
        )
        .to_many(
            "sessionSpeakers",
            Relation::SessionSpeakers.def(),
            10,
            "Where they speak, with their place in the order of speakers.",
        )
        .filter([Column::Name])
        .order([Column::Name])
        .default_order(Column::Name, false)
        .creates(
            "events:write",
            WRITABLE,
            &[(Column::OrgId, "es.current_org()")],
        )
        .updates("events:write", WRITABLE)
        .constraint(
            "speakers_name_length",
            "name",
            "A name has 1 to 200 characters.",
        )
        .constraint(
            "speakers_title_length",
            "title",
            "A title has at most 200 characters.",
        )
        .constraint(
            "speakers_company_length",
            "company",
            "A company has at most 200 characters.",
        )
        .constraint(
            "speakers_bio_length",
            "bio",
            "A biography has at most 10000 characters.",
        )
        .constraint(
            "speakers_photo_url_shape",
            "photoUrl",
            "An address starts with https:// and has at most 2000 characters.",
        )
        .done()
}
