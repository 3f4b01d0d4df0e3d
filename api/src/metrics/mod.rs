//! Figures for operators, as text that Prometheus reads. Each program counts in a registry of its own, a few atomic
//! numbers whose labels are fixed here: none of them can name an organization or a person.

mod histogram;
mod page;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub use histogram::Histogram;
pub use page::routes;

/// How a GraphQL request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Executed, perhaps with errors beside the data.
    Executed,
    /// Never executed: no document, not allowed, too dear.
    Refused,
    /// Too much was asked.
    Throttled,
    /// The database was away or busy.
    Unavailable,
    /// It took longer than it may.
    TimedOut,
    /// A mistake of ours.
    Failed,
}

/// What held a request back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Throttled {
    /// The bucket of a client's address.
    Visitor,
    /// That of a person.
    User,
    /// That of an API token.
    Token,
    /// That of an organization.
    Tenant,
    /// Too many at the same time.
    Concurrency,
    /// A verb's own rule: signing in, codes, mail.
    Rule,
}

const ENDED: [(Ended, &str); 6] = [
    (Ended::Executed, "executed"),
    (Ended::Refused, "refused"),
    (Ended::Throttled, "throttled"),
    (Ended::Unavailable, "unavailable"),
    (Ended::TimedOut, "timed_out"),
    (Ended::Failed, "failed"),
];

const THROTTLED: [(Throttled, &str); 6] = [
    (Throttled::Visitor, "visitor"),
    (Throttled::User, "user"),
    (Throttled::Token, "token"),
    (Throttled::Tenant, "tenant"),
    (Throttled::Concurrency, "concurrency"),
    (Throttled::Rule, "rule"),
];

/// What is counted.
#[derive(Debug, Default)]
pub struct Metrics {
    ended: [AtomicU64; ENDED.len()],
    throttled: [AtomicU64; THROTTLED.len()],
    forged_webhooks: AtomicU64,
    points_requested: AtomicU64,
    points_actual: AtomicU64,
    durations: Histogram,
}

impl Metrics {
    /// A GraphQL request ended so, after that time.
    pub fn request(&self, ended: Ended, took: Duration) {
        self.ended[ended as usize].fetch_add(1, Ordering::Relaxed);
        self.durations.observe(took);
    }

    /// A webhook was refused that its provider had not signed.
    pub fn forged(&self) {
        self.forged_webhooks.fetch_add(1, Ordering::Relaxed);
    }

    /// Something was held back.
    pub fn throttled(&self, by: Throttled) {
        self.throttled[by as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// An operation asked for so many points and came to cost so many.
    pub fn cost(&self, requested: u64, actual: u64) {
        self.points_requested
            .fetch_add(requested, Ordering::Relaxed);
        self.points_actual.fetch_add(actual, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_stands_at_its_own_place() {
        assert!(
            ENDED
                .iter()
                .enumerate()
                .all(|(at, (ended, _))| *ended as usize == at)
        );
        assert!(
            THROTTLED
                .iter()
                .enumerate()
                .all(|(at, (by, _))| *by as usize == at)
        );
    }
}
