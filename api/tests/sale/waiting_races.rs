//! R11 under a rush: the public, the queue and several sweeps at once; and proof that the lock is what keeps the places
//! of those who wait.

use std::collections::BTreeMap;

use serde_json::json;
use uuid::Uuid;

use crate::{
    harness::{As, BUYERS, Db, all_at_once, outcome},
    overselling::without_lock,
    queue::{Waiting, id},
    shop::Shop,
};

/// A shop that is sold out with so many places, and people who wait: for one place each, or as many as `size` says.
async fn queue(
    db: &Db,
    places: i32,
    waiting: usize,
    size: impl Fn(usize) -> i64,
) -> (Shop, Uuid, Uuid, Vec<Waiting>) {
    let (shop, ticket_type) = Shop::simple_in(db, places).await;
    db.run(&format!(
        "update ticket_types set max_per_registration = 100 where id = '{ticket_type}'; \
         update events set max_tickets_per_registration = 100 where id = '{}'",
        shop.event
    ))
    .await;
    shop.placed(&[(ticket_type, i64::from(places))]).await;
    let pool = db
        .ask(&format!(
            "select pool_id::text from ticket_type_pools where ticket_type_id = '{ticket_type}'"
        ))
        .await
        .expect("a pool")
        .parse()
        .expect("a key");
    let mut queue = vec![];
    for number in 0..waiting {
        queue.push(
            shop.waits(&format!("w{number}"), &[(ticket_type, size(number))])
                .await,
        );
    }
    (shop, ticket_type, pool, queue)
}

/// Twenty places are freed at once for twelve who wait, and 24 of the public are there at that instant: how many they got.
/// Whom the constraint stops, because the function did not, got nothing.
async fn public_against_waiting(db: &Db) -> i64 {
    let (shop, ticket_type, pool, _) = queue(db, 1, 12, |_| 1).await;
    shop.set_capacity(pool, 21).await;
    let racing = shop.clone();
    let answers = all_at_once(BUYERS, 120, move |_| {
        let shop = racing.clone();
        async move {
            let request = shop.request(&[(ticket_type, 1)]);
            let visitor = As::visitor(shop.org);
            let answer = shop
                .db
                .try_call(&visitor, "place_registration", &request)
                .await;
            answer.is_ok_and(|answer| outcome(&answer) == "placed")
        }
    })
    .await;
    i64::try_from(answers.iter().filter(|placed| **placed).count()).expect("few")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r11_the_public_gets_what_is_left_beside_those_who_wait() {
    let db = Db::new().await;
    assert_eq!(public_against_waiting(&db).await, 8);
    db.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r11_without_the_lock_the_public_steals_from_those_who_wait() {
    const RUNS: usize = 10;
    let db = Db::new().await;
    db.replace_function_file("place_registration", without_lock)
        .await;
    // The constraint stays: it keeps the pool from being oversold, not those who wait from being passed over.
    let mut stolen = 0;
    for _ in 0..RUNS {
        stolen += usize::from(public_against_waiting(&db).await > 8);
    }
    assert!(stolen >= 9, "only in {stolen} of {RUNS} runs");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r11_fifty_freed_for_eighty_waiting_with_groups_go_to_the_first_that_fit() {
    let size = |number: usize| 1 + i64::try_from(number % 4).expect("few");
    let (shop, ticket_type, pool, waiting) = queue(&Db::new().await, 10, 80, size).await;
    let mut left = 50;
    let expected: Vec<bool> = (0..80)
        .map(|number| {
            let fits = size(number) <= left;
            left -= if fits { size(number) } else { 0 };
            fits
        })
        .collect();
    shop.set_capacity(pool, 60).await;
    let racing = shop.clone();
    // Several sweeps, and the public beside them.
    let made = all_at_once(8, 64, move |number| {
        let shop = racing.clone();
        async move {
            match number % 4 {
                0 => {
                    let (answer, _) = shop.place(&[(ticket_type, 1)]).await;
                    assert_eq!(outcome(&answer), "sold_out");
                    0
                }
                _ => shop.serve(3).await,
            }
        }
    })
    .await;
    assert_eq!(shop.offered().await, 50);
    for (number, waiting) in waiting.iter().enumerate() {
        let standing = shop.standing(waiting).await;
        assert_eq!(
            standing == "offered",
            expected[number],
            "{number}: {standing}"
        );
    }
    assert_eq!(
        made.iter().sum::<i64>(),
        i64::try_from(expected.iter().filter(|fits| **fits).count()).expect("few")
    );
    shop.db.assert_whole().await;
    accepted_once(&shop, &waiting, &expected).await;
}

/// Everybody who was offered places accepts twice at once, and has one registration.
async fn accepted_once(shop: &Shop, waiting: &[Waiting], offered: &[bool]) {
    let racing = (shop.clone(), waiting.to_vec());
    let answers = all_at_once(BUYERS, waiting.len() * 2, move |number| {
        let (shop, waiting) = racing.clone();
        let who = waiting[number / 2].clone();
        async move {
            (
                number / 2,
                shop.answers("accept_waitlist_offer", &who).await,
            )
        }
    })
    .await;
    let mut registrations: BTreeMap<usize, Vec<Uuid>> = BTreeMap::new();
    for (number, answer) in answers {
        match offered[number] {
            true => registrations
                .entry(number)
                .or_default()
                .push(id(&answer, "registration_id")),
            false => assert_eq!(outcome(&answer), "no_offer"),
        }
    }
    for pair in registrations.values() {
        assert_eq!(
            (pair.len(), pair[0]),
            (2, pair[1]),
            "one registration, told twice"
        );
    }
    assert_eq!(shop.taken().await, 60);
    shop.db.assert_whole().await;
}

/// One place is freed for many who wait, and many sweeps meet there: how many offers are open then.
async fn sweeps_at_one_place(db: &Db) -> i64 {
    let (shop, _, pool, _) = queue(db, 1, 16, |_| 1).await;
    shop.set_capacity(pool, 2).await;
    let racing = shop.clone();
    all_at_once(8, 16, move |_| {
        let shop = racing.clone();
        async move { shop.serve(100).await }
    })
    .await
    .iter()
    .sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r11_one_place_is_never_offered_twice() {
    let db = Db::new().await;
    for _ in 0..5 {
        assert_eq!(sweeps_at_one_place(&db).await, 1);
    }
    db.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r11_without_lock_and_constraint_one_place_is_offered_twice() {
    const RUNS: usize = 10;
    let db = Db::new().await;
    db.replace_function_file("serve_waitlist", without_lock)
        .await;
    db.run("alter table capacity_pools drop constraint capacity_pools_never_oversold")
        .await;
    let mut twice = 0;
    for _ in 0..RUNS {
        twice += usize::from(sweeps_at_one_place(&db).await > 1);
    }
    assert!(twice >= 9, "only in {twice} of {RUNS} runs");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r11_joining_serving_answering_and_buying_at_once_never_deadlock_nor_oversell() {
    let (shop, ticket_type) = Shop::simple(12).await;
    let made = shop
        .hold(ticket_type, 3, json!({ "key_hash": "cc01" }))
        .await;
    let hold = id(&made, "hold_id");
    let racing = shop.clone();
    // A deadlock would be an error of one of the statements, and those fail the test.
    all_at_once(BUYERS, 360, move |number| {
        let shop = racing.clone();
        async move {
            match number % 6 {
                0 | 1 => {
                    let (answer, guest) = shop.place(&[(ticket_type, 1)]).await;
                    if outcome(&answer) == "placed" {
                        shop.cancel(&guest, id(&answer, "registration_id")).await;
                    }
                }
                2 => {
                    let (answer, guest) = shop
                        .join(&format!("w{number}"), &[(ticket_type, 2)], json!({}))
                        .await;
                    if outcome(&answer) == "joined" {
                        let waiting = Waiting {
                            entry: id(&answer, "entry_id"),
                            guest,
                        };
                        shop.serve(2).await;
                        let verb = [
                            "accept_waitlist_offer",
                            "decline_waitlist_offer",
                            "leave_waitlist",
                        ][number / 6 % 3];
                        shop.answers(verb, &waiting).await;
                    }
                }
                3 => {
                    shop.place_from(&[(ticket_type, 1)], json!({ "hold_key_hash": "cc01" }))
                        .await;
                }
                4 => {
                    shop.change_hold(hold, json!({ "quantity": 3 + number / 6 % 5 }))
                        .await;
                    if number.is_multiple_of(40) {
                        shop.db.advance(1000).await;
                    }
                }
                _ => {
                    shop.serve(100).await;
                    shop.clear().await;
                    shop.sweep().await;
                }
            }
        }
    })
    .await;
    shop.db.assert_whole().await;
    assert!(shop.taken().await + shop.offered().await <= 12);
}
