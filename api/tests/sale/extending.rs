//! Holding places for longer: within a limit, and with stock and prices of now once the hold has run out.

use serde_json::json;

use crate::{
    harness::{As, outcome},
    shop::{HOLD, Shop, Sold},
};

#[tokio::test]
async fn r04_a_live_hold_is_extended_with_its_places_and_prices() {
    let (shop, pool, [ticket_type, _]) = Shop::two_types(1, [1000, 0]).await;
    let (registration, guest) = shop.placed(&[(ticket_type, 1)]).await;
    shop.db
        .run("update ticket_types set price_minor = 3000")
        .await;
    shop.db.advance(HOLD - 60).await;
    let answer = shop.extend(&guest, registration).await;
    assert_eq!(outcome(&answer), "extended", "{answer}");
    assert_eq!(answer["taken_again"], json!(false));
    shop.db.advance(120).await;
    assert_eq!(shop.available(ticket_type).await, Some(0), "it lives on");
    assert_eq!(
        outcome(&shop.place(&[(ticket_type, 1)]).await.0),
        "sold_out"
    );
    assert_eq!(shop.total(registration).await, 1000);
    assert_eq!(shop.claimed(pool).await, 1);
    assert_eq!(shop.sweep().await, 0);
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn r04_an_expired_hold_takes_stock_again_at_the_prices_of_now_and_says_so() {
    for swept in [false, true] {
        let (shop, pool, [ticket_type, _]) = Shop::two_types(2, [1000, 0]).await;
        let (registration, guest) = shop.placed(&[(ticket_type, 2)]).await;
        shop.db
            .run("update ticket_types set price_minor = 3000")
            .await;
        shop.db.advance(HOLD + 1).await;
        if swept {
            assert_eq!(shop.sweep().await, 1);
        }
        let answer = shop.extend(&guest, registration).await;
        assert_eq!(outcome(&answer), "extended", "{answer}");
        assert_eq!(
            (
                &answer["taken_again"],
                &answer["total_before"],
                &answer["total_minor"]
            ),
            (&json!(true), &json!(2000), &json!(6000))
        );
        assert_eq!(shop.status(registration).await, "held");
        assert_eq!(shop.claimed(pool).await, 2);
        assert_eq!(
            outcome(&shop.place(&[(ticket_type, 1)]).await.0),
            "sold_out"
        );
        assert_eq!(
            outcome(&shop.confirm(&guest, registration).await),
            "pending_payment"
        );
        shop.db.assert_whole().await;
    }
}

#[tokio::test]
async fn r02_an_expired_hold_whose_places_are_gone_stays_expired() {
    let (shop, ticket_type) = Shop::simple(2).await;
    let (late, guest) = shop.placed(&[(ticket_type, 2)]).await;
    shop.db.advance(HOLD + 1).await;
    shop.confirmed(&[(ticket_type, 1)]).await;
    let answer = shop.extend(&guest, late).await;
    assert_eq!(outcome(&answer), "sold_out", "{answer}");
    assert_eq!(answer["ticket_types"][0]["available"], json!(1));
    assert_eq!(shop.status(late).await, "expired");
    assert_eq!(shop.available(ticket_type).await, Some(1));
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn all_extensions_together_are_bounded_by_the_event() {
    let (shop, ticket_type) = Shop::simple(2).await;
    shop.set(json!({ "hold_extension_seconds": 600 })).await;
    let (registration, guest) = shop.placed(&[(ticket_type, 1)]).await;
    let mut until = String::new();
    for _ in 0..4 {
        shop.db.advance(300).await;
        let answer = shop.extend(&guest, registration).await;
        if outcome(&answer) == "extended" {
            until = answer["expires_at"].as_str().unwrap().to_owned();
        }
    }
    let most = format!(
        "select extract(epoch from timestamptz '{until}' - placed_at)::integer from registrations"
    );
    assert_eq!(shop.db.ask_number(&most).await, HOLD + 600);
    assert_eq!(
        outcome(&shop.extend(&guest, registration).await),
        "extension_limit_reached"
    );
    shop.db.advance(300).await;
    assert_eq!(
        outcome(&shop.extend(&guest, registration).await),
        "extension_limit_reached",
        "neither once it has run out"
    );
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn what_is_no_hold_and_what_is_off_sale_is_not_extended() {
    let (shop, ticket_type) = Shop::simple(5).await;
    let (done, guest) = shop.confirmed(&[(ticket_type, 1)]).await;
    let answer = shop.extend(&guest, done).await;
    assert_eq!(
        (outcome(&answer), &answer["status"]),
        ("not_extendable", &json!("confirmed"))
    );
    let (late, guest) = shop.placed(&[(ticket_type, 1)]).await;
    let stranger = As::visitor(shop.org);
    let stranger = As {
        role: "es_attendee",
        ..stranger
    };
    assert_eq!(
        outcome(&shop.extend(&stranger, late).await),
        "registration_not_found"
    );
    shop.db
        .run("update ticket_types set sales_end_at = '2000-01-01'")
        .await;
    shop.db.advance(10).await;
    assert_eq!(
        outcome(&shop.extend(&guest, late).await),
        "extended",
        "what is held is held"
    );
    shop.db.advance(HOLD + 20).await;
    assert_eq!(outcome(&shop.extend(&guest, late).await), "sale_not_open");
    assert_eq!(shop.status(late).await, "expired");
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn a_link_made_after_the_sale_is_claimed_when_stock_is_taken_again() {
    let shop = Shop::draft().await;
    let seats = shop.pool(Some(5)).await;
    let meals = shop.pool(Some(5)).await;
    let ticket_type = shop
        .sells(Sold {
            price: 0,
            pools: &[seats],
        })
        .await;
    shop.publish().await;
    let (registration, guest) = shop.placed(&[(ticket_type, 2)]).await;
    shop.db
        .run(&format!(
            "insert into ticket_type_pools (org_id, event_id, ticket_type_id, pool_id) \
             values ('{}', '{}', '{ticket_type}', '{meals}')",
            shop.org, shop.event
        ))
        .await;
    shop.db.advance(HOLD + 1).await;
    assert_eq!(
        outcome(&shop.extend(&guest, registration).await),
        "extended"
    );
    assert_eq!(
        (shop.claimed(seats).await, shop.claimed(meals).await),
        (2, 2)
    );
    shop.db.assert_whole().await;
}
