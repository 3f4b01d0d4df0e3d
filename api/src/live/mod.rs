//! What changes, told as it changes. Verbs write what happened to the outbox; the relay passes it on in one order and
//! rings; each process that has somebody who watches follows ([`feed`]), and hands what happened to the groups that it
//! concerns ([`hub`]). A group ([`group`]) is everybody who watches the same with the same authority: the thing is read
//! once for all of them, by the compiled statement of their subscription and under their policies, and all are sent the
//! same bytes. Nothing of this is truth: a process that dies loses nothing, its clients come back to another one with
//! their last cursor and are told what they missed ([`subscribe`]).
//!
//! How clients are spoken to (WebSocket, server-sent events) is in `http/live/`.

mod bell;
mod cursor;
mod feed;
mod group;
mod hub;
mod outlet;
mod places;
mod standing;
mod subscribe;
mod topics;

pub use outlet::{End, Ending, MOST_WAITING, Out, Outlet};
pub use places::{Place, Places};
pub use standing::Watched;
pub use subscribe::{Subscribed, subscribe};
pub use topics::{Thing, Topic, Topics};

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use tokio::sync::{Notify, Semaphore, SemaphorePermit};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::config::{LiveConfig, RedisConfig};

/// Of so many connections to the database one at a time may read for those who watch: who asks waits for nobody who is told.
const SHARE: usize = 4;

/// Those who watch in this process. Cheap to clone.
#[derive(Clone)]
pub struct Live(Arc<Inner>);

struct Inner {
    topics: Topics,
    hub: Arc<hub::Hub>,
    bell: Notify,
    bells: Option<bell::Bells>,
    turns: Semaphore,
    numbered: AtomicU64,
    standing: standing::Standings,
    places: Places,
    limits: LiveConfig,
    stopping: CancellationToken,
    sessions: TaskTracker,
}

/// What it hangs on.
pub struct Around<'a> {
    /// What may be watched.
    pub topics: Topics,
    /// How much.
    pub limits: LiveConfig,
    /// Connections of each pool of the database.
    pub pool_size: usize,
    /// What carries bells between processes; else the database does.
    pub redis: Option<&'a RedisConfig>,
    /// Cancelled when the program is asked to stop.
    pub stopping: CancellationToken,
    /// What the program waits for then.
    pub sessions: TaskTracker,
}

impl Live {
    /// Nobody watches yet.
    ///
    /// # Errors
    /// When the address of Redis is none.
    pub fn new(around: Around<'_>) -> Result<Self, String> {
        let bells = around.redis.map(bell::Bells::new).transpose();
        Ok(Self(Arc::new(Inner {
            topics: around.topics,
            hub: Arc::default(),
            bell: Notify::new(),
            bells: bells.map_err(|error| error.to_string())?,
            turns: Semaphore::new((around.pool_size / SHARE).max(1)),
            numbered: AtomicU64::new(0),
            standing: standing::Standings::default(),
            places: Places::default(),
            limits: around.limits,
            stopping: around.stopping,
            sessions: around.sessions,
        })))
    }

    /// What may be watched.
    pub fn topics(&self) -> &Topics {
        &self.0.topics
    }

    /// How much may be watched.
    pub fn limits(&self) -> &LiveConfig {
        &self.0.limits
    }

    /// Connections of each address and organization.
    pub fn places(&self) -> &Places {
        &self.0.places
    }

    /// Cancelled when the program is asked to stop.
    pub fn stopping(&self) -> &CancellationToken {
        &self.0.stopping
    }

    /// Connections, which say good-bye before the program ends.
    pub fn sessions(&self) -> &TaskTracker {
        &self.0.sessions
    }

    /// Whether the database rings for those who follow, in the transaction of the relay.
    pub fn database_rings(&self) -> bool {
        self.0.bells.is_none()
    }

    /// What happened up to there was passed on: those who follow look at once, here and elsewhere.
    pub async fn ring(&self, position: i64) {
        self.0.bell.notify_one();
        if let Some(bells) = &self.0.bells {
            bells.ring(position).await;
        }
    }

    /// Groups of those who watch the same, and how many watch.
    pub fn figures(&self) -> (usize, usize) {
        self.0.hub.figures()
    }

    fn hub(&self) -> &Arc<hub::Hub> {
        &self.0.hub
    }

    fn bell(&self) -> &Notify {
        &self.0.bell
    }

    fn bells(&self) -> Option<&bell::Bells> {
        self.0.bells.as_ref()
    }

    fn standing(&self) -> &standing::Standings {
        &self.0.standing
    }

    fn number(&self) -> u64 {
        self.0.numbered.fetch_add(1, Ordering::Relaxed)
    }

    /// A turn to read; it is never closed.
    async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.0.turns.acquire().await.ok()
    }
}
