//! What the counter keeps in mind, so that a sale asks the database for it once. None of it is believed where it
//! matters: the functions check organization, buyer, stock and tickets themselves.

use std::{sync::Arc, time::Duration};

use moka::sync::Cache;
use tokio::sync::OnceCell;
use uuid::Uuid;

/// Longer than most holds; who confirms later is looked up.
const HOLDS_FOR: Duration = Duration::from_secs(1_800);
const MOST_HOLDS: u64 = 50_000;
/// An event never changes its organization; but it is unpublished, and then there is none to tell.
const EVENTS_FOR: Duration = Duration::from_secs(5);
const MOST_EVENTS: u64 = 10_000;

/// A hold that this process placed: what signing its tickets takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The organization.
    pub org_id: Uuid,
    /// The event.
    pub event_id: Uuid,
    /// The date of it.
    pub occurrence_id: Uuid,
    /// Its items, in their order.
    pub items: Vec<Uuid>,
    /// Whether nothing is to be paid.
    pub free: bool,
}

/// The counter's memory, bounded in number and time. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Memory {
    holds: Cache<Uuid, Held>,
    organizations: Cache<Uuid, Arc<OnceCell<Uuid>>>,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            holds: Cache::builder()
                .max_capacity(MOST_HOLDS)
                .time_to_live(HOLDS_FOR)
                .build(),
            organizations: Cache::builder()
                .max_capacity(MOST_EVENTS)
                .time_to_live(EVENTS_FOR)
                .build(),
        }
    }
}

impl Memory {
    /// Keeps a hold in mind.
    pub fn keep(&self, registration_id: Uuid, held: Held) {
        self.holds.insert(registration_id, held);
    }

    /// A hold, until it is confirmed.
    pub fn hold(&self, registration_id: Uuid) -> Option<Held> {
        self.holds.get(&registration_id)
    }

    /// Nothing more is done with it here, or it was remembered wrongly.
    pub fn forget(&self, registration_id: Uuid) {
        self.holds.invalidate(&registration_id);
    }

    /// Where the organization of an event that is on sale is told, once somebody has found out: of a crowd that comes
    /// at once one asks, and the others wait for that answer instead of for a connection each.
    pub fn organization_of(&self, event_id: Uuid) -> Arc<OnceCell<Uuid>> {
        self.organizations.get_with(event_id, Arc::default)
    }
}
