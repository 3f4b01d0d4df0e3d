//! People who can sign in.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// A person with an account. One account serves all organizations: memberships say where the person works,
    /// registrations where they go.
    #[sea_orm(table_name = "users")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// Address for signing in and for mail, in lower case; unique over all accounts.
        #[sea_orm(column_type = "Text")]
        pub email: String,
        /// Full name as the person writes it, 1 to 200 characters.
        #[sea_orm(column_type = "Text")]
        pub name: String,
        /// Language for mail and pages, a BCP 47 tag such as `en` or `de-AT`.
        #[sea_orm(column_type = "Text")]
        pub locale: String,
        /// When the person proved that the address is theirs; null until then.
        pub email_verified_at: Option<DateTimeUtc>,
        /// When the account was closed for signing in; null while it is open.
        pub disabled_at: Option<DateTimeUtc>,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

relations! {
    many {
        Memberships = members::User;
        DeviceSessions = device_sessions::User;
        Registrations = registrations::User;
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("User", 1, &DOCS)
        .hide([Column::DisabledAt])
        .to_many(
            "memberships",
            Relation::Memberships.def(),
            5,
            "Where the person is a member: everywhere when asked by the person outside any organization, else in the \
             organization that the caller acts in.",
        )
        .to_many(
            "registrations",
            Relation::Registrations.def(),
            20,
            "What the person registered for, as far as the caller may see it.",
        )
        .to_many(
            "deviceSessions",
            Relation::DeviceSessions.def(),
            10,
            "Where the person is or was signed in. Empty for everybody but the person.",
        )
        .done()
}
