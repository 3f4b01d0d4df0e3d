//! Who sells by the same account in other ways too: their refunds and disputes are none of ours.

use serde_json::json;
use uuid::Uuid;

use super::{Stage, Worker};

impl Stage {
    async fn until(&self, sql: &str, expected: i64) {
        for _ in 0..1500 {
            if self.number(sql).await == expected {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        assert_eq!(self.number(sql).await, expected, "{sql}");
    }

    /// Lets the job of events that match nothing look for the last time.
    async fn looks_for_the_last_time(&self) {
        self.until(
            "select count(*) from payment_events where status = 'waiting'",
            0,
        )
        .await;
        let tried =
            "select count(*) from jobs where kind = 'payments.apply' and status <> 'scheduled'";
        self.until(tried, 0).await;
        let admin = self.app.database.admin().await;
        let last = "update jobs set attempts = max_attempts - 1, run_at = es.clock() where kind = 'payments.apply'";
        admin.execute(last, &[]).await.expect("the last time");
    }
}

#[tokio::test]
async fn r16_refunds_and_disputes_of_payments_that_are_not_ours_end_without_a_sound() {
    let stage = Stage::new().await;
    let worker = Worker::start(&stage.app);
    let (stranger, refund) = (Uuid::now_v7(), Uuid::now_v7());
    let told = [
        json!({ "id": "evt_refund", "type": "refund.succeeded", "data": {
            "id": refund, "reference": null, "payment": stranger, "amount_minor": 500, "currency": "EUR" } }),
        json!({ "id": "evt_dispute", "type": "dispute.opened", "data": {
            "id": Uuid::now_v7(), "payment": stranger, "reference": Uuid::now_v7(), "amount_minor": 500, "fee_minor": 1500,
            "currency": "EUR" } }),
    ];
    for event in &told {
        assert_eq!(stage.deliver(&event.to_string()).await, 200);
    }
    stage
        .until(
            "select count(*) from payment_events where status = 'unmatched'",
            2,
        )
        .await;
    stage.looks_for_the_last_time().await;
    let ended = "select count(*) from payment_events where status = 'ignored' and detail = 'of no payment of ours'";
    stage.until(ended, 2).await;
    stage
        .until("select count(*) from jobs where kind = 'payments.apply'", 0)
        .await;
    worker.stop().await;
    stage.assert_whole().await;
}

#[tokio::test]
async fn r16_a_dispute_of_our_own_payment_is_not_taken_for_a_foreign_one() {
    let stage = Stage::new().await;
    let worker = Worker::start(&stage.app);
    let buyer = stage.buyer().await;
    let paying = stage.pay(&buyer).await;
    let event = json!({ "id": "evt_dispute", "type": "dispute.opened", "data": {
        "id": Uuid::now_v7(), "payment": paying.reference, "reference": paying.key, "amount_minor": 1000, "fee_minor": 1500,
        "currency": "EUR" } });
    assert_eq!(stage.deliver(&event.to_string()).await, 200);
    stage.looks_for_the_last_time().await;
    // Of money that never came in: people have to look.
    let dead = "select count(*) from jobs where kind = 'payments.apply' and status = 'dead'";
    stage.until(dead, 1).await;
    let waits = "select count(*) from payment_events where status = 'unmatched'";
    assert_eq!(stage.number(waits).await, 1);
    worker.stop().await;
}
