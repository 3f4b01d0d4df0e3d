//! What a visitor holds: a code that a scanner can verify with nothing but the event's public key. Codes are signed
//! here, for PostgreSQL has no Ed25519, and handed to the function that confirms a registration, which stores them.

mod code;
mod issue;
mod keys;
mod topics;

pub use code::{Admission, CodeError, sign, verify};
pub use issue::for_items;
pub use keys::{EventKey, EventKeys, event_key};
pub use topics::topics;
