//! Buckets in Redis: processes share them, and do without it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use eventsphere::{
    config::{RedisConfig, Settings},
    throttle::{Draft, Keeper, Local, RateLimiter, Shared, Size, Taken},
};

use super::{WIDE, available, held_back, until};
use crate::harness::{Redis, TestApp};

/// Two servers over one database and one Redis.
async fn two(redis: &Redis) -> (TestApp, TestApp) {
    let url = redis.url();
    let settings = [
        ("REDIS_URL", url.as_str()),
        ("VISITOR_POINTS", "1000"),
        ("VISITOR_POINTS_PER_SECOND", "1"),
        ("TRUSTED_PROXIES", "127.0.0.1"),
        ("VISITOR_CONCURRENCY", "64"),
    ];
    let one = TestApp::start_with(&settings).await;
    let other = TestApp::over(one.database.again(), &settings).await;
    assert_eq!(keepers(&one, &other), [Keeper::Redis; 2]);
    (one, other)
}

fn keepers(one: &TestApp, other: &TestApp) -> [Keeper; 2] {
    [one, other].map(|app| app.app.throttle.limiter().keeper())
}

const SMALL: &str = "{ events { totalCount } }";

#[tokio::test]
async fn two_processes_share_one_bucket() {
    let redis = Redis::start().await;
    let (one, other) = two(&redis).await;
    let anonymous = eventsphere::tenancy::Actor::anonymous();
    let client = "192.0.2.1".parse().ok();
    let pending = one.app.throttle.admit(&anonymous, client, 900).await;
    let pending = pending.map_err(|_| "refused").expect("a full bucket");
    let left = available(&other.at_address("192.0.2.1", SMALL).await);
    assert!((92..=97).contains(&left), "{left}");
    held_back(&other.at_address("192.0.2.1", WIDE).await);
    assert_eq!(other.at_address("192.0.2.2", WIDE).await.status, 200);
    // What the one gives back, the other has.
    pending.settle(100);
    until("the points are back", async || {
        other.at_address("192.0.2.1", WIDE).await.status == 200
    })
    .await;
}

#[tokio::test]
async fn two_processes_count_tries_together() {
    let redis = Redis::start().await;
    let (one, other) = two(&redis).await;
    // Five letters to one address at once, then one every five minutes.
    let letter = "mutation { requestPasswordReset(input: { email: \"ada@example.org\" }) { userErrors { code } } }";
    for number in 0..5 {
        let app = [&one, &other][number % 2];
        let reply = app.at_address("192.0.2.1", letter).await;
        assert_eq!(reply.status, 200, "{number}: {reply:?}");
    }
    for app in [&one, &other] {
        let reply = app.at_address("192.0.2.1", letter).await;
        assert_eq!(reply.status, 429, "{reply:?}");
    }
}

/// Clients that never stop asking both servers; everything must be answered.
struct Traffic {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    clients: Vec<tokio::task::JoinHandle<()>>,
}

impl Traffic {
    fn on(one: &TestApp, other: &TestApp) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let answered = Arc::new(AtomicUsize::new(0));
        let clients = (0..6)
            .map(|number| {
                let visitor = [one, other][number % 2].visitor();
                let (stop, answered) = (stop.clone(), answered.clone());
                tokio::spawn(async move {
                    while !stop.load(Ordering::Relaxed) {
                        visitor.ask(SMALL, serde_json::json!({})).await;
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        Self {
            stop,
            answered,
            clients,
        }
    }

    /// A hundred answers more.
    async fn goes_on(&self) {
        let goal = self.answered.load(Ordering::Relaxed) + 100;
        until("answers", async || {
            self.answered.load(Ordering::Relaxed) >= goal
                || self.clients.iter().any(|client| client.is_finished())
        })
        .await;
    }

    async fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        for client in self.clients {
            client.await.expect("every question was answered");
        }
    }
}

/// As `two`, with room for traffic.
async fn busy(redis: &Redis) -> (TestApp, TestApp) {
    let url = redis.url();
    let settings = [
        ("REDIS_URL", url.as_str()),
        ("TRUSTED_PROXIES", "127.0.0.1"),
    ];
    let one = TestApp::start_with(&settings).await;
    let other = TestApp::over(one.database.again(), &settings).await;
    (one, other)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_when_redis_dies_and_all_share_again_when_it_is_back() {
    let mut redis = Redis::start().await;
    let (one, other) = busy(&redis).await;
    let traffic = Traffic::on(&one, &other);
    traffic.goes_on().await;
    assert_eq!(keepers(&one, &other), [Keeper::Redis; 2]);
    redis.kill();
    traffic.goes_on().await;
    until("both have noticed", async || {
        keepers(&one, &other) == [Keeper::Fallback; 2]
    })
    .await;
    traffic.goes_on().await;
    // It was noticed once, however many asked.
    assert_eq!(one.app.throttle.limiter().losses(), 1);
    redis.again().await;
    until("both have found it again", async || {
        keepers(&one, &other) == [Keeper::Redis; 2]
    })
    .await;
    traffic.goes_on().await;
    traffic.end().await;
    shares_again(&one, &other).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_when_redis_hangs() {
    let redis = Redis::start().await;
    let (one, other) = busy(&redis).await;
    let traffic = Traffic::on(&one, &other);
    traffic.goes_on().await;
    redis.signal("STOP");
    traffic.goes_on().await;
    assert_eq!(keepers(&one, &other), [Keeper::Fallback; 2]);
    redis.signal("CONT");
    until("both have found it again", async || {
        keepers(&one, &other) == [Keeper::Redis; 2]
    })
    .await;
    traffic.end().await;
    shares_again(&one, &other).await;
}

async fn shares_again(one: &TestApp, other: &TestApp) {
    let anonymous = eventsphere::tenancy::Actor::anonymous();
    let client = "192.0.2.1".parse().ok();
    let all = 50_000;
    let pending = one.app.throttle.admit(&anonymous, client, all).await;
    let _pending = pending.map_err(|_| "refused").expect("a full bucket");
    held_back(&other.at_address("192.0.2.1", WIDE).await);
}

#[tokio::test]
async fn a_redis_that_is_not_there_yet_keeps_nobody_from_starting() {
    let mut redis = Redis::start().await;
    redis.kill();
    let url = redis.url();
    let app = TestApp::start_with(&[("REDIS_URL", &url)]).await;
    assert_eq!(app.app.throttle.limiter().keeper(), Keeper::Fallback);
    app.lives().await;
    redis.again().await;
    until("it is found", async || {
        app.app.throttle.limiter().keeper() == Keeper::Redis
    })
    .await;
    app.lives().await;
}

/// Both keepers answer alike.
async fn keeps(limiter: &dyn RateLimiter) {
    let of = |key: &str, points: u64| Draft {
        key: format!("es:test:{key}"),
        size: Size::per_second(100, 1),
        points,
    };
    let granted = |taken: Taken| matches!(taken, Taken::Granted(_));
    let take = async |drafts: &[Draft]| limiter.take(drafts).await.expect("an answer");
    assert!(granted(take(&[of("a", 90), of("b", 40)]).await));
    // All or none: what "b" would have had is still there after "a" refused.
    match take(&[of("b", 60), of("a", 20)]).await {
        Taken::Refused { bucket: 1, wait } => {
            assert!((9..=10).contains(&wait.as_secs()), "{wait:?}");
        }
        other => panic!("{other:?}"),
    }
    match take(&[of("b", 60)]).await {
        Taken::Granted(debts) => {
            assert_eq!(Size::per_second(100, 1).left(debts[0]), 0);
        }
        other => panic!("{other:?}"),
    }
    limiter.give_back(&[of("a", 50)]).await.expect("an answer");
    assert!(granted(take(&[of("a", 60)]).await));
    assert!(!granted(take(&[of("a", 2)]).await));
    // Never more than a whole bucket.
    limiter.give_back(&[of("a", 100)]).await.expect("an answer");
    limiter.give_back(&[of("a", 100)]).await.expect("an answer");
    assert!(granted(take(&[of("a", 100)]).await));
    assert!(!granted(take(&[of("a", 2)]).await));
}

#[tokio::test]
async fn redis_counts_as_this_process_does() {
    let local = Local::new(eventsphere::clock::Clock::default());
    keeps(&local).await;

    let redis = Redis::start().await;
    keeps(&shared(&redis, "eventsphere:").await).await;
    // Another installation in the same Redis has buckets of its own.
    keeps(&shared(&redis, "other:").await).await;
}

fn config(redis: &Redis, prefix: &str) -> RedisConfig {
    let settings: Settings = [
        ("REDIS_URL".to_owned(), redis.url()),
        ("REDIS_PREFIX".to_owned(), prefix.to_owned()),
    ]
    .into_iter()
    .collect();
    RedisConfig::read(&settings).expect("good").expect("some")
}

async fn shared(redis: &Redis, prefix: &str) -> Shared {
    let shared = Shared::new(&config(redis, prefix)).expect("a pool");
    shared.open().await.expect("connections");
    shared
}

#[tokio::test]
async fn a_node_of_a_cluster_is_refused_at_the_start() {
    let redis = Redis::start_with(&["--cluster-enabled", "yes"]).await;
    let config = config(&redis, "eventsphere:");
    let clock = eventsphere::clock::Clock::default();
    let refused = eventsphere::throttle::Limiter::new(clock, Some(&config)).await;
    let reason = refused.err().expect("no limiter").to_string();
    assert!(reason.contains("Redis Cluster"), "{reason}");
}
