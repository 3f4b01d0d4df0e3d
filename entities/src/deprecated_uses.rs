//! Who still uses what will be removed from the API.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations, text_enum};

documented! {
    /// How often one caller of an organization used one deprecated part of this API on one day: what it must stop
    /// using before that part is removed. Counted within some seconds.
    #[sea_orm(table_name = "deprecated_uses")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization whose token or member it was; none for visitors and people acting for themselves.
        pub org_id: Option<Uuid>,
        /// What kind of caller it was.
        #[sea_orm(column_type = "Text")]
        pub caller: Caller,
        /// The token that was used.
        pub api_token_id: Option<Uuid>,
        /// What was used, as a schema coordinate: `Type.field`, `Type.field(argument:)`, `Input.field` or `Enum.VALUE`.
        #[sea_orm(column_type = "Text")]
        pub coordinate: String,
        /// The day, as its first instant in UTC.
        pub day: DateTimeUtc,
        /// Operations of that day that used it.
        pub uses: i64,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

text_enum! {
    /// What kind of caller sent an operation. Expect new values.
    pub enum Caller {
        /// A program with an API token.
        Token = "token",
        /// A member, signed in and acting in the organization.
        Member = "member",
        /// A signed-in person acting for themselves.
        Attendee = "attendee",
        /// Somebody who is not signed in.
        Visitor = "visitor",
    }
}

relations! {
    keys {
        Organization(OrgId) -> organizations(Id);
        ApiToken(OrgId, ApiTokenId) -> api_tokens(OrgId, Id);
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("DeprecatedUse", 30, &DOCS)
        .root_many("deprecatedUses")
        .scope("tokens:read")
        .enumeration::<Caller>(Column::Caller)
        .key_of(Column::ApiTokenId, "ApiToken")
        .to_one(
            "apiToken",
            Relation::ApiToken.def(),
            "The token that was used; null when a member used it.",
        )
        .to_one(
            "organization",
            Relation::Organization.def(),
            "The organization.",
        )
        .filter([Column::Coordinate, Column::Day, Column::ApiTokenId])
        .order([Column::Day])
        .default_order(Column::Day, true)
        .done()
}
