//! The permissions that exist, as rows; their source is [`crate::permissions`].

use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// A permission. Written by migrations only, from the one table in the program.
    #[sea_orm(table_name = "permissions")]
    pub struct Model {
        /// What it allows, `resource:read` or `resource:write`.
        #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
        pub code: String,
        /// The same for people.
        #[sea_orm(column_type = "Text")]
        pub description: String,
        /// Keys of the built-in roles that hold it.
        pub default_roles: Vec<String>,
    }
}

relations! {}
