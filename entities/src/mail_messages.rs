//! Letters: what is to be said to whom, and what was made of it. They hold codes, so no weak role reads them.

use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// A letter, before and after its delivery; `message_deliveries` has what members see of it.
    #[sea_orm(table_name = "mail_messages")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization on whose behalf it was written; null for mail about accounts.
        pub org_id: Option<Uuid>,
        /// Which mail it is, such as `verify_email`.
        #[sea_orm(column_type = "Text")]
        pub kind: String,
        /// Address that it is for.
        #[sea_orm(column_type = "Text")]
        pub recipient: String,
        /// Subject line; null until it is made.
        #[sea_orm(column_type = "Text", nullable)]
        pub subject: Option<String>,
        /// The text; null until it is made.
        #[sea_orm(column_type = "Text", nullable)]
        pub body_text: Option<String>,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it was handed over; null while it waits.
        pub delivered_at: Option<DateTimeUtc>,
        /// The event that it is about.
        pub event_id: Option<Uuid>,
        /// The registration that it is about.
        pub registration_id: Option<Uuid>,
        /// Which way it goes.
        #[sea_orm(column_type = "Text", default_value = "email")]
        pub channel: String,
        /// What it tells beside what is found when it is made; null when it was written out at once.
        #[sea_orm(column_type = "JsonBinary", nullable)]
        pub variables: Option<Json>,
        /// The text with its looks.
        #[sea_orm(column_type = "Text", nullable)]
        pub body_html: Option<String>,
        /// The calendar file that goes with it.
        #[sea_orm(column_type = "Text", nullable)]
        pub calendar: Option<String>,
    }
}

relations! {
    keys {
        Organization(OrgId) -> organizations(Id);
    }
}
