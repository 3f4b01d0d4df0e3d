//! The development mailbox: mail that a program without a mail server keeps. No weak role reads it.

use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// A mail that was written, kept for reading in development.
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
        /// Subject line.
        #[sea_orm(column_type = "Text")]
        pub subject: String,
        /// The text.
        #[sea_orm(column_type = "Text")]
        pub body_text: String,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it was handed over; null while it waits.
        pub delivered_at: Option<DateTimeUtc>,
    }
}

relations! {
    keys {
        Organization(OrgId) -> organizations(Id);
    }
}
