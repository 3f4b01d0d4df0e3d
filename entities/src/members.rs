//! Who works in which organization.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// A person's place in an organization. Everything the person may do there comes from the role.
    #[sea_orm(table_name = "members")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// The person.
        pub user_id: Uuid,
        /// The role.
        pub role_id: Uuid,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

relations! {
    keys {
        Organization(OrgId) -> organizations(Id);
        User(UserId) -> users(Id);
        Role(OrgId, RoleId) -> roles(OrgId, Id);
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("Member", 3, &DOCS)
        .root("member", "members")
        .scope("members:read")
        .own_rows()
        .to_one_required("user", Relation::User.def(), "The person.")
        .to_one_required(
            "role",
            Relation::Role.def(),
            "The role that says what the person may do.",
        )
        .to_one_required(
            "organization",
            Relation::Organization.def(),
            "The organization.",
        )
        .key_of(Column::UserId, "User")
        .key_of(Column::RoleId, "Role")
        .filter([Column::UserId, Column::RoleId, Column::CreatedAt])
        .order([Column::CreatedAt])
        .default_order(Column::CreatedAt, false)
        .done()
}
