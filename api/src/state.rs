//! What every request reaches: the program's parts, put together once at start.

use std::sync::Arc;

use eventsphere_graphql::Engine;

use crate::{
    accounts::Accounts,
    clock::Clock,
    http::{Identify, Posture, Remembered, TrustedDocuments},
    tenancy::{Door, Grants},
    tickets::EventKeys,
    vault::Vault,
    verbs::Verbs,
};

/// The program. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The way to the database.
    pub door: Door,
    /// The clock.
    pub clock: Clock,
    /// Seals stored secrets.
    pub vault: Vault,
    /// What signing in needs: keys, caches, counts.
    pub accounts: Accounts,
    /// Keys that sign ticket codes.
    pub event_keys: EventKeys,
    /// Schema and compiler.
    pub engine: Arc<Engine>,
    /// The handlers of mutations.
    pub verbs: Arc<Verbs>,
    /// Which role may read which table.
    pub grants: Arc<Grants>,
    /// From a bearer token to an actor.
    pub identify: Arc<dyn Identify>,
    /// Documents that clients ask for by their hash.
    pub remembered: Remembered,
    /// Documents that organizations have registered.
    pub trusted_documents: Arc<dyn TrustedDocuments>,
    /// How open this instance is.
    pub posture: Posture,
}
