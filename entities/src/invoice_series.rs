//! Where the numbers of invoices come from.

use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// A series of numbers without gaps: one for each kind of document and year of an organization.
    #[sea_orm(table_name = "invoice_series")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// Which documents.
        #[sea_orm(column_type = "Text")]
        pub kind: String,
        /// Which year, in the organization's zone.
        pub year: i32,
        /// The number that was drawn last.
        pub last_number: i32,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

relations! {}
