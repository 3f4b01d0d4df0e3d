//! What was last read from the database, believed for five seconds and forgotten at once when this process changes it.
//! Other processes notice after those five seconds.

use std::{
    hash::Hash,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use moka::sync::Cache;

/// For how long at most something that was changed elsewhere is still believed.
const BELIEVED_FOR: Duration = Duration::from_secs(5);

/// A cache whose readers cannot bring back what was forgotten while they were reading.
#[derive(Clone)]
pub struct Believed<K: Hash + Eq + Send + Sync + 'static, V: Clone + Send + Sync + 'static> {
    cache: Cache<K, V>,
    forgotten: Arc<AtomicU64>,
}

/// What a reader holds from before its read until it keeps the answer.
#[derive(Clone, Copy)]
pub struct Reading(u64);

impl<K: Hash + Eq + Clone + Send + Sync + 'static, V: Clone + Send + Sync + 'static>
    Believed<K, V>
{
    /// Nothing yet.
    pub fn new() -> Self {
        Self {
            cache: Cache::builder()
                .max_capacity(50_000)
                .time_to_live(BELIEVED_FOR)
                .build(),
            forgotten: Arc::default(),
        }
    }

    /// What is believed of the key.
    pub fn get(&self, key: &K) -> Option<V> {
        self.cache.get(key)
    }

    /// Taken before the database is asked.
    pub fn reading(&self) -> Reading {
        Reading(self.forgotten.load(Ordering::SeqCst))
    }

    /// Keeps what was read, unless something was forgotten since: then the answer may be older than the change.
    pub fn keep(&self, reading: Reading, key: K, value: V) {
        self.cache.insert(key.clone(), value);
        if self.forgotten.load(Ordering::SeqCst) != reading.0 {
            self.cache.invalidate(&key);
        }
    }

    /// The key has changed.
    pub fn forget(&self, key: &K) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        self.cache.invalidate(key);
    }

    /// Anything may have changed.
    pub fn forget_all(&self) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        self.cache.invalidate_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_found_until_it_is_forgotten() {
        let cache: Believed<u8, u8> = Believed::new();
        cache.keep(cache.reading(), 1, 10);
        cache.keep(cache.reading(), 2, 20);
        assert_eq!(cache.get(&1), Some(10));
        cache.forget(&1);
        assert_eq!((cache.get(&1), cache.get(&2)), (None, Some(20)));
        cache.forget_all();
        assert_eq!(cache.get(&2), None);
    }

    #[test]
    fn an_answer_read_before_a_change_is_not_kept_after_it() {
        let cache: Believed<u8, u8> = Believed::new();
        let reading = cache.reading();
        cache.forget(&1);
        cache.keep(reading, 1, 10);
        assert_eq!(cache.get(&1), None);
    }
}
