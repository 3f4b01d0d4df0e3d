//! Promo codes: what they take off, what they unlock, and that nobody uses them more often than they are good for.

use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{Shop, placed};
use crate::{
    harness::{As, BUYERS, Db, all_at_once, outcome},
    overselling::without_lock,
    shop::{HOLD, sign_up},
};

const HALF: (&str, &str) = ("rate_millionths", "500000");

async fn shop_with(db: &Db, kind: &str, more: super::Columns<'_>) -> (Shop, Uuid) {
    let shop = Shop::draft_in(db).await;
    let ticket = shop.unlimited(1000).await;
    shop.code("SESAME", kind, more).await;
    shop.publish().await;
    (shop, ticket)
}

fn sesame() -> Json {
    json!({ "code": " sesame" })
}

/// A buyer of that address asks.
fn from(email: &str) -> Json {
    json!({ "code": "SESAME", "buyer": { "name": "Bo", "email": email } })
}

async fn uses(shop: &Shop) -> i64 {
    shop.db
        .ask_number(&format!(
            "select count(*) from registrations r where r.event_id = '{}' and r.promo_code_id is not null \
             and (r.status in ('confirmed', 'pending_payment') or (r.status = 'held' and r.expires_at > es.clock()))",
            shop.event
        ))
        .await
}

#[tokio::test]
async fn each_kind_takes_off_what_it_says() {
    let amount = [("amount_minor", "1500"), ("currency", "'EUR'")];
    let third = [("rate_millionths", "333333")];
    let two_and_one = [
        ("rate_millionths", "1000000"),
        ("buy_quantity", "2"),
        ("get_quantity", "1"),
    ];
    for (kind, more, expected) in [
        ("percent", &third[..], "667 667 667 2000"),
        ("amount_per_ticket", &amount[..], "0 0 0 1500"),
        ("amount_per_registration", &amount[..], "750 750 750 2250"),
        ("buy_x_get_y", &two_and_one[..], "1000 1000 0 3000"),
        ("none", &[][..], "1000 1000 1000 3000"),
    ] {
        let (shop, ticket) = shop_with(&Db::new().await, kind, more).await;
        let dear = shop.unlimited(3000).await;
        let cart = [(ticket, 3), (dear, 1)];
        let seen = shop.price(&cart, sesame()).await;
        let (answer, _) = shop.place_with(&cart, sesame()).await;
        let id = placed(&answer);
        assert_eq!(shop.items(&id, "price_minor").await, expected, "{kind}");
        assert_eq!(seen["total_minor"], answer["total_minor"], "{kind}");
        shop.db.assert_whole().await;
    }
}

#[tokio::test]
async fn a_code_is_for_its_types_and_its_time() {
    let db = Db::new().await;
    let times = [
        HALF,
        ("starts_at", "es.clock() + interval '1 hour'"),
        ("ends_at", "es.clock() + interval '2 hours'"),
    ];
    let (shop, ticket) = shop_with(&db, "percent", &times).await;
    let other = shop.unlimited(1000).await;
    shop.db
        .run(&format!(
            "insert into promo_code_ticket_types (org_id, event_id, promo_code_id, ticket_type_id) \
             select org_id, event_id, id, '{ticket}' from promo_codes"
        ))
        .await;
    let says = async |cart: &[(Uuid, i64)], more: Json| {
        let seen = shop.price(cart, more.clone()).await;
        let answer = shop.place_with(cart, more).await.0;
        if outcome(&seen) == "priced" {
            assert_eq!(seen["total_minor"], answer["total_minor"]);
        } else {
            assert_eq!(seen, answer);
        }
        match answer["total_minor"].as_i64() {
            Some(total) => total.to_string(),
            None => outcome(&answer).to_owned(),
        }
    };
    assert_eq!(says(&[(ticket, 1)], sesame()).await, "code_not_yet_valid");
    shop.db.advance(3600).await;
    assert_eq!(says(&[(ticket, 1), (other, 1)], sesame()).await, "1500");
    assert_eq!(says(&[(other, 1)], sesame()).await, "code_not_applicable");
    let unknown = json!({ "code": "SESAM" });
    assert_eq!(says(&[(ticket, 1)], unknown).await, "code_unknown");
    shop.db.run("update promo_codes set active = false").await;
    assert_eq!(says(&[(ticket, 1)], sesame()).await, "code_unknown");
    shop.db.run("update promo_codes set active = true").await;
    shop.db.advance(3600).await;
    assert_eq!(says(&[(ticket, 1)], sesame()).await, "code_expired");
}

#[tokio::test]
async fn a_code_of_the_organization_counts_at_all_its_events_and_an_events_own_comes_first() {
    let db = Db::new().await;
    let (shop, ticket) = shop_with(&db, "percent", &[HALF, ("max_uses", "2")]).await;
    shop.db
        .run("delete from promo_codes; insert into promo_codes (org_id, code, kind, rate_millionths, max_uses) select id, 'SESAME', 'percent', 500000, 2 from organizations")
        .await;
    let again = json!({
        "title": "Again", "slug": "again", "starts_at": "2036-03-20T09:00:00+01:00", "ends_at": "2036-03-20T18:00:00+01:00",
    });
    let made = db.call(&shop.organizer(), "create_event", &again).await;
    let second = Shop {
        event: made["event_id"].as_str().unwrap().parse().unwrap(),
        ..shop.clone()
    };
    let there = second.unlimited(1000).await;
    second.publish().await;
    let total = async |shop: &Shop, of: Uuid| {
        let (answer, _) = shop.place_with(&[(of, 1)], sesame()).await;
        answer["total_minor"]
            .as_i64()
            .ok_or(outcome(&answer).to_owned())
    };
    assert_eq!(total(&shop, ticket).await, Ok(500));
    assert_eq!(total(&second, there).await, Ok(500));
    assert_eq!(total(&second, there).await, Err("code_used_up".to_owned()));
    second
        .code("SESAME", "percent", &[("rate_millionths", "100000")])
        .await;
    assert_eq!(total(&second, there).await, Ok(900), "its own");
    let (foreign, theirs) = Shop::simple_in(&db, 5).await;
    assert_eq!(
        total(&foreign, theirs).await,
        Err("code_unknown".to_owned())
    );
    db.assert_whole().await;
}

#[tokio::test]
async fn a_code_unlocks_hidden_types_that_it_is_for() {
    let db = Db::new().await;
    let (shop, _) = shop_with(&db, "none", &[("unlocks_hidden", "true")]).await;
    let (secret, other) = (shop.unlimited(100).await, shop.unlimited(200).await);
    shop.db
        .run(&format!(
            "update ticket_types set hidden = true where id in ('{secret}', '{other}'); \
             insert into promo_code_ticket_types (org_id, event_id, promo_code_id, ticket_type_id) \
             select org_id, event_id, id, '{secret}' from promo_codes"
        ))
        .await;
    let not_found = async |of: Uuid, more: Json| {
        let answer = shop.place_with(&[(of, 1)], more.clone()).await.0;
        assert_eq!(shop.price(&[(of, 1)], more).await, answer);
        outcome(&answer) == "ticket_type_not_found"
    };
    assert!(not_found(secret, json!({})).await);
    assert!(not_found(other, sesame()).await);
    placed(&shop.place_with(&[(secret, 1)], sesame()).await.0);
    shop.db.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r01_a_code_is_never_used_more_often_than_it_is_good_for() {
    let db = Db::new().await;
    let (shop, ticket) = shop_with(&db, "percent", &[HALF, ("max_uses", "20")]).await;
    let buying = shop.clone();
    let answers = all_at_once(BUYERS, 60, move |_| {
        let shop = buying.clone();
        async move { shop.place_with(&[(ticket, 2)], sesame()).await.0 }
    })
    .await;
    let said = |word: &str| {
        answers
            .iter()
            .filter(|answer| outcome(answer) == word)
            .count()
    };
    assert_eq!((said("placed"), said("code_used_up")), (20, 40));
    assert_eq!(uses(&shop).await, 20);
    db.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r01_without_lock_and_constraint_codes_are_used_too_often() {
    const RUNS: usize = 10;
    let db = Db::new().await;
    db.replace_function_file("place_registration", without_lock)
        .await;
    db.run("alter table capacity_pools drop constraint capacity_pools_never_oversold")
        .await;
    let mut oversold = 0;
    for _ in 0..RUNS {
        let (shop, ticket) = shop_with(&db, "percent", &[HALF, ("max_uses", "20")]).await;
        let buying = shop.clone();
        all_at_once(BUYERS, 80, move |_| {
            let shop = buying.clone();
            async move { shop.place_with(&[(ticket, 1)], sesame()).await }
        })
        .await;
        oversold += usize::from(uses(&shop).await > 20);
    }
    assert!(oversold >= 9, "only {oversold} of {RUNS} runs oversold");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r10_a_buyer_uses_a_code_so_often_and_no_more_even_at_once() {
    let db = Db::new().await;
    let limit = [HALF, ("max_uses_per_buyer", "1")];
    let (shop, ticket) = shop_with(&db, "percent", &limit).await;
    let buying = shop.clone();
    let answers = all_at_once(BUYERS, 40, move |number| {
        let shop = buying.clone();
        async move {
            let email = format!("bo{}@example.com", number % 4);
            shop.place_with(&[(ticket, 3)], from(&email)).await.0
        }
    })
    .await;
    let said = |word: &str| {
        answers
            .iter()
            .filter(|answer| outcome(answer) == word)
            .count()
    };
    assert_eq!((said("placed"), said("code_used_by_buyer")), (4, 36));

    // An account is one buyer, whatever address it gives; so is its own address without the account.
    let user = sign_up(&db).await;
    db.run(&format!(
        "update users set email_verified_at = es.clock() where id = '{user}'"
    ))
    .await;
    let signed_in = async |email: &str| {
        let mut request = shop.request(&[(ticket, 1)]);
        super::merge(&mut request, from(email));
        let who = As::attendee(user, shop.org);
        let answer = db.call(&who, "place_registration", &request).await;
        (
            outcome(&answer).to_owned(),
            db.call(&who, "price_checkout", &request).await,
        )
    };
    assert_eq!(signed_in("first@example.com").await.0, "placed");
    let (second, seen) = signed_in("second@example.com").await;
    assert_eq!(
        (second.as_str(), outcome(&seen)),
        ("code_used_by_buyer", "code_used_by_buyer")
    );
    // Nobody learns from a price whether an address has used a code.
    let seen = shop.price(&[(ticket, 1)], from("bo1@example.com")).await;
    assert_eq!(outcome(&seen), "priced");
    db.assert_whole().await;
}

#[tokio::test]
async fn r10_an_expired_hold_and_a_cancelled_registration_free_their_use() {
    let db = Db::new().await;
    let limit = [HALF, ("max_uses", "1"), ("max_uses_per_buyer", "1")];
    let (shop, ticket) = shop_with(&db, "percent", &limit).await;
    let says = async || {
        let seen = shop.price(&[(ticket, 1)], sesame()).await;
        (
            outcome(&seen) == "priced",
            shop.place_with(&[(ticket, 1)], from("bo@example.com"))
                .await,
        )
    };
    placed(&says().await.1.0);
    let (seen, (answer, _)) = says().await;
    assert!(!seen);
    assert_eq!(
        answer,
        json!({ "outcome": "code_used_up", "requested": 1, "left": 0 })
    );
    shop.db.advance(HOLD).await;
    let (seen, (answer, guest)) = says().await;
    assert!(seen, "from its instant on");
    let id = placed(&answer).parse().unwrap();
    assert_eq!(outcome(&shop.confirm(&guest, id).await), "pending_payment");
    shop.db.advance(HOLD * 2).await;
    assert!(!says().await.0, "R3: it waits for money and keeps its use");
    shop.cancel(&guest, id).await;
    placed(&says().await.1.0);
    db.assert_whole().await;
}

#[tokio::test]
async fn uses_are_counted_by_ticket_where_the_code_says_so() {
    let db = Db::new().await;
    let limit = [HALF, ("max_uses", "3"), ("counted_by", "'ticket'")];
    let (shop, ticket) = shop_with(&db, "percent", &limit).await;
    placed(&shop.place_with(&[(ticket, 2)], sesame()).await.0);
    let (answer, _) = shop.place_with(&[(ticket, 2)], sesame()).await;
    assert_eq!(
        answer,
        json!({ "outcome": "code_used_up", "requested": 2, "left": 1 })
    );
    placed(&shop.place_with(&[(ticket, 1)], sesame()).await.0);
    db.assert_whole().await;
}

#[tokio::test]
async fn visitors_and_buyers_read_no_code() {
    let db = Db::new().await;
    let (shop, ticket) = shop_with(&db, "percent", &[HALF]).await;
    let (_, guest) = shop.place_with(&[(ticket, 1)], sesame()).await;
    let reader = As::member(shop.user, shop.org, "events:read,registrations:read");
    for sql in [
        "select code from promo_codes",
        "select id::text from promo_code_ticket_types",
    ] {
        for who in [As::visitor(shop.org), guest.clone()] {
            let error = db.select(&who, sql, &[]).await.unwrap_err();
            assert_eq!(crate::harness::code(&error), "42501");
        }
        assert_eq!(
            db.select(&reader, sql, &[]).await.unwrap(),
            None,
            "without promo_codes:read"
        );
    }
}
