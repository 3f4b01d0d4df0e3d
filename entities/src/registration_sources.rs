//! Where buyers came from.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// A way by which buyers came to place registrations: campaign, partner, page. All who came the same way share it.
    /// Members only.
    #[sea_orm(table_name = "registration_sources")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// SHA-256 of everything that it says.
        #[sea_orm(column_type = "VarBinary(StringLen::None)")]
        pub fingerprint: Vec<u8>,
        /// `utm_source`: which site or medium sent them; at most 200 characters, as all of these.
        #[sea_orm(column_type = "Text")]
        pub utm_source: Option<String>,
        /// `utm_medium`: by what kind of link.
        #[sea_orm(column_type = "Text")]
        pub utm_medium: Option<String>,
        /// `utm_campaign`: in which campaign.
        #[sea_orm(column_type = "Text")]
        pub utm_campaign: Option<String>,
        /// `utm_term`: for which search word.
        #[sea_orm(column_type = "Text")]
        pub utm_term: Option<String>,
        /// `utm_content`: by which of several links.
        #[sea_orm(column_type = "Text")]
        pub utm_content: Option<String>,
        /// The partner who sent them.
        #[sea_orm(column_type = "Text")]
        pub affiliate: Option<String>,
        /// The page that they came from, without its query; at most 1000 characters.
        #[sea_orm(column_type = "Text")]
        pub referrer: Option<String>,
        /// The page at which they arrived, without its query; at most 1000 characters.
        #[sea_orm(column_type = "Text")]
        pub landing_url: Option<String>,
        /// When somebody first came this way.
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
        Registrations = registrations::Source;
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("RegistrationSource", 60, &DOCS)
        .root_many("registrationSources")
        .scope("registrations:read")
        .hide([Column::Fingerprint])
        .to_many(
            "registrations",
            Relation::Registrations.def(),
            100,
            "Registrations of those who came this way.",
        )
        .filter([
            Column::UtmSource,
            Column::UtmMedium,
            Column::UtmCampaign,
            Column::Affiliate,
            Column::CreatedAt,
        ])
        .order([Column::CreatedAt])
        .default_order(Column::CreatedAt, true)
        .done()
}
