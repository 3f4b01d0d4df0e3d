//! What registrations take from stocks. No weak role reads it.

use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// What one registration took from one stock.
    #[sea_orm(table_name = "pool_claims")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// The event.
        pub event_id: Uuid,
        /// The stock.
        pub pool_id: Uuid,
        /// The registration.
        pub registration_id: Uuid,
        /// How many places.
        pub quantity: i32,
        /// Until when a hold counts; null when it does not run out.
        pub expires_at: Option<DateTimeUtc>,
        /// When the places were given back; null while they are taken.
        pub released_at: Option<DateTimeUtc>,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

relations! {
    keys {
        Pool(OrgId, PoolId) -> capacity_pools(OrgId, Id);
        Registration(OrgId, RegistrationId) -> registrations(OrgId, Id);
    }
}
