//! Tiers and codes as stock: what changes take from their pools and give back to them, all or nothing, also at once.

use serde_json::json;
use uuid::Uuid;

use super::{claims, live, placed, sesame};
use crate::{
    harness::{BUYERS, Db, all_at_once, outcome},
    shop::{HOLD, Shop, Sold},
};

/// A published event with two types, the first with a tier of 60.00 for so many.
async fn tiered(db: &Db, quantity: i32) -> (Shop, [Uuid; 2], Uuid) {
    let shop = Shop::draft_in(db).await;
    let types = [shop.unlimited(10_000).await, shop.unlimited(3000).await];
    let quantity = quantity.to_string();
    let tier = shop.tier(types[0], 6000, &[("quantity", &quantity)]).await;
    shop.publish().await;
    (shop, types, tier)
}

async fn in_tier(shop: &Shop, tier: Uuid) -> i64 {
    let sql = format!(
        "select claimed from capacity_pools p join price_tiers t on t.pool_id = p.id where t.id = '{tier}'"
    );
    shop.db.ask_number(&sql).await
}

#[tokio::test]
async fn r20_a_place_in_a_tier_moves_with_its_unit() {
    let (shop, [early, other], tier) = tiered(&Db::new().await, 2).await;
    let (registration, guest) = placed(&shop, &[(early, 2)], json!({})).await;
    assert_eq!(in_tier(&shop, tier).await, 2);
    let items = shop.units(registration).await;
    shop.swap(&guest, registration, items[0], other).await;
    assert_eq!(in_tier(&shop, tier).await, 1);
    assert_eq!(live(&shop, registration, "price_minor").await, "3000 6000");
    // Both leave, one comes back: the place that leaves the tier in the same change is there for it.
    let (second, _) = placed(&shop, &[(early, 1)], json!({})).await;
    assert_eq!(shop.total(second).await, 6000);
    let swaps = json!([
        { "item_id": items[0], "ticket_type_id": early },
        { "item_id": items[1], "ticket_type_id": other },
    ]);
    let answer = shop
        .change(&guest, registration, json!({ "swaps": swaps }))
        .await;
    assert_eq!(outcome(&answer), "changed", "{answer}");
    assert_eq!(live(&shop, registration, "price_minor").await, "6000 3000");
    assert_eq!(in_tier(&shop, tier).await, 2);
    // The tier is full: what comes costs what is listed.
    shop.add(&guest, registration, early).await;
    assert_eq!(
        live(&shop, registration, "price_minor").await,
        "6000 3000 10000"
    );
    shop.cancel_units(&guest, registration, &items[..1]).await;
    assert_eq!(in_tier(&shop, tier).await, 1);
    shop.db.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r01_a_tier_is_never_oversold_by_changes_and_is_without_the_lock() {
    let db = Db::new().await;
    let race = |db: Db| async move {
        let (shop, [early, other], tier) = tiered(&db, 20).await;
        let mut all = vec![];
        for _ in 0..40 {
            let (registration, guest) = placed(&shop, &[(other, 1)], json!({})).await;
            all.push((registration, guest, shop.units(registration).await[0]));
        }
        let racing = shop.clone();
        all_at_once(BUYERS, 40, move |number| {
            let (shop, (registration, guest, item)) = (racing.clone(), all[number].clone());
            async move { shop.swap(&guest, registration, item, early).await }
        })
        .await;
        shop.db
            .ask_number(&format!(
                "select count(*) from registration_items where tier_id = '{tier}' and price_minor = 6000"
            ))
            .await
    };
    assert_eq!(race(db.clone()).await, 20);
    db.assert_whole().await;

    db.replace_function_file("change_stock", crate::overselling::without_lock)
        .await;
    db.run("alter table capacity_pools drop constraint capacity_pools_never_oversold")
        .await;
    let mut oversold = 0;
    for _ in 0..10 {
        oversold += usize::from(race(db.clone()).await > 20);
    }
    assert!(oversold >= 9, "only {oversold} of 10 runs oversold");
}

#[tokio::test]
async fn r02_an_expired_hold_is_bought_again_as_a_whole_or_not_at_all() {
    for (spoiled, word) in [
        (
            "update capacity_pools set capacity = 1 where kind = 'stock'",
            "sold_out",
        ),
        (
            "update promo_codes set ends_at = es.clock()",
            "code_expired",
        ),
        ("update promo_codes set active = false", "code_unknown"),
        ("update promo_codes set max_uses = 1", "code_used_up"),
        (
            "update ticket_types set min_per_registration = 9, max_per_registration = 9",
            "quantity_out_of_range",
        ),
    ] {
        let shop = Shop::draft().await;
        let seats = shop.pool(Some(9)).await;
        let pools = [seats];
        let seat = shop
            .sells(Sold {
                price: 10_000,
                pools: &pools,
            })
            .await;
        shop.tier(seat, 6000, &[("quantity", "2")]).await;
        let more = [
            ("rate_millionths", "100000"),
            ("counted_by", "'ticket'"),
            ("max_uses", "5"),
        ];
        shop.code("SESAME", "percent", &more).await;
        shop.publish().await;
        let (registration, guest) = placed(&shop, &[(seat, 2)], sesame()).await;
        let before = live(&shop, registration, "price_minor, tier_id, coded").await;
        shop.db.advance(HOLD + 1).await;
        shop.sweep().await;
        shop.db.run(spoiled).await;
        let answer = shop.extend(&guest, registration).await;
        assert_eq!(outcome(&answer), word, "{answer}");
        assert_eq!(shop.status(registration).await, "expired", "{word}");
        let all = "select sum(claimed)::bigint from capacity_pools";
        assert_eq!(shop.db.ask_number(all).await, 0, "{word}: nothing is taken");
        assert_eq!(
            live(&shop, registration, "price_minor, tier_id, coded").await,
            before,
            "{word}: nothing is priced"
        );
        shop.db.assert_whole().await;
    }
}

#[tokio::test]
async fn r14_approving_takes_the_places_of_tiers_and_the_uses_of_codes_again() {
    let db = Db::new().await;
    for (spoiled, expected) in [
        ("update promo_codes set max_uses = 2", "pending_payment"),
        ("update price_tiers set quantity = 1", "sold_out"),
        ("update promo_codes set max_uses = 1", "code_used_up"),
        (
            "update promo_codes set max_uses_per_buyer = 1",
            "code_used_by_buyer",
        ),
    ] {
        let (shop, [early, _], tier) = tiered(&db, 2).await;
        shop.set(json!({ "requires_approval": true, "pending_keeps_stock": false }))
            .await;
        let more = [("rate_millionths", "500000"), ("counted_by", "'ticket'")];
        shop.code("SESAME", "percent", &more).await;
        let (registration, guest) = placed(&shop, &[(early, 2)], sesame()).await;
        let waits = shop.confirm(&guest, registration).await;
        assert_eq!(outcome(&waits), "pending_approval", "{waits}");
        assert_eq!(claims(&shop, registration, "tier").await, 0);
        shop.db
            .run(&format!("{spoiled} where event_id = '{}'", shop.event))
            .await;
        let answer = shop.approve(&[registration], "skip_failed").await;
        assert_eq!(outcome(&answer["results"][0]), expected, "{answer}");
        let taken = if expected == "pending_payment" { 2 } else { 0 };
        assert_eq!(in_tier(&shop, tier).await, taken, "{expected}");
        assert_eq!(claims(&shop, registration, "code").await, taken);
        assert_eq!(shop.total(registration).await, 6000, "{expected}");
        db.assert_whole().await;
    }
}

#[tokio::test]
async fn r09_what_a_code_reserves_is_there_for_a_change_that_uses_it() {
    let shop = Shop::draft().await;
    let seats = shop.pool(Some(4)).await;
    let pools = [seats];
    let seat = shop
        .sells(Sold {
            price: 1000,
            pools: &pools,
        })
        .await;
    let more = [("counted_by", "'ticket'"), ("max_uses", "3")];
    let code = shop.code("SESAME", "none", &more).await;
    shop.publish().await;
    let request = json!({
        "promo_code_id": code, "pool_ids": [seats], "idempotency_key": Uuid::new_v4(), "argument_hash": "00",
    });
    let staff =
        crate::harness::As::member(shop.user, shop.org, "promo_codes:read,promo_codes:write");
    let reserved = shop.db.call(&staff, "reserve_code_stock", &request).await;
    assert_eq!(reserved["places"], json!(3), "{reserved}");
    let (registration, guest) = placed(&shop, &[(seat, 1)], sesame()).await;
    shop.placed(&[(seat, 1)]).await;
    assert_eq!(shop.available(seat).await, Some(0), "two are reserved");
    for _ in 0..2 {
        let answer = shop.add(&guest, registration, seat).await;
        assert_eq!(outcome(&answer), "changed", "{answer}");
        shop.db.assert_whole().await;
    }
    assert_eq!(claims(&shop, registration, "code").await, 3);
    let answer = shop.add(&guest, registration, seat).await;
    assert_eq!(outcome(&answer), "code_used_up", "{answer}");
    shop.db.assert_whole().await;
}
