//! Everybody at once over two servers that are killed at random points: buyers pay in every way that the page has, providers
//! repeat themselves in any order, two members give back at the same time, banks are asked.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::json;

use super::{
    judge,
    till::{Buyer, PRICE, Till},
};
use crate::{dice::Dice, harness::Server, storms::farm::Farm};

const BUYERS: usize = 24;
/// Processes killed at least.
const KILLED: usize = 6;

/// One buyer, as the dice fall.
async fn live(till: Arc<Till>, mut dice: Dice) {
    let mut buyer = till.buyer().await;
    till.start(&mut buyer).await;
    if dice.one_in(4) {
        let (button, status) = [("decline", "failed"), ("cancel", "cancelled")][dice.below(2)];
        till.press(&buyer, button, status).await;
        till.start(&mut buyer).await;
    }
    let button = ["succeed", "repeat", "delay", "silent"][dice.below(4)];
    till.press(&buyer, button, "succeeded").await;
    repeat(&till, &buyer, &mut dice).await;
    if button == "silent" {
        // Twenty seconds have gone.
        let sql = "update payments set check_at = es.clock() where status = 'pending'";
        till.database.execute(sql, &[]).await.expect("asked soon");
    }
    let paid = format!(
        "select count(*) from registrations where id = '{}' and status = 'confirmed'",
        buyer.key
    );
    till.until("it is confirmed", &paid, 1).await;
    match dice.below(4) {
        0 => {
            till.press(&buyer, "dispute", "You asked").await;
        }
        1 => {
            // Two members at once: at most what came in.
            let part = 400 + i64::try_from(dice.below(500)).expect("small");
            let (one, other) = tokio::join!(
                till.refund(&buyer, Some(part)),
                till.refund(&buyer, Some(part))
            );
            let both = 2 * part <= PRICE;
            assert_eq!(u8::from(one) + u8::from(other), 1 + u8::from(both));
        }
        2 => {
            till.refund(&buyer, None).await;
        }
        _ => {}
    }
}

/// The provider says three times what happened, and what did not, in any order, to both servers at once.
async fn repeat(till: &Till, buyer: &Buyer, dice: &mut Dice) {
    let sql = format!(
        "select reference::text from sandbox_payments where id = '{}'",
        buyer.reference
    );
    let row = till.database.query_one(&sql, &[]).await.expect("a payment");
    let ours: String = row.get(0);
    let event = |name: String, kind: &str| {
        json!({
            "id": name, "type": kind,
            "data": { "id": buyer.reference, "reference": ours, "amount_minor": PRICE, "currency": "EUR" },
        })
        .to_string()
    };
    let mut bodies = vec![];
    for round in 0..3 {
        bodies.push(event(format!("{}-paid", buyer.key), "payment.succeeded"));
        bodies.push(event(
            format!("{}-again-{round}", buyer.key),
            "payment.succeeded",
        ));
        bodies.push(event(format!("{}-late", buyer.key), "payment.failed"));
    }
    let mut telling = vec![];
    while !bodies.is_empty() {
        let body = bodies.swap_remove(dice.below(bodies.len()));
        let at = dice.below(2);
        telling.push(async move { till.tell(at, &body).await });
    }
    futures_util::future::join_all(telling).await;
}

/// Kills one server after the other, now and then both, until it is enough; both run again in the end. Blocks.
fn reap(
    till: &Till,
    farm: &Farm,
    mut servers: [Option<Server>; 2],
    (enough, mut dice): (&AtomicBool, Dice),
) -> [Option<Server>; 2] {
    for killed in 0.. {
        if killed >= KILLED && enough.load(Ordering::Relaxed) {
            return servers;
        }
        std::thread::sleep(Duration::from_millis(200 + 10 * dice.below(120) as u64));
        let first = dice.below(2);
        let both = dice.one_in(4);
        for at in [first, 1 - first].into_iter().take(1 + usize::from(both)) {
            till.listens(at, 0);
            if let Some(server) = servers[at].take() {
                server.end("KILL");
            }
        }
        for (at, server) in servers.iter_mut().enumerate() {
            if server.is_none() {
                let new = Server::spawn(farm.serve());
                till.listens(at, new.port);
                *server = Some(new);
            }
        }
    }
    servers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r05_r06_r15_r16_r18_in_a_storm_of_kills_the_providers_books_and_ours_are_the_same() {
    let seed = match std::env::var("STORM_SEED") {
        Ok(text) => text.parse().expect("a number"),
        Err(_) => uuid::Uuid::new_v4().as_u64_pair().0,
    };
    println!("STORM_SEED={seed}");
    let dice = move |number: u64| Dice::new(seed.wrapping_add(number << 32));
    let (farm, first) = Farm::new().await;
    let till = Arc::new(Till::open(&farm, &first).await);
    let second = Server::spawn(farm.serve());
    till.listens(1, second.port);
    let (farm, enough) = (Arc::new(farm), Arc::new(AtomicBool::new(false)));
    let reaping = tokio::task::spawn_blocking({
        let (till, farm, enough) = (till.clone(), farm.clone(), enough.clone());
        move || {
            reap(
                &till,
                &farm,
                [Some(first), Some(second)],
                (&enough, dice(1)),
            )
        }
    });
    let longer = std::env::var("STORM_SECONDS").ok();
    let longer = Duration::from_secs(longer.map_or(0, |text| text.parse().expect("a number")));
    let (began, mut bought) = (Instant::now(), 0);
    while bought == 0 || began.elapsed() < longer {
        let buyers: Vec<_> = (bought..bought + BUYERS)
            .map(|number| tokio::spawn(live(till.clone(), dice(10 + number as u64))))
            .collect();
        bought += BUYERS;
        for buyer in buyers {
            buyer.await.expect("nobody finds a fault");
        }
    }
    enough.store(true, Ordering::Relaxed);
    let servers = reaping.await.expect("servers that start again");
    judge::quiet(&till).await;
    judge::whole(&till).await;
    let confirmed = "select count(*) from registrations where status = 'confirmed'";
    assert_eq!(till.number(confirmed).await, bought as i64);
    for server in servers.into_iter().flatten() {
        assert!(server.end("TERM").success());
    }
}
