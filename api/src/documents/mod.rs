//! GraphQL documents that organizations trust. A frontend's build registers the documents that it uses; a token made
//! with `trustedDocumentsOnly` then executes these and nothing else, so a token that leaks out of a page asks no other
//! questions than the page does. Everybody who acts in the organization may ask for them by hash or identifier.
//! Which are registered is read once in five seconds at most; their texts stay with the engine.

mod register;
mod registered;
mod remove;

pub use registered::Registered;

use crate::verbs::Verbs;

/// The mutations of this slice.
pub fn verbs(registry: &mut Verbs) {
    registry
        .input(register::document())
        .add::<register::RegisterTrustedDocuments>()
        .add::<remove::RemoveTrustedDocuments>();
}
