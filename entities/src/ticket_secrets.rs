//! What opens a received ticket to somebody without an account, hashed. No weak role reads it.

use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// The secret of one received ticket.
    #[sea_orm(table_name = "ticket_secrets")]
    pub struct Model {
        /// The ticket.
        #[sea_orm(primary_key, auto_increment = false)]
        pub ticket_id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// SHA-256 of the secret that its holder was given.
        #[sea_orm(column_type = "VarBinary(StringLen::None)")]
        pub secret_hash: Vec<u8>,
    }
}

relations! {
    keys {
        Ticket(OrgId, TicketId) -> tickets(OrgId, Id);
    }
}
