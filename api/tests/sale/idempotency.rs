//! The same request under the same key is answered once; the key takes no other arguments.

use serde_json::{Value as Json, json};

use crate::{
    harness::{As, BUYERS, all_at_once, code, outcome},
    shop::{HOLD, Shop},
};

async fn registrations(shop: &Shop) -> i64 {
    shop.db
        .ask_number("select count(*) from registrations")
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_key_at_once_from_many_places_once() {
    let (shop, ticket_type) = Shop::simple(50).await;
    let mut request = shop.request(&[(ticket_type, 2)]);
    request["guest_secret_hash"] = json!("cd02");
    let racing = shop.clone();
    let answers: Vec<Json> = all_at_once(BUYERS, BUYERS, move |_| {
        let (shop, request) = (racing.clone(), request.clone());
        async move {
            shop.db
                .call(&As::visitor(shop.org), "place_registration", &request)
                .await
        }
    })
    .await;
    let fresh = answers
        .iter()
        .filter(|answer| answer.get("replayed").is_none())
        .count();
    assert_eq!(fresh, 1);
    assert!(
        answers
            .iter()
            .all(|answer| answer["registration_id"] == answers[0]["registration_id"])
    );
    assert_eq!(registrations(&shop).await, 1);
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn other_arguments_under_the_key_are_refused() {
    let (shop, ticket_type) = Shop::simple(50).await;
    let visitor = As::visitor(shop.org);
    let request = shop.request(&[(ticket_type, 2)]);
    shop.db.call(&visitor, "place_registration", &request).await;
    let mut other = request.clone();
    other["argument_hash"] = json!("01");
    let error = shop
        .db
        .try_call(&visitor, "place_registration", &other)
        .await
        .unwrap_err();
    assert_eq!(code(&error), "ES409");
    assert_eq!(registrations(&shop).await, 1);
}

#[tokio::test]
async fn keys_of_signed_in_people_are_their_own() {
    let (shop, ticket_type) = Shop::simple(50).await;
    let request = shop.request(&[(ticket_type, 1)]);
    let organizer = shop.organizer();
    let theirs = shop
        .db
        .call(&organizer, "place_registration", &request)
        .await;
    let ours = shop
        .db
        .call(&As::visitor(shop.org), "place_registration", &request)
        .await;
    assert_ne!(theirs["registration_id"], ours["registration_id"]);
}

#[tokio::test]
async fn a_refusal_is_remembered_too() {
    let (shop, ticket_type) = Shop::simple(1).await;
    let (held, guest) = shop.placed(&[(ticket_type, 1)]).await;
    let visitor = As::visitor(shop.org);
    let request = shop.request(&[(ticket_type, 1)]);
    let refused = shop.db.call(&visitor, "place_registration", &request).await;
    assert_eq!(outcome(&refused), "sold_out");
    shop.cancel(&guest, held).await;
    let again = shop.db.call(&visitor, "place_registration", &request).await;
    assert_eq!(
        (outcome(&again), &again["replayed"]),
        ("sold_out", &json!(true))
    );
}

#[tokio::test]
async fn confirming_and_cancelling_repeat_their_answers() {
    let (shop, ticket_type) = Shop::simple(5).await;
    let (registration, guest) = shop.placed(&[(ticket_type, 1)]).await;
    let mut confirm = json!({
        "registration_id": registration,
        "tickets": shop.tickets(&guest, registration).await,
        "idempotency_key": "confirm-0001",
        "argument_hash": "0a",
    });
    let first = shop.db.call(&guest, "confirm_registration", &confirm).await;
    assert_eq!(first["already"], json!(false));
    // A repeated call comes with other codes: what is compared is the hash of the arguments.
    confirm["tickets"] = json!([]);
    let again = shop.db.call(&guest, "confirm_registration", &confirm).await;
    assert_eq!(
        (&again["already"], &again["replayed"]),
        (&json!(false), &json!(true))
    );

    let cancel = json!({ "registration_id": registration, "idempotency_key": "cancel-0001", "argument_hash": "0b" });
    let first = shop.db.call(&guest, "cancel_registration", &cancel).await;
    let again = shop.db.call(&guest, "cancel_registration", &cancel).await;
    assert_eq!(
        (outcome(&first), outcome(&again)),
        ("cancelled", "cancelled")
    );
    assert_eq!(again["replayed"], json!(true));
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn a_repeated_placing_opens_the_registration_to_its_secret_only() {
    let (shop, ticket_type) = Shop::simple(5).await;
    let mut request = shop.request(&[(ticket_type, 1)]);
    request["guest_secret_hash"] = json!("ef03");
    let visitor = As::visitor(shop.org);
    let opened = "with placed as materialized (select public.place_registration($1::jsonb)) \
                  select current_setting('es.guest') from placed";
    let opened_by = async |request: &Json| {
        shop.db
            .select(&visitor, opened, &[&request.to_string()])
            .await
            .unwrap()
            .unwrap()
    };
    assert_ne!(opened_by(&request).await, "");
    shop.db.advance(HOLD + 1).await;
    assert_ne!(opened_by(&request).await, "");
    request["guest_secret_hash"] = json!("ef04");
    assert_eq!(opened_by(&request).await, "");
}

#[tokio::test]
async fn a_key_without_hash_or_of_a_strange_length_is_refused() {
    let (shop, ticket_type) = Shop::simple(5).await;
    let visitor = As::visitor(shop.org);
    for (key, hash) in [
        (json!("short"), json!("00")),
        (json!(null), json!("00")),
        (json!("long enough"), json!(null)),
    ] {
        let mut request = shop.request(&[(ticket_type, 1)]);
        request["idempotency_key"] = key;
        request["argument_hash"] = hash;
        let error = shop
            .db
            .try_call(&visitor, "place_registration", &request)
            .await
            .unwrap_err();
        assert_eq!(code(&error), "ES400");
    }
    assert_eq!(registrations(&shop).await, 0);
}
