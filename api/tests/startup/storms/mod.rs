//! Storms over real processes: two servers on one database, people and members who use every verb that takes or gives
//! stock, and somebody who kills the servers at random points and starts them again. Whoever is not answered repeats the
//! call under its key.
//!
//! `STORM_SECONDS` makes it last longer (`make storms MINUTES=...`); `STORM_SEED` lets the dice fall as they did, though
//! not the processes.

pub mod ask;
pub mod farm;
mod grace;
mod judge;
mod people;
mod staff;
pub mod stage;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::task::JoinSet;
use tokio_postgres::Client;

use self::{
    ask::{Desk, Kept, stable},
    farm::{Farm, Signs},
    people::{Person, Shared},
    staff::Member,
};
use crate::{dice::Dice, harness::Server};

/// Every one of them has to be done while servers are killed.
const VERBS: [&str; 21] = [
    "placeRegistration",
    "extendRegistration",
    "confirmRegistration",
    "cancelRegistration",
    "changeRegistration",
    "approveRegistration",
    "approveRegistrations",
    "rejectRegistration",
    "rejectRegistrations",
    "transferTicket",
    "acceptTransfer",
    "declineTransfer",
    "cancelTransfer",
    "createHold",
    "changeHold",
    "releaseHold",
    "reservePromoCodeStock",
    "joinWaitlist",
    "acceptWaitlistOffer",
    "declineWaitlistOffer",
    "leaveWaitlist",
];
const PEOPLE: usize = 14;
const MEMBERS: usize = 2;
/// Processes killed at least.
const KILLED: usize = 6;
/// Calls that are told again in the end, about.
const TOLD_AGAIN: usize = 500;
/// Longest time to see everything happen, beyond the time that was asked for.
const PATIENCE: Duration = Duration::from_secs(200);

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Looks at the books again and again while everybody writes them, and lets time pass so that holds run out.
async fn watch(database: Client, signs: Arc<Signs>, mut dice: Dice) {
    while !signs.enough.load(Ordering::Relaxed) {
        judge::whole(&database).await;
        if dice.one_in(2) {
            pass(&database, 5 + dice.below(25)).await;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn pass(database: &Client, seconds: usize) {
    database
        .batch_execute(&format!(
            "update es_test.clock set ahead = ahead + interval '{seconds} seconds'"
        ))
        .await
        .expect("time passes");
}

/// Waits until there was enough of everything, or somebody found a fault.
async fn until_enough(desk: &Desk, everybody: &mut JoinSet<()>) {
    let least = Duration::from_secs(setting("STORM_SECONDS").unwrap_or(6));
    let began = Instant::now();
    loop {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let done = desk.done.lock().expect("unbroken").clone();
        let all = VERBS.iter().all(|verb| done.contains_key(verb))
            && desk.signs.killed.load(Ordering::Relaxed) >= KILLED
            && desk.signs.stopped.load(Ordering::Relaxed) > 0
            && desk.lost.load(Ordering::Relaxed) > 0;
        let fault = everybody.try_join_next();
        if (all && began.elapsed() > least) || fault.is_some() {
            desk.signs.enough.store(true, Ordering::Relaxed);
            if let Some(ended) = fault {
                ended.expect("nobody finds a fault");
            }
            return;
        }
        if began.elapsed() > least + PATIENCE {
            desk.signs.enough.store(true, Ordering::Relaxed);
            panic!("{desk:?}, done: {done:?}");
        }
    }
}

/// What was told is told again, by one server or the other; of a long storm some of it.
async fn tell_again(desk: &Desk, book: &[Kept], mut dice: Dice) {
    let some = book.iter().filter(|_| dice.below(book.len()) < TOLD_AGAIN);
    let work: Arc<Mutex<Vec<Kept>>> = Arc::new(Mutex::new(some.cloned().collect()));
    let mut asking = JoinSet::new();
    for _ in 0..8 {
        let (desk, work) = (desk.clone(), work.clone());
        asking.spawn(async move {
            loop {
                let (one, left) = {
                    let mut work = work.lock().expect("unbroken");
                    let Some(one) = work.pop() else { return };
                    (one, work.len())
                };
                let again = desk.insist(left % 2, &one.who, one.verb, &one.input).await;
                assert_eq!(stable(&again), one.told, "told differently: {one:?}");
            }
        });
    }
    asking.join_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r01_r20_killed_at_random_points_nothing_is_oversold_lost_or_told_twice_differently() {
    let seed = setting("STORM_SEED").unwrap_or_else(|| uuid::Uuid::new_v4().as_u64_pair().0);
    println!("STORM_SEED={seed}");
    let dice = |number: u64| Dice::new(seed.wrapping_add(number << 32));
    let began = Instant::now();
    let (farm, first) = Farm::new().await;
    let stage = stage::build(&first, &farm.admin().await).await;
    let servers = [Some(first), Some(Server::spawn(farm.serve()))];
    let port = |at: usize| AtomicU16::new(servers[at].as_ref().map_or(0, |server| server.port));
    let desk = Desk::new(Arc::new([port(0), port(1)]), Arc::default());
    let shared = Arc::new(Shared {
        stage,
        database: farm.admin().await,
        known: Mutex::default(),
        keys: Mutex::default(),
    });

    let made = began.elapsed();
    let mut everybody = JoinSet::new();
    for number in 0..PEOPLE as u64 {
        everybody.spawn(Person::new(desk.clone(), shared.clone(), dice(number)).live());
    }
    for number in 0..MEMBERS as u64 {
        let member = Member {
            desk: desk.clone(),
            shared: shared.clone(),
            dice: dice(1000 + number),
            holds: vec![],
        };
        everybody.spawn(member.live());
    }
    everybody.spawn(watch(farm.admin().await, desk.signs.clone(), dice(2000)));
    let (ports, signs, reaper) = (desk.ports.clone(), desk.signs.clone(), dice(3000));
    let farm = Arc::new(farm);
    let reaped = farm.clone();
    let reaping =
        tokio::task::spawn_blocking(move || farm::reap(&reaped, servers, &ports, &signs, reaper));
    until_enough(&desk, &mut everybody).await;
    let servers = reaping.await.expect("servers that start again");
    everybody.join_all().await;

    let book = desk.book.lock().expect("unbroken").clone();
    println!("{desk:?}; {:?}", desk.done.lock().expect("unbroken"));
    let stormed = began.elapsed();
    tell_again(&desk, &book, dice(4000)).await;
    println!(
        "made in {made:?}, stormed until {stormed:?}, told again until {:?}",
        began.elapsed()
    );
    judge::whole(&shared.database).await;
    judge::told(&shared.database, &book).await;
    // Everything that was only held or offered runs out.
    pass(&shared.database, 20_000).await;
    judge::whole(&shared.database).await;
    for server in servers.into_iter().flatten() {
        assert!(server.end("TERM").success());
    }
}
