//! Invitations to become a member.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations, text_enum};

documented! {
    /// An invitation, mailed to an address, to become a member with a certain role.
    #[sea_orm(table_name = "invitations")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// Address that was invited, in lower case.
        #[sea_orm(column_type = "Text")]
        pub email: String,
        /// The role that the person will have.
        pub role_id: Uuid,
        /// Who invited.
        pub invited_by: Option<Uuid>,
        /// Where the invitation stands.
        pub status: InvitationStatus,
        /// Until when it can be accepted.
        pub expires_at: DateTimeUtc,
        /// When it was accepted; null when it was not.
        pub accepted_at: Option<DateTimeUtc>,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

text_enum! {
    /// Where an invitation stands.
    pub enum InvitationStatus {
        /// Sent, not answered yet.
        Pending = "pending",
        /// The person became a member.
        Accepted = "accepted",
        /// Taken back by the organization.
        Revoked = "revoked",
        /// Not accepted in time.
        Expired = "expired",
    }
}

relations! {
    keys {
        Organization(OrgId) -> organizations(Id);
        Role(OrgId, RoleId) -> roles(OrgId, Id);
        InvitedBy(InvitedBy) -> users(Id);
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("Invitation", 5, &DOCS)
        .scope("members:read")
        .enumeration::<InvitationStatus>(Column::Status)
        .to_one_required(
            "role",
            Relation::Role.def(),
            "The role that the person will have.",
        )
        .to_one(
            "invitedBy",
            Relation::InvitedBy.def(),
            "Who invited; null when that person is no longer a member.",
        )
        .to_one_required(
            "organization",
            Relation::Organization.def(),
            "The organization.",
        )
        .filter([Column::Email, Column::Status, Column::CreatedAt])
        .order([Column::CreatedAt])
        .default_order(Column::CreatedAt, true)
        .done()
}
