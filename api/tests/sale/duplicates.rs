//! Events that take one registration an address.

use serde_json::json;

use crate::{
    harness::{As, BUYERS, all_at_once, outcome},
    shop::{HOLD, Shop},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_at_once_with_one_address_one_is_placed() {
    let (shop, ticket_type) = Shop::simple(50).await;
    shop.set(json!({ "one_per_person": true })).await;
    let racing = shop.clone();
    let answers = all_at_once(BUYERS, BUYERS, move |_| {
        let shop = racing.clone();
        async move { shop.place(&[(ticket_type, 1)]).await.0 }
    })
    .await;
    let count = |word: &str| answers.iter().filter(|one| outcome(one) == word).count();
    assert_eq!(
        (count("placed"), count("already_registered")),
        (1, BUYERS - 1)
    );
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn an_address_counts_as_buyer_and_as_attendee_while_its_registration_lives() {
    let (shop, ticket_type) = Shop::simple(50).await;
    shop.set(json!({ "one_per_person": true })).await;
    let (first, guest) = shop.placed(&[(ticket_type, 1)]).await;
    let visitor = As::visitor(shop.org);
    let mut request = shop.request(&[(ticket_type, 1)]);
    request["buyer"]["email"] = json!("other@example.com");
    request["items"][0]["attendees"] = json!([{ "name": "Bo", "email": " BO@example.com" }]);
    let answer = shop.db.call(&visitor, "place_registration", &request).await;
    assert_eq!(outcome(&answer), "already_registered", "{answer}");
    let organizer = shop.organizer();
    let mut members = shop.request(&[(ticket_type, 1)]);
    members["buyer"]["email"] = json!("members@example.com");
    members["items"][0]["attendees"] = json!([{ "name": "Bo", "email": "bo@example.com" }]);
    let answer = shop
        .db
        .call(&organizer, "place_registration", &members)
        .await;
    assert_eq!(outcome(&answer), "placed", "members know what they do");
    let id = answer["registration_id"].as_str().unwrap().parse().unwrap();
    shop.cancel(&organizer, id).await;

    shop.db.advance(HOLD + 1).await;
    request["idempotency_key"] = json!("another-key");
    let answer = shop.db.call(&visitor, "place_registration", &request).await;
    assert_eq!(outcome(&answer), "placed", "R2: {answer}");
    assert_eq!(
        outcome(&shop.extend(&guest, first).await),
        "already_registered"
    );
    assert_eq!(shop.status(first).await, "expired");
    shop.db.assert_whole().await;
}
