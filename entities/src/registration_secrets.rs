//! What opens a guest's registration, hashed. No weak role reads it.

use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// The secret that a guest got when placing a registration.
    #[sea_orm(table_name = "registration_secrets")]
    pub struct Model {
        /// The registration.
        #[sea_orm(primary_key, auto_increment = false)]
        pub registration_id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// SHA-256 of the secret.
        #[sea_orm(column_type = "VarBinary(StringLen::None)")]
        pub secret_hash: Vec<u8>,
    }
}

relations! {
    keys {
        Registration(OrgId, RegistrationId) -> registrations(OrgId, Id);
    }
}
