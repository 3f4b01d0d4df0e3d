//! What is taken from stocks, by whom. No weak role reads it.

use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// What one claimant took from one stock. The claimant is a registration, a hold of staff, a code that reserves, or
    /// an offer to somebody who waits: exactly one of the four keys is set.
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
        /// The registration, when it took the places.
        pub registration_id: Option<Uuid>,
        /// The hold of staff, when it keeps the places.
        pub hold_id: Option<Uuid>,
        /// The code, when its unused uses keep the places.
        pub promo_code_id: Option<Uuid>,
        /// The offer, when somebody who waits was offered the places.
        pub waitlist_offer_id: Option<Uuid>,
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
        Hold(OrgId, HoldId) -> stock_holds(OrgId, Id);
        Code(OrgId, PromoCodeId) -> promo_codes(OrgId, Id);
        Offer(OrgId, WaitlistOfferId) -> waitlist_offers(OrgId, Id);
    }
}
