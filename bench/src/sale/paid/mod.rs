//! Paid sales: buyers place, confirm, start a payment, pay on the sandbox's page, and wait until they have a ticket. The
//! sandbox tells of the money as providers do: by a signed webhook over HTTP to the server's own route.

mod check;
mod courier;
mod desk;
mod report;
mod watch;

use std::{
    net::TcpListener,
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::task::LocalSet;

use self::{desk::Desk, watch::Watch};
use super::{
    Pace, report as of_sales,
    shop::{Placed, Shop, Sold},
    storm::{After, BUYERS, after},
};
use crate::{Failure, cpu, graphql, ground::Ground, http::Connection, load::Stretch};

pub use report::Told;

/// Organizations that sell, each at one event.
const ORGANIZATIONS: u32 = 10;

/// Figures of one storm of paid sales.
#[derive(Clone, Debug, Default)]
pub struct Storm {
    /// From the first request until the ticket is there.
    sales: Stretch,
    /// From the webhook that tells of the money until the ticket is there.
    tickets: Stretch,
    /// CPU milliseconds a sale of the server; the sandbox is a part of it.
    server: f64,
    /// CPU milliseconds a sale of PostgreSQL's processes.
    postgres: f64,
    after: After,
}

/// One rotation: all at one event of one organization, and at ten.
pub struct Turn {
    one: Storm,
    ten: Storm,
}

/// Runs this part on a ground of its own.
pub async fn run(pace: Pace) -> Result<Told, Failure> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let url = format!("http://{}", listener.local_addr()?);
    let ground = Ground::fresh_at("paid", "sql/paid.sql", &url).await?;
    of_sales::say_ground(&ground).await?;
    for member in graphql::member::sign_in(&ground).await? {
        desk::open_account(ground.server.address, &member.token).await?;
    }
    let till = Till::open(&ground).await?;
    let local = LocalSet::new();
    local.spawn_local(courier::serve(
        listener,
        ground.server.address,
        till.watch.clone(),
    ));
    local.spawn_local(watch::look(ground.admin().await?, till.watch.clone()));
    let till = Rc::new(till);
    let (turns, sold) = local.run_until(rotations(&ground, &till, pace)).await?;
    drop(local);
    check::all_that_was_paid_is_there(&ground, sold).await?;
    ground.server.stop().await?;
    Ok(Told::of(&turns))
}

async fn rotations(
    ground: &Ground,
    till: &Rc<Till>,
    pace: Pace,
) -> Result<(Vec<Turn>, usize), Failure> {
    let (mut turns, mut sold) = (vec![], 0);
    for rotation in 1..=pace.rotations {
        ground.quiet_down().await?;
        let (one, some) = measure(ground, till, 1, pace).await?;
        let (ten, more) = measure(ground, till, till.sold.len(), pace).await?;
        sold += some + more;
        turns.push(Turn { one, ten });
        eprintln!(
            "paid: rotation {rotation} of {} done, load average {}",
            pace.rotations,
            cpu::load_average()
        );
    }
    Ok((turns, sold))
}

/// First to warm up, then to be measured; how many were sold together.
async fn measure(
    ground: &Ground,
    till: &Rc<Till>,
    events: usize,
    pace: Pace,
) -> Result<(Storm, usize), Failure> {
    let before = rage(till, events, pace.warm_up).await?.len();
    let used = || {
        let server = cpu::of_process(ground.server.pid);
        (server, cpu::of_tree(ground.postgres))
    };
    let (begun, (server, postgres)) = (Instant::now(), used());
    let sales = rage(till, events, pace.storm).await?;
    let (elapsed, now) = (begun.elapsed(), used());
    let count = sales.len().max(1) as f64;
    let all = before + sales.len();
    let stretch =
        |figure: fn(&Sale) -> u32| Stretch::of(sales.iter().map(figure).collect(), elapsed);
    let storm = Storm {
        sales: stretch(|sale| sale.whole),
        tickets: stretch(|sale| sale.ticket),
        server: (now.0 - server) / count,
        postgres: (now.1 - postgres) / count,
        after: after(ground, all).await?,
    };
    Ok((storm, all))
}

/// What buyers need.
struct Till {
    shop: Shop,
    desk: Desk,
    watch: Watch,
    sold: Vec<Sold>,
}

/// Microseconds that a sale took.
struct Sale {
    whole: u32,
    /// From the webhook on.
    ticket: u32,
}

impl Till {
    async fn open(ground: &Ground) -> Result<Self, Failure> {
        let shop = Shop::new(ground.server.address)?;
        let mut sold = vec![];
        for number in 1..=ORGANIZATIONS {
            sold.push(shop.find(number, number).await?);
        }
        Ok(Self {
            shop,
            desk: Desk::new()?,
            watch: Watch::default(),
            sold,
        })
    }

    /// One buyer, from nothing to a ticket.
    async fn sell(&self, connection: &mut Connection, sold: &Sold) -> Result<Sale, Failure> {
        let begun = Instant::now();
        let placing = self.shop.place(sold);
        let answer = connection.ask(&placing.bytes).await?;
        let placed = self.shop.placed(answer.status, answer.body)?;
        let Placed::Held {
            registration,
            secret,
        } = placed
        else {
            return Err("a pool that is never empty is sold out".into());
        };
        let confirming = self.shop.confirm(&placing, &registration, &secret);
        let answer = connection.ask(&confirming).await?;
        desk::waits_for_money(answer.status, answer.body)?;
        let starting = self.desk.start(&registration, &secret);
        let answer = connection.ask(&starting).await?;
        let started = desk::started(answer.status, answer.body)?;
        // Before the money is paid: the webhook may be faster than the page.
        let waiting = self.watch.expect(&started.payment, &registration)?;
        let answer = connection.ask(&desk::pay(&started.page)).await?;
        desk::paid(answer.status, answer.body)?;
        let ticket = waiting.await?;
        Ok(Sale {
            whole: micros(begun.elapsed()),
            ticket: micros(ticket),
        })
    }
}

fn micros(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX)
}

/// All buyers at once, at so many of the events.
async fn rage(till: &Rc<Till>, events: usize, time: Duration) -> Result<Vec<Sale>, Failure> {
    let end = Instant::now() + time;
    let tasks: Vec<_> = (0..BUYERS)
        .map(|number| {
            let till = Rc::clone(till);
            tokio::task::spawn_local(async move {
                let mut connection = Connection::open(till.shop.address()).await?;
                let mut sales = vec![];
                for sold in till.sold[..events].iter().cycle().skip(number) {
                    if Instant::now() >= end {
                        break;
                    }
                    sales.push(till.sell(&mut connection, sold).await?);
                }
                Ok::<_, Failure>(sales)
            })
        })
        .collect();
    let mut all = vec![];
    for task in tasks {
        all.extend(task.await??);
    }
    Ok(all)
}
