//! GraphQL documents that organizations trust.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations, text_enum};

documented! {
    /// A GraphQL document that an organization has registered. A token made with `trustedDocumentsOnly` executes no
    /// others; everybody who acts in the organization may ask for it by its hash or identifier instead of its text.
    #[sea_orm(table_name = "trusted_documents")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// SHA-256 of its text, 64 hexadecimal digits in lower case. `sha256:` and these are its `documentId`.
        #[sea_orm(column_type = "Text")]
        pub sha256: String,
        /// Another `documentId` under which it may be asked for, as the generator of the client made it; unique in the
        /// organization, null for none.
        #[sea_orm(column_type = "Text", nullable)]
        pub document_id: Option<String>,
        /// What it is called, 1 to 200 characters; unless one was given, the names of its operations.
        #[sea_orm(column_type = "Text")]
        pub name: String,
        /// The document as it was registered, to the letter.
        #[sea_orm(column_type = "Text")]
        pub text: String,
        /// When it was registered.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

text_enum! {
    /// What happens to the rest when some items of one call have errors.
    pub enum ErrorPolicy {
        /// Nothing is done.
        RejectAll = "reject_all",
        /// Those without errors are done.
        SkipFailed = "skip_failed",
    }
}

relations! {
    keys {
        Organization(OrgId) -> organizations(Id);
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("TrustedDocument", 40, &DOCS)
        .root("trustedDocument", "trustedDocuments")
        .scope("documents:read")
        .uses_enum::<ErrorPolicy>()
        .to_one_required(
            "organization",
            Relation::Organization.def(),
            "The organization.",
        )
        .filter([Column::Sha256, Column::DocumentId, Column::CreatedAt])
        .order([Column::CreatedAt])
        .default_order(Column::CreatedAt, true)
        .done()
}
