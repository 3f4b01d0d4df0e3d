//! R17: an event is called off. Sales stop first; then each registration is cancelled on its own, as often as anybody asks,
//! and its money goes back but for what is kept.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::{
    harness::{As, all_at_once, outcome},
    till::Till,
};

impl Till {
    async fn call_off(&self, mut kept: Json) -> Json {
        kept["event_id"] = json!(self.shop.event);
        let db = &self.shop.db;
        db.call(&self.member(), "cancel_event", &kept).await
    }

    async fn to_cancel(&self, after: Option<Uuid>) -> (i64, Vec<Uuid>) {
        let request = json!({ "event_id": self.shop.event, "limit": 2, "after": after });
        let db = &self.shop.db;
        let answer = db.call(&self.system(), "event_to_cancel", &request).await;
        let ids = serde_json::from_value(answer["registrations"].clone()).expect("keys");
        (answer["left"].as_i64().expect("a number"), ids)
    }

    async fn cancel_one(&self, registration: Uuid) -> Json {
        let request = json!({ "registration_id": registration });
        let db = &self.shop.db;
        db.call(&self.system(), "cancel_for_event", &request).await
    }

    async fn kept(&self, registration: Uuid) -> i64 {
        let sql = format!("select kept_minor from registrations where id = '{registration}'");
        self.shop.db.ask_number(&sql).await
    }

    async fn promised(&self, registration: Uuid) -> i64 {
        let sql = format!(
            "select coalesce(sum(amount_minor), 0) from refunds where registration_id = '{registration}'"
        );
        self.shop.db.ask_number(&sql).await
    }
}

#[tokio::test]
async fn r17_sales_stop_at_once_and_each_registration_is_cancelled_once_however_often_it_is_tried()
{
    let till = Arc::new(Till::open(60).await);
    let mut all = vec![];
    for _ in 0..6 {
        all.push(till.paid(1).await.0);
    }
    let (waits, guest) = till.pending().await;
    let open = till.started(&guest, waits).await;
    let (held, _) = till.shop.placed(&[(till.ticket_type, 1)]).await;
    let answer = till.call_off(json!({})).await;
    assert_eq!(outcome(&answer), "changed", "{answer}");
    assert_eq!(
        till.shop.status(all[0]).await,
        "confirmed",
        "nothing but the sale has ended"
    );
    let (refused, _) = till.shop.place(&[(till.ticket_type, 1)]).await;
    assert_ne!(outcome(&refused), "placed");
    let jobs = "select count(*) from jobs where kind = 'events.cancel'";
    assert_eq!(till.shop.db.ask_number(jobs).await, 1);
    assert_eq!(outcome(&till.call_off(json!({})).await), "unchanged");
    assert_eq!(till.shop.db.ask_number(jobs).await, 1);

    // Cut off after the first two; then several at once, over all of them.
    let (left, first) = till.to_cancel(None).await;
    assert_eq!((left, first.len()), (8, 2));
    for id in &first {
        assert_eq!(outcome(&till.cancel_one(*id).await), "cancelled");
    }
    all.extend([waits, held]);
    let tried = all_at_once(8, 24, {
        let (till, all) = (till.clone(), all.clone());
        move |number| {
            let (till, id) = (till.clone(), all[number % all.len()]);
            async move { outcome(&till.cancel_one(id).await).to_owned() }
        }
    })
    .await;
    let done = tried.iter().filter(|word| *word == "cancelled").count();
    assert_eq!(done, 6, "{tried:?}");
    let finished = "select count(*) from event_cancellations where finished_at is not null";
    assert_eq!(till.shop.db.ask_number(finished).await, 0);
    assert_eq!(till.to_cancel(None).await, (0, vec![]));
    assert_eq!(till.shop.db.ask_number(finished).await, 1);
    for id in &all {
        assert_eq!(till.shop.status(*id).await, "cancelled");
        let sql = format!(
            "select count(*) from outbox where type = 'registration.cancelled' and object_id = '{id}'"
        );
        assert_eq!(till.shop.db.ask_number(&sql).await, 1, "told once");
    }
    let refunds =
        "select count(*) from refunds where amount_minor = 1000 and reason = 'event_cancelled'";
    assert_eq!(till.shop.db.ask_number(refunds).await, 6);
    till.assert_whole().await;
    // Who pays after all gets it back.
    till.say(open, "succeeded", json!({})).await;
    assert_eq!(till.promised(waits).await, 1000);
    assert_eq!(till.state(&guest, waits).await, "refunded");
    till.assert_whole().await;
}

#[tokio::test]
async fn r17_what_is_kept_is_an_amount_more_for_each_place_a_share_and_at_most_what_was_paid() {
    for (units, terms, kept) in [
        (3, json!({ "kept_fixed_minor": 100 }), 100),
        (3, json!({ "kept_per_ticket_minor": 50 }), 150),
        (3, json!({ "kept_rate_millionths": 33_333 }), 100),
        (
            2,
            json!({ "kept_fixed_minor": 100, "kept_per_ticket_minor": 50, "kept_rate_millionths": 100_000 }),
            400,
        ),
        (2, json!({ "kept_fixed_minor": 5000 }), 2000),
    ] {
        let till = Till::open(20).await;
        let (registration, guest, _) = till.paid(units).await;
        let (unpaid, _) = till.pending().await;
        let answer = till.call_off(terms.clone()).await;
        assert_eq!(outcome(&answer), "changed", "{answer}");
        let told = till.cancel_one(registration).await;
        assert_eq!(told["kept_minor"], json!(kept), "{terms}: {told}");
        assert_eq!(till.promised(registration).await, units * 1000 - kept);
        till.cancel_one(unpaid).await;
        assert_eq!(till.kept(unpaid).await, 0);
        assert_eq!(
            till.state(&guest, registration).await,
            "paid",
            "what is kept"
        );
        // The invoice asks for what is kept, no more and no less.
        let asked = "select sum(case kind when 'invoice' then total_minor else -total_minor end) from invoices";
        assert_eq!(till.shop.db.ask_number(asked).await, kept);
        till.assert_whole().await;
    }
}

#[tokio::test]
async fn r17_money_of_several_payments_goes_back_by_all_of_them_and_what_went_before_counts() {
    let till = Till::open(20).await;
    let (registration, guest) = till.pending().await;
    for amount in [300, 700] {
        let some = json!({ "amount_minor": amount });
        let some = till.start(&guest, registration, some).await;
        let payment = crate::till::id(&some, "payment_id");
        till.say(payment, "succeeded", json!({})).await;
        if amount == 300 {
            let refund = crate::till::id(&till.refund(payment, Some(100)).await, "refund_id");
            till.end_refund(refund, "done").await;
        }
    }
    // 1.00 of 10.00 went back before it was confirmed: it is paid again.
    let rest = till.started(&guest, registration).await;
    till.say(rest, "succeeded", json!({})).await;
    assert_eq!(till.shop.status(registration).await, "confirmed");
    till.call_off(json!({ "kept_fixed_minor": 150 })).await;
    till.cancel_one(registration).await;
    assert_eq!(till.promised(registration).await, 100 + 850);
    assert_eq!(till.kept(registration).await, 150);
    till.assert_whole().await;
}

#[tokio::test]
async fn r17_who_may_not_and_what_cannot_be_kept() {
    let till = Till::open(20).await;
    for (bad, field) in [
        (json!({ "kept_fixed_minor": -1 }), "keptFixed"),
        (
            json!({ "kept_fixed_minor": 1, "currency": "JPY" }),
            "keptFixed",
        ),
        (
            json!({ "kept_rate_millionths": 1_000_001 }),
            "keptRateMillionths",
        ),
    ] {
        let refused = till.call_off(bad).await;
        assert_eq!(
            (outcome(&refused), &refused["field"]),
            ("invalid", &json!(field))
        );
    }
    let request = json!({ "event_id": till.shop.event });
    let reader = As::member(till.shop.user, till.shop.org, "events:read");
    let refused = till
        .shop
        .db
        .try_call(&reader, "cancel_event", &request)
        .await;
    assert_eq!(
        crate::harness::code(&refused.expect_err("refused")),
        "ES403"
    );
    let (registration, ..) = till.paid(1).await;
    let early = till.cancel_one(registration).await;
    assert_eq!(outcome(&early), "already", "nobody called it off");
    assert_eq!(till.shop.status(registration).await, "confirmed");
}
