//! Devices on which people are signed in.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// A device on which a person signed in, from the sign-in until it is signed out or runs out.
    #[sea_orm(table_name = "device_sessions")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The person.
        pub user_id: Uuid,
        /// The organization that the device acts in; null when it acts in none.
        pub org_id: Option<Uuid>,
        /// What the device calls itself, cut to 400 characters; empty when it does not say.
        #[sea_orm(column_type = "Text")]
        pub user_agent: String,
        /// The network address from which it was last seen; empty when unknown.
        #[sea_orm(column_type = "Text")]
        pub ip_address: String,
        /// When the device last renewed its access.
        pub last_used_at: DateTimeUtc,
        /// When the device is signed out unless it renews its access before.
        pub expires_at: DateTimeUtc,
        /// When the device was signed out; null while it is signed in.
        pub revoked_at: Option<DateTimeUtc>,
        /// Why it was signed out, a short word such as `signed_out` or `token_reuse`; null while it is signed in.
        #[sea_orm(column_type = "Text")]
        pub revoked_reason: Option<String>,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

relations! {
    keys {
        User(UserId) -> users(Id);
        Organization(OrgId) -> organizations(Id);
    }
    many {
        RefreshTokens = refresh_tokens::Session;
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("DeviceSession", 8, &DOCS)
        .to_one_required("user", Relation::User.def(), "The person.")
        .to_one(
            "organization",
            Relation::Organization.def(),
            "The organization that the device acts in; null when it acts in none.",
        )
        .default_order(Column::CreatedAt, true)
        .done()
}
