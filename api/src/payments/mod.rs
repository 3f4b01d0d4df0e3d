//! Money. A payment is a committed row before its provider hears of it, and the provider knows it by that row's key
//! (`create_payment.rs`). What the provider says later, by webhook (`webhook.rs` stores it, `apply.rs` applies it), when it
//! is asked (`check.rs`) or as the answer to a call, all goes one way: `settle_payment` and `settle_refund`, which take it
//! over once, in whatever order it comes. No call to a provider is made inside a transaction.
//!
//! A provider is a file with a [`Provider`] and a line in [`all`]: some calls, and what it can do as data. The sandbox is one
//! that lives in this program and behaves as if it did not.

mod accounts;
mod amounts;
mod apply;
mod call;
mod check;
mod create_account;
mod create_payment;
mod look;
mod mark_received;
mod mark_sent;
mod offline;
mod page;
mod paypal;
mod paystack;
mod provider;
mod reconcile;
mod reconcile_payments;
mod refund;
mod refund_payment;
mod returning;
mod sandbox;
mod settle;
mod signature;
mod stripe;
mod toss;
mod update_account;
mod webhook;
mod words;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::Router;
use eventsphere_graphql::{InputObject, InputType, Scalar};

pub use accounts::Account;
pub use amounts::{Amounts, ISO};
pub use page::Page;
pub use provider::{
    Absent, CallFailed, Capabilities, Credential, DisputeFact, DisputeWord, Fact, Forged, Heard,
    Listed, Mode, NewRefund, Opened, Order, Paid, PaymentFact, PaymentWord, Proof, Provider,
    RefundFact, RefundWord, Waits,
};
pub use sandbox::Sandbox;

use crate::{
    config::PaymentsConfig,
    jobs::{Queue, Registry, Schedule},
    state::App,
    verbs::Verbs,
};

/// What payments need between requests. Cheap to clone.
#[derive(Clone)]
pub struct Payments {
    /// All providers.
    pub providers: Vec<Arc<dyn Provider>>,
    /// Whether accounts at the sandbox may be made: with test money, tickets are real.
    pub sandbox: bool,
    /// How long one thing that a provider is asked may take, repetitions and all.
    pub call_limit: Duration,
    /// Where providers are reached, by name, if elsewhere than where they say.
    urls: Arc<BTreeMap<String, String>>,
    /// For calls to providers.
    http: reqwest::Client,
    /// Accounts that were used just now.
    opened: accounts::Opened,
    /// Payments that were started here, and what their money buys.
    started: settle::Started,
}

/// All providers. A new one is a line here.
fn all() -> Vec<Arc<dyn Provider>> {
    vec![
        Arc::new(stripe::Stripe::default()),
        Arc::new(paypal::PayPal::default()),
        Arc::new(paystack::Paystack),
        Arc::new(toss::Toss),
        Arc::new(offline::Offline),
        Arc::new(Sandbox),
    ]
}

impl Payments {
    /// With all providers.
    pub fn new(config: &PaymentsConfig) -> Result<Self, reqwest::Error> {
        let call_limit = config.timeout;
        let http = reqwest::Client::builder()
            .connect_timeout(call_limit / 2)
            .timeout(call_limit)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self {
            providers: all(),
            sandbox: config.sandbox,
            call_limit,
            urls: Arc::new(config.urls.clone()),
            http,
            opened: accounts::Opened::new(),
            started: settle::Started::default(),
        })
    }

    /// The provider of that name.
    pub fn provider(&self, name: &str) -> Option<&Arc<dyn Provider>> {
        self.providers
            .iter()
            .find(|provider| provider.capabilities().name == name)
    }

    /// A call to a provider, which is not waited for longer than the limit. What became of it then is not known.
    pub async fn call<T>(
        &self,
        call: impl Future<Output = Result<T, CallFailed>>,
    ) -> Result<T, CallFailed> {
        tokio::time::timeout(self.call_limit, call)
            .await
            .unwrap_or_else(|_| {
                Err(CallFailed::Unknown(
                    "the provider did not answer in time".to_owned(),
                ))
            })
    }
}

/// The mutations of this slice.
pub fn verbs(registry: &mut Verbs) {
    registry
        .input(
            InputObject::new(
                "PaymentCredentialInput",
                "One of the keys that an account at a payment provider needs.",
            )
            .required(
                "credential",
                InputType::Scalar(Scalar::String),
                "Its name; see the provider.",
            )
            .required("value", InputType::Scalar(Scalar::String), "The key."),
        )
        .add::<create_account::CreatePaymentAccount>()
        .add::<update_account::UpdatePaymentAccount>()
        .add::<create_payment::CreatePayment>()
        .add::<refund_payment::RefundPayment>()
        .add::<reconcile_payments::ReconcilePayments>()
        .add::<mark_received::MarkPaymentReceived>()
        .add::<mark_sent::MarkRefundSent>();
}

/// The jobs of this slice. Providers that hang hold up no other work.
pub fn jobs(registry: &mut Registry) {
    registry
        .queue(Queue::new("payments", 16, 8))
        .add::<apply::ApplyEvent>()
        .add::<check::CheckPayment>()
        .add::<refund::SendRefund>()
        .add::<check::PollProviders>()
        .every::<check::PollProviders>(Schedule::seconds(5))
        .add::<reconcile::Reconcile>()
        .add::<reconcile::ReconcileAll>()
        .every::<reconcile::ReconcileAll>(Schedule::daily(2, 30))
        .add::<sandbox::Deliver>();
}

/// The pages on which buyers pay, and where they come back to.
pub fn routes() -> Router<App> {
    sandbox::routes().merge(page::routes())
}

/// Where providers tell what happened. They come from few addresses and in crowds, so what is known by its signature pays
/// no toll; what is not is counted there.
pub fn webhook_routes() -> Router<App> {
    webhook::routes()
}
