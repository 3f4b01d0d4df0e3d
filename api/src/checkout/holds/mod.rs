//! Holds: places that staff set aside and sell to whom they choose, by the hold's key or themselves. A hold claims stock
//! like a registration does (`sql/functions/create_hold.sql`); placing from it converts the claim (`credit.sql`). A promo
//! code that reserves stock is a hold by other means, and stands beside them.

mod change;
mod create;
mod key;
mod release;
mod reserve;

pub(crate) use create::invalid;
pub(super) use key::hash as key_hash;

use crate::verbs::Verbs;

/// The verbs of holds.
pub(super) fn verbs(registry: &mut Verbs) {
    registry
        .add::<create::CreateHold>()
        .add::<change::ChangeHold>()
        .add::<release::ReleaseHold>()
        .add::<reserve::ReservePromoCodeStock>();
}
