//! How an organization's pages and mails look.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// How the pages and mails of an organization look. Each organization has one at most.
    #[sea_orm(table_name = "branding")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// Address of the logo, `https` and at most 2000 characters; null for none.
        #[sea_orm(column_type = "Text")]
        pub logo_url: Option<String>,
        /// Main colour, `#` and six hexadecimal digits.
        #[sea_orm(column_type = "Text", default_value = "#1f4ed8")]
        pub primary_color: String,
        /// Colour of what should stand out, `#` and six hexadecimal digits.
        #[sea_orm(column_type = "Text", default_value = "#f59e0b")]
        pub accent_color: String,
        /// Address of the terms and conditions, `https`; null for none.
        #[sea_orm(column_type = "Text")]
        pub terms_url: Option<String>,
        /// Address of the privacy policy, `https`; null for none.
        #[sea_orm(column_type = "Text")]
        pub privacy_url: Option<String>,
        /// Text at the foot of pages and mails, at most 2000 characters; may be empty.
        #[sea_orm(column_type = "Text", default_value = "")]
        pub footer_text: String,
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
}

const WRITABLE: [Column; 6] = [
    Column::LogoUrl,
    Column::PrimaryColor,
    Column::AccentColor,
    Column::TermsUrl,
    Column::PrivacyUrl,
    Column::FooterText,
];
const HTTPS: &str = "An address starts with https:// and has at most 2000 characters.";
const COLOR: &str = "A colour is # and six hexadecimal digits.";

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("Branding", 6, &DOCS)
        .scope("organization:read")
        .to_one_required(
            "organization",
            Relation::Organization.def(),
            "The organization.",
        )
        .creates(
            "organization:write",
            WRITABLE,
            &[(Column::OrgId, "es.current_org()")],
        )
        .updates("organization:write", WRITABLE)
        .constraint(
            "branding_org_key",
            "",
            "The organization has its branding already; update it.",
        )
        .constraint("branding_logo_url_shape", "logoUrl", HTTPS)
        .constraint("branding_terms_url_shape", "termsUrl", HTTPS)
        .constraint("branding_privacy_url_shape", "privacyUrl", HTTPS)
        .constraint("branding_primary_color_shape", "primaryColor", COLOR)
        .constraint("branding_accent_color_shape", "accentColor", COLOR)
        .constraint(
            "branding_footer_length",
            "footerText",
            "The footer has at most 2000 characters.",
        )
        .done()
}
