//! Places where events happen.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// A place where events happen.
    #[sea_orm(table_name = "venues")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// Its name, 1 to 200 characters.
        #[sea_orm(column_type = "Text")]
        pub name: String,
        /// Street and number, at most 500 characters; may be empty.
        #[sea_orm(column_type = "Text", default_value = "")]
        pub address_line: String,
        /// City, at most 200 characters; may be empty.
        #[sea_orm(column_type = "Text", default_value = "")]
        pub city: String,
        /// State or province, at most 200 characters; may be empty.
        #[sea_orm(column_type = "Text", default_value = "")]
        pub region: String,
        /// Postal code, at most 40 characters; may be empty.
        #[sea_orm(column_type = "Text", default_value = "")]
        pub postal_code: String,
        /// Country, ISO 3166-1 alpha-2; null when not said.
        #[sea_orm(column_type = "Text")]
        pub country: Option<String>,
        /// Zone of its clocks, an IANA name such as `Europe/Berlin`.
        #[sea_orm(column_type = "Text", default_value = "UTC")]
        pub time_zone: String,
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
        Events = events::Venue;
    }
}

const WRITABLE: [Column; 7] = [
    Column::Name,
    Column::AddressLine,
    Column::City,
    Column::Region,
    Column::PostalCode,
    Column::Country,
    Column::TimeZone,
];

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("Venue", 10, &DOCS)
        .scope("events:read")
        .to_one_required(
            "organization",
            Relation::Organization.def(),
            "The organization.",
        )
        .to_many(
            "events",
            Relation::Events.def(),
            20,
            "Events that happen there.",
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
            "venues_name_length",
            "name",
            "A name has 1 to 200 characters.",
        )
        .constraint(
            "venues_address_line_length",
            "addressLine",
            "The street has at most 500 characters.",
        )
        .constraint(
            "venues_city_length",
            "city",
            "The city has at most 200 characters.",
        )
        .constraint(
            "venues_region_length",
            "region",
            "The region has at most 200 characters.",
        )
        .constraint(
            "venues_postal_code_length",
            "postalCode",
            "The postal code has at most 40 characters.",
        )
        .constraint(
            "venues_country_shape",
            "country",
            "A country is two capital letters (ISO 3166-1).",
        )
        .constraint(
            "venues_time_zone_known",
            "timeZone",
            "There is no such IANA time zone.",
        )
        .done()
}
