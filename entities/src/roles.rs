//! Roles that members have.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// A role: the permissions that its members hold in one organization.
    #[sea_orm(table_name = "roles")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// Stable name for programs, unique in the organization: `a-z`, `0-9`, `_`, 2 to 40 characters.
        #[sea_orm(column_type = "Text")]
        pub key: String,
        /// Name for people, 1 to 100 characters.
        #[sea_orm(column_type = "Text")]
        pub name: String,
        /// What the role is for; may be empty.
        #[sea_orm(column_type = "Text")]
        pub description: String,
        /// Codes of the permissions that it gives, such as `events:read`.
        pub permissions: Vec<String>,
        /// Whether every organization has it and nobody can change it.
        pub built_in: bool,
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
        Members = members::Role;
        Invitations = invitations::Role;
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("Role", 4, &DOCS)
        .root("role", "roles")
        .scope("members:read")
        .own_rows()
        .to_one_required(
            "organization",
            Relation::Organization.def(),
            "The organization.",
        )
        .to_many(
            "members",
            Relation::Members.def(),
            20,
            "Members who have the role.",
        )
        .filter([Column::Key])
        .order([Column::Key])
        .default_order(Column::Key, false)
        .done()
}
