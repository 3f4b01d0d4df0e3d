//! Tiers by time and by quantity: R1, R2 and R4 hold for them as for any stock.

use serde_json::json;
use uuid::Uuid;

use super::{Shop, placed};
use crate::{
    batches::counter,
    harness::{BUYERS, Db, all_at_once, outcome},
    overselling::without_lock,
    shop::HOLD,
};

/// A published event with a type of 100.00 whose first units cost 60.00, the next ones 80.00.
async fn early_birds(db: &Db, first: i32, second: i32) -> (Shop, Uuid, Uuid) {
    let shop = Shop::draft_in(db).await;
    let ticket = shop.unlimited(10_000).await;
    let (first, second) = (first.to_string(), second.to_string());
    let early = shop
        .tier(ticket, 6000, &[("quantity", &first), ("position", "1")])
        .await;
    shop.tier(ticket, 8000, &[("quantity", &second), ("position", "2")])
        .await;
    shop.publish().await;
    (shop, ticket, early)
}

async fn sold_in(shop: &Shop, tier: Uuid) -> i64 {
    shop.db
        .ask_number(&format!(
            "select count(*) from registration_items i join registrations r on r.id = i.registration_id \
             where i.tier_id = '{tier}' and (r.status in ('confirmed', 'pending_payment') \
             or (r.status = 'held' and r.expires_at > es.clock()))"
        ))
        .await
}

#[tokio::test]
async fn units_of_one_cart_fall_into_several_tiers_and_then_cost_the_list_price() {
    let (shop, ticket, _) = early_birds(&Db::new().await, 2, 1).await;
    let seen = shop.price(&[(ticket, 5)], json!({})).await;
    assert_eq!(seen["total_minor"], json!(40_000));
    let lines: Vec<_> = seen["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (line["quantity"].clone(), line["price_minor"].clone()))
        .collect();
    assert_eq!(
        lines,
        [(2, 6000), (1, 8000), (2, 10_000)].map(|(n, price)| (json!(n), json!(price)))
    );
    let id = placed(&shop.place(&[(ticket, 1)]).await.0);
    assert_eq!(shop.items(&id, "price_minor").await, "6000");
    // The same type in two lines draws from the tiers once.
    let id = placed(&shop.place(&[(ticket, 2), (ticket, 2)]).await.0);
    assert_eq!(
        shop.items(&id, "price_minor").await,
        "6000 8000 10000 10000"
    );
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn tiers_open_and_close_by_the_clock() {
    let shop = Shop::draft().await;
    let ticket = shop.unlimited(10_000).await;
    let hours = |n: i32| format!("es.clock() + interval '{n} hours'");
    let (one, two) = (hours(1), hours(2));
    shop.tier(ticket, 1000, &[("ends_at", &one)]).await;
    shop.tier(ticket, 2000, &[("starts_at", &one), ("ends_at", &two)])
        .await;
    shop.publish().await;
    for expected in ["1000", "2000", "10000"] {
        let id = placed(&shop.place(&[(ticket, 1)]).await.0);
        assert_eq!(shop.items(&id, "price_minor").await, expected);
        shop.db.advance(3600).await;
    }
    shop.db.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r01_a_tier_never_sells_more_than_it_has() {
    let (shop, ticket, early) = early_birds(&Db::new().await, 20, 10).await;
    let buying = shop.clone();
    let answers = all_at_once(BUYERS, 60, move |_| {
        let shop = buying.clone();
        async move { shop.place(&[(ticket, 1)]).await.0 }
    })
    .await;
    let cost = |total: i64| {
        answers
            .iter()
            .filter(|answer| answer["total_minor"] == json!(total))
            .count()
    };
    assert_eq!((cost(6000), cost(8000), cost(10_000)), (20, 10, 30));
    assert_eq!(sold_in(&shop, early).await, 20);
    shop.db.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r01_without_lock_and_constraint_tiers_are_oversold() {
    const RUNS: usize = 10;
    let db = Db::new().await;
    db.replace_function_file("place_registration", without_lock)
        .await;
    db.run("alter table capacity_pools drop constraint capacity_pools_never_oversold")
        .await;
    let mut oversold = 0;
    for _ in 0..RUNS {
        let (shop, ticket, early) = early_birds(&db, 20, 10).await;
        let buying = shop.clone();
        all_at_once(BUYERS, 80, move |_| {
            let shop = buying.clone();
            async move { shop.place(&[(ticket, 1)]).await }
        })
        .await;
        oversold += usize::from(sold_in(&shop, early).await > 20);
    }
    assert!(oversold >= 9, "only {oversold} of {RUNS} runs oversold");
}

#[tokio::test]
async fn r02_an_expired_hold_frees_its_tier_without_a_sweeper() {
    let (shop, ticket, early) = early_birds(&Db::new().await, 1, 1).await;
    let (held, guest) = shop.place(&[(ticket, 1)]).await;
    let held = placed(&held);
    let total = async || shop.price(&[(ticket, 1)], json!({})).await["total_minor"].clone();
    assert_eq!(total().await, json!(8000));
    shop.db.advance(HOLD).await;
    assert_eq!(total().await, json!(6000), "from its instant on");
    let id = placed(&shop.place(&[(ticket, 1)]).await.0);
    assert_eq!(shop.items(&id, "price_minor").await, "6000");
    let late = shop.confirm(&guest, held.parse().unwrap()).await;
    assert_eq!(outcome(&late), "hold_expired");
    assert_eq!(sold_in(&shop, early).await, 1);
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn a_cancelled_registration_gives_its_tier_back() {
    let (shop, ticket, _) = early_birds(&Db::new().await, 1, 1).await;
    let (answer, guest) = shop.place(&[(ticket, 1)]).await;
    let id = placed(&answer);
    shop.cancel(&guest, id.parse().unwrap()).await;
    let id = placed(&shop.place(&[(ticket, 1)]).await.0);
    assert_eq!(shop.items(&id, "price_minor").await, "6000");
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn a_tier_keeps_a_pool_of_its_own_and_is_never_smaller_than_what_it_sold() {
    let (shop, ticket, early) = early_birds(&Db::new().await, 5, 5).await;
    placed(&shop.place(&[(ticket, 3)]).await.0);
    let organizer = shop.organizer();
    let change = async |quantity: &str| {
        let sql = format!(
            "update price_tiers set quantity = {quantity} where id = '{early}' returning quantity::text"
        );
        shop.db.select(&organizer, &sql, &[]).await
    };
    let refused = change("2").await.unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("capacity_pools_never_oversold")
    );
    assert_eq!(change("3").await.unwrap().as_deref(), Some("3"));
    let (four, _) = shop.place(&[(ticket, 1)]).await;
    assert_eq!(four["total_minor"], json!(8000));
    // Members see and write stock, not the pools of tiers.
    let seen = "select count(*)::text from capacity_pools";
    let seen = shop.db.select(&organizer, seen, &[]).await.unwrap();
    assert_eq!(seen.as_deref(), Some("0"));
    let written = "update capacity_pools set capacity = null returning 'x'";
    let written = shop.db.select(&organizer, written, &[]).await.unwrap();
    assert_eq!(written, None);
    // One that nobody bought in goes with its pool.
    let gone = "delete from price_tiers where price_minor = 8000 and not exists \
                (select from registration_items i where i.tier_id = price_tiers.id) returning 'x'";
    shop.db
        .run("delete from registration_items where false")
        .await;
    assert_eq!(shop.db.select(&organizer, gone, &[]).await.unwrap(), None);
    let spare = shop.tier(ticket, 1, &[]).await;
    let count = "select count(*) from capacity_pools where kind = 'tier'";
    assert_eq!(shop.db.ask_number(count).await, 3);
    shop.db
        .run(&format!("delete from price_tiers where id = '{spare}'"))
        .await;
    assert_eq!(shop.db.ask_number(count).await, 2);
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn buyers_who_are_served_together_get_tiers_and_codes_as_one_by_one() {
    let db = Db::new().await;
    let (shop, ticket, _) = early_birds(&db, 2, 1).await;
    let half = [("rate_millionths", "500000"), ("max_uses", "1")];
    shop.code("SESAME", "percent", &half).await;
    let carts = [
        json!({}),
        json!({ "code": "SESAME" }),
        json!({ "expected_total_minor": 8000, "expected_currency": "EUR" }),
        json!({ "expected_total_minor": 8000, "expected_currency": "EUR" }),
        json!({ "code": "SESAME" }),
        json!({}),
    ];
    let batch: Vec<_> = carts
        .into_iter()
        .map(|more| {
            let mut request = shop.request(&[(ticket, 1)]);
            super::merge(&mut request, more);
            request["guest_secret_hash"] = json!(Uuid::new_v4().simple().to_string());
            json!({ "actor": "anonymous", "user_id": null, "request": request })
        })
        .collect();
    let told = db
        .call(&counter(shop.org), "place_registrations", &json!(batch))
        .await;
    let said: Vec<_> = told
        .as_array()
        .expect("answers")
        .iter()
        .map(|one| &one["outcome"])
        .map(|one| (outcome(one).to_owned(), one["total_minor"].clone()))
        .collect();
    let (placed, changed) = ("placed".to_owned(), "price_changed".to_owned());
    assert_eq!(
        said,
        [
            (placed.clone(), json!(6000)),
            (placed.clone(), json!(3000)),
            (placed.clone(), json!(8000)),
            (changed, json!(10_000)),
            ("code_used_up".to_owned(), json!(null)),
            (placed, json!(10_000)),
        ]
    );
    db.assert_whole().await;
}
