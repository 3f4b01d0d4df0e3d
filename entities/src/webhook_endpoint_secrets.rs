//! Secrets that deliveries are signed with, sealed. No weak role reads it.

use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// The secrets of one endpoint.
    #[sea_orm(table_name = "webhook_endpoint_secrets")]
    pub struct Model {
        /// The endpoint.
        #[sea_orm(primary_key, auto_increment = false)]
        pub endpoint_id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// The secret, sealed.
        #[sea_orm(column_type = "VarBinary(StringLen::None)")]
        pub sealed: Vec<u8>,
        /// The one before it, sealed, while both sign.
        #[sea_orm(column_type = "VarBinary(StringLen::None)")]
        pub previous_sealed: Option<Vec<u8>>,
        /// Until when the one before signs too.
        pub previous_until: Option<DateTimeUtc>,
    }
}

relations! {
    keys {
        Endpoint(OrgId, EndpointId) -> webhook_endpoints(OrgId, Id);
    }
}
