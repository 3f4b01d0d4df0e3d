//! What opens an invitation, hashed. No weak role reads it.

use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// The secret of one invitation.
    #[sea_orm(table_name = "invitation_secrets")]
    pub struct Model {
        /// The invitation.
        #[sea_orm(primary_key, auto_increment = false)]
        pub invitation_id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// SHA-256 of the token that was mailed.
        #[sea_orm(column_type = "VarBinary(StringLen::None)")]
        pub token_hash: Vec<u8>,
    }
}

relations! {
    keys {
        Invitation(OrgId, InvitationId) -> invitations(OrgId, Id);
    }
}
