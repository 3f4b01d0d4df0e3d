//! The books beside captures and refunds: disputes, what the platform takes, reconciliations. Rules R15 and R16 again.

use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::{
    harness::{As, all_at_once, outcome},
    till::{Till, id},
};

impl Till {
    /// A word of the provider's of the dispute of a payment.
    async fn disputes(&self, payment: Uuid, status: &str, more: Json) -> Json {
        let mut request = json!({
            "account_id": self.account, "payment_reference": payment.to_string(), "provider_reference": "dp-1",
            "status": status, "amount_minor": 1000, "currency": "EUR",
        });
        for (key, value) in more.as_object().expect("an object") {
            request[key] = value.clone();
        }
        let db = &self.shop.db;
        db.call(&self.system(), "settle_dispute", &request).await
    }

    /// The balance of an account of the books.
    pub async fn balance(&self, account: &str) -> i64 {
        let sql = format!(
            "select coalesce(sum(case when debit = '{account}' then amount_minor when credit = '{account}' then -amount_minor \
             else 0 end), 0) from ledger_entries"
        );
        self.shop.db.ask_number(&sql).await
    }

    pub async fn takes_fees(&self, rate: i64, fixed: i64, kept: bool) {
        let db = &self.shop.db;
        let slug = db.ask("select slug from organizations").await;
        let request = json!({
            "slug": slug, "currency": "EUR", "rate_millionths": rate, "fixed_minor": fixed, "kept": kept,
        });
        let answer = db.call(&As::system(), "set_platform_fee", &request).await;
        assert_eq!(outcome(&answer), "set");
    }
}

#[tokio::test]
async fn r16_a_dispute_is_booked_as_it_goes_and_told_before_anything_else() {
    let till = Till::open(5).await;
    let (registration, guest, payment) = till.paid(1).await;
    let open = json!({ "withdrawn": true, "fee_minor": 1500 });
    let answer = till.disputes(payment, "open", open.clone()).await;
    assert_eq!(outcome(&answer), "settled", "{answer}");
    assert_eq!(till.state(&guest, registration).await, "disputed");
    assert_eq!(till.balance("provider").await, -1500);
    assert_eq!(till.balance("disputes").await, 1000);
    assert_eq!(
        outcome(&till.refund(payment, None).await),
        "nothing_to_refund"
    );
    let again = till.disputes(payment, "open", open.clone()).await;
    assert_eq!(outcome(&again), "already");
    till.assert_whole().await;

    let lost = till.disputes(payment, "lost", json!({})).await;
    assert_eq!(lost["status"], "lost", "{lost}");
    assert_eq!(till.state(&guest, registration).await, "refunded");
    assert_eq!(till.balance("disputes").await, 0);
    assert_eq!(till.shop.status(registration).await, "confirmed");
    assert_eq!(
        till.shop.valid_tickets(registration).await.len(),
        1,
        "people decide"
    );
    assert_eq!(till.events("payment.disputed").await, 2);
    let late = till.disputes(payment, "won", json!({})).await;
    assert_eq!(
        (outcome(&late), &late["status"]),
        ("already", &json!("lost"))
    );
    till.assert_whole().await;
}

#[tokio::test]
async fn r16_a_dispute_that_is_won_leaves_the_money_but_for_the_fee() {
    let till = Till::open(5).await;
    let (registration, guest, payment) = till.paid(1).await;
    till.disputes(payment, "open", json!({ "withdrawn": true }))
        .await;
    let won = till
        .disputes(payment, "won", json!({ "fee_minor": 700 }))
        .await;
    assert_eq!(won["status"], "won", "{won}");
    assert_eq!(till.state(&guest, registration).await, "paid");
    assert_eq!(till.balance("provider").await, 300);
    assert_eq!(outcome(&till.refund(payment, None).await), "requested");
    till.assert_whole().await;
}

#[tokio::test]
async fn r16_words_of_a_dispute_in_any_order_at_once_and_again_end_alike() {
    let till = std::sync::Arc::new(Till::open(60).await);
    for (last, provider) in [("won", 1000 - 1500), ("lost", -1500)] {
        for _ in 0..3 {
            let before = till.balance("provider").await;
            let (_, _, payment) = till.paid(1).await;
            let said = all_at_once(9, 9, {
                let till = till.clone();
                move |number| {
                    let till = till.clone();
                    async move {
                        let (status, more) = match number % 3 {
                            0 => ("open", json!({ "withdrawn": false })),
                            1 => ("open", json!({ "withdrawn": true, "fee_minor": 1500 })),
                            _ => (last, json!({ "fee_minor": 1500 })),
                        };
                        outcome(&till.disputes(payment, status, more).await).to_owned()
                    }
                }
            })
            .await;
            assert!(
                said.iter()
                    .all(|word| word == "settled" || word == "already"),
                "{said:?}"
            );
            assert_eq!(till.balance("provider").await - before, provider, "{last}");
            till.assert_whole().await;
        }
    }
    assert_eq!(till.balance("disputes").await, 0);
}

#[tokio::test]
async fn r16_a_dispute_of_nothing_known_waits_and_one_of_another_account_or_currency_books_nothing()
{
    let till = Till::open(5).await;
    let (registration, guest) = till.pending().await;
    let payment = till.started(&guest, registration).await;
    let early = till
        .disputes(payment, "open", json!({ "withdrawn": true }))
        .await;
    assert_eq!(
        outcome(&early),
        "payment_not_settled",
        "the payment is not settled yet"
    );
    till.say(payment, "succeeded", json!({})).await;
    let other = json!({ "account_id": Uuid::now_v7() });
    let other = till.disputes(payment, "open", other).await;
    assert_eq!(outcome(&other), "payment_not_found");
    let yen = till
        .disputes(payment, "lost", json!({ "currency": "JPY" }))
        .await;
    assert_eq!(outcome(&yen), "differs");
    assert_eq!(
        till.shop
            .db
            .ask_number("select count(*) from disputes")
            .await,
        0
    );
    assert_eq!(till.state(&guest, registration).await, "paid");
    till.assert_whole().await;
}

#[tokio::test]
async fn r16_a_dispute_calls_off_what_was_promised_and_not_told_yet() {
    let till = Till::open(5).await;
    let (registration, guest, payment) = till.paid(1).await;
    let told = id(&till.refund(payment, Some(300)).await, "refund_id");
    let begin = json!({ "refund_id": told });
    let db = &till.shop.db;
    db.call(&till.system(), "begin_refund", &begin).await;
    let untold = id(&till.refund(payment, Some(500)).await, "refund_id");
    let open = json!({ "withdrawn": true, "amount_minor": 700 });
    till.disputes(payment, "open", open).await;
    let status = async |refund: Uuid| {
        let sql = format!("select status from refunds where id = '{refund}'");
        db.ask(&sql).await.expect("a refund")
    };
    assert_eq!(status(told).await, "in_transit");
    assert_eq!(status(untold).await, "cancelled");
    till.end_refund(told, "done").await;
    till.disputes(payment, "lost", json!({ "amount_minor": 700 }))
        .await;
    assert_eq!(till.state(&guest, registration).await, "refunded");
    assert_eq!(till.balance("buyer").await, 0);
    till.assert_whole().await;
}

#[tokio::test]
async fn r16_a_lost_dispute_is_a_debt_and_no_document_until_somebody_cancels() {
    let till = Till::open(5).await;
    let (registration, guest, payment) = till.paid(1).await;
    let year = till.this_year().await;
    let mut expected = vec![format!("INV-{year}-000001 1000/0")];
    till.disputes(payment, "open", json!({ "withdrawn": true }))
        .await;
    till.disputes(payment, "lost", json!({})).await;
    assert_eq!(till.documents(registration).await, expected);
    till.assert_whole().await;

    // It is owed again, and may be paid.
    let again = till.started(&guest, registration).await;
    till.say(again, "succeeded", json!({})).await;
    assert_eq!(till.state(&guest, registration).await, "paid");
    assert_eq!(till.documents(registration).await, expected);
    till.assert_whole().await;

    // Cancelled by somebody, it is documented as ever; what was lost is not there to be given back.
    till.shop.cancel(&guest, registration).await;
    expected.push(format!("CN-{year}-000001 cancelled 1000/0"));
    assert_eq!(till.documents(registration).await, expected);
    let refund = till.refund(payment, None).await;
    assert_eq!(outcome(&refund), "nothing_to_refund");
    let refund = id(&till.refund(again, None).await, "refund_id");
    till.end_refund(refund, "done").await;
    assert_eq!(till.documents(registration).await, expected);
    assert_eq!(till.balance("buyer").await, 0);
    till.assert_whole().await;
}

#[tokio::test]
async fn the_platforms_fee_is_booked_with_what_was_bought_and_goes_back_in_proportion() {
    let till = Till::open(20).await;
    // 2.5 % and 0.50, of 30.00.
    till.takes_fees(25_000, 50, false).await;
    let (_, _, payment) = till.paid(3).await;
    assert_eq!(till.balance("platform").await, -125);
    for (amount, left) in [(1000, 83), (999, 42), (1001, 0)] {
        let refund = id(&till.refund(payment, Some(amount)).await, "refund_id");
        till.end_refund(refund, "done").await;
        assert_eq!(till.balance("platform").await, -left, "after {amount}");
        till.assert_whole().await;
    }
    assert_eq!(till.balance("fees").await, 0);
}

#[tokio::test]
async fn the_fixed_fee_is_once_a_registration_and_what_is_owed_back_bears_none() {
    let till = Till::open(20).await;
    till.takes_fees(100_000, 50, false).await;
    let (registration, guest) = till.pending().await;
    let some = json!({ "amount_minor": 400 });
    let half = id(&till.start(&guest, registration, some).await, "payment_id");
    till.say(half, "succeeded", json!({ "captured_minor": 400 }))
        .await;
    assert_eq!(till.balance("platform").await, -90);
    // 6.00 were due and 10.00 came: 4.00 bear nothing.
    let rest = till.started(&guest, registration).await;
    till.say(rest, "succeeded", json!({ "captured_minor": 1000 }))
        .await;
    assert_eq!(till.balance("platform").await, -150);
    let refund = id(&till.refund(rest, Some(400)).await, "refund_id");
    till.end_refund(refund, "done").await;
    assert_eq!(
        till.balance("platform").await,
        -150,
        "only what was too much went back"
    );
    let refund = id(&till.refund(rest, Some(300)).await, "refund_id");
    till.end_refund(refund, "done").await;
    assert_eq!(till.balance("platform").await, -120);
    till.assert_whole().await;

    let (late, buyer) = till.pending().await;
    let payment = till.started(&buyer, late).await;
    till.shop.cancel(&buyer, late).await;
    till.say(payment, "succeeded", json!({})).await;
    assert_eq!(till.balance("platform").await, -120, "it bought nothing");
    till.assert_whole().await;
}

#[tokio::test]
async fn a_fee_may_be_kept_never_takes_more_than_came_in_and_goes_back_with_a_lost_dispute() {
    let till = Till::open(20).await;
    till.takes_fees(0, 5000, true).await;
    let (_, _, payment) = till.paid(1).await;
    assert_eq!(
        till.balance("platform").await,
        -1000,
        "not more than there is"
    );
    let refund = id(&till.refund(payment, None).await, "refund_id");
    till.end_refund(refund, "done").await;
    assert_eq!(till.balance("platform").await, -1000, "kept by the terms");
    till.takes_fees(50_000, 0, false).await;
    let (_, _, payment) = till.paid(2).await;
    assert_eq!(till.balance("platform").await, -1100);
    till.disputes(payment, "lost", json!({ "amount_minor": 2000 }))
        .await;
    assert_eq!(till.balance("platform").await, -1000);
    till.assert_whole().await;
}

#[tokio::test]
async fn the_check_sees_what_is_booked_otherwise() {
    let till = Till::open(20).await;
    till.takes_fees(50_000, 0, false).await;
    let (_, _, payment) = till.paid(1).await;
    till.disputes(payment, "open", json!({ "withdrawn": true }))
        .await;
    till.assert_whole().await;
    let db = &till.shop.db;
    let faults = async || {
        let sql =
            "select string_agg(distinct fault, ' ' order by fault) from check_ledger_integrity()";
        db.ask(sql).await.unwrap_or_default()
    };
    db.run("update disputes set status = 'won', settled_at = now()")
        .await;
    assert_eq!(faults().await, "dispute_booked_otherwise");
    db.run("update disputes set status = 'open', settled_at = null")
        .await;
    db.run(
        "alter table ledger_entries disable trigger append_only; \
         update ledger_entries set base_minor = 5000 where kind = 'platform_fee'",
    )
    .await;
    assert_eq!(faults().await, "platform_fee_booked_otherwise");
}

#[tokio::test]
async fn a_reconciliation_finds_each_way_in_which_two_books_can_differ() {
    let till = Till::open(50).await;
    let db = &till.shop.db;
    let (_, _, same) = till.paid(1).await;
    let (_, _, less) = till.paid(1).await;
    let (_, _, gone) = till.paid(1).await;
    let (registration, guest) = till.pending().await;
    let unpaid = till.started(&guest, registration).await;
    let refund = id(&till.refund(same, Some(200)).await, "refund_id");
    till.end_refund(refund, "done").await;
    db.advance(3600).await;
    let request = json!({ "account_id": till.account });
    let started = db
        .call(&till.member(), "start_reconciliation", &request)
        .await;
    let run = id(&started, "reconciliation_id");
    let to_do = json!({ "reconciliation_id": run });
    let to_do = db
        .call(&till.system(), "reconciliation_to_do", &to_do)
        .await;
    assert_eq!(
        to_do["payments"].as_array().map(Vec::len),
        Some(4),
        "{to_do}"
    );
    let line = |reference: &str, captured: i64, refunded: Option<i64>, currency: &str| {
        json!({
            "provider_reference": reference, "captured_minor": captured, "refunded_minor": refunded,
            "disputed_minor": 0, "currency": currency,
        })
    };
    let listed = json!([
        line(&same.to_string(), 1000, Some(200), "EUR"),
        line(&less.to_string(), 900, Some(100), "USD"),
        line(&unpaid.to_string(), 1000, None, "EUR"),
        line("elsewhere", 700, Some(0), "EUR"),
        line("declined", 0, Some(0), "EUR"),
    ]);
    let finish = json!({ "reconciliation_id": run, "whole": true, "listed": listed });
    let done = db
        .call(&till.system(), "finish_reconciliation", &finish)
        .await;
    assert_eq!(
        (&done["compared"], &done["differing"]),
        (&json!(5), &json!(6)),
        "{done}"
    );
    let found = "select string_agg(concat_ws(' ', kind, coalesce(payment_id::text, provider_reference), ours_minor, theirs_minor), \
                 ',' order by kind, payment_id) from reconciliation_differences";
    let mut expected = vec![
        format!("captured {less} 1000 900"),
        format!("captured {unpaid} 0 1000"),
        format!("currency {less} 1000 900"),
        format!("refunded {less} 0 100"),
        "unknown_here elsewhere 0 700".to_owned(),
        format!("unknown_there {gone} 1000 0"),
    ];
    expected.sort();
    let found = db.ask(found).await.expect("differences");
    let mut found: Vec<_> = found.split(',').map(str::to_owned).collect();
    found.sort();
    assert_eq!(found, expected);
    let again = db
        .call(&till.system(), "finish_reconciliation", &finish)
        .await;
    assert_eq!(outcome(&again), "over");
    let bad = json!({ "account_id": till.account, "from": "2026-01-01T00:00:00Z", "to": "2026-09-01T00:00:00Z" });
    let bad = db.call(&till.member(), "start_reconciliation", &bad).await;
    assert_eq!(outcome(&bad), "invalid");
    let clock = db
        .call(&As::system(), "due_reconciliations", &json!({}))
        .await;
    assert_eq!(clock["started"], 1);
    till.assert_whole().await;
}
