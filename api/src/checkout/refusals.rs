//! What several verbs of the sale refuse in the same words: the outcome's word, its code, the sentence, and the field.

use crate::outcome::Refusal;

pub(super) const REGISTRATION_NOT_FOUND: Refusal = (
    "registration_not_found",
    "REGISTRATION_NOT_FOUND",
    "there is no such registration",
    &["registrationId"],
);
pub(super) const SOLD_OUT: Refusal = (
    "sold_out",
    "SOLD_OUT",
    "there are not enough places left",
    &["lines"],
);
pub(super) const PRICE_CHANGED: Refusal = (
    "price_changed",
    "PRICE_CHANGED",
    "it costs something else than was expected; nothing was taken or changed",
    &["expectedTotal"],
);
pub(super) const EVENT_NOT_FOUND: Refusal = (
    "event_not_found",
    "EVENT_NOT_FOUND",
    "there is no such event on sale",
    &["eventId"],
);
pub(super) const OCCURRENCE_NOT_FOUND: Refusal = (
    "occurrence_not_found",
    "OCCURRENCE_NOT_FOUND",
    "the event has no such date",
    &["occurrenceId"],
);
pub(super) const TICKET_TYPE_NOT_FOUND: Refusal = (
    "ticket_type_not_found",
    "TICKET_TYPE_NOT_FOUND",
    "the event has no such ticket type",
    &["lines"],
);
pub(super) const SALE_NOT_OPEN: Refusal = (
    "sale_not_open",
    "SALE_NOT_OPEN",
    "this ticket type is not on sale now",
    &["lines"],
);
pub(super) const QUANTITY_OUT_OF_RANGE: Refusal = (
    "quantity_out_of_range",
    "QUANTITY_OUT_OF_RANGE",
    "so many cannot be placed in one registration",
    &["lines"],
);
pub(super) const INVALID: Refusal = ("invalid", "INVALID", "a value cannot be accepted", &[]);
pub(super) const ADD_ONS: Refusal = (
    "add_on_out_of_range",
    "ADD_ON_OUT_OF_RANGE",
    "so many add-ons do not go with these tickets",
    &["lines"],
);
pub(super) const CHOSEN_PRICE: Refusal = (
    "price_out_of_range",
    "PRICE_OUT_OF_RANGE",
    "a price is said for donations only, in the currency of the event and not below their least",
    &["lines"],
);
pub(super) const UNKNOWN_CODE: Refusal = (
    "code_unknown",
    "CODE_UNKNOWN",
    "there is no such promo code here",
    &["code"],
);
pub(super) const EARLY_CODE: Refusal = (
    "code_not_yet_valid",
    "CODE_NOT_YET_VALID",
    "the promo code is not valid yet",
    &["code"],
);
pub(super) const LATE_CODE: Refusal = (
    "code_expired",
    "CODE_EXPIRED",
    "the promo code is no longer valid",
    &["code"],
);
pub(super) const USELESS_CODE: Refusal = (
    "code_not_applicable",
    "CODE_NOT_APPLICABLE",
    "the promo code is for none of these tickets",
    &["code"],
);
pub(super) const USED_CODE: Refusal = (
    "code_used_up",
    "CODE_USED_UP",
    "the promo code cannot be used so often any more",
    &["code"],
);
pub(super) const CODE_OF_BUYER: Refusal = (
    "code_used_by_buyer",
    "CODE_USED_BY_BUYER",
    "this buyer has used the promo code as often as one may",
    &["code"],
);
