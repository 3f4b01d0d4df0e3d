//! How much a caller may ask. Each operation takes its cost in points from a leaky bucket of its caller (a client's
//! address, a person, an API token) and, acting in an organization, from that organization's as well, and runs in a
//! lane that bounds how many of its kind run at once. Verbs that guess or send something count themselves by rules
//! of their own, so that aliases in one document do not help. Buckets are in Redis when it is configured, else in this
//! process; lanes are always of this process, whose connections they share out.

mod bucket;
mod client;
mod lanes;
mod limiter;
mod local;
mod redis;

pub use bucket::{Draft, Size, Taken};
pub use client::{client_address, client_key};
pub use lanes::{Lanes, Width};
pub use limiter::{Keeper, Limiter};
pub use local::Local;
pub use redis::Shared;

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use moka::sync::Cache;

use crate::{
    clock::Clock,
    config::{LimitsConfig, RedisConfig},
    fault::Fault,
    metrics::{Metrics, Throttled},
    tenancy::{Actor, ActorKind},
};
use lanes::Place;
use limiter::Receipt;

/// Points of a document that is refused: no database was asked, but reading it took time.
const REFUSED_DOCUMENT: u64 = 20;
/// Points of a page or file that is no operation.
const SMALL: u64 = 10;
/// Callers that are sent away unread are remembered for so long at most, and so many of them.
const LONGEST_DEAF: Duration = Duration::from_secs(10);
const MOST_DEAF: u64 = 10_000;

/// Something that keeps buckets.
#[async_trait]
pub trait RateLimiter: Send + Sync {
    /// Takes from all buckets or from none.
    async fn take(&self, drafts: &[Draft]) -> Result<Taken, Away>;

    /// Puts points back; a bucket never holds more than its size.
    async fn give_back(&self, drafts: &[Draft]) -> Result<(), Away>;
}

/// The keeper of buckets gave no answer.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Away(pub String);

/// All limits of this process. Cheap to clone.
#[derive(Clone)]
pub struct Throttle {
    inner: Arc<Inner>,
}

struct Inner {
    limiter: Limiter,
    /// By caller. Everybody is in one.
    callers: Lanes,
    /// By organization: its callers come here out of their own lanes.
    tenants: Lanes,
    limits: LimitsConfig,
    metrics: Arc<Metrics>,
    clock: Clock,
    /// Until when, in milliseconds since 1970, nothing of a caller is read.
    deaf_until: Cache<String, i64>,
    /// The latest of those: usually long past.
    deaf_at_all_until: AtomicI64,
}

/// The bucket of a caller as an answer tells of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    /// Points of a full bucket.
    pub max: u64,
    /// Points left.
    pub available: u64,
    /// Points that come back in a second.
    pub restore_rate: f64,
}

impl Throttle {
    /// All buckets full. A Redis that does not answer is waited for in the background.
    pub async fn new(
        clock: Clock,
        limits: LimitsConfig,
        redis: Option<&RedisConfig>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, Away> {
        Ok(Self {
            inner: Arc::new(Inner {
                limiter: Limiter::new(clock.clone(), redis).await?,
                callers: Lanes::default(),
                tenants: Lanes::default(),
                limits,
                metrics,
                clock,
                deaf_until: Cache::builder()
                    .max_capacity(MOST_DEAF)
                    .time_to_live(LONGEST_DEAF)
                    .build(),
                deaf_at_all_until: AtomicI64::new(0),
            }),
        })
    }

    /// The buckets, for figures.
    pub fn limiter(&self) -> &Limiter {
        &self.inner.limiter
    }

    /// Operations that run or wait for their turn.
    pub fn inside(&self) -> usize {
        self.inner.callers.inside()
    }

    /// Counts one try of `rule` by `by`; too many are a fault that says when to come back.
    pub async fn count(&self, rule: &'static str, by: &str, size: Size) -> Result<(), Fault> {
        let draft = Draft {
            key: format!("rule:{rule}:{by}"),
            size,
            points: 1,
        };
        match self.inner.limiter.take(&[draft]).await.taken {
            Taken::Granted(_) => Ok(()),
            Taken::Refused { wait, .. } => Err(self.refuse(Throttled::Rule, wait)),
        }
    }

    /// Counts one try that may turn out to be none: what it took is given back by [`Counted::forgive`].
    pub async fn count_for_now(
        &self,
        rule: &'static str,
        by: &str,
        size: Size,
    ) -> Result<Counted, Fault> {
        let drafts = vec![Draft {
            key: format!("rule:{rule}:{by}"),
            size,
            points: 1,
        }];
        let receipt = self.inner.limiter.take(&drafts).await;
        match receipt.taken {
            Taken::Granted(_) => Ok(Counted {
                throttle: self.clone(),
                drafts,
                receipt,
            }),
            Taken::Refused { wait, .. } => Err(self.refuse(Throttled::Rule, wait)),
        }
    }

    /// Lets an operation in that may cost so many points: waits for its turn, then takes them.
    pub async fn admit(
        &self,
        actor: &Actor,
        client: Option<IpAddr>,
        points: u64,
    ) -> Result<Charge, Fault> {
        let (drafts, kinds) = drafts(actor, client, &self.inner.limits, points);
        let turn = self.turn_of(actor, &drafts).await?;
        let receipt = self.inner.limiter.take(&drafts).await;
        if let Taken::Refused { bucket, wait } = &receipt.taken {
            let kind = kinds.get(*bucket).copied().unwrap_or(Throttled::Tenant);
            return Err(self.refuse(kind, *wait));
        }
        Ok(Charge {
            throttle: self.clone(),
            drafts,
            receipt,
            points,
            _turn: turn,
        })
    }

    /// Lets something in that is done before an operation and takes no points: waits for its turn.
    pub async fn turn(&self, actor: &Actor, client: Option<IpAddr>) -> Result<Turn, Fault> {
        let (drafts, _) = drafts(actor, client, &self.inner.limits, 0);
        self.turn_of(actor, &drafts).await
    }

    /// First a place in the caller's own lane, then, for whom acts in one, in the organization's: who sends much at once
    /// waits in a line of their own, and fills neither the lane nor the line of the others.
    async fn turn_of(&self, actor: &Actor, drafts: &[Draft]) -> Result<Turn, Fault> {
        let limits = &self.inner.limits;
        let key = |draft: Option<&Draft>| draft.map(|draft| draft.key.clone()).unwrap_or_default();
        let both = async {
            let (own, tenant) = match actor.org_id() {
                Some(_) => (limits.caller_places, Some(limits.tenant_places)),
                None => (limits.visitor_places, None),
            };
            let callers = &self.inner.callers;
            let own = callers
                .enter(key(drafts.first()), limits.width(own))
                .await?;
            let tenant = match tenant {
                None => None,
                Some(places) => {
                    let tenants = &self.inner.tenants;
                    let width = limits.width(places);
                    Some(tenants.enter(key(drafts.last()), width).await?)
                }
            };
            Some(Turn {
                _tenant: tenant,
                _own: own,
            })
        };
        // Together they wait no longer than one of them may.
        let turn = tokio::time::timeout(limits.patience, both).await;
        let turn = turn.ok().flatten();
        turn.ok_or_else(|| self.refuse(Throttled::Concurrency, Duration::from_secs(1)))
    }

    /// Takes the points of something small that is no operation: a page, a file.
    pub async fn pass(&self, actor: &Actor, client: Option<IpAddr>) -> Result<(), Fault> {
        let (drafts, kinds) = drafts(actor, client, &self.inner.limits, SMALL);
        match self.inner.limiter.take(&drafts).await.taken {
            Taken::Granted(_) => Ok(()),
            Taken::Refused { bucket, wait } => {
                let kind = kinds.get(bucket).copied().unwrap_or(Throttled::Visitor);
                Err(self.refuse(kind, wait))
            }
        }
    }

    /// Counts a document that was refused. Who has no points left for that is not even read for the time that lacks.
    pub async fn count_refused(&self, actor: &Actor, client: Option<IpAddr>) {
        let (mut drafts, _) = drafts(actor, client, &self.inner.limits, REFUSED_DOCUMENT);
        drafts.truncate(1);
        let taken = self.inner.limiter.take(&drafts).await.taken;
        let (Taken::Refused { wait, .. }, Some(own)) = (taken, drafts.pop()) else {
            return;
        };
        let wait = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
        let until = self.now().saturating_add(wait);
        self.inner.deaf_until.insert(own.key, until);
        self.inner
            .deaf_at_all_until
            .fetch_max(until, Ordering::Relaxed);
    }

    /// Whether anything of that caller is read now.
    pub fn listens_to(&self, actor: &Actor, client: Option<IpAddr>) -> Result<(), Fault> {
        let now = self.now();
        if self.inner.deaf_at_all_until.load(Ordering::Relaxed) <= now {
            return Ok(());
        }
        let (drafts, kinds) = drafts(actor, client, &self.inner.limits, 0);
        let until = drafts
            .first()
            .and_then(|own| self.inner.deaf_until.get(&own.key));
        let wait = until.unwrap_or_default() - now;
        match (wait > 0, kinds.first()) {
            (true, Some(kind)) => Err(self.refuse(
                *kind,
                Duration::from_millis(u64::try_from(wait).unwrap_or_default()),
            )),
            _ => Ok(()),
        }
    }

    fn now(&self) -> i64 {
        self.inner.clock.now().timestamp_millis()
    }

    fn refuse(&self, kind: Throttled, wait: Duration) -> Fault {
        self.inner.metrics.throttled(kind);
        let seconds = wait.as_micros().div_ceil(1_000_000).max(1);
        Fault::Throttled {
            retry_after_seconds: u64::try_from(seconds).unwrap_or(u64::MAX),
        }
    }
}

/// The caller's own bucket first, the organization's last.
fn drafts(
    actor: &Actor,
    client: Option<IpAddr>,
    limits: &LimitsConfig,
    points: u64,
) -> (Vec<Draft>, Vec<Throttled>) {
    let draft = |key: String, size: Size| Draft { key, size, points };
    let (own, kind) = match &actor.kind {
        ActorKind::Anonymous => {
            let key = format!("visitor:{}", client_key(client));
            (draft(key, limits.visitor), Throttled::Visitor)
        }
        ActorKind::Attendee { user_id, .. } | ActorKind::Member { user_id, .. } => {
            let key = format!("user:{user_id}");
            (draft(key, limits.user), Throttled::User)
        }
        ActorKind::Token { token_id, .. } => {
            let key = format!("token:{token_id}");
            (draft(key, limits.token), Throttled::Token)
        }
    };
    match actor.org_id() {
        None => (vec![own], vec![kind]),
        Some(org_id) => {
            let tenant = draft(format!("tenant:{org_id}"), limits.tenant);
            (vec![own, tenant], vec![kind, Throttled::Tenant])
        }
    }
}

/// A try that was counted. Dropped, it stays so.
pub struct Counted {
    throttle: Throttle,
    drafts: Vec<Draft>,
    receipt: Receipt,
}

impl Counted {
    /// It was none.
    pub fn forgive(self) {
        let limiter = &self.throttle.inner.limiter;
        limiter.give_back(self.drafts, &self.receipt);
    }
}

/// An operation that was let in. Its turn ends when this is dropped; what it did not use goes back by [`Self::settle`].
pub struct Charge {
    throttle: Throttle,
    drafts: Vec<Draft>,
    receipt: Receipt,
    points: u64,
    _turn: Turn,
}

/// A place among those that are served now; dropping it lets the next one in.
pub struct Turn {
    _tenant: Option<Place>,
    _own: Place,
}

impl Charge {
    /// Gives back what was taken too much, and tells of the bucket that has least left.
    pub fn settle(mut self, actual: u64) -> Level {
        let unused = self.points.saturating_sub(actual);
        let debts = match &self.receipt.taken {
            Taken::Granted(debts) => debts.as_slice(),
            Taken::Refused { .. } => &[],
        };
        let level = self
            .drafts
            .iter()
            .zip(debts)
            .map(|(draft, debt)| Level {
                max: draft.size.points,
                available: draft.size.left(debt - draft.size.cost(unused)),
                restore_rate: draft.size.restore_rate(),
            })
            .min_by_key(|level| level.available)
            .unwrap_or(Level {
                max: 0,
                available: 0,
                restore_rate: 0.0,
            });
        self.throttle.inner.metrics.cost(self.points, actual);
        if unused > 0 {
            for draft in &mut self.drafts {
                draft.points = unused;
            }
            let limiter = &self.throttle.inner.limiter;
            limiter.give_back(std::mem::take(&mut self.drafts), &self.receipt);
        }
        level
    }
}
