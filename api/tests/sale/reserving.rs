//! R9: codes that reserve keep places for the uses that are left, until they end.

use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::{
    harness::{As, BUYERS, all_at_once, code, outcome},
    shop::Shop,
};

const PERMISSIONS: &str = "events:read,events:write,registrations:read,registrations:write,promo_codes:read,promo_codes:write";

async fn reserve(shop: &Shop, code: Uuid, pools: &[Uuid]) -> Json {
    let request = json!({
        "promo_code_id": code, "pool_ids": pools, "idempotency_key": Uuid::new_v4().to_string(), "argument_hash": "00",
    });
    let who = As::member(shop.user, shop.org, PERMISSIONS);
    shop.db.call(&who, "reserve_code_stock", &request).await
}

/// A shop with so many places, and a code for so many of them that reserves.
async fn reserving(places: i32, uses: i32) -> (Shop, Uuid, Uuid, Uuid) {
    let (shop, ticket_type) = Shop::simple(places).await;
    let pool = shop
        .db
        .ask("select id::text from capacity_pools")
        .await
        .and_then(|id| id.parse().ok())
        .expect("a pool");
    let code = shop
        .code(
            "FRIENDS",
            "none",
            &[
                ("counted_by", "'ticket'"),
                ("max_uses", &uses.to_string()),
                ("ends_at", "es.clock() + interval '1000 seconds'"),
            ],
        )
        .await;
    let answer = reserve(&shop, code, &[pool]).await;
    assert_eq!(
        (outcome(&answer), &answer["places"]),
        ("reserved", &json!(uses))
    );
    (shop, ticket_type, pool, code)
}

async fn with_code(shop: &Shop, ticket_type: Uuid, quantity: i64) -> Json {
    shop.place_from(&[(ticket_type, quantity)], json!({ "code": "friends" }))
        .await
}

/// What a visitor is told who asks without taking.
async fn available(shop: &Shop, ticket_type: Uuid, quantity: i64, code: Option<&str>) -> String {
    let items = json!([{ "ticket_type_id": ticket_type, "quantity": quantity }]).to_string();
    let event = shop.event.to_string();
    let mut given = vec![event.as_str(), items.as_str()];
    given.extend(code);
    let sql = match code {
        Some(_) => "select public.check_ticket_availability($1::uuid, $2::jsonb, null, $3)::text",
        None => "select public.check_ticket_availability($1::uuid, $2::jsonb)::text",
    };
    let visitor = As::visitor(shop.org);
    let text = shop
        .db
        .select(&visitor, sql, &given)
        .await
        .expect("answered");
    let answer: Json = serde_json::from_str(&text.expect("an answer")).expect("JSON");
    outcome(&answer).to_owned()
}

#[tokio::test]
async fn r09_unused_uses_keep_places_and_using_one_needs_no_public_place() {
    let (shop, ticket_type, pool, _) = reserving(5, 3).await;
    assert_eq!(shop.available(ticket_type).await, Some(2));
    shop.placed(&[(ticket_type, 2)]).await;
    assert_eq!(
        outcome(&shop.place(&[(ticket_type, 1)]).await.0),
        "sold_out"
    );
    assert_eq!(available(&shop, ticket_type, 1, None).await, "sold_out");
    for (quantity, said) in [(3, "available"), (4, "sold_out")] {
        assert_eq!(
            available(&shop, ticket_type, quantity, Some("friends")).await,
            said
        );
    }
    assert_eq!(
        available(&shop, ticket_type, 1, Some("FRIEND")).await,
        "code_unknown"
    );
    let seen = shop
        .price(&[(ticket_type, 3)], json!({ "code": "friends" }))
        .await;
    assert_eq!(outcome(&seen), "priced", "{seen}");
    let used = with_code(&shop, ticket_type, 2).await;
    assert_eq!(outcome(&used), "placed", "{used}");
    shop.db.assert_whole().await;
    assert_eq!(
        shop.available(ticket_type).await,
        Some(0),
        "one use is left"
    );

    // Capacity can't be set below sold + held + reserved.
    let lower =
        format!("update capacity_pools set capacity = 4 where id = '{pool}' returning id::text");
    let organizer = As::member(shop.user, shop.org, PERMISSIONS);
    let refused = shop.db.select(&organizer, &lower, &[]).await;
    assert_eq!(code(&refused.expect_err("five are taken")), "23514");

    assert_eq!(
        outcome(&with_code(&shop, ticket_type, 2).await),
        "code_used_up"
    );
    assert_eq!(outcome(&with_code(&shop, ticket_type, 1).await), "placed");
    assert_eq!(outcome(&with_code(&shop, ticket_type, 1).await), "sold_out");
    assert_eq!(shop.taken().await, 5);
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn r09_what_a_code_keeps_is_on_sale_from_its_end_on_without_a_sweeper() {
    let (shop, ticket_type, _, code) = reserving(3, 3).await;
    assert_eq!(shop.available(ticket_type).await, Some(0));
    shop.db.advance(1001).await;
    assert_eq!(shop.available(ticket_type).await, Some(3));
    shop.placed(&[(ticket_type, 1)]).await;
    assert_eq!(shop.available(ticket_type).await, Some(2));
    shop.db.assert_whole().await;
    let over = reserve(&shop, code, &[]).await;
    assert_eq!(outcome(&over), "reserved", "nothing can always be reserved");
}

#[tokio::test]
async fn r09_a_code_that_changes_keeps_no_more_than_it_may() {
    let (shop, ticket_type, pool, code) = reserving(6, 4).await;
    shop.db
        .run(&format!(
            "update promo_codes set max_uses = 3 where id = '{code}'"
        ))
        .await;
    assert_eq!(shop.available(ticket_type).await, Some(3));
    shop.db.assert_whole().await;
    shop.db
        .run(&format!("update promo_codes set ends_at = es.clock() + interval '50 seconds' where id = '{code}'"))
        .await;
    shop.db.advance(51).await;
    assert_eq!(shop.available(ticket_type).await, Some(6));
    shop.db
        .run(&format!(
            "update promo_codes set ends_at = null where id = '{code}'"
        ))
        .await;
    assert_eq!(
        shop.available(ticket_type).await,
        Some(6),
        "what has run out stays so"
    );
    assert_eq!(outcome(&reserve(&shop, code, &[pool]).await), "reserved");
    assert_eq!(shop.available(ticket_type).await, Some(3));
    shop.db
        .run(&format!(
            "update promo_codes set active = false where id = '{code}'"
        ))
        .await;
    assert_eq!(shop.available(ticket_type).await, Some(6));
    assert_eq!(
        outcome(&reserve(&shop, code, &[pool]).await),
        "code_cannot_reserve"
    );
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn r09_a_code_reserves_what_is_free_only_and_again_what_was_given_back() {
    let (shop, ticket_type, pool, code) = reserving(4, 3).await;
    let used = with_code(&shop, ticket_type, 2).await;
    let registration = used["registration_id"]
        .as_str()
        .and_then(|id| id.parse().ok())
        .expect("placed");
    shop.cancel(&shop.organizer(), registration).await;
    shop.db.assert_whole().await;
    assert_eq!(
        shop.available(ticket_type).await,
        Some(3),
        "what is given back is on sale"
    );
    let (sold, guest) = shop.placed(&[(ticket_type, 2)]).await;
    let short = reserve(&shop, code, &[pool]).await;
    assert_eq!(
        (outcome(&short), &short["available"]),
        ("sold_out", &json!(2))
    );
    shop.cancel(&guest, sold).await;
    assert_eq!(reserve(&shop, code, &[pool]).await["places"], json!(3));
    assert_eq!(shop.available(ticket_type).await, Some(1));
    assert_eq!(
        outcome(&reserve(&shop, code, &[Uuid::now_v7()]).await),
        "pool_not_found"
    );
    assert_eq!(
        outcome(&reserve(&shop, Uuid::now_v7(), &[pool]).await),
        "code_not_found"
    );
    shop.db.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r09_friends_and_the_public_each_get_their_own_in_a_rush() {
    let (shop, ticket_type, _, _) = reserving(40, 15).await;
    let racing = shop.clone();
    let outcomes = all_at_once(BUYERS, 120, move |number| {
        let shop = racing.clone();
        async move {
            match number.is_multiple_of(2) {
                true => (true, with_code(&shop, ticket_type, 1).await),
                false => (false, shop.place(&[(ticket_type, 1)]).await.0),
            }
        }
    })
    .await;
    let placed = |friend: bool| {
        outcomes
            .iter()
            .filter(|(who, answer)| *who == friend && outcome(answer) == "placed")
            .count()
    };
    assert_eq!((placed(true), placed(false)), (15, 25));
    shop.db.assert_whole().await;
}
