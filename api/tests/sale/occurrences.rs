//! Stock per date: a pool of one date bounds that date alone, one of the event bounds all of them together.

use serde_json::json;
use uuid::Uuid;

use crate::{
    harness::{BUYERS, Db, all_at_once, outcome},
    queue::id,
    shop::{Shop, Sold},
};

/// Two dates with pools of their own.
async fn two_dates(db: &Db, first: i32, second: i32) -> (Shop, Uuid, Uuid) {
    let shop = Shop::draft_in(db).await;
    let later = shop.another_date(2).await;
    let pools = [
        shop.pool_at(shop.occurrence, first).await,
        shop.pool_at(later, second).await,
    ];
    let ticket_type = shop
        .sells(Sold {
            price: 0,
            pools: &pools,
        })
        .await;
    shop.publish().await;
    (shop, ticket_type, later)
}

#[tokio::test]
async fn each_date_has_its_own_places_and_its_own_capacity() {
    let (shop, ticket_type, later) = two_dates(&Db::new().await, 2, 3).await;
    shop.placed(&[(ticket_type, 2)]).await;
    assert_eq!(
        shop.available_at(ticket_type, shop.occurrence).await,
        Some(0)
    );
    assert_eq!(shop.available_at(ticket_type, later).await, Some(3));
    assert_eq!(shop.available(ticket_type).await, Some(3));
    let at_later = json!({ "occurrence_id": later });
    let answer = shop.place_from(&[(ticket_type, 3)], at_later.clone()).await;
    assert_eq!(outcome(&answer), "placed", "{answer}");
    let answer = shop.place_from(&[(ticket_type, 1)], at_later.clone()).await;
    assert_eq!(outcome(&answer), "sold_out");

    // More room at one date is room at no other.
    shop.db
        .run(&format!(
            "update capacity_pools set capacity = 4 where occurrence_id = '{later}'"
        ))
        .await;
    assert_eq!(shop.available_at(ticket_type, later).await, Some(1));
    assert_eq!(
        outcome(&shop.place(&[(ticket_type, 1)]).await.0),
        "sold_out"
    );
    let answer = shop.place_from(&[(ticket_type, 1)], at_later).await;
    assert_eq!(outcome(&answer), "placed", "{answer}");
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn a_pool_of_the_event_bounds_all_dates_together() {
    let shop = Shop::draft().await;
    let later = shop.another_date(2).await;
    let pools = [
        shop.pool(Some(5)).await,
        shop.pool_at(shop.occurrence, 4).await,
        shop.pool_at(later, 4).await,
    ];
    let ticket_type = shop
        .sells(Sold {
            price: 0,
            pools: &pools,
        })
        .await;
    shop.publish().await;
    shop.placed(&[(ticket_type, 3)]).await;
    assert_eq!(
        shop.available_at(ticket_type, shop.occurrence).await,
        Some(1)
    );
    assert_eq!(shop.available_at(ticket_type, later).await, Some(2));
    let answer = shop
        .place_from(&[(ticket_type, 3)], json!({ "occurrence_id": later }))
        .await;
    assert_eq!(outcome(&answer), "sold_out");
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn r11_holds_and_waiting_are_of_one_date() {
    let (shop, ticket_type, later) = two_dates(&Db::new().await, 1, 2).await;
    let at_later = json!({ "occurrence_id": later });
    let held = shop
        .hold(
            ticket_type,
            1,
            json!({ "occurrence_id": later, "key_hash": "bb01" }),
        )
        .await;
    assert_eq!(outcome(&held), "created", "{held}");
    assert_eq!(
        shop.available_at(ticket_type, shop.occurrence).await,
        Some(1)
    );
    assert_eq!(shop.available_at(ticket_type, later).await, Some(1));
    let wrong = shop
        .place_from(&[(ticket_type, 1)], json!({ "hold_key_hash": "bb01" }))
        .await;
    assert_eq!(
        outcome(&wrong),
        "hold_keeps_others",
        "the hold is of the other date"
    );

    let (registration, guest) = shop.placed(&[(ticket_type, 1)]).await;
    let first = shop.waits("ann", &[(ticket_type, 1)]).await;
    let (answer, _) = shop
        .join("ann", &[(ticket_type, 1)], at_later.clone())
        .await;
    assert_eq!(outcome(&answer), "places_available");
    shop.place_from(&[(ticket_type, 1)], at_later.clone()).await;
    let (answer, _) = shop
        .join("ann", &[(ticket_type, 1)], at_later.clone())
        .await;
    assert_eq!(outcome(&answer), "joined", "once for each date");
    shop.release_hold(id(&held, "hold_id")).await;
    assert_eq!(shop.available_at(ticket_type, later).await, Some(0));
    assert_eq!(shop.serve(100).await, 1);
    assert_eq!(shop.standing(&first).await, "waiting");
    shop.cancel(&guest, registration).await;
    assert_eq!(shop.serve(100).await, 1);
    assert_eq!(shop.standing(&first).await, "offered");
    shop.db.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r01_no_date_is_oversold_while_both_are_fought_for() {
    let (shop, ticket_type, later) = two_dates(&Db::new().await, 15, 25).await;
    let racing = shop.clone();
    all_at_once(BUYERS, 160, move |number| {
        let shop = racing.clone();
        let date = if number.is_multiple_of(2) {
            shop.occurrence
        } else {
            later
        };
        async move {
            shop.place_from(&[(ticket_type, 1)], json!({ "occurrence_id": date }))
                .await
        }
    })
    .await;
    assert_eq!(sold(&shop, shop.occurrence).await, 15);
    assert_eq!(sold(&shop, later).await, 25);
    shop.db.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r01_without_lock_and_constraint_a_date_is_oversold() {
    const RUNS: usize = 10;
    let db = Db::new().await;
    db.replace_function_file("place_registration", crate::overselling::without_lock)
        .await;
    db.run("alter table capacity_pools drop constraint capacity_pools_never_oversold")
        .await;
    let mut oversold = 0;
    for _ in 0..RUNS {
        let (shop, ticket_type, later) = two_dates(&db, 20, 20).await;
        let racing = shop.clone();
        all_at_once(BUYERS, 120, move |_| {
            let shop = racing.clone();
            async move {
                shop.place_from(&[(ticket_type, 1)], json!({ "occurrence_id": later }))
                    .await
            }
        })
        .await;
        oversold += usize::from(sold(&shop, later).await > 20);
    }
    assert!(oversold >= 9, "only {oversold} of {RUNS} runs oversold");
}

async fn sold(shop: &Shop, occurrence: Uuid) -> i64 {
    shop.db
        .ask_number(&format!(
            "select count(*) from registration_items i join registrations r on r.id = i.registration_id \
             where r.occurrence_id = '{occurrence}' and r.status in ('held', 'confirmed')"
        ))
        .await
}
