//! Buyers: each places, confirms, and comes back as somebody else, until the time is over or everything is sold.

use std::{
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::task::LocalSet;

use super::shop::{Placed, Shop, Sold};
use crate::{Failure, cpu, ground::Ground, http::Connection, load::Stretch};

/// Connections, each with one buyer at a time.
pub const BUYERS: usize = 64;

/// Figures of one storm. An answer of the stretch is a whole sale: two requests.
#[derive(Clone, Debug, Default)]
pub struct Storm {
    pub stretch: Stretch,
    /// CPU milliseconds a sale of the server.
    pub server: f64,
    /// CPU milliseconds a sale of PostgreSQL's processes.
    pub postgres: f64,
    /// What was left to do after the commits, warming up included.
    pub after: After,
}

/// What follows sales: events go on, letters are written and delivered.
#[derive(Clone, Copy, Debug, Default)]
pub struct After {
    /// Seconds until nothing was left.
    pub seconds: f64,
    /// CPU milliseconds a sale, of server and PostgreSQL.
    pub cpu: f64,
}

impl Storm {
    pub fn cpu(&self) -> f64 {
        self.server + self.postgres
    }
}

/// First to warm up, then to be measured; how many were sold together.
pub async fn measure(
    ground: &Ground,
    shop: &Rc<Shop>,
    sold: &Rc<Vec<Sold>>,
    warm_up: Duration,
    time: Duration,
) -> Result<(Storm, usize), Failure> {
    let before = rage(shop, sold, warm_up).await?.answers;
    let (server, postgres) = (
        cpu::of_process(ground.server.pid),
        cpu::of_tree(ground.postgres),
    );
    let stretch = rage(shop, sold, time).await?;
    let sales = stretch.answers.max(1) as f64;
    let all = before + stretch.answers;
    let storm = Storm {
        server: (cpu::of_process(ground.server.pid) - server) / sales,
        postgres: (cpu::of_tree(ground.postgres) - postgres) / sales,
        stretch,
        after: after(ground, all).await?,
    };
    Ok((storm, all))
}

/// Waits until nothing is left to do after so many sales.
async fn after(ground: &Ground, sales: usize) -> Result<After, Failure> {
    let used = || cpu::of_process(ground.server.pid) + cpu::of_tree(ground.postgres);
    let (begun, before) = (Instant::now(), used());
    ground.quiet_down().await?;
    Ok(After {
        seconds: begun.elapsed().as_secs_f64(),
        cpu: (used() - before) / sales.max(1) as f64,
    })
}

/// All buyers at once.
pub async fn rage(
    shop: &Rc<Shop>,
    sold: &Rc<Vec<Sold>>,
    time: Duration,
) -> Result<Stretch, Failure> {
    let started = Instant::now();
    let end = started + time;
    let local = LocalSet::new();
    let tasks: Vec<_> = (0..BUYERS)
        .map(|number| {
            let (shop, sold) = (Rc::clone(shop), Rc::clone(sold));
            local.spawn_local(async move {
                buyer(&shop, &sold, number * sold.len() / BUYERS, end).await
            })
        })
        .collect();
    let latencies = local
        .run_until(async {
            let mut all = vec![];
            for task in tasks {
                all.extend(task.await??);
            }
            Ok::<_, Failure>(all)
        })
        .await?;
    Ok(Stretch::of(latencies, started.elapsed()))
}

async fn buyer(
    shop: &Shop,
    sold: &[Sold],
    first: usize,
    end: Instant,
) -> Result<Vec<u32>, Failure> {
    let mut connection = Connection::open(shop.address()).await?;
    let mut latencies = Vec::with_capacity(4 * 1024);
    for wanted in sold.iter().cycle().skip(first) {
        let sent = Instant::now();
        if sent >= end {
            break;
        }
        let placing = shop.place(wanted);
        let answer = connection.ask(&placing.bytes).await?;
        let Placed::Held {
            registration,
            secret,
        } = Shop::placed(answer.status, answer.body)?
        else {
            break;
        };
        let confirming = shop.confirm(&placing, &registration, &secret);
        let answer = connection.ask(&confirming).await?;
        shop.confirmed(answer.status, answer.body)?;
        latencies.push(u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
    Ok(latencies)
}
