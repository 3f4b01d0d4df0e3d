//! How many operations of one tenant (or of one visitor's address) run at the same time. Who comes when all places are
//! taken waits in line for a moment; a line that is already long is not joined. Lanes know nothing of each other, so
//! nobody waits for somebody else's crowd.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

const SHARDS: usize = 64;

/// How wide a lane is and how long its line may get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Width {
    /// Operations that run at the same time.
    pub places: usize,
    /// Operations that may wait for a place.
    pub line: usize,
    /// How long they wait at most.
    pub patience: Duration,
}

struct Lane {
    places: Arc<Semaphore>,
    /// Those that run and those that wait.
    inside: AtomicUsize,
}

type Shard = HashMap<String, Arc<Lane>>;

/// All lanes that somebody is in. Cheap to clone.
#[derive(Clone)]
pub struct Lanes {
    shards: Arc<Vec<Mutex<Shard>>>,
    hasher: RandomState,
}

impl Default for Lanes {
    fn default() -> Self {
        Self {
            shards: Arc::new((0..SHARDS).map(|_| Mutex::default()).collect()),
            hasher: RandomState::new(),
        }
    }
}

/// Somebody in a lane, waiting or running. The last one out takes the lane away.
struct Visit {
    lanes: Lanes,
    key: String,
    lane: Arc<Lane>,
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut shard = self.lanes.shard(&self.key);
        if self.lane.inside.fetch_sub(1, Ordering::Relaxed) == 1 {
            shard.remove(&self.key);
        }
    }
}

/// A place in a lane; dropping it lets the next one in.
pub struct Place {
    // Fields drop in this order: the place is free before the lane may go away.
    _permit: OwnedSemaphorePermit,
    _visit: Visit,
}

impl Lanes {
    fn shard(&self, key: &str) -> MutexGuard<'_, Shard> {
        let index = self.hasher.hash_one(key) as usize % SHARDS;
        self.shards[index]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn visit(&self, key: String, width: Width) -> Option<Visit> {
        let mut shard = self.shard(&key);
        let lane = match shard.get(&key) {
            Some(lane) => lane.clone(),
            None => {
                let lane = Arc::new(Lane {
                    places: Arc::new(Semaphore::new(width.places)),
                    inside: AtomicUsize::new(0),
                });
                shard.insert(key.clone(), lane.clone());
                lane
            }
        };
        // Counted under the lock of the shard, as is leaving: a lane that is taken away has nobody in it.
        if lane.inside.load(Ordering::Relaxed) >= width.places.saturating_add(width.line) {
            return None;
        }
        lane.inside.fetch_add(1, Ordering::Relaxed);
        drop(shard);
        Some(Visit {
            lanes: self.clone(),
            key,
            lane,
        })
    }

    /// A place in the lane of that key, first come, first served; `None` when none came free in time.
    pub async fn enter(&self, key: String, width: Width) -> Option<Place> {
        let visit = self.visit(key, width)?;
        let permit = match visit.lane.places.clone().try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => {
                let places = visit.lane.places.clone();
                tokio::time::timeout(width.patience, places.acquire_owned())
                    .await
                    .ok()?
                    .ok()?
            }
        };
        Some(Place {
            _permit: permit,
            _visit: visit,
        })
    }

    /// Operations that run or wait, in all lanes.
    pub fn inside(&self) -> usize {
        let lanes = |shard: &Mutex<Shard>| -> usize {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard
                .values()
                .map(|lane| lane.inside.load(Ordering::Relaxed))
                .sum()
        };
        self.shards.iter().map(lanes).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NARROW: Width = Width {
        places: 2,
        line: 1,
        patience: Duration::from_secs(60),
    };

    fn key(name: &str) -> String {
        name.to_owned()
    }

    #[tokio::test]
    async fn who_waits_gets_the_place_that_comes_free() {
        let lanes = Lanes::default();
        let first = lanes.enter(key("a"), NARROW).await.expect("a place");
        let _second = lanes.enter(key("a"), NARROW).await.expect("a place");
        let waiting = tokio::spawn({
            let lanes = lanes.clone();
            async move { lanes.enter(key("a"), NARROW).await }
        });
        while lanes.inside() < 3 {
            tokio::task::yield_now().await;
        }
        // The line is full, but only there.
        assert!(lanes.enter(key("a"), NARROW).await.is_none());
        assert!(lanes.enter(key("b"), NARROW).await.is_some());
        drop(first);
        assert!(waiting.await.expect("a task").is_some());
    }

    #[tokio::test]
    async fn nobody_waits_longer_than_agreed() {
        let lanes = Lanes::default();
        let hasty = Width {
            patience: Duration::from_millis(1),
            ..NARROW
        };
        let _first = lanes.enter(key("a"), hasty).await.expect("a place");
        let _second = lanes.enter(key("a"), hasty).await.expect("a place");
        assert!(lanes.enter(key("a"), hasty).await.is_none());
        assert_eq!(lanes.inside(), 2);
    }

    #[tokio::test]
    async fn an_empty_lane_is_taken_away() {
        let lanes = Lanes::default();
        for number in 0..100 {
            drop(lanes.enter(key(&number.to_string()), NARROW).await);
        }
        let lanes_left: usize = lanes
            .shards
            .iter()
            .map(|shard| shard.lock().unwrap().len())
            .sum();
        assert_eq!((lanes.inside(), lanes_left), (0, 0));
    }
}
