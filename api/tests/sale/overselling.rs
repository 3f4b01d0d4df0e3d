//! R1: never sell more than there is; and proof that the lock is what sees to it: variants of the functions without the
//! lines that they mark as their lock oversell in nine of ten runs at least, with the constraint that is the last net
//! taken away. What claims stock, and where its variant is:
//!
//! | what | variant |
//! |---|---|
//! | a ticket type's own pool | here |
//! | a pool that types share, add-ons | `unlocked` |
//! | pools by date | `occurrences` |
//! | tiers, uses of a code | `pricing::tiers`, `pricing::codes` |
//! | uses of a code by one buyer (R10) | `unlocked`: no constraint, the lock alone sees to it |
//! | holds of staff, made and sold from; codes that reserve (R9) | `unlocked` |
//! | the public against who waits (R11), one place offered twice | `waiting_races` |
//! | changes (R13) | `changing` |
//! | holds that ran out and are extended; approvals without stock | `unlocked` |
//! | batches of the counter | `batches::race` |

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use crate::{
    harness::{BUYERS, Db, all_at_once, outcome},
    shop::{HOLD, Shop, Sold},
};

const ATTEMPTS: usize = 500;
const PLACES: i32 = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r01_500_attempts_on_100_places_end_with_exactly_100_while_holds_expire() {
    let (shop, ticket_type) = Shop::simple(PLACES).await;
    let finished = Arc::new(AtomicUsize::new(0));
    let buying = shop.clone();
    let outcomes = all_at_once(BUYERS, ATTEMPTS, move |number| {
        let (shop, finished) = (buying.clone(), finished.clone());
        async move {
            let (answer, guest) = shop.place(&[(ticket_type, 1)]).await;
            let mut said = outcome(&answer).to_owned();
            // Every third buyer goes away; the others may be late, for time jumps.
            if said == "placed" && !number.is_multiple_of(3) {
                let id = answer["registration_id"].as_str().unwrap().parse().unwrap();
                said = outcome(&shop.confirm(&guest, id).await).to_owned();
            }
            let done = finished.fetch_add(1, Ordering::Relaxed);
            if done < 300 && done.is_multiple_of(40) {
                shop.db.advance(HOLD + 1).await;
            }
            said
        }
    })
    .await;

    let count = |word: &str| outcomes.iter().filter(|said| *said == word).count();
    let (placed, confirmed) = (count("placed"), count("confirmed"));
    let (late, sold_out) = (count("hold_expired"), count("sold_out"));
    assert_eq!(
        placed + confirmed + late + sold_out,
        ATTEMPTS,
        "{outcomes:?}"
    );
    assert!(
        sold_out > 0 && confirmed > 0 && placed > 0,
        "nothing was fought for"
    );
    let expired = "select count(*) from registrations where status = 'expired'";
    assert!(
        shop.db.ask_number(expired).await > 0,
        "no hold ran out meanwhile"
    );
    assert_eq!(shop.taken().await, i64::from(PLACES));
    assert_eq!(shop.available(ticket_type).await, Some(0));
    shop.db.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r01_groups_fit_whole_or_not_at_all() {
    let (shop, ticket_type) = Shop::simple(20).await;
    let buying = shop.clone();
    let answers = all_at_once(BUYERS, 60, move |_| {
        let shop = buying.clone();
        async move { shop.place(&[(ticket_type, 3)]).await.0 }
    })
    .await;
    let placed = answers
        .iter()
        .filter(|answer| outcome(answer) == "placed")
        .count();
    assert_eq!(placed, 6);
    assert_eq!(shop.available(ticket_type).await, Some(2));
    shop.db.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r01_a_type_of_two_pools_is_bound_by_the_tighter_one() {
    let shop = Shop::draft().await;
    let (hall, meals) = (shop.pool(Some(10)).await, shop.pool(Some(4)).await);
    let plain = shop
        .sells(Sold {
            price: 0,
            pools: &[hall],
        })
        .await;
    let with_meal = shop
        .sells(Sold {
            price: 0,
            pools: &[hall, meals],
        })
        .await;
    shop.publish().await;

    let buying = shop.clone();
    let answers = all_at_once(BUYERS, 40, move |number| {
        let shop = buying.clone();
        let wish = if number.is_multiple_of(2) {
            plain
        } else {
            with_meal
        };
        async move { (wish, outcome(&shop.place(&[(wish, 1)]).await.0) == "placed") }
    })
    .await;
    let sold = |wish| {
        answers
            .iter()
            .filter(|(kind, placed)| *kind == wish && *placed)
            .count()
    };
    assert_eq!(sold(plain) + sold(with_meal), 10);
    assert!(sold(with_meal) <= 4);
    shop.db.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r01_without_lock_and_constraint_the_same_function_oversells() {
    const RUNS: usize = 10;
    let db = Db::new().await;
    db.replace_function_file("place_registration", without_lock)
        .await;
    db.run("alter table capacity_pools drop constraint capacity_pools_never_oversold")
        .await;

    let mut oversold = 0;
    for _ in 0..RUNS {
        let (shop, ticket_type) = Shop::simple_in(&db, 20).await;
        let buying = shop.clone();
        all_at_once(BUYERS, 120, move |_| {
            let shop = buying.clone();
            async move { shop.place(&[(ticket_type, 1)]).await }
        })
        .await;
        oversold += usize::from(shop.taken().await > 20);
    }
    assert!(oversold >= 9, "only {oversold} of {RUNS} runs oversold");
}

/// The function as it is, but for the lines that it marks as its lock.
pub fn without_lock(text: &str) -> String {
    let mut locking = false;
    text.lines()
        .filter(|line| {
            let marked = line.trim();
            locking = (locking || marked == "-- lock:begin") && marked != "-- lock:end";
            !locking
        })
        .collect::<Vec<_>>()
        .join("\n")
}
