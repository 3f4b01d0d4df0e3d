//! Who may do what right now, as last read from the database: kept for five seconds, forgotten at once when one of our
//! verbs changes it in this process. Other processes notice after those five seconds.

use std::{
    hash::Hash,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use moka::sync::Cache;
use uuid::Uuid;

/// For how long at most something that was changed elsewhere is still believed.
const BELIEVED_FOR: Duration = Duration::from_secs(5);

/// A live API token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveToken {
    /// The token.
    pub token_id: Uuid,
    /// The organization it acts in.
    pub org_id: Uuid,
    /// Who made it: it never may more than this person.
    pub created_by: Uuid,
    /// What it may at most.
    pub scopes: Vec<String>,
    /// When it ends.
    pub expires_at: Option<DateTime<Utc>>,
}

/// The caches. Only live things are kept: what was refused is asked again. Cheap to clone.
#[derive(Clone)]
pub struct Standing {
    /// Person of each live device session.
    pub(super) sessions: Believed<Uuid, Uuid>,
    /// Permissions of each (person, organization).
    pub(super) members: Believed<(Uuid, Uuid), Arc<Vec<String>>>,
    /// Live API tokens by the hash of their text.
    pub(super) tokens: Believed<[u8; 32], Arc<LiveToken>>,
}

impl Default for Standing {
    fn default() -> Self {
        Self {
            sessions: Believed::new(),
            members: Believed::new(),
            tokens: Believed::new(),
        }
    }
}

impl Standing {
    /// A device session ended.
    pub fn forget_session(&self, session_id: Uuid) {
        self.sessions.forget(&session_id);
    }

    /// Somebody's role in an organization changed or ended.
    pub fn forget_member(&self, user_id: Uuid, org_id: Uuid) {
        self.members.forget(&(user_id, org_id));
    }

    /// The permissions of a role changed: rare, so everybody's permissions are read again.
    pub fn forget_members(&self) {
        self.members.forget_all();
    }

    /// An API token ended.
    pub fn forget_token(&self, hash: &[u8; 32]) {
        self.tokens.forget(hash);
    }
}

/// A cache whose readers cannot bring back what was forgotten while they were reading.
#[derive(Clone)]
pub(super) struct Believed<K: Hash + Eq + Send + Sync + 'static, V: Clone + Send + Sync + 'static> {
    cache: Cache<K, V>,
    forgotten: Arc<AtomicU64>,
}

/// What a reader holds from before its read until it keeps the answer.
#[derive(Clone, Copy)]
pub(super) struct Reading(u64);

impl<K: Hash + Eq + Clone + Send + Sync + 'static, V: Clone + Send + Sync + 'static>
    Believed<K, V>
{
    fn new() -> Self {
        Self {
            cache: Cache::builder()
                .max_capacity(50_000)
                .time_to_live(BELIEVED_FOR)
                .build(),
            forgotten: Arc::default(),
        }
    }

    pub(super) fn get(&self, key: &K) -> Option<V> {
        self.cache.get(key)
    }

    /// Taken before the database is asked.
    pub(super) fn reading(&self) -> Reading {
        Reading(self.forgotten.load(Ordering::SeqCst))
    }

    /// Keeps what was read, unless something was forgotten since: then the answer may be older than the change.
    pub(super) fn keep(&self, reading: Reading, key: K, value: V) {
        self.cache.insert(key.clone(), value);
        if self.forgotten.load(Ordering::SeqCst) != reading.0 {
            self.cache.invalidate(&key);
        }
    }

    fn forget(&self, key: &K) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        self.cache.invalidate(key);
    }

    fn forget_all(&self) {
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
