//! Every event several times, in any order, at once.

use std::sync::Arc;

use serde_json::json;

use super::{Stage, Worker};
use crate::harness::{at_once, key};

#[tokio::test]
async fn r18_events_three_times_shuffled_and_at_once_have_the_effect_of_each_once() {
    const BUYERS: usize = 6;
    let stage = Arc::new(Stage::new().await);
    let mut buyers = vec![];
    let mut bodies = vec![];
    for turn in 0..BUYERS {
        let buyer = stage.buyer().await;
        let paying = stage.pay(&buyer).await;
        stage.press(&paying, "silent").await;
        for round in 0..3 {
            // A provider that repeats itself under one key, one that does under new keys, and one that takes it back.
            let event = |kind: &str| format!("evt_{kind}_{turn}");
            bodies.push(stage.told(&paying, &event("paid"), "payment.succeeded"));
            bodies.push(stage.told(
                &paying,
                &event(&format!("again{round}")),
                "payment.succeeded",
            ));
            bodies.push(stage.told(&paying, &event("failed"), "payment.failed"));
            bodies.push(stage.told(&paying, &event("new"), "payment.looked_at"));
        }
        buyers.push(buyer);
    }
    // As random as keys are, and another order each time.
    bodies.sort_by_cached_key(|_| key());
    let workers = [Worker::start(&stage.app), Worker::start(&stage.app)];
    let bodies = Arc::new(bodies);
    let statuses = at_once(12, |lane| {
        let (stage, bodies) = (stage.clone(), bodies.clone());
        async move {
            let mut statuses = vec![];
            for body in bodies.iter().skip(lane).step_by(12) {
                statuses.push(stage.deliver(body).await);
            }
            statuses
        }
    })
    .await;
    assert!(
        statuses.concat().iter().all(|status| *status == 200),
        "{statuses:?}"
    );
    for buyer in &buyers {
        let paid = stage.becomes(buyer, "CONFIRMED", "PAID").await;
        assert_eq!(paid["tickets"]["nodes"].as_array().unwrap().len(), 1);
    }
    for worker in workers {
        worker.stop().await;
    }
    let buyers = i64::try_from(BUYERS).unwrap();
    let counts = [
        ("select count(*) from payment_events", 6 * buyers),
        (
            "select count(*) from outbox where type = 'registration.confirmed'",
            buyers,
        ),
        (
            "select count(*) from outbox where type = 'payment.succeeded'",
            buyers,
        ),
        ("select count(*) from ledger_entries", buyers),
        ("select count(*) from tickets", buyers),
    ];
    for (sql, expected) in counts {
        assert_eq!(stage.number(sql).await, expected, "{sql}");
    }
    stage.assert_whole().await;
}

#[tokio::test]
async fn r15_two_members_who_refund_at_once_give_back_what_came_in() {
    let stage = Stage::new().await;
    let worker = Worker::start(&stage.app);
    let (_, paying) = stage.paid().await;
    let member = stage.organizer.caller.clone();
    let said = at_once(6, |_| {
        let (member, id) = (member.clone(), paying.id.clone());
        async move {
            let input = json!({
                "paymentId": id, "amount": { "minorUnits": "400", "currencyCode": "EUR" }, "idempotencyKey": key(),
            });
            member.tries("refundPayment", "refund { id }", input).await
        }
    })
    .await;
    let done = said.iter().filter(|payload| !payload["refund"].is_null());
    assert_eq!(done.count(), 2, "{said:#?}");
    for _ in 0..1500 {
        if stage
            .number("select count(*) from refunds where status = 'done'")
            .await
            == 2
        {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    worker.stop().await;
    assert_eq!(
        stage.number("select count(*) from sandbox_refunds").await,
        2
    );
    stage.assert_whole().await;
}
