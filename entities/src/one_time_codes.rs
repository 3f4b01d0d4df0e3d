//! Codes mailed to people, hashed. No weak role reads it.

use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations, text_enum};

documented! {
    /// A code that was mailed to a person and works once.
    #[sea_orm(table_name = "one_time_codes")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The person.
        pub user_id: Uuid,
        /// What the code is for.
        pub purpose: CodePurpose,
        /// SHA-256 of the code.
        #[sea_orm(column_type = "VarBinary(StringLen::None)")]
        pub code_hash: Vec<u8>,
        /// When it stops working.
        pub expires_at: DateTimeUtc,
        /// When it was used; null until then.
        pub used_at: Option<DateTimeUtc>,
        /// When it was made.
        pub created_at: DateTimeUtc,
    }
}

text_enum! {
    /// What a mailed code is for.
    pub enum CodePurpose {
        /// Proves that the address belongs to the person.
        VerifyEmail = "verify_email",
        /// Lets the person choose a new password.
        ResetPassword = "reset_password",
    }
}

relations! {
    keys {
        User(UserId) -> users(Id);
    }
}
