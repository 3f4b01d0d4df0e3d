//! Providers that do the work and do not say so, refuse, or do not answer at all.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use axum::http::HeaderMap;
use chrono::{DateTime, Utc};
use eventsphere::{
    payments::{
        Account, CallFailed, Capabilities, Fact, Forged, Heard, NewRefund, Opened, Order,
        PaymentFact, Provider, RefundFact,
    },
    state::App,
};
use serde_json::json;

use super::{Stage, Worker, sandbox};
use crate::harness::key;

/// The sandbox behind a line that breaks: the first calls of each kind are done, and their answers lost.
struct Lossy {
    inner: Arc<dyn Provider>,
    creates: AtomicUsize,
    refunds: AtomicUsize,
}

impl Lossy {
    fn losing(creates: usize, refunds: usize) -> Arc<dyn Provider> {
        Arc::new(Self {
            inner: sandbox(),
            creates: AtomicUsize::new(creates),
            refunds: AtomicUsize::new(refunds),
        })
    }
}

/// Whether this one is lost.
fn lost(left: &AtomicUsize) -> bool {
    left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
        left.checked_sub(1)
    })
    .is_ok()
}

/// An answer that never comes.
async fn never<T>() -> Result<T, CallFailed> {
    std::future::pending().await
}

#[async_trait]
impl Provider for Lossy {
    fn capabilities(&self) -> &'static Capabilities {
        self.inner.capabilities()
    }

    async fn create(
        &self,
        app: &App,
        account: &Account,
        order: &Order,
    ) -> Result<Opened, CallFailed> {
        let done = self.inner.create(app, account, order).await;
        match lost(&self.creates) {
            true => never().await,
            false => done,
        }
    }

    async fn verify(
        &self,
        app: &App,
        account: &Account,
        headers: &HeaderMap,
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Heard, Forged> {
        self.inner.verify(app, account, headers, body, now).await
    }

    async fn read(
        &self,
        app: &App,
        account: &Account,
        body: &[u8],
    ) -> Result<Vec<Fact>, CallFailed> {
        self.inner.read(app, account, body).await
    }

    async fn fetch(
        &self,
        app: &App,
        account: &Account,
        order: &Order,
    ) -> Result<Option<PaymentFact>, CallFailed> {
        self.inner.fetch(app, account, order).await
    }

    async fn refund(
        &self,
        app: &App,
        account: &Account,
        refund: &NewRefund,
    ) -> Result<RefundFact, CallFailed> {
        let done = self.inner.refund(app, account, refund).await;
        match lost(&self.refunds) {
            true => never().await,
            false => done,
        }
    }

    async fn fetch_refund(
        &self,
        app: &App,
        account: &Account,
        refund: &NewRefund,
    ) -> Result<Option<RefundFact>, CallFailed> {
        self.inner.fetch_refund(app, account, refund).await
    }
}

async fn stage(creates: usize, refunds: usize) -> Stage {
    Stage::with(|parts| {
        parts.payments.providers = vec![Lossy::losing(creates, refunds)];
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
