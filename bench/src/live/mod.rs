//! `bench live`: everybody who watches has a connection of their own. Most of them watch what does not change; the others
//! watch what is sold, and the time is taken from the moment that a buyer's request is sent to the message at each client
//! that it concerns.

mod client;
mod sale;
mod watchers;

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::{sync::mpsc, time::sleep};

use self::{
    client::Heard,
    sale::Sales,
    watchers::{Watchers, tokens},
};
use crate::{
    Failure, cpu,
    graphql::say_ground,
    ground::Ground,
    stats::{percentile, rounded},
};

/// Organizations, each with an event that sells and one that does not.
pub const TENANTS: usize = 100;
/// After the last sale.
const GRACE: Duration = Duration::from_secs(5);

/// How much and how long.
#[derive(Clone, Copy)]
struct Size {
    /// Visitors of events that do not sell.
    idle_visitors: usize,
    /// Guests who each watch a registration of their own.
    idle_guests: usize,
    /// Visitors of events that sell.
    visitors: usize,
    /// Dashboards of organizations.
    members: usize,
    time: Duration,
}

impl Size {
    fn new(quick: bool) -> Self {
        match quick {
            true => Self {
                idle_visitors: 500,
                idle_guests: 500,
                visitors: 100,
                members: 100,
                time: Duration::from_secs(10),
            },
            false => Self {
                idle_visitors: 5_000,
                idle_guests: 5_000,
                visitors: 500,
                members: 500,
                time: Duration::from_secs(60),
            },
        }
    }
}

/// Runs the bench.
pub async fn run(quick: bool) -> Result<(), Failure> {
    let size = Size::new(quick);
    let ground = Ground::fresh("live", "sql/live.sql").await?;
    say_ground(&ground).await?;
    let (say, mut heard) = mpsc::unbounded_channel();
    let tokens = tokens(&ground).await?;
    let mut sales = Sales::new(ground.server.address).await?;
    let guests = sales.guests(size.idle_guests).await?;
    ground.quiet_down().await?;
    let begun = Instant::now();
    let watchers = Watchers {
        address: ground.server.address,
        say,
    };
    watchers.idle(&sales, size.idle_visitors, &guests).await?;
    watchers
        .active(&sales, size.visitors, size.members, &tokens)
        .await?;
    eprintln!(
        "{} watch after {:.1} s",
        size.idle_visitors + size.idle_guests + size.visitors + size.members,
        begun.elapsed().as_secs_f64()
    );
    let (server, postgres) = (
        cpu::of_process(ground.server.pid),
        cpu::of_tree(ground.postgres),
    );
    let began = Instant::now();
    sales.sell(size.time).await?;
    sleep(GRACE).await;
    let seconds = began.elapsed().as_secs_f64() * 1000.0;
    let used = (
        (cpu::of_process(ground.server.pid) - server) / seconds,
        (cpu::of_tree(ground.postgres) - postgres) / seconds,
    );
    let rss = cpu::peak_memory(ground.server.pid);
    let mut all: Vec<Heard> = vec![];
    while let Ok(one) = heard.try_recv() {
        all.push(one);
    }
    let (expected, told) = sales.judge(&all, (size.visitors, size.members));
    ground.server.stop().await?;
    tell(quick, size, (expected, told), (used, rss))
}

fn tell(
    quick: bool,
    size: Size,
    (expected, mut told): (usize, Vec<u32>),
    ((server, postgres), rss): ((f64, f64), f64),
) -> Result<(), Failure> {
    told.sort_unstable();
    let ms = |share| f64::from(percentile(&told, share)) / 1000.0;
    let (idle, active) = (
        size.idle_visitors + size.idle_guests,
        size.visitors + size.members,
    );
    let missed = expected - told.len();
    println!(
        "\n  {idle} idle and {active} active subscriptions of {TENANTS} organizations, {} messages in {} s\n  \
         event to client: p50 {:.0} ms, p99 {:.0} ms, most {:.0} ms; missed {missed}\n  \
         server: {rss:.0} MB, {:.0} % of a core; PostgreSQL {:.0} %\n",
        told.len(),
        size.time.as_secs(),
        ms(0.5),
        ms(0.99),
        ms(1.0),
        server * 100.0,
        postgres * 100.0,
    );
    let line = json!({
        "bench": "live",
        "quick": quick,
        "idle": idle,
        "active": active,
        "missed": missed,
        "p50_ms": rounded(ms(0.5), 0),
        "p99_ms": rounded(ms(0.99), 0),
        "rss_mb": rounded(rss, 0),
    });
    println!("{line}");
    Ok(())
}
