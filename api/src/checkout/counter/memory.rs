//! What the counter keeps in mind, so that a sale asks the database for it once. None of it is believed where it
//! matters: the functions check organization, buyer, stock and tickets themselves.

use std::time::Duration;

use moka::sync::Cache;
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
    organizations: Cache<Uuid, Uuid>,
}

impl Default for Memory {
    fn default() -> Self {
        let cache = |most, time| {
            Cache::builder()
                .max_capacity(most)
                .time_to_live(time)
                .build()
        };
        Self {
            holds: cache(MOST_HOLDS, HOLDS_FOR),
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

    /// The organization of an event that is on sale.
    pub fn organization_of(&self, event_id: Uuid) -> Option<Uuid> {
        self.organizations.get(&event_id)
    }

    /// Keeps it in mind.
    pub fn keep_organization(&self, event_id: Uuid, org_id: Uuid) {
        self.organizations.insert(event_id, org_id);
    }
}
