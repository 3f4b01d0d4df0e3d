//! Tenants.

use eventsphere_graphql::{Declaration, declare, declare::Builder};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// An organization: whoever holds events. It owns everything that belongs to them and shares nothing with
    /// others.
    #[sea_orm(table_name = "organizations")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// Its name in addresses, unique over all organizations: 1 to 63 of `a-z`, `0-9` and inner hyphens.
        #[sea_orm(column_type = "Text")]
        pub slug: String,
        /// Its name, 1 to 200 characters.
        #[sea_orm(column_type = "Text")]
        pub name: String,
        /// Where it is at home, ISO 3166-1 alpha-2; null when not said.
        #[sea_orm(column_type = "Text")]
        pub country: Option<String>,
        /// Currency that new events start with, ISO 4217.
        #[sea_orm(column_type = "Text")]
        pub default_currency: String,
        /// Zone that new events and confirmation numbers use, an IANA name such as `Europe/Berlin`.
        #[sea_orm(column_type = "Text")]
        pub time_zone: String,
        /// Where attendees can write to, in lower case; null when not said.
        #[sea_orm(column_type = "Text")]
        pub support_email: Option<String>,
        /// Language of its messages to people whose own is not known: two letters (ISO 639-1), a region where it matters
        /// (`pt-BR`).
        #[sea_orm(column_type = "Text", default_value = "en")]
        pub language: String,
        /// Its name on invoices, where that is another; null when not said.
        #[sea_orm(column_type = "Text")]
        pub legal_name: Option<String>,
        /// Its address on invoices, in lines; null when not said.
        #[sea_orm(column_type = "Text")]
        pub billing_address: Option<String>,
        /// The number by which tax offices know it, for invoices; null when not said.
        #[sea_orm(column_type = "Text")]
        pub tax_number: Option<String>,
        /// When it was closed; null while it is open.
        pub deleted_at: Option<DateTimeUtc>,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

relations! {
    many {
        Roles = roles::Organization;
        Members = members::Organization;
        Invitations = invitations::Organization;
        ApiTokens = api_tokens::Organization;
        Venues = venues::Organization;
        Events = events::Organization;
        Speakers = speakers::Organization;
        Attendees = attendees::Organization;
        Registrations = registrations::Organization;
        AuditEntries = audit_log::Organization;
    }
    one {
        Branding = branding::Organization;
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    writable(
        declare::<Entity>("Organization", 2, &DOCS)
            .root_one("organization")
            .hide([Column::DeletedAt])
            .to_one_back(
                "branding",
                Relation::Branding.def(),
                "How its pages and mails look.",
            )
            .to_many(
                "events",
                Relation::Events.def(),
                50,
                "Its events, as far as the caller may see them.",
            )
            .to_many(
                "venues",
                Relation::Venues.def(),
                20,
                "Places where its events happen.",
            )
            .to_many(
                "speakers",
                Relation::Speakers.def(),
                50,
                "People who speak at its events.",
            )
            .to_many(
                "members",
                Relation::Members.def(),
                20,
                "People who work in it.",
            )
            .to_many(
                "roles",
                Relation::Roles.def(),
                10,
                "Roles that its members can have.",
            )
            .to_many(
                "invitations",
                Relation::Invitations.def(),
                20,
                "Invitations to become a member.",
            )
            .to_many(
                "apiTokens",
                Relation::ApiTokens.def(),
                20,
                "Tokens with which programs act in it.",
            )
            .to_many(
                "attendees",
                Relation::Attendees.def(),
                100,
                "People who were registered for its events.",
            )
            .to_many(
                "registrations",
                Relation::Registrations.def(),
                100,
                "Registrations for its events.",
            )
            .to_many(
                "auditEntries",
                Relation::AuditEntries.def(),
                100,
                "What was changed in it, and by whom.",
            ),
    )
    .done()
}

/// What members may change, and what each rule of the table means to them.
fn writable(organization: Builder<Entity>) -> Builder<Entity> {
    organization
        .updates(
            "organization:write",
            [
                Column::Name,
                Column::Slug,
                Column::Country,
                Column::DefaultCurrency,
                Column::TimeZone,
                Column::SupportEmail,
                Column::Language,
                Column::LegalName,
                Column::BillingAddress,
                Column::TaxNumber,
            ],
        )
        .constraint(
            "organizations_slug_key",
            "slug",
            "Another organization uses this slug.",
        )
        .constraint(
            "organizations_slug_shape",
            "slug",
            "A slug is 1 to 63 of a-z, 0-9 and inner hyphens.",
        )
        .constraint(
            "organizations_name_length",
            "name",
            "A name has 1 to 200 characters.",
        )
        .constraint(
            "organizations_country_shape",
            "country",
            "A country is two capital letters (ISO 3166-1).",
        )
        .constraint(
            "organizations_currency_shape",
            "defaultCurrency",
            "A currency is three capital letters (ISO 4217).",
        )
        .constraint(
            "organizations_time_zone_known",
            "timeZone",
            "There is no such IANA time zone.",
        )
        .constraint(
            "organizations_support_email_shape",
            "supportEmail",
            "This is no e-mail address in lower case.",
        )
        .constraint(
            "organizations_language_shape",
            "language",
            "A language is two letters, and a region where it matters: en, pt-BR.",
        )
        .constraint(
            "organizations_legal_name_length",
            "legalName",
            "A legal name has 1 to 200 characters.",
        )
        .constraint(
            "organizations_billing_address_length",
            "billingAddress",
            "An address on invoices has 1 to 500 characters.",
        )
        .constraint(
            "organizations_tax_number_length",
            "taxNumber",
            "A tax number has 1 to 50 characters.",
        )
}
