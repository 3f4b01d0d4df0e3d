//! Tokens with which programs act.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// A token with which a program acts in an organization. Its secret is shown once, when the token is made.
    #[sea_orm(table_name = "api_tokens")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// What it is used for, 1 to 100 characters.
        #[sea_orm(column_type = "Text")]
        pub name: String,
        /// The first characters of the secret, to tell tokens apart.
        #[sea_orm(column_type = "Text")]
        pub prefix: String,
        /// Codes of the permissions that it carries, such as `events:read`; those its maker loses stop working.
        pub scopes: Vec<String>,
        /// Whether it executes only documents that the organization has registered.
        pub trusted_documents_only: bool,
        /// Who made it.
        pub created_by: Option<Uuid>,
        /// When it stops working; null for never.
        pub expires_at: Option<DateTimeUtc>,
        /// When it was last used, exact to some minutes; null when it never was.
        pub last_used_at: Option<DateTimeUtc>,
        /// When it was revoked; null while it is not.
        pub revoked_at: Option<DateTimeUtc>,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

relations! {
    keys {
        Organization(OrgId) -> organizations(Id);
        CreatedBy(CreatedBy) -> users(Id);
    }
    many {
        DeprecatedUses = deprecated_uses::ApiToken;
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("ApiToken", 7, &DOCS)
        .root("apiToken", "apiTokens")
        .scope("tokens:read")
        .to_one(
            "createdBy",
            Relation::CreatedBy.def(),
            "Who made it; null when that person is no longer a member.",
        )
        .to_one_required(
            "organization",
            Relation::Organization.def(),
            "The organization.",
        )
        .to_many(
            "deprecatedUses",
            Relation::DeprecatedUses.def(),
            20,
            "What it uses of this API that will be removed, day by day.",
        )
        .filter([Column::CreatedAt])
        .order([Column::CreatedAt])
        .default_order(Column::CreatedAt, true)
        .done()
}
