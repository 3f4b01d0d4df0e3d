//! Batches of several servers at once, and beside them buyers who are served alone.

use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::counter;
use crate::{
    harness::{As, BUYERS, Db, all_at_once, outcome},
    shop::{HOLD, Shop},
};

/// So many visitors who want one place each.
fn batch(shop: &Shop, ticket_type: Uuid, size: usize) -> Json {
    (0..size)
        .map(|_| {
            let mut request = shop.request(&[(ticket_type, 1)]);
            request["guest_secret_hash"] = json!(Uuid::new_v4().simple().to_string());
            json!({ "actor": "anonymous", "request": request })
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r01_batches_and_single_buyers_together_sell_exactly_what_there_is() {
    let (shop, ticket_type) = Shop::simple(100).await;
    let buying = shop.clone();
    let placed: usize = all_at_once(BUYERS, 80, move |number| {
        let shop = buying.clone();
        async move {
            if number.is_multiple_of(3) {
                return usize::from(outcome(&shop.place(&[(ticket_type, 1)]).await.0) == "placed");
            }
            if number == 40 {
                // Everything that is only held becomes free again.
                shop.db.advance(HOLD + 1).await;
            }
            let answers = shop
                .db
                .call(
                    &counter(shop.org),
                    "place_registrations",
                    &batch(&shop, ticket_type, 9),
                )
                .await;
            let answers = answers.as_array().expect("a list");
            let words = answers.iter().map(|answer| outcome(&answer["outcome"]));
            words.filter(|word| *word == "placed").count()
        }
    })
    .await
    .into_iter()
    .sum();
    assert!(placed > 100, "no hold was sold again: {placed}");
    assert_eq!(shop.available(ticket_type).await, Some(0));
    assert_eq!(shop.taken().await, 100);
    shop.db.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r01_without_lock_and_constraint_batches_oversell() {
    const RUNS: usize = 10;
    let db = Db::new().await;
    db.replace_function_file("place_registrations", crate::overselling::without_lock)
        .await;
    db.run("alter table capacity_pools drop constraint capacity_pools_never_oversold")
        .await;
    let mut oversold = 0;
    for _ in 0..RUNS {
        let (shop, ticket_type) = Shop::simple_in(&db, 20).await;
        let buying = shop.clone();
        all_at_once(BUYERS, 48, move |_| {
            let shop = buying.clone();
            async move {
                let batch = batch(&shop, ticket_type, 4);
                shop.db
                    .call(&counter(shop.org), "place_registrations", &batch)
                    .await
            }
        })
        .await;
        oversold += usize::from(shop.taken().await > 20);
    }
    assert!(oversold >= 9, "only {oversold} of {RUNS} runs oversold");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_keys_in_two_batches_at_once_are_one_sale_each() {
    let (shop, ticket_type) = Shop::simple(500).await;
    let batch = batch(&shop, ticket_type, 20);
    let buying = shop.clone();
    let answers = all_at_once(8, 8, move |number| {
        let shop = buying.clone();
        let mut batch = batch.as_array().cloned().expect("a list");
        if number.is_multiple_of(2) {
            batch.reverse();
        }
        async move {
            let batch = Json::Array(batch);
            shop.db
                .call(&counter(shop.org), "place_registrations", &batch)
                .await
        }
    })
    .await;
    assert_eq!(
        shop.db
            .ask_number("select count(*) from registrations")
            .await,
        20
    );
    let fresh = answers
        .iter()
        .flat_map(|answer| answer.as_array().expect("a list"))
        .filter(|answer| answer["outcome"].get("replayed").is_none())
        .count();
    assert_eq!(fresh, 20);
    shop.db.assert_whole().await;
}

/// Nobody in a batch has done it more than the others: the journal names the counter, not somebody who happened to be
/// there; and says of each what they did themselves.
#[tokio::test]
async fn r20_holds_that_a_batch_meets_are_ended_by_the_counter_and_sales_are_of_their_buyers() {
    let (shop, ticket_type) = Shop::simple(2).await;
    shop.placed(&[(ticket_type, 1)]).await;
    shop.placed(&[(ticket_type, 1)]).await;
    shop.db.advance(HOLD + 1).await;
    shop.db.run("delete from audit_log").await;
    let mut batch = batch(&shop, ticket_type, 2);
    let user = crate::shop::sign_up(&shop.db).await;
    batch[1]["actor"] = json!(format!("user:{user}"));
    batch[1]["user_id"] = json!(user);
    let answers = shop
        .db
        .call(&counter(shop.org), "place_registrations", &batch)
        .await;
    assert_eq!(outcome(&answers[1]["outcome"]), "placed", "{answers}");
    let journal =
        "select string_agg(action || ' by ' || actor, ', ' order by action, actor) from audit_log";
    assert_eq!(
        shop.db.ask(journal).await.expect("rows"),
        format!(
            "registration.expired by system:counter, registration.expired by system:counter, \
             registration.placed by anonymous, registration.placed by user:{user}"
        )
    );
    // Who buys alone has met it alone.
    shop.db.advance(HOLD + 1).await;
    shop.db.run("delete from audit_log").await;
    shop.placed(&[(ticket_type, 1)]).await;
    assert_eq!(
        shop.db.ask(journal).await.expect("rows"),
        "registration.expired by anonymous, registration.placed by anonymous"
    );
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn r02_a_hold_that_ran_out_is_not_confirmed_with_the_others() {
    let (shop, ticket_type) = Shop::simple(5).await;
    let (late, late_guest) = shop.placed(&[(ticket_type, 1)]).await;
    let late_tickets = shop.tickets(&late_guest, late).await;
    shop.db.advance(HOLD + 1).await;
    let (timely, guest) = shop.placed(&[(ticket_type, 1)]).await;
    let tickets = shop.tickets(&guest, timely).await;
    let item = |registration: Uuid, guest: &As, tickets: &Json| {
        json!({
            "actor": "guest",
            "guest_hashes": [guest.guest_hash],
            "request": {
                "registration_id": registration, "tickets": tickets,
                "idempotency_key": Uuid::new_v4(), "argument_hash": "00",
            },
        })
    };
    let batch = json!([
        item(late, &late_guest, &late_tickets),
        item(timely, &guest, &tickets),
        // Not theirs.
        item(timely, &late_guest, &tickets),
    ]);
    let answers = shop
        .db
        .call(&counter(shop.org), "confirm_registrations", &batch)
        .await;
    let word = |at: usize| outcome(&answers[at]["outcome"]).to_owned();
    assert_eq!(
        [word(0), word(1), word(2)],
        ["hold_expired", "confirmed", "registration_not_found"]
    );
    assert_eq!(shop.status(late).await, "expired");
    assert_eq!(shop.status(timely).await, "confirmed");
    shop.db.assert_whole().await;
}
