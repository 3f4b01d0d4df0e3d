//! Money at the database itself: what is paid is confirmed once, what is given back is never more than came in, and the
//! books say the same as the rows. Rules R5 to R8, R15, R16, R18 at the level of SQL.

use serde_json::json;
use uuid::Uuid;

use crate::{
    harness::{As, all_at_once, code, outcome},
    shop::HOLD,
    till::{Till, id},
};

#[tokio::test]
async fn r06_who_has_paid_all_of_it_is_confirmed_with_tickets_and_not_before() {
    let till = Till::open(5).await;
    let (registration, guest) = till.pending().await;
    assert_eq!(till.state(&guest, registration).await, "unpaid");
    let half = till
        .start(&guest, registration, json!({ "amount_minor": 400 }))
        .await;
    let half = id(&half, "payment_id");
    let answer = till
        .say(
            half,
            "succeeded",
            json!({ "captured_minor": 400, "currency": "EUR" }),
        )
        .await;
    assert_eq!(answer["registration_status"], "pending_payment", "{answer}");
    assert_eq!(till.state(&guest, registration).await, "partially_paid");
    let answer = till
        .start(&guest, registration, json!({ "amount_minor": 601 }))
        .await;
    assert_eq!(outcome(&answer), "invalid", "only what is due");
    let rest = till.started(&guest, registration).await;
    let answer = till
        .say(rest, "succeeded", json!({ "currency": "EUR" }))
        .await;
    assert_eq!(answer["registration_status"], "confirmed", "{answer}");
    assert_eq!(till.state(&guest, registration).await, "paid");
    assert_eq!(till.shop.valid_tickets(registration).await.len(), 1);
    assert_eq!(till.events("registration.confirmed").await, 1);
    let answer = till.start(&guest, registration, json!({})).await;
    assert_eq!(outcome(&answer), "nothing_due");
    till.assert_whole().await;
}

#[tokio::test]
async fn r06_what_a_change_makes_cheaper_than_was_paid_is_confirmed_by_asking() {
    let till = Till::open(5).await;
    let (registration, guest) = till.shop.placed(&[(till.ticket_type, 2)]).await;
    till.shop.confirm(&guest, registration).await;
    let most = json!({ "amount_minor": 1500 });
    let most = id(&till.start(&guest, registration, most).await, "payment_id");
    let told = json!({ "captured_minor": 1500, "currency": "EUR" });
    till.say(most, "succeeded", told).await;
    assert_eq!(till.shop.status(registration).await, "pending_payment");
    let item = format!(
        "select id::text from registration_items where registration_id = '{registration}' limit 1"
    );
    let request =
        json!({ "registration_id": registration, "item_ids": [till.shop.db.ask(&item).await] });
    let less = till
        .shop
        .db
        .call(&guest, "cancel_registration", &request)
        .await;
    assert_eq!(outcome(&less), "units_cancelled", "{less}");
    let answer = till.start(&guest, registration, json!({})).await;
    assert_eq!(outcome(&answer), "nothing_due");
    till.shop.db.advance(HOLD + 3600).await;
    assert_eq!(till.shop.sweep().await, 0, "what is paid is not dropped");
    let answer = till.shop.confirm(&guest, registration).await;
    assert_eq!(outcome(&answer), "confirmed", "{answer}");
    assert_eq!(till.state(&guest, registration).await, "overpaid");
    assert_eq!(till.shop.valid_tickets(registration).await.len(), 1);
    till.assert_whole().await;
}

#[tokio::test]
async fn r05_a_payment_is_settled_once_and_a_late_failure_never_overrides_it() {
    let till = Till::open(5).await;
    let (registration, guest) = till.pending().await;
    let payment = till.started(&guest, registration).await;
    let said = all_at_once(8, 24, {
        let till = std::sync::Arc::new(Till {
            shop: till.shop.clone(),
            ..till
        });
        move |number| {
            let till = till.clone();
            async move {
                let status = if number % 3 == 2 {
                    "failed"
                } else {
                    "succeeded"
                };
                outcome(&till.say(payment, status, json!({})).await).to_owned()
            }
        }
    })
    .await;
    assert!(
        said.iter()
            .all(|word| word == "settled" || word == "already"),
        "{said:?}"
    );
    assert_eq!(
        till.say(payment, "failed", json!({})).await["status"],
        "succeeded"
    );
    assert_eq!(till.shop.status(registration).await, "confirmed");
    assert_eq!(till.shop.valid_tickets(registration).await.len(), 1);
    assert_eq!(till.events("payment.succeeded").await, 1);
    assert_eq!(till.events("registration.confirmed").await, 1);
    assert_eq!(till.state(&guest, registration).await, "paid");
    till.assert_whole().await;
}

#[tokio::test]
async fn r07_what_is_paid_for_a_cancelled_registration_is_owed_back_and_changes_nothing_else() {
    let till = Till::open(5).await;
    let (registration, guest) = till.pending().await;
    let payment = till.started(&guest, registration).await;
    till.shop.cancel(&guest, registration).await;
    let answer = till.say(payment, "succeeded", json!({})).await;
    assert_eq!(answer["owed_back"], "registration_cancelled", "{answer}");
    assert_eq!(till.shop.status(registration).await, "cancelled");
    assert_eq!(till.state(&guest, registration).await, "overpaid");
    assert_eq!(till.shop.available(till.ticket_type).await, Some(5));
    till.assert_whole().await;
}

#[tokio::test]
async fn r06_two_payments_of_the_same_price_are_shown_as_overpaid() {
    let till = Till::open(5).await;
    let (registration, guest) = till.pending().await;
    let first = till.started(&guest, registration).await;
    let second = till.started(&guest, registration).await;
    till.say(first, "succeeded", json!({})).await;
    let answer = till.say(second, "succeeded", json!({})).await;
    assert_eq!(answer["owed_back"], "overpaid", "{answer}");
    assert_eq!(till.state(&guest, registration).await, "overpaid");
    let refund = id(&till.refund(second, None).await, "refund_id");
    assert_eq!(till.state(&guest, registration).await, "paid");
    till.end_refund(refund, "done").await;
    assert_eq!(till.shop.status(registration).await, "confirmed");
    till.assert_whole().await;
}

/// An unpaid registration that ran out although its provider was asked.
async fn expired(till: &Till) -> (Uuid, As, Uuid) {
    let (registration, guest) = till.pending().await;
    let payment = till.started(&guest, registration).await;
    till.shop.db.advance(HOLD + 1).await;
    assert_eq!(
        till.shop.sweep().await,
        0,
        "nobody is dropped before the provider was asked"
    );
    till.say(payment, "pending", json!({ "asked": true })).await;
    assert_eq!(till.shop.sweep().await, 1);
    (registration, guest, payment)
}

#[tokio::test]
async fn r08_a_late_payment_takes_its_places_again_where_they_are_free() {
    let till = Till::open(1).await;
    let (registration, guest, payment) = expired(&till).await;
    let answer = till.start(&guest, registration, json!({})).await;
    assert_eq!(outcome(&answer), "registration_expired");
    let answer = till.say(payment, "succeeded", json!({})).await;
    assert_eq!(answer["registration_status"], "confirmed", "{answer}");
    assert_eq!(till.shop.available(till.ticket_type).await, Some(0));
    assert_eq!(till.shop.valid_tickets(registration).await.len(), 1);
    till.assert_whole().await;
}

#[tokio::test]
async fn r08_a_late_payment_whose_places_are_sold_goes_back_by_itself() {
    let till = Till::open(1).await;
    let (registration, guest, payment) = expired(&till).await;
    let (rival, _) = till.pending().await;
    let answer = till.say(payment, "succeeded", json!({})).await;
    assert_eq!(answer["owed_back"], "sold_out", "{answer}");
    assert_eq!(till.shop.status(registration).await, "expired");
    assert_eq!(till.shop.status(rival).await, "pending_payment");
    assert_eq!(till.state(&guest, registration).await, "refunded");
    let jobs = "select count(*) from jobs where kind = 'payments.refund'";
    assert_eq!(till.shop.db.ask_number(jobs).await, 1);
    till.assert_whole().await;
}

#[tokio::test]
async fn r08_an_event_may_refuse_late_payments_and_keep_their_money_for_people_to_see() {
    let till = Till::open(5).await;
    till.shop
        .set(json!({ "revives_late_payments": false, "refunds_late_payments": false }))
        .await;
    let (registration, guest, payment) = expired(&till).await;
    let answer = till.say(payment, "succeeded", json!({})).await;
    assert_eq!(answer["owed_back"], "too_late", "{answer}");
    assert_eq!(till.shop.status(registration).await, "expired");
    assert_eq!(till.state(&guest, registration).await, "overpaid");
    till.assert_whole().await;
}

#[tokio::test]
async fn r15_refunds_asked_for_at_once_are_never_more_than_was_captured() {
    let till = std::sync::Arc::new(Till::open(5).await);
    let (registration, guest) = till.pending().await;
    let payment = till.started(&guest, registration).await;
    till.say(payment, "succeeded", json!({})).await;
    let said = all_at_once(8, 16, {
        let till = till.clone();
        move |_| {
            let till = till.clone();
            async move { till.refund(payment, Some(300)).await }
        }
    })
    .await;
    let done = said.iter().filter(|answer| outcome(answer) == "requested");
    assert_eq!(done.count(), 3, "{said:?}");
    assert_eq!(till.state(&guest, registration).await, "partially_refunded");
    till.assert_whole().await;
    let refunds: Vec<_> = said
        .iter()
        .filter(|answer| outcome(answer) == "requested")
        .collect();
    let first = id(refunds[0], "refund_id");
    assert_eq!(till.end_refund(first, "failed").await["status"], "failed");
    assert_eq!(outcome(&till.end_refund(first, "done").await), "already");
    assert_eq!(
        till.end_refund(id(refunds[1], "refund_id"), "done").await["status"],
        "done"
    );
    let left = till.refund(payment, None).await;
    assert_eq!(outcome(&left), "requested");
    assert_eq!(
        outcome(&till.refund(payment, None).await),
        "nothing_to_refund"
    );
    assert_eq!(till.state(&guest, registration).await, "refunded");
    assert_eq!(
        till.shop.valid_tickets(registration).await.len(),
        1,
        "tickets stay"
    );
    till.assert_whole().await;
}

#[tokio::test]
async fn r16_a_refund_made_at_the_provider_is_matched_to_its_payment() {
    let till = Till::open(5).await;
    let (registration, guest) = till.pending().await;
    let payment = till.started(&guest, registration).await;
    let told = json!({
        "account_id": till.account, "payment_reference": payment.to_string(), "provider_reference": "r-1", "status": "done",
        "amount_minor": 500, "currency": "EUR",
    });
    let db = &till.shop.db;
    // Heard before the money itself was: it waits.
    let early = db.call(&till.system(), "settle_refund", &told).await;
    assert_eq!(outcome(&early), "payment_not_settled");
    till.say(payment, "succeeded", json!({})).await;
    let ours = id(&till.refund(payment, Some(800)).await, "refund_id");
    let answer = db.call(&till.system(), "settle_refund", &told).await;
    assert_eq!(answer["status"], "external", "{answer}");
    let again = db.call(&till.system(), "settle_refund", &told).await;
    assert_eq!(outcome(&again), "already", "{again}");
    let status = format!("select status from refunds where id = '{ours}'");
    assert_eq!(
        db.ask(&status).await.unwrap(),
        "cancelled",
        "it no longer fits"
    );
    assert_eq!(till.state(&guest, registration).await, "partially_refunded");
    let mut unknown = told.clone();
    unknown["payment_reference"] = json!("nobody's");
    let answer = db.call(&till.system(), "settle_refund", &unknown).await;
    assert_eq!(outcome(&answer), "payment_not_found");
    till.assert_whole().await;
}

#[tokio::test]
async fn r14_what_waits_for_approval_or_is_only_held_cannot_be_paid() {
    let till = Till::open(5).await;
    let (held, guest) = till.shop.placed(&[(till.ticket_type, 1)]).await;
    let answer = till.start(&guest, held, json!({})).await;
    assert_eq!(outcome(&answer), "not_payable");
    till.shop.set(json!({ "requires_approval": true })).await;
    till.shop.confirm(&guest, held).await;
    let answer = till.start(&guest, held, json!({})).await;
    assert_eq!(answer["status"], "pending_approval", "{answer}");
    let stranger = As::guest(till.shop.org, &"ab".repeat(16));
    let answer = till.start(&stranger, held, json!({})).await;
    assert_eq!(outcome(&answer), "registration_not_found");
}

#[tokio::test]
async fn r18_an_event_is_stored_once_and_one_of_another_account_settles_nothing() {
    let till = Till::open(5).await;
    let (registration, guest) = till.pending().await;
    let payment = till.started(&guest, registration).await;
    let told = json!({ "account_id": till.account, "event_key": "evt_1", "body": "7b7d" });
    let db = &till.shop.db;
    let taken = db.call(&till.system(), "take_payment_event", &told).await;
    assert_eq!(outcome(&taken), "taken");
    for _ in 0..3 {
        let again = db.call(&till.system(), "take_payment_event", &told).await;
        assert_eq!(outcome(&again), "duplicate");
        assert_eq!(again["inbox_id"], taken["inbox_id"]);
    }
    let jobs = "select count(*) from jobs where kind = 'payments.apply'";
    assert_eq!(db.ask_number(jobs).await, 1);
    let answer = till
        .say(
            payment,
            "succeeded",
            json!({ "account_id": Uuid::now_v7(), "inbox_id": taken["inbox_id"] }),
        )
        .await;
    assert_eq!(outcome(&answer), "payment_not_found");
    let status = "select status from payment_events";
    assert_eq!(db.ask(status).await.unwrap(), "unmatched");
    let answer = till
        .say(
            payment,
            "succeeded",
            json!({ "inbox_id": taken["inbox_id"] }),
        )
        .await;
    assert_eq!(outcome(&answer), "settled");
    assert_eq!(db.ask(status).await.unwrap(), "applied");
    till.assert_whole().await;
}

#[tokio::test]
async fn another_currency_books_nothing() {
    let till = Till::open(5).await;
    let (registration, guest) = till.pending().await;
    let payment = till.started(&guest, registration).await;
    let answer = till
        .say(payment, "succeeded", json!({ "currency": "JPY" }))
        .await;
    assert_eq!(outcome(&answer), "differs");
    assert_eq!(till.shop.status(registration).await, "pending_payment");
    assert_eq!(
        till.shop
            .db
            .ask_number("select count(*) from ledger_entries")
            .await,
        0
    );
}

#[tokio::test]
async fn nobody_changes_what_was_booked() {
    let till = Till::open(5).await;
    let (registration, guest) = till.pending().await;
    let payment = till.started(&guest, registration).await;
    till.say(payment, "succeeded", json!({})).await;
    for sql in [
        "update ledger_entries set amount_minor = 1 returning 'x'",
        "delete from ledger_entries returning 'x'",
    ] {
        let mut tries = vec![As::system(), till.system(), till.member()];
        tries.push(guest.clone());
        for who in tries {
            let error = till
                .shop
                .db
                .select(&who, sql, &[])
                .await
                .expect_err("refused");
            assert_eq!(code(&error), "42501", "{}: {sql}", who.role);
        }
    }
    let owner = sqlx::raw_sql("begin; set local role es_owner; delete from ledger_entries; commit");
    let mut connection = till.shop.db.admin.acquire().await.unwrap();
    let error = owner.execute(&mut *connection).await.expect_err("refused");
    assert_eq!(code(&error), "ES403");
    drop(connection);
    till.assert_whole().await;
}

#[tokio::test]
async fn an_open_payment_is_asked_about_before_its_registration_is_dropped() {
    let till = Till::open(5).await;
    let (registration, guest) = till.pending().await;
    let payment = till.started(&guest, registration).await;
    let db = &till.shop.db;
    let due = json!({ "limit": 10 });
    let none = db.call(&As::system(), "due_payment_checks", &due).await;
    assert_eq!(none["payments"], 0, "it was just made");
    db.advance(21).await;
    let one = db.call(&As::system(), "due_payment_checks", &due).await;
    assert_eq!(one["payments"], 1);
    db.run("delete from jobs").await;
    // Pretend that it was asked for long, and is not to be asked soon.
    db.run("update payments set check_at = es.clock() + interval '1 day', checked_at = es.clock()")
        .await;
    db.advance(HOLD).await;
    assert_eq!(till.shop.sweep().await, 0);
    let again = db.call(&As::system(), "due_payment_checks", &due).await;
    assert_eq!(again["payments"], 1, "it is about to lose its places");
    till.say(payment, "pending", json!({ "asked": true })).await;
    assert_eq!(till.shop.sweep().await, 1);
    assert_eq!(till.shop.status(registration).await, "expired");
    drop(guest);
}

#[tokio::test]
async fn a_provider_that_never_answers_keeps_places_for_an_hour_at_most() {
    let till = Till::open(5).await;
    let (registration, guest) = till.pending().await;
    till.started(&guest, registration).await;
    till.shop.db.advance(HOLD + 3590).await;
    assert_eq!(till.shop.sweep().await, 0);
    till.shop.db.advance(20).await;
    assert_eq!(till.shop.sweep().await, 1);
}
