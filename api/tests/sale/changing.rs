//! Swapping types, adding units, saying who comes: judged as a difference, with new codes for what is confirmed.

use serde_json::json;
use uuid::Uuid;

use crate::{
    harness::{As, BUYERS, Db, all_at_once, outcome},
    shop::{HOLD, Shop, Sold},
    steps::signed,
};

async fn codes(shop: &Shop, registration: Uuid, status: &str) -> Vec<String> {
    let sql = format!(
        "select string_agg(code, ',') from tickets where registration_id = '{registration}' and status = '{status}'"
    );
    let text = shop.db.ask(&sql).await.unwrap_or_default();
    text.split(',')
        .filter(|code| !code.is_empty())
        .map(str::to_owned)
        .collect()
}

#[tokio::test]
async fn r13_a_swap_inside_one_full_pool_succeeds_with_a_new_code() {
    let (shop, pool, [one, two]) = Shop::two_types(2, [0, 0]).await;
    let (registration, guest) = shop.confirmed(&[(one, 2)]).await;
    assert_eq!(shop.available(two).await, Some(0));
    let before = codes(&shop, registration, "valid").await;
    let item = shop.units(registration).await[0];
    let answer = shop.swap(&guest, registration, item, two).await;
    assert_eq!(outcome(&answer), "changed", "{answer}");
    assert_eq!(shop.claimed(pool).await, 2);
    let revoked = codes(&shop, registration, "transferred").await;
    assert!(revoked.len() == 1 && before.contains(&revoked[0]));
    let after = codes(&shop, registration, "valid").await;
    assert_eq!(after.iter().filter(|code| before.contains(code)).count(), 1);
    assert_eq!(after.len(), 2);
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn r13_a_new_name_needs_no_stock_and_revokes_the_old_code() {
    let (shop, ticket_type) = Shop::simple(1).await;
    let (registration, guest) = shop.confirmed(&[(ticket_type, 1)]).await;
    shop.db.run("update capacity_pools set capacity = 1").await;
    let item = shop.units(registration).await[0];
    let name = json!([{ "item_id": item, "name": "Zoe", "email": "zoe@example.com" }]);
    let changes = json!({ "reassigns": name });
    let answer = shop.change(&guest, registration, changes.clone()).await;
    assert_eq!(outcome(&answer), "changed", "{answer}");
    assert_eq!(codes(&shop, registration, "transferred").await.len(), 1);
    let again = shop.change(&guest, registration, changes).await;
    assert_eq!(outcome(&again), "changed");
    assert_eq!(
        codes(&shop, registration, "transferred").await.len(),
        1,
        "who comes already gets no other code"
    );
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn r01_a_swap_into_another_full_pool_and_one_more_unit_are_sold_out() {
    let shop = Shop::draft().await;
    let (hall, box_seats) = (shop.pool(Some(2)).await, shop.pool(Some(1)).await);
    let hall_seat = shop
        .sells(Sold {
            price: 0,
            pools: &[hall],
        })
        .await;
    let box_seat = shop
        .sells(Sold {
            price: 0,
            pools: &[box_seats],
        })
        .await;
    shop.publish().await;
    let (registration, guest) = shop.confirmed(&[(hall_seat, 2)]).await;
    let (theirs, other) = shop.confirmed(&[(box_seat, 1)]).await;
    let item = shop.units(registration).await[0];
    let answer = shop.swap(&guest, registration, item, box_seat).await;
    assert_eq!(outcome(&answer), "sold_out", "{answer}");
    assert_eq!(answer["ticket_types"][0]["available"], json!(0));
    let answer = shop.add(&guest, registration, hall_seat).await;
    assert_eq!(outcome(&answer), "sold_out", "{answer}");
    shop.db.assert_whole().await;
    shop.cancel(&other, theirs).await;
    let answer = shop.swap(&guest, registration, item, box_seat).await;
    assert_eq!(outcome(&answer), "changed", "{answer}");
    assert_eq!(
        (shop.claimed(hall).await, shop.claimed(box_seats).await),
        (1, 1)
    );
    assert_eq!(
        shop.available(hall_seat).await,
        Some(1),
        "what left is free"
    );
    shop.db.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r13_twenty_swap_at_once_in_a_full_pool() {
    let (shop, pool, [one, two]) = Shop::two_types(20, [0, 0]).await;
    let mut all = vec![];
    for _ in 0..20 {
        let (registration, guest) = shop.confirmed(&[(one, 1)]).await;
        all.push((registration, guest, shop.units(registration).await[0]));
    }
    let racing = shop.clone();
    let answers = all_at_once(20, 20, move |number| {
        let (shop, (registration, guest, item)) = (racing.clone(), all[number].clone());
        async move { shop.swap(&guest, registration, item, two).await }
    })
    .await;
    assert!(
        answers.iter().all(|answer| outcome(answer) == "changed"),
        "{answers:?}"
    );
    assert_eq!(shop.claimed(pool).await, 20);
    shop.db.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r01_units_added_at_once_never_oversell_and_do_without_the_lock() {
    let db = Db::new().await;
    let race = |db: Db| async move {
        let (shop, ticket_type) = Shop::simple_in(&db, 60).await;
        let mut all = vec![];
        for _ in 0..50 {
            all.push(shop.placed(&[(ticket_type, 1)]).await);
        }
        let racing = shop.clone();
        all_at_once(BUYERS, 50, move |number| {
            let (shop, (registration, guest)) = (racing.clone(), all[number].clone());
            async move { shop.add(&guest, registration, ticket_type).await }
        })
        .await;
        shop.taken().await
    };
    assert_eq!(race(db.clone()).await, 60);
    db.assert_whole().await;

    db.replace_function_file("change_stock", crate::overselling::without_lock)
        .await;
    db.run("alter table capacity_pools drop constraint capacity_pools_never_oversold")
        .await;
    let mut oversold = 0;
    for _ in 0..10 {
        oversold += usize::from(race(db.clone()).await > 60);
    }
    assert!(oversold >= 9, "only {oversold} of 10 runs oversold");
}

#[tokio::test]
async fn r04_what_stays_keeps_its_price_and_what_comes_has_that_of_now() {
    let (shop, _, [plain, dear]) = Shop::two_types(9, [1000, 5000]).await;
    let (registration, guest) = shop.placed(&[(plain, 2)]).await;
    shop.db
        .run("update ticket_types set price_minor = price_minor + 100")
        .await;
    let answer = shop.add(&guest, registration, plain).await;
    assert_eq!(
        (
            outcome(&answer),
            &answer["total_before"],
            &answer["total_minor"]
        ),
        ("changed", &json!(2000), &json!(3100)),
        "{answer}"
    );
    let item = shop.units(registration).await[0];
    let answer = shop.swap(&guest, registration, item, dear).await;
    assert_eq!(answer["total_minor"], json!(1000 + 1100 + 5100), "{answer}");
    let answer = shop.swap(&guest, registration, item, plain).await;
    assert_eq!(answer["total_minor"], json!(1000 + 1100 + 1100));
    let until = "select (expires_at - placed_at = interval '900 seconds')::text from registrations";
    assert_eq!(
        shop.db.ask(until).await.unwrap(),
        "true",
        "a change is no extension"
    );
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn a_confirmed_registration_grows_dearer_by_members_only_and_shows_what_is_due() {
    let (shop, _, [free, dear]) = Shop::two_types(9, [0, 5000]).await;
    let (registration, guest) = shop.confirmed(&[(free, 2)]).await;
    let item = shop.units(registration).await[0];
    let answer = shop.swap(&guest, registration, item, dear).await;
    assert_eq!(
        (outcome(&answer), &answer["total_minor"]),
        ("payment_required", &json!(5000)),
        "nobody lets themselves in for what they have not paid"
    );
    let organizer = shop.organizer();
    let answer = shop.swap(&organizer, registration, item, dear).await;
    assert_eq!(outcome(&answer), "changed", "{answer}");
    let balance = "select balance_minor from registrations";
    assert_eq!(shop.db.ask_number(balance).await, 5000);
    let answer = shop.swap(&guest, registration, item, free).await;
    assert_eq!(outcome(&answer), "changed", "{answer}");
    assert_eq!(shop.db.ask_number(balance).await, 0);
    assert_eq!(shop.status(registration).await, "confirmed");
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn buyers_change_what_is_confirmed_until_the_event_says_and_members_always() {
    let (shop, ticket_type) = Shop::simple(9).await;
    let (registration, guest) = shop.confirmed(&[(ticket_type, 1)]).await;
    let item = shop.units(registration).await[0];
    let starts_in = shop
        .db
        .ask_number("select extract(epoch from starts_at - es.clock())::integer from occurrences")
        .await;
    shop.set(json!({ "changes_close_minutes": 60, "cancellation_closes_minutes": null }))
        .await;
    assert_eq!(
        outcome(&shop.cancel(&guest, registration).await),
        "cancellation_closed"
    );
    shop.db.advance(starts_in - 3500).await;
    let name = json!({ "reassigns": [{ "item_id": item, "name": "Z", "email": "z@example.com" }] });
    let answer = shop.change(&guest, registration, name.clone()).await;
    assert_eq!(outcome(&answer), "changes_closed", "{answer}");
    let organizer = shop.organizer();
    let answer = shop.change(&organizer, registration, name.clone()).await;
    assert_eq!(outcome(&answer), "changed", "{answer}");
    shop.set(json!({ "changes_close_minutes": 50 })).await;
    let name = json!({ "reassigns": [{ "item_id": item, "name": "Y", "email": "z@example.com" }] });
    let answer = shop.change(&guest, registration, name).await;
    assert_eq!(outcome(&answer), "changed", "{answer}");
    assert_eq!(
        outcome(&shop.cancel(&organizer, registration).await),
        "cancelled"
    );
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn r14_what_was_approved_grows_by_members_only() {
    let (shop, ticket_type) = Shop::simple(9).await;
    shop.set(json!({ "requires_approval": true })).await;
    let (registration, guest) = shop.placed(&[(ticket_type, 1)]).await;
    shop.confirm(&guest, registration).await;
    let answer = shop.add(&guest, registration, ticket_type).await;
    assert_eq!(outcome(&answer), "changed", "while it waits: {answer}");
    shop.approve(&[registration], "skip_failed").await;
    let answer = shop.add(&guest, registration, ticket_type).await;
    assert_eq!(outcome(&answer), "approval_required", "{answer}");
    let organizer = shop.organizer();
    let answer = shop.add(&organizer, registration, ticket_type).await;
    assert_eq!(outcome(&answer), "changed", "{answer}");
    assert_eq!(shop.valid_tickets(registration).await.len(), 3);
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn what_cannot_be_changed_is_told_and_left_alone() {
    let (shop, ticket_type) = Shop::simple(9).await;
    let (registration, guest) = shop.confirmed(&[(ticket_type, 1)]).await;
    let (other, _) = shop.confirmed(&[(ticket_type, 1)]).await;
    let foreign = shop.units(other).await[0];
    let answer = shop.swap(&guest, registration, foreign, ticket_type).await;
    assert_eq!(outcome(&answer), "item_not_found", "{answer}");
    let answer = shop.add(&guest, registration, Uuid::now_v7()).await;
    assert_eq!(outcome(&answer), "ticket_type_not_found", "{answer}");
    let many: Vec<_> = (0..10)
        .map(|_| json!({ "item_id": Uuid::now_v7(), "ticket_type_id": ticket_type }))
        .collect();
    let answer = shop
        .change(&guest, registration, json!({ "adds": many }))
        .await;
    assert_eq!(outcome(&answer), "quantity_out_of_range", "{answer}");
    let request = json!({
        "registration_id": registration,
        "adds": [{ "item_id": Uuid::now_v7(), "ticket_type_id": ticket_type }],
        "tickets": [signed(Uuid::now_v7())],
    });
    let answer = shop.db.call(&guest, "change_registration", &request).await;
    assert_eq!(outcome(&answer), "tickets_missing", "{answer}");
    let stranger = As {
        role: "es_attendee",
        ..As::visitor(shop.org)
    };
    let answer = shop.add(&stranger, registration, ticket_type).await;
    assert_eq!(outcome(&answer), "registration_not_found");

    let (late, late_guest) = shop.placed(&[(ticket_type, 1)]).await;
    shop.db.advance(HOLD + 1).await;
    let answer = shop.add(&late_guest, late, ticket_type).await;
    assert_eq!(outcome(&answer), "hold_expired");
    assert_eq!(shop.status(late).await, "expired");
    shop.cancel(&guest, registration).await;
    let answer = shop.add(&guest, registration, ticket_type).await;
    assert_eq!(
        (outcome(&answer), &answer["status"]),
        ("not_changeable", &json!("cancelled"))
    );
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn r05_a_change_that_leaves_nothing_to_pay_can_be_confirmed() {
    let (shop, _, [free, dear]) = Shop::two_types(9, [0, 5000]).await;
    let (registration, guest) = shop.placed(&[(dear, 1)]).await;
    assert_eq!(
        outcome(&shop.confirm(&guest, registration).await),
        "pending_payment"
    );
    let item = shop.units(registration).await[0];
    let answer = shop.swap(&guest, registration, item, free).await;
    assert_eq!(outcome(&answer), "changed", "{answer}");
    assert_eq!(shop.status(registration).await, "pending_payment");
    assert_eq!(
        outcome(&shop.confirm(&guest, registration).await),
        "confirmed"
    );
    assert_eq!(shop.valid_tickets(registration).await.len(), 1);
    shop.db.assert_whole().await;
}
