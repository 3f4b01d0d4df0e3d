//! Providers that do the work and do not say so, refuse, or do not answer at all.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use serde_json::json;

use super::{
    Stage, Worker,
    between::{Asked, Between, behind},
};
use crate::harness::key;

/// A line that breaks: the first calls of each kind are done, and their answers lost.
struct Lossy {
    creates: AtomicUsize,
    refunds: AtomicUsize,
}

/// Whether this one is lost.
fn lost(left: &AtomicUsize) -> bool {
    left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
        left.checked_sub(1)
    })
    .is_ok()
}

#[async_trait]
impl Between for Lossy {
    fn loses(&self, asked: Asked<'_>) -> bool {
        match asked {
            Asked::Create(_) => lost(&self.creates),
            Asked::Fetch(_) => false,
            Asked::Refund(_) => lost(&self.refunds),
        }
    }
}

async fn stage(creates: usize, refunds: usize) -> Stage {
    Stage::with(|parts| {
        parts.payments.providers = vec![behind(Lossy {
            creates: creates.into(),
            refunds: refunds.into(),
        })];
        parts.payments.call_limit = Duration::from_millis(300);
    })
    .await
}

#[tokio::test]
async fn r19_a_provider_that_answers_too_late_knows_one_payment_however_often_it_is_told() {
    let stage = stage(2, 0).await;
    let worker = Worker::start(&stage.app);
    let buyer = stage.buyer().await;
    let input = json!({ "registrationId": buyer.registration, "idempotencyKey": key() });
    let selection = "payment { id status checkoutUrl providerReference }";
    for _ in 0..2 {
        let made = buyer
            .caller
            .does("createPayment", selection, input.clone())
            .await;
        assert_eq!(made["payment"]["status"], "CREATED", "nobody knows yet");
    }
    let made = buyer.caller.does("createPayment", selection, input).await;
    let paying = stage.paying(&made["payment"]).await;
    assert_eq!(
        stage.number("select count(*) from sandbox_payments").await,
        1
    );
    stage.press(&paying, "succeed").await;
    stage.becomes(&buyer, "CONFIRMED", "PAID").await;
    worker.stop().await;
    stage.assert_whole().await;
}

#[tokio::test]
async fn r15_after_a_time_out_the_provider_is_asked_before_money_is_given_back_again() {
    let stage = stage(0, 1).await;
    let worker = Worker::start(&stage.app);
    let (buyer, paying) = stage.paid().await;
    let input = json!({ "paymentId": paying.id, "idempotencyKey": key() });
    stage
        .organizer
        .caller
        .does("refundPayment", "refund { status }", input)
        .await;
    let done = "select count(*) from refunds where status = 'done'";
    for _ in 0..1500 {
        if stage.number(done).await == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(stage.number(done).await, 1);
    assert_eq!(
        stage.number("select count(*) from sandbox_refunds").await,
        1
    );
    stage.becomes(&buyer, "CONFIRMED", "REFUNDED").await;
    worker.stop().await;
    stage.assert_whole().await;
}

#[tokio::test]
async fn a_refund_that_the_provider_refuses_leaves_the_money_where_it_was() {
    let stage = Stage::new().await;
    let worker = Worker::start(&stage.app);
    let (buyer, paying) = stage.paid().await;
    let input = json!({
        "paymentId": paying.id, "amount": { "minorUnits": "113", "currencyCode": "EUR" }, "idempotencyKey": key(),
    });
    stage
        .organizer
        .caller
        .does("refundPayment", "refund { status }", input)
        .await;
    let failed = "select count(*) from refunds where status = 'failed' and failure = 'card_closed'";
    for _ in 0..1500 {
        if stage.number(failed).await == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(stage.number(failed).await, 1);
    stage.becomes(&buyer, "CONFIRMED", "PAID").await;
    worker.stop().await;
    stage.assert_whole().await;
}
