//! Who changed what.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// A change that was made in an organization. Entries are never changed and never deleted.
    #[sea_orm(table_name = "audit_log")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// Who did it: `user:` or `token:` with the key, `guest`, `anonymous`, or `system:` with the reason.
        #[sea_orm(column_type = "Text")]
        pub actor: String,
        /// What was done, such as `event.published`.
        #[sea_orm(column_type = "Text")]
        pub action: String,
        /// Kind of the thing that was changed, such as `event`.
        #[sea_orm(column_type = "Text")]
        pub object_type: String,
        /// Key of the thing that was changed.
        pub object_id: Uuid,
        /// What it was; null for something new.
        #[sea_orm(column_type = "JsonBinary")]
        pub before: Option<Json>,
        /// What it became; null for something gone.
        #[sea_orm(column_type = "JsonBinary")]
        pub after: Option<Json>,
        /// When it was made.
        pub created_at: DateTimeUtc,
    }
}

relations! {
    keys {
        Organization(OrgId) -> organizations(Id);
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("AuditEntry", 24, &DOCS)
        .root_many("auditEntries")
        .scope("audit:read")
        .hide([Column::Before, Column::After])
        .to_one_required(
            "organization",
            Relation::Organization.def(),
            "The organization.",
        )
        .filter([Column::Actor, Column::ObjectType, Column::CreatedAt])
        .order([Column::CreatedAt])
        .default_order(Column::CreatedAt, true)
        .done()
}
