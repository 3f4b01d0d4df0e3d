//! How jobs of a kind are queued and tried, and how many a worker runs at a time.

use std::time::Duration;

use super::backoff::Backoff;

/// What comes before what. Within one, lanes are served in turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// Somebody waits for it.
    Urgent = 0,
    /// Everything else.
    Normal = 1,
    /// Much of it, and nobody waits.
    Bulk = 2,
}

/// How jobs of a kind are queued and tried.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    pub(super) queue: &'static str,
    pub(super) priority: Priority,
    pub(super) attempts: u16,
    pub(super) backoff: Backoff,
    pub(super) time_limit: Duration,
    pub(super) keep: Duration,
}

impl Policy {
    /// The queue `default`, normal priority, 12 attempts over two or three hours, a minute for each, gone when done.
    pub const fn new() -> Self {
        Self {
            queue: Queue::DEFAULT.name,
            priority: Priority::Normal,
            attempts: 12,
            backoff: Backoff::new(Duration::from_secs(5), Duration::from_secs(6 * 3600)),
            time_limit: Duration::from_secs(60),
            keep: Duration::ZERO,
        }
    }

    /// The same for what the clock asks for every few seconds: what fails is soon asked for anew.
    pub const fn often() -> Self {
        let backoff = Backoff::new(Duration::from_secs(2), Duration::from_secs(10));
        Self::new()
            .attempts(3)
            .backoff(backoff)
            .time_limit(Duration::from_secs(120))
    }

    /// In that queue; it must be registered.
    #[must_use]
    pub const fn queue(mut self, name: &'static str) -> Self {
        self.queue = name;
        self
    }

    /// With that priority.
    #[must_use]
    pub const fn priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// Dead after so many attempts, 1 to 1000.
    #[must_use]
    pub const fn attempts(mut self, attempts: u16) -> Self {
        self.attempts = attempts;
        self
    }

    /// How long to wait between attempts.
    #[must_use]
    pub const fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// How long an attempt may take.
    #[must_use]
    pub const fn time_limit(mut self, time_limit: Duration) -> Self {
        self.time_limit = time_limit;
        self
    }

    /// How long a job is kept after it was done: for those whose result or progress somebody looks at.
    #[must_use]
    pub const fn keep(mut self, keep: Duration) -> Self {
        self.keep = keep;
        self
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::new()
    }
}

/// What a worker runs side by side. Queues stand in nobody's way: each has its own places.
#[derive(Clone, Copy, Debug)]
pub struct Queue {
    pub(super) name: &'static str,
    pub(super) slots: usize,
    pub(super) per_lane: usize,
    pub(super) behind: bool,
}

impl Queue {
    /// Where everything is that names no other.
    pub const DEFAULT: Self = Self::new("default", 16, 8);

    /// A queue of that name: so many jobs at a time in one process, so many of them of one lane. The second bounds what a
    /// lane whose jobs hang can take from others.
    pub const fn new(name: &'static str, slots: usize, per_lane: usize) -> Self {
        Self {
            name,
            slots,
            per_lane,
            behind: false,
        }
    }

    /// Nobody waits for its jobs: while people have all turns at the database, they are done one by one, with pauses.
    #[must_use]
    pub const fn behind(mut self) -> Self {
        self.behind = true;
        self
    }

    /// By which policies name it.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}
