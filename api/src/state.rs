//! What every request reaches: the program's parts, put together once at start.

use std::sync::Arc;

use eventsphere_graphql::Engine;

use crate::{
    accounts::Accounts,
    checkout::Counter,
    clock::Clock,
    deprecated_uses::DeprecatedUses,
    http::{Identify, Posture, Remembered, TrustedDocuments},
    metrics::Metrics,
    tenancy::{Door, Grants},
    throttle::Throttle,
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
    /// What signing in needs: keys, caches.
    pub accounts: Accounts,
    /// Keys that sign ticket codes.
    pub event_keys: EventKeys,
    /// Where buyers are served together.
    pub counter: Counter,
    /// Schema and compiler.
    pub engine: Arc<Engine>,
    /// Counts who still uses what will be removed.
    pub deprecated_uses: DeprecatedUses,
    /// The handlers of mutations.
    pub verbs: Arc<Verbs>,
    /// Which role may read which table.
    pub grants: Arc<Grants>,
    /// From a bearer token to an actor.
    pub identify: Arc<dyn Identify>,
    /// How much callers may ask.
    pub throttle: Throttle,
    /// What is counted for operators.
    pub metrics: Arc<Metrics>,
    /// Documents that clients ask for by their hash.
    pub remembered: Remembered,
    /// Documents that organizations have registered.
    pub trusted_documents: Arc<dyn TrustedDocuments>,
    /// How open this instance is.
    pub posture: Posture,
}
