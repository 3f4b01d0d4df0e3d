//! Somebody between us and the sandbox, who looks at each call, or loses its answer.

use std::sync::Arc;

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

use super::sandbox;

/// What a provider is asked for.
#[derive(Clone, Copy)]
pub enum Asked<'a> {
    Create(&'a Order),
    Fetch(&'a Order),
    Refund(&'a NewRefund),
}

#[async_trait]
pub trait Between: Send + Sync + 'static {
    /// Before the provider hears of it.
    async fn look(&self, _asked: Asked<'_>) {}

    /// Whether its answer never comes, though it did what it was asked for.
    fn loses(&self, _asked: Asked<'_>) -> bool {
        false
    }
}

/// The sandbox behind them.
struct Behind<B> {
    somebody: B,
    sandbox: Arc<dyn Provider>,
}

/// The sandbox, with somebody in between.
pub fn behind(somebody: impl Between) -> Arc<dyn Provider> {
    Arc::new(Behind {
        somebody,
        sandbox: sandbox(),
    })
}

impl<B: Between> Behind<B> {
    async fn pass<T>(&self, asked: Asked<'_>, call: impl Future<Output = T> + Send) -> T {
        self.somebody.look(asked).await;
        let done = call.await;
        if self.somebody.loses(asked) {
            std::future::pending::<()>().await;
        }
        done
    }
}

#[async_trait]
impl<B: Between> Provider for Behind<B> {
    fn capabilities(&self) -> &'static Capabilities {
        self.sandbox.capabilities()
    }

    async fn create(
        &self,
        app: &App,
        account: &Account,
        order: &Order,
    ) -> Result<Opened, CallFailed> {
        let call = self.sandbox.create(app, account, order);
        self.pass(Asked::Create(order), call).await
    }

    async fn verify(
        &self,
        app: &App,
        account: &Account,
        headers: &HeaderMap,
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Heard, Forged> {
        self.sandbox.verify(app, account, headers, body, now).await
    }

    async fn read(
        &self,
        app: &App,
        account: &Account,
        body: &[u8],
    ) -> Result<Vec<Fact>, CallFailed> {
        self.sandbox.read(app, account, body).await
    }

    async fn fetch(
        &self,
        app: &App,
        account: &Account,
        order: &Order,
    ) -> Result<Option<PaymentFact>, CallFailed> {
        let call = self.sandbox.fetch(app, account, order);
        self.pass(Asked::Fetch(order), call).await
    }

    async fn refund(
        &self,
        app: &App,
        account: &Account,
        refund: &NewRefund,
    ) -> Result<RefundFact, CallFailed> {
        let call = self.sandbox.refund(app, account, refund);
        self.pass(Asked::Refund(refund), call).await
    }

    async fn fetch_refund(
        &self,
        app: &App,
        account: &Account,
        refund: &NewRefund,
    ) -> Result<Option<RefundFact>, CallFailed> {
        self.sandbox.fetch_refund(app, account, refund).await
    }
}
