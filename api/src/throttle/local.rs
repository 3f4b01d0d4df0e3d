//! Buckets of this process alone, in many small maps, each behind a lock of its own: two callers seldom meet.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;

use super::{
    Away, RateLimiter,
    bucket::{Draft, Taken, micros, owe},
};
use crate::clock::Clock;

/// Maps that the buckets are spread over; a power of two.
const SHARDS: usize = 64;
/// Buckets of one map at which it first looks for those that are full again.
const FIRST_PURGE: usize = 256;

/// When each bucket will be full again, microseconds since 1970.
#[derive(Debug, Default)]
struct Shard {
    full_at: HashMap<String, i64>,
    purge_above: usize,
}

impl Shard {
    fn debt(&self, key: &str, now: i64) -> i64 {
        self.full_at.get(key).map_or(0, |full| (full - now).max(0))
    }

    fn keep(&mut self, key: &str, debt: i64, now: i64) {
        if debt <= 0 {
            self.full_at.remove(key);
            return;
        }
        match self.full_at.get_mut(key) {
            Some(full) => *full = now + debt,
            None => {
                self.purge(now);
                self.full_at.insert(key.to_owned(), now + debt);
            }
        }
    }

    /// Doubling the mark keeps the cost of forgetting small even while everything kept is still needed.
    fn purge(&mut self, now: i64) {
        if self.full_at.len() >= self.purge_above.max(FIRST_PURGE) {
            self.full_at.retain(|_, full| *full > now);
            self.purge_above = 2 * self.full_at.len();
        }
    }
}

/// The buckets of this process.
pub struct Local {
    shards: Vec<Mutex<Shard>>,
    hasher: RandomState,
    clock: Clock,
}

impl Local {
    /// All full.
    pub fn new(clock: Clock) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
            clock,
        }
    }

    fn shard(&self, key: &str) -> MutexGuard<'_, Shard> {
        let index = self.hasher.hash_one(key) as usize % SHARDS;
        // A panic elsewhere while holding the lock leaves counts that are still good to use.
        self.shards[index]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> i64 {
        self.clock.now().timestamp_micros()
    }

    /// Takes one bucket after the other and puts back what was taken when a later one refuses: for that moment an
    /// operation may be refused that would have fitted, none is let through that does not.
    pub fn take_now(&self, drafts: &[Draft]) -> Taken {
        let now = self.now();
        let mut debts = Vec::with_capacity(drafts.len());
        for (bucket, draft) in drafts.iter().enumerate() {
            let mut shard = self.shard(&draft.key);
            let debt = shard.debt(&draft.key, now);
            match owe(debt, draft.size.cost(draft.points), draft.size.capacity()) {
                Ok(after) => {
                    shard.keep(&draft.key, after, now);
                    debts.push(after);
                }
                Err(wait) => {
                    drop(shard);
                    self.give_back_now(&drafts[..bucket]);
                    return Taken::Refused {
                        bucket,
                        wait: micros(wait),
                    };
                }
            }
        }
        Taken::Granted(debts)
    }

    /// Puts points back.
    pub fn give_back_now(&self, drafts: &[Draft]) {
        let now = self.now();
        for draft in drafts {
            let mut shard = self.shard(&draft.key);
            let debt = shard.debt(&draft.key, now) - draft.size.cost(draft.points);
            shard.keep(&draft.key, debt, now);
        }
    }
}

#[async_trait]
impl RateLimiter for Local {
    async fn take(&self, drafts: &[Draft]) -> Result<Taken, Away> {
        Ok(self.take_now(drafts))
    }

    async fn give_back(&self, drafts: &[Draft]) -> Result<(), Away> {
        self.give_back_now(drafts);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chrono::TimeDelta;

    use super::*;
    use crate::throttle::bucket::Size;

    fn of(key: &str, points: u64) -> Draft {
        Draft {
            key: key.to_owned(),
            size: Size::per_second(100, 10),
            points,
        }
    }

    #[test]
    fn a_burst_passes_then_what_time_restores() {
        let clock = Clock::default();
        let local = Local::new(clock.clone());
        assert!(matches!(local.take_now(&[of("a", 100)]), Taken::Granted(_)));
        match local.take_now(&[of("a", 20)]) {
            Taken::Refused { bucket: 0, wait } => {
                assert!(wait <= Duration::from_secs(2) && wait > Duration::from_millis(1_500));
            }
            other => panic!("{other:?}"),
        }
        clock.advance(TimeDelta::seconds(2));
        assert!(matches!(local.take_now(&[of("a", 20)]), Taken::Granted(_)));
        assert!(matches!(
            local.take_now(&[of("a", 20)]),
            Taken::Refused { .. }
        ));
        assert!(matches!(local.take_now(&[of("b", 20)]), Taken::Granted(_)));
    }

    #[test]
    fn what_is_given_back_can_be_taken_again_but_no_more() {
        let local = Local::new(Clock::default());
        local.take_now(&[of("a", 100)]);
        local.give_back_now(&[of("a", 60)]);
        assert!(matches!(local.take_now(&[of("a", 60)]), Taken::Granted(_)));
        local.give_back_now(&[of("a", 100)]);
        local.give_back_now(&[of("a", 100)]);
        assert!(matches!(local.take_now(&[of("a", 100)]), Taken::Granted(_)));
        assert!(matches!(
            local.take_now(&[of("a", 10)]),
            Taken::Refused { .. }
        ));
    }

    #[test]
    fn a_refusing_second_bucket_costs_the_first_nothing() {
        let local = Local::new(Clock::default());
        local.take_now(&[of("tenant", 90)]);
        let both = [of("member", 100), of("tenant", 100)];
        assert!(matches!(
            local.take_now(&both),
            Taken::Refused { bucket: 1, .. }
        ));
        assert!(matches!(
            local.take_now(&[of("member", 100)]),
            Taken::Granted(_)
        ));
    }

    #[test]
    fn full_buckets_are_forgotten() {
        let clock = Clock::default();
        let local = Local::new(clock.clone());
        let kept = || {
            local
                .shards
                .iter()
                .map(|shard| shard.lock().unwrap().full_at.len())
                .sum::<usize>()
        };
        for round in 0..20 {
            for client in 0..10_000 {
                local.take_now(&[of(&format!("{round} {client}"), 10)]);
            }
            clock.advance(TimeDelta::seconds(2));
        }
        assert!(kept() < 60_000, "{}", kept());
    }
}
