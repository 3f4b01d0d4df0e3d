//! The queue of those who wait for approval: one by one and many at once, with their places kept or sold on.

use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::{
    harness::{As, code, outcome},
    shop::{HOLD, Shop},
};

/// Waiting for approval, with its guest.
async fn waiting(shop: &Shop, ticket_type: Uuid, quantity: i64) -> (Uuid, As) {
    let (registration, guest) = shop.placed(&[(ticket_type, quantity)]).await;
    let answer = shop.confirm(&guest, registration).await;
    assert_eq!(outcome(&answer), "pending_approval", "{answer}");
    (registration, guest)
}

fn outcomes(answer: &Json) -> Vec<&str> {
    let results = answer["results"].as_array().expect("results");
    results.iter().map(outcome).collect()
}

#[tokio::test]
async fn r14_approving_what_is_free_confirms_it_with_its_tickets() {
    let (shop, ticket_type) = Shop::simple(5).await;
    shop.set(json!({ "requires_approval": true })).await;
    let (registration, guest) = waiting(&shop, ticket_type, 2).await;
    assert_eq!(
        shop.tickets(&guest, registration).await,
        json!([]),
        "a buyer has nothing signed before the approval"
    );
    let answer = shop.approve(&[registration], "skip_failed").await;
    assert_eq!(outcomes(&answer), ["confirmed"], "{answer}");
    assert_eq!(shop.valid_tickets(registration).await.len(), 2);
    let again = shop.approve(&[registration], "skip_failed").await;
    assert_eq!(again["results"][0]["already"], json!(true));
    let said = "select string_agg(type, ' ' order by sequence) from outbox where object_type = 'registration'";
    assert_eq!(
        shop.db.ask(said).await.unwrap(),
        "registration.held registration.approved registration.confirmed"
    );
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn r14_approving_what_costs_waits_for_money_until_the_events_due_time() {
    let (shop, _, [ticket_type, _]) = Shop::two_types(5, [1000, 0]).await;
    shop.set(json!({ "requires_approval": true, "payment_due_hours": 48 }))
        .await;
    let (registration, _) = waiting(&shop, ticket_type, 1).await;
    let answer = shop.approve(&[registration], "skip_failed").await;
    assert_eq!(outcomes(&answer), ["pending_payment"], "{answer}");
    shop.db.advance(47 * 3600).await;
    assert_eq!(shop.sweep().await, 0);
    shop.db.advance(2 * 3600).await;
    assert_eq!(shop.available(ticket_type).await, Some(4), "R3");
    assert_eq!(shop.sweep().await, 1);
    assert_eq!(shop.available(ticket_type).await, Some(5));
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn rejecting_gives_the_places_back_and_says_why() {
    let (shop, ticket_type) = Shop::simple(3).await;
    shop.set(json!({ "requires_approval": true })).await;
    let (registration, guest) = waiting(&shop, ticket_type, 3).await;
    assert_eq!(shop.available(ticket_type).await, Some(0));
    let answer = shop.reject(&[registration], "skip_failed").await;
    assert_eq!(outcomes(&answer), ["rejected"], "{answer}");
    assert_eq!(shop.available(ticket_type).await, Some(3));
    let reason = "select reject_reason from registrations where rejected_at is not null";
    assert_eq!(shop.db.ask(reason).await.unwrap(), "full");
    let answer = shop.approve(&[registration], "skip_failed").await;
    assert_eq!(outcomes(&answer), ["not_pending"]);
    assert_eq!(
        outcome(&shop.cancel(&guest, registration).await),
        "registration_rejected"
    );
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn places_of_those_who_wait_are_sold_on_where_the_event_says_so() {
    let (shop, ticket_type) = Shop::simple(3).await;
    shop.set(json!({ "requires_approval": true, "pending_keeps_stock": false }))
        .await;
    let (one, guest) = waiting(&shop, ticket_type, 2).await;
    let (two, _) = waiting(&shop, ticket_type, 2).await;
    assert_eq!(shop.available(ticket_type).await, Some(3));
    shop.db.advance(10 * HOLD).await;
    shop.db.assert_whole().await;
    let answer = shop.approve(&[two, one], "skip_failed").await;
    assert_eq!(
        outcomes(&answer),
        ["confirmed", "sold_out"],
        "in the order asked"
    );
    assert_eq!(
        answer["results"][1]["ticket_types"][0]["available"],
        json!(1)
    );
    assert_eq!(
        shop.status(one).await,
        "pending_approval",
        "it may still be"
    );
    assert_eq!(shop.available(ticket_type).await, Some(1));
    shop.db.assert_whole().await;
    assert_eq!(outcome(&shop.cancel(&guest, one).await), "cancelled");
    assert_eq!(shop.available(ticket_type).await, Some(1));
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn many_are_decided_at_once_each_with_its_answer_or_none() {
    let (shop, ticket_type) = Shop::simple(50).await;
    shop.set(json!({ "requires_approval": true })).await;
    let (held, _) = shop.placed(&[(ticket_type, 1)]).await;
    let mut all = vec![held, Uuid::now_v7()];
    for _ in 0..3 {
        all.push(waiting(&shop, ticket_type, 1).await.0);
    }
    let refused = shop.approve(&all, "reject_all").await;
    assert_eq!(outcome(&refused), "refused");
    let waiting = "select count(*) from registrations where status = 'pending_approval'";
    assert_eq!(shop.db.ask_number(waiting).await, 3, "nothing was done");
    assert_eq!(shop.db.ask_number("select count(*) from tickets").await, 0);
    let answer = shop.approve(&all, "skip_failed").await;
    assert_eq!(
        outcomes(&answer),
        [
            "not_pending",
            "registration_not_found",
            "confirmed",
            "confirmed",
            "confirmed"
        ]
    );
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn only_members_with_the_permission_decide_and_only_their_own() {
    let (shop, ticket_type) = Shop::simple(5).await;
    shop.set(json!({ "requires_approval": true })).await;
    let (registration, guest) = waiting(&shop, ticket_type, 1).await;
    let request = json!({ "registration_ids": [registration], "error_policy": "skip_failed" });
    let reader = As::member(shop.user, shop.org, "registrations:read");
    for verb in ["approve_registrations", "reject_registrations"] {
        let error = shop.db.try_call(&reader, verb, &request).await.unwrap_err();
        assert_eq!(code(&error), "ES403");
        let error = shop.db.try_call(&guest, verb, &request).await.unwrap_err();
        assert_eq!(code(&error), "42501", "buyers have no such function");
    }
    let (foreign, _) = Shop::simple_in(&shop.db, 1).await;
    let answer = foreign.approve(&[registration], "skip_failed").await;
    assert_eq!(outcomes(&answer), ["registration_not_found"]);
    assert_eq!(shop.status(registration).await, "pending_approval");
    let too_many: Vec<Uuid> = (0..101).map(|_| Uuid::now_v7()).collect();
    let request = json!({ "registration_ids": too_many, "error_policy": "skip_failed" });
    let organizer = shop.organizer();
    let error = shop
        .db
        .try_call(&organizer, "approve_registrations", &request)
        .await
        .unwrap_err();
    assert_eq!(code(&error), "ES400");
}

#[tokio::test]
async fn codes_that_no_longer_fit_are_asked_for_again() {
    let (shop, ticket_type) = Shop::simple(5).await;
    shop.set(json!({ "requires_approval": true })).await;
    let (registration, guest) = waiting(&shop, ticket_type, 1).await;
    let signed = shop.tickets(&shop.organizer(), registration).await;
    assert_eq!(
        outcome(&shop.add(&guest, registration, ticket_type).await),
        "changed"
    );
    let request = json!({ "registration_ids": [registration], "tickets": signed, "error_policy": "skip_failed" });
    let organizer = shop.organizer();
    let answer = shop
        .db
        .call(&organizer, "approve_registrations", &request)
        .await;
    assert_eq!(outcomes(&answer), ["tickets_missing"]);
    let answer = shop.approve(&[registration], "skip_failed").await;
    assert_eq!(outcomes(&answer), ["confirmed"]);
    assert_eq!(shop.valid_tickets(registration).await.len(), 2);
    shop.db.assert_whole().await;
}
