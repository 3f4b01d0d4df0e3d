//! What the program asks of a payment provider, and how it is answered.

use async_trait::async_trait;
use axum::http::HeaderMap;
use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::Account;
use crate::state::App;

/// One of the keys of an account.
#[derive(Clone, Copy, Debug)]
pub struct Credential {
    /// Its name, as callers of the API say it.
    pub name: &'static str,
    /// Least characters.
    pub least: usize,
    /// Whether one is made where none is given.
    pub made: bool,
}

/// What a provider can do, as data.
#[derive(Clone, Copy, Debug)]
pub struct Capabilities {
    /// Its name in accounts and in the address of its webhooks.
    pub name: &'static str,
    /// The keys that an account needs.
    pub credentials: &'static [Credential],
    /// Whether its money is for trying out only.
    pub test: bool,
}

/// A payment that the provider is to be told of. Its key is the idempotency key: told twice, it is one payment.
#[derive(Clone, Debug)]
pub struct NewPayment {
    /// Our key of it.
    pub id: Uuid,
    /// Minor units of the currency, as ISO 4217 counts them.
    pub amount_minor: i64,
    /// ISO 4217.
    pub currency: String,
    /// What the buyer reads.
    pub description: String,
    /// Where the buyer goes afterwards.
    pub return_url: Option<String>,
}

/// What the provider made of it.
#[derive(Clone, Debug)]
pub struct Opened {
    /// What the provider calls it.
    pub provider_reference: String,
    /// Where the buyer pays.
    pub checkout_url: Option<String>,
}

/// A refund that the provider is to be told of. Its key is the idempotency key.
#[derive(Clone, Debug)]
pub struct NewRefund {
    /// Our key of it.
    pub id: Uuid,
    /// Our key of the payment.
    pub payment_id: Uuid,
    /// What the provider calls the payment.
    pub payment_reference: String,
    /// Minor units of the currency.
    pub amount_minor: i64,
    /// ISO 4217.
    pub currency: String,
}

/// Where a payment stands at the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentWord {
    /// Neither paid nor over.
    Pending,
    /// Paid.
    Succeeded,
    /// Refused.
    Failed,
    /// Called off.
    Cancelled,
}

/// What the provider says of a payment; as `settle_payment` takes it.
#[derive(Clone, Debug, Serialize)]
pub struct PaymentFact {
    /// Our key, where the provider carries it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<Uuid>,
    /// The provider's.
    pub provider_reference: String,
    /// Where it stands.
    pub status: PaymentWord,
    /// What came in, in minor units.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub captured_minor: Option<i64>,
    /// ISO 4217.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// Why it failed, in a word of the provider's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Where the buyer pays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkout_url: Option<String>,
}

/// Where a refund stands at the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundWord {
    /// On its way.
    InTransit,
    /// The buyer has it, or will without fail.
    Done,
    /// It came to nothing.
    Failed,
}

/// What the provider says of a refund; as `settle_refund` takes it.
#[derive(Clone, Debug, Serialize)]
pub struct RefundFact {
    /// Our key, where the provider carries it; absent for what was refunded at the provider itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund_id: Option<Uuid>,
    /// What the provider calls the payment.
    pub payment_reference: String,
    /// What the provider calls the refund.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_reference: Option<String>,
    /// Where it stands.
    pub status: RefundWord,
    /// Minor units.
    pub amount_minor: i64,
    /// ISO 4217.
    pub currency: String,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// What an event says.
#[derive(Clone, Debug)]
pub enum Fact {
    /// Of a payment.
    Payment(PaymentFact),
    /// Of a refund.
    Refund(RefundFact),
    /// Nothing that we keep; its type, for whoever looks.
    Nothing(String),
}

/// An event whose sender was proved.
#[derive(Clone, Debug)]
pub struct Heard {
    /// The provider's key of the event; `None` when it has none, and its bytes are their own key.
    pub event_key: Option<String>,
}

/// Why an event is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forged {
    /// It carries no signature that can be read.
    Unsigned,
    /// It was signed too long ago, or in the future.
    OutOfTime,
    /// It was signed with another key, or changed since.
    WrongSignature,
    /// It is signed, and still nothing that the provider sends.
    Unreadable,
}

/// Why a call gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallFailed {
    /// The provider will not do it, with its word for it. Nothing was done.
    #[error("the provider refused: {0}")]
    Refused(String),
    /// Nobody knows whether it was done.
    #[error("{0}")]
    Unknown(String),
}

/// A payment provider. Calls are made outside of transactions, under a time limit of the caller's, and may be repeated:
/// what was done under a key is not done again.
#[async_trait]
pub trait Provider: Send + Sync {
    /// What it can do.
    fn capabilities(&self) -> &'static Capabilities;

    /// Tells it of a payment.
    async fn create(
        &self,
        app: &App,
        account: &Account,
        payment: &NewPayment,
    ) -> Result<Opened, CallFailed>;

    /// Whether these bytes were sent by it, to this account, now.
    fn verify(
        &self,
        account: &Account,
        headers: &HeaderMap,
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Heard, Forged>;

    /// What bytes say that were verified.
    fn read(&self, body: &[u8]) -> Result<Fact, Forged>;

    /// Where the payment with our key stands; `None` when the provider never heard of it.
    async fn fetch(
        &self,
        app: &App,
        account: &Account,
        payment_id: Uuid,
        provider_reference: Option<&str>,
    ) -> Result<Option<PaymentFact>, CallFailed>;

    /// Tells it to give money back.
    async fn refund(
        &self,
        app: &App,
        account: &Account,
        refund: &NewRefund,
    ) -> Result<RefundFact, CallFailed>;

    /// Where the refund with our key stands; `None` when the provider never heard of it.
    async fn fetch_refund(
        &self,
        app: &App,
        account: &Account,
        refund: &NewRefund,
    ) -> Result<Option<RefundFact>, CallFailed>;
}
