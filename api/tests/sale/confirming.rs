//! R4, R5, R14: prices fixed at the hold, confirming once or twice, who has to wait, cancelling.

use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::{
    harness::{As, all_at_once, code, outcome},
    shop::{HOLD, ORGANIZER, Shop, Sold, sign_up},
};

async fn live_tickets(shop: &Shop, registration: Uuid) -> i64 {
    let sql = format!(
        "select count(*) from tickets where registration_id = '{registration}' and status = 'valid'"
    );
    shop.db.ask_number(&sql).await
}

#[tokio::test]
async fn r04_the_price_is_fixed_at_hold_time() {
    let shop = Shop::draft().await;
    let pool = shop.pool(Some(5)).await;
    let ticket_type = shop
        .sells(Sold {
            price: 1000,
            pools: &[pool],
        })
        .await;
    shop.publish().await;
    let (early, guest) = shop.placed(&[(ticket_type, 2)]).await;
    shop.db
        .run("update ticket_types set price_minor = 3000")
        .await;

    let total = |id: Uuid| format!("select total_minor from registrations where id = '{id}'");
    let unit = |id: Uuid| {
        format!("select max(price_minor) from registration_items where registration_id = '{id}'")
    };
    assert_eq!(shop.db.ask_number(&total(early)).await, 2000);
    assert_eq!(shop.db.ask_number(&unit(early)).await, 1000);
    assert_eq!(
        outcome(&shop.confirm(&guest, early).await),
        "pending_payment"
    );
    assert_eq!(shop.db.ask_number(&total(early)).await, 2000);
    let (later, _) = shop.placed(&[(ticket_type, 1)]).await;
    assert_eq!(shop.db.ask_number(&total(later)).await, 3000);
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn r05_confirming_twice_is_a_successful_no_op() {
    let (shop, ticket_type) = Shop::simple(5).await;
    let (registration, guest) = shop.placed(&[(ticket_type, 2)]).await;
    let first = shop.confirm(&guest, registration).await;
    assert_eq!(
        (outcome(&first), &first["already"]),
        ("confirmed", &json!(false))
    );
    let again = shop.confirm(&guest, registration).await;
    assert_eq!(
        (outcome(&again), &again["already"]),
        ("confirmed", &json!(true))
    );
    assert_eq!(live_tickets(&shop, registration).await, 2);
    shop.db.advance(10 * HOLD).await;
    assert_eq!(shop.sweep().await, 0, "what is confirmed does not run out");
    let issued = "select count(*) from outbox where type = 'ticket.issued'";
    assert_eq!(shop.db.ask_number(issued).await, 2);
    shop.db.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r05_of_two_who_confirm_at_once_one_issues_the_tickets() {
    let (shop, ticket_type) = Shop::simple(20).await;
    for _ in 0..10 {
        let (registration, guest) = shop.placed(&[(ticket_type, 2)]).await;
        // Both have signed codes for all items before either confirms.
        let racing = shop.clone();
        let answers: Vec<Json> = all_at_once(2, 2, move |_| {
            let (shop, guest) = (racing.clone(), guest.clone());
            async move { shop.confirm(&guest, registration).await }
        })
        .await;
        assert!(
            answers.iter().all(|answer| outcome(answer) == "confirmed"),
            "{answers:?}"
        );
        let fresh = answers
            .iter()
            .filter(|answer| answer["already"] == json!(false))
            .count();
        assert_eq!(fresh, 1);
        assert_eq!(live_tickets(&shop, registration).await, 2);
    }
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn tickets_have_to_match_the_items_one_to_one() {
    let (shop, ticket_type) = Shop::simple(5).await;
    let (registration, guest) = shop.placed(&[(ticket_type, 2)]).await;
    let all = shop.tickets(&guest, registration).await;
    let mut doubled = all.clone();
    doubled[1]["item_id"] = all[0]["item_id"].clone();
    for tickets in [json!([]), json!([all[0]]), doubled] {
        let request = json!({ "registration_id": registration, "tickets": tickets });
        let error = shop
            .db
            .try_call(&guest, "confirm_registration", &request)
            .await
            .unwrap_err();
        assert!(
            matches!(code(&error).as_str(), "ES400" | "23505"),
            "{error}"
        );
        assert_eq!(shop.status(registration).await, "held");
    }
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn r14_an_event_that_asks_approval_issues_nothing_by_itself() {
    let (shop, ticket_type) = Shop::simple(5).await;
    let change = json!({ "event_id": shop.event, "requires_approval": true });
    let answer = shop
        .db
        .call(&shop.organizer(), "update_event", &change)
        .await;
    assert_eq!(outcome(&answer), "updated");
    let (registration, guest) = shop.placed(&[(ticket_type, 2)]).await;
    assert_eq!(shop.tickets(&guest, registration).await, json!([]));
    assert_eq!(
        outcome(&shop.confirm(&guest, registration).await),
        "pending_approval"
    );
    assert_eq!(
        outcome(&shop.confirm(&guest, registration).await),
        "pending_approval"
    );
    assert_eq!(live_tickets(&shop, registration).await, 0);
    shop.db.advance(10 * HOLD).await;
    assert_eq!(
        shop.available(ticket_type).await,
        Some(3),
        "it waits for people, not for the clock"
    );
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn cancelling_gives_stock_back_and_takes_tickets_out_of_force() {
    let (shop, ticket_type) = Shop::simple(3).await;
    let (registration, guest) = shop.placed(&[(ticket_type, 3)]).await;
    shop.confirm(&guest, registration).await;
    let organizer = shop.organizer();
    let answer = shop.cancel(&organizer, registration).await;
    assert_eq!(
        (outcome(&answer), &answer["already"]),
        ("cancelled", &json!(false))
    );
    let again = shop.cancel(&guest, registration).await;
    assert_eq!(
        (outcome(&again), &again["already"]),
        ("cancelled", &json!(true))
    );
    assert_eq!(live_tickets(&shop, registration).await, 0);
    assert_eq!(shop.available(ticket_type).await, Some(3));
    assert_eq!(
        outcome(&shop.confirm(&guest, registration).await),
        "registration_cancelled"
    );
    shop.placed(&[(ticket_type, 3)]).await;
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn cancelling_a_hold_that_ran_out_says_so() {
    let (shop, ticket_type) = Shop::simple(3).await;
    let (registration, guest) = shop.placed(&[(ticket_type, 3)]).await;
    shop.db.advance(HOLD + 1).await;
    assert_eq!(
        outcome(&shop.cancel(&guest, registration).await),
        "registration_expired"
    );
    assert_eq!(shop.status(registration).await, "expired");
    assert_eq!(
        shop.db
            .ask_number("select claimed from capacity_pools")
            .await,
        0
    );
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn strangers_are_told_that_there_is_no_such_registration() {
    let (shop, ticket_type) = Shop::simple(5).await;
    let (registration, guest) = shop.placed(&[(ticket_type, 1)]).await;
    let (_, other_guest) = shop.placed(&[(ticket_type, 1)]).await;
    let (foreign, _) = Shop::simple_in(&shop.db, 1).await;
    let stranger = As::attendee(sign_up(&shop.db).await, shop.org);
    let reader = As::member(shop.user, shop.org, "registrations:read");
    let foreigner = As::member(foreign.user, foreign.org, ORGANIZER);
    for who in [other_guest, stranger, reader, foreigner] {
        assert_eq!(shop.tickets(&who, registration).await, json!([]), "{who:?}");
        let confirmed = shop.confirm(&who, registration).await;
        assert_eq!(outcome(&confirmed), "registration_not_found", "{who:?}");
        let cancelled = shop.cancel(&who, registration).await;
        assert_eq!(outcome(&cancelled), "registration_not_found", "{who:?}");
    }
    assert_eq!(
        outcome(&shop.confirm(&guest, registration).await),
        "confirmed"
    );
}

#[tokio::test]
async fn a_signed_in_buyer_acts_without_a_secret() {
    let (shop, ticket_type) = Shop::simple(5).await;
    let buyer = As::attendee(sign_up(&shop.db).await, shop.org);
    let placed = shop
        .db
        .call(
            &buyer,
            "place_registration",
            &shop.request(&[(ticket_type, 1)]),
        )
        .await;
    let id: Uuid = placed["registration_id"].as_str().unwrap().parse().unwrap();
    assert_eq!(outcome(&shop.confirm(&buyer, id).await), "confirmed");
    assert_eq!(outcome(&shop.cancel(&buyer, id).await), "cancelled");
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn attendees_are_named_when_placing_or_confirming() {
    let (shop, ticket_type) = Shop::simple(5).await;
    let mut request = shop.request(&[(ticket_type, 2)]);
    request["guest_secret_hash"] = json!("ab01");
    request["items"][0]["attendees"] =
        json!([{ "name": " Ann ", "email": "Ann@Example.com" }, null]);
    let placed = shop
        .db
        .call(&As::visitor(shop.org), "place_registration", &request)
        .await;
    let id: Uuid = placed["registration_id"].as_str().unwrap().parse().unwrap();
    let guest = As::guest(shop.org, "ab01");
    let tickets = shop.tickets(&guest, id).await;
    let confirm = json!({
        "registration_id": id,
        "attendees": [{ "item_id": tickets[1]["item_id"], "name": "Bob", "email": "bob@example.com" }],
        "tickets": tickets,
    });
    assert_eq!(
        outcome(&shop.db.call(&guest, "confirm_registration", &confirm).await),
        "confirmed"
    );
    let named = "select string_agg(a.name || ' ' || a.email, ', ' order by i.position) \
                 from tickets t join registration_items i on i.id = t.item_id join attendees a on a.id = t.attendee_id";
    assert_eq!(
        shop.db.ask(named).await.unwrap(),
        "Ann ann@example.com, Bob bob@example.com"
    );

    // Somebody else who knows the address neither renames her nor learns her name; a family shares an address.
    let mut stranger = shop.request(&[(ticket_type, 1)]);
    stranger["items"][0]["attendees"] = json!([{ "name": "Mallory", "email": "ann@example.com" }]);
    let placed = shop
        .db
        .call(&As::visitor(shop.org), "place_registration", &stranger)
        .await;
    assert_eq!(outcome(&placed), "placed");
    let theirs = "select a.name from registration_items i join attendees a on a.id = i.attendee_id \
                  order by i.created_at desc limit 1";
    assert_eq!(shop.db.ask(theirs).await.unwrap(), "Mallory");
    let names = "select string_agg(name, ', ' order by name) from attendees where email = 'ann@example.com'";
    assert_eq!(shop.db.ask(names).await.unwrap(), "Ann, Mallory");
    shop.db.assert_whole().await;
}
