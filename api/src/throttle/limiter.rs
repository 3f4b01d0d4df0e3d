//! The limiter that requests meet: Redis where it is configured and answers, else this process. When Redis goes away
//! the first call that notices changes over; the others do not even try until a probe in the background has found it.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{
    Away, RateLimiter,
    bucket::{Draft, Taken},
    local::Local,
    redis::{Closed, Shared},
};
use crate::{clock::Clock, config::RedisConfig};

/// Between two looks for a Redis that is away.
const PAUSE: Duration = Duration::from_secs(2);

/// Where buckets are kept right now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeper {
    /// In Redis.
    Redis,
    /// In this process, though Redis is configured.
    Fallback,
    /// In this process; Redis is not configured.
    Process,
}

struct Remote {
    shared: Shared,
    /// Whether it answered when it was last asked.
    up: AtomicBool,
    /// How often it went away.
    losses: AtomicU64,
}

/// Redis, with this process behind it. Cheap to clone.
#[derive(Clone)]
pub struct Limiter {
    local: Arc<Local>,
    remote: Option<Arc<Remote>>,
}

/// Points that were taken, and where: there they are given back.
#[derive(Debug)]
pub struct Receipt {
    /// What came of it.
    pub taken: Taken,
    from_redis: bool,
}

impl Limiter {
    /// With Redis where it is configured. One that does not answer now is waited for in the background.
    pub async fn new(clock: Clock, redis: Option<&RedisConfig>) -> Result<Self, Away> {
        let remote = match redis {
            None => None,
            Some(config) => {
                let remote = Arc::new(Remote {
                    shared: Shared::new(config)?,
                    up: AtomicBool::new(true),
                    losses: AtomicU64::new(0),
                });
                match remote.shared.open().await {
                    Ok(()) => {}
                    // Waiting would not help.
                    Err(closed @ Closed::Cluster) => return Err(Away(closed.to_string())),
                    Err(Closed::Away(error)) => lost(&remote, &error),
                }
                Some(remote)
            }
        };
        Ok(Self {
            local: Arc::new(Local::new(clock)),
            remote,
        })
    }

    /// Where buckets are kept right now.
    pub fn keeper(&self) -> Keeper {
        match &self.remote {
            None => Keeper::Process,
            Some(remote) if remote.up.load(Ordering::Relaxed) => Keeper::Redis,
            Some(_) => Keeper::Fallback,
        }
    }

    /// How often Redis went away since the start.
    pub fn losses(&self) -> u64 {
        self.remote
            .as_ref()
            .map_or(0, |remote| remote.losses.load(Ordering::Relaxed))
    }

    /// Takes from all buckets or from none. Never fails: without Redis this process counts.
    pub async fn take(&self, drafts: &[Draft]) -> Receipt {
        if let Some(remote) = self.reachable() {
            match remote.shared.take(drafts).await {
                Ok(taken) => {
                    return Receipt {
                        taken,
                        from_redis: true,
                    };
                }
                Err(error) => lost(remote, &error),
            }
        }
        Receipt {
            taken: self.local.take_now(drafts),
            from_redis: false,
        }
    }

    /// Gives points back to where they came from, without making the caller wait. A Redis that went away meanwhile
    /// keeps them: time restores them.
    pub fn give_back(&self, drafts: Vec<Draft>, receipt: &Receipt) {
        if !receipt.from_redis {
            return self.local.give_back_now(&drafts);
        }
        let Some(remote) = self.reachable().cloned() else {
            return;
        };
        tokio::spawn(async move {
            if let Err(error) = remote.shared.give_back(&drafts).await {
                lost(&remote, &error);
            }
        });
    }

    fn reachable(&self) -> Option<&Arc<Remote>> {
        self.remote
            .as_ref()
            .filter(|remote| remote.up.load(Ordering::Relaxed))
    }
}

/// The first to notice says so and looks for it from then on.
fn lost(remote: &Arc<Remote>, error: &Away) {
    if !remote.up.swap(false, Ordering::Relaxed) {
        return;
    }
    remote.losses.fetch_add(1, Ordering::Relaxed);
    remote.shared.close();
    tracing::warn!(%error, "Redis does not answer; each process counts its limits by itself until it does");
    tokio::spawn(look_for(Arc::downgrade(remote)));
}

/// Ends when Redis is back, or the program is gone.
async fn look_for(remote: Weak<Remote>) {
    loop {
        tokio::time::sleep(PAUSE).await;
        let Some(remote) = remote.upgrade() else {
            return;
        };
        match remote.shared.open().await {
            Ok(()) => {
                remote.up.store(true, Ordering::Relaxed);
                tracing::info!("Redis answers again; all processes share their limits");
                return;
            }
            Err(error) => tracing::debug!(%error, "Redis still does not answer"),
        }
    }
}
