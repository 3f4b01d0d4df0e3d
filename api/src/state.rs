//! What every request reaches: the program's parts, put together once at start.

use std::{ops::Deref, sync::Arc};

use eventsphere_graphql::Engine;

use crate::{
    accounts::Accounts,
    checkout::Counter,
    clock::Clock,
    deprecated_uses::DeprecatedUses,
    http::{Identify, Posture, Remembered, TrustedDocuments},
    jobs::Jobs,
    live::Live,
    messages::Messages,
    metrics::Metrics,
    payments::Payments,
    tenancy::{Door, Grants},
    throttle::Throttle,
    tickets::EventKeys,
    vault::Vault,
    verbs::Verbs,
    webhooks::Webhooks,
};

/// The program. Every request and every layer around it clones this.
#[derive(Clone)]
pub struct App(Arc<Parts>);

impl App {
    /// Of these parts.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Another program that shares all parts but the changed ones.
    pub fn with(&self, change: impl FnOnce(&mut Parts)) -> Self {
        let mut parts = (*self.0).clone();
        change(&mut parts);
        Self::new(parts)
    }
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// What the program is made of. Each part is cheap to clone.
#[derive(Clone)]
pub struct Parts {
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
    /// What is done after the commit.
    pub jobs: Jobs,
    /// Those who watch what changes.
    pub live: Live,
    /// Payment providers.
    pub payments: Payments,
    /// What sends webhooks.
    pub webhooks: Webhooks,
    /// How messages leave.
    pub messages: Messages,
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
