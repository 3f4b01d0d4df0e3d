//! What proves that a person is who they say. No weak role reads it.

use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// The secrets of one account.
    #[sea_orm(table_name = "user_secrets")]
    pub struct Model {
        /// The account.
        #[sea_orm(primary_key, auto_increment = false)]
        pub user_id: Uuid,
        /// The password, hashed with Argon2id in PHC string format.
        #[sea_orm(column_type = "Text")]
        pub password_hash: String,
        /// Wrong passwords in a row since the last right one.
        pub failed_sign_ins: i32,
        /// Until when signing in is refused; null when it is not.
        pub locked_until: Option<DateTimeUtc>,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

relations! {
    keys {
        User(UserId) -> users(Id);
    }
}
