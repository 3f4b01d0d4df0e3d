//! An event's life: created as a draft with its first date, changed, published, completed or cancelled, archived,
//! cloned, deleted. Each verb is one SQL function that checks the permission, locks, writes, and leaves an audit entry
//! and an outbox row. Programme, venues, ticket types and pools are settings: their mutations are generated.

mod cancel_event;
mod cancel_registrations;
mod clone_event;
mod create_event;
mod delete_event;
mod discover;
mod fields;
mod status;
mod topics;
mod update_event;

pub use discover::functions;
pub use topics::topics;

use crate::{jobs::Registry, verbs::Verbs};

/// The verbs of this slice.
pub fn verbs(registry: &mut Verbs) {
    registry
        .add::<create_event::CreateEvent>()
        .add::<update_event::UpdateEvent>()
        .add::<clone_event::CloneEvent>()
        .add::<delete_event::DeleteEvent>()
        .add::<status::PublishEvent>()
        .add::<status::CompleteEvent>()
        .add::<cancel_event::CancelEvent>()
        .add::<status::ArchiveEvent>()
        .add::<status::RestoreEvent>();
}

/// The jobs of this slice.
pub fn jobs(registry: &mut Registry) {
    registry.add::<cancel_registrations::CancelRegistrations>();
}
