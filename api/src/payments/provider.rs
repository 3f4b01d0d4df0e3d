//! What the program asks of a payment provider, and how it is answered.

use std::collections::BTreeMap;

use async_trait::async_trait;
use axum::http::HeaderMap;
use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::{Account, amounts::Amounts, page::Page};
use crate::state::App;

/// One of the keys of an account, or something else that it needs.
#[derive(Clone, Copy, Debug)]
pub struct Credential {
    /// Its name, as callers of the API say it.
    pub name: &'static str,
    /// Least characters.
    pub least: usize,
    /// Most characters.
    pub most: usize,
    /// How it begins, one of these; any way when there is none.
    pub begins: &'static [&'static str],
    /// Whether it is of the form.
    pub accepts: fn(&str) -> bool,
    /// What becomes of it when it is not said.
    pub absent: Absent,
    /// What it is, for whoever has to find it.
    pub means: &'static str,
}

impl Credential {
    /// A key of 8 to 500 characters that has to be said.
    pub const fn needed(name: &'static str, means: &'static str) -> Self {
        Self {
            name,
            least: 8,
            most: 500,
            begins: &[],
            accepts: |_| true,
            absent: Absent::Refused,
            means,
        }
    }

    /// The same, which begins so.
    pub const fn beginning(
        name: &'static str,
        begins: &'static [&'static str],
        means: &'static str,
    ) -> Self {
        Self {
            begins,
            ..Self::needed(name, means)
        }
    }

    /// The same, which may come later: until then what it is for does not work.
    pub const fn later(self) -> Self {
        Self {
            absent: Absent::Empty,
            ..self
        }
    }
}

/// What becomes of a key that is not said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// The account is refused.
    Refused,
    /// It stays empty.
    Empty,
    /// 256 random bits are made.
    Made,
}

/// How one sees whether an account moves real money.
#[derive(Clone, Copy, Debug)]
pub enum Mode {
    /// It never does.
    Test,
    /// It always does.
    Live,
    /// When that key begins so.
    ByKey(&'static str, &'static [&'static str]),
}

/// How an event of the provider is proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// By a signature that is computed here.
    Signature,
    /// By asking the provider whether it sent these bytes.
    Asked,
    /// Not at all: it is a hint, and what it speaks of is read from the provider.
    Read,
    /// There are no events.
    Silent,
}

/// What a provider can do, as data.
#[derive(Clone, Copy, Debug)]
pub struct Capabilities {
    /// Its name in accounts and in the address of its webhooks.
    pub name: &'static str,
    /// What it is, in half a sentence.
    pub means: &'static str,
    /// The keys that an account needs.
    pub credentials: &'static [Credential],
    /// Whether an account moves real money.
    pub mode: Mode,
    /// Where it is reached, with real and with test money; empty where nobody is called.
    pub urls: (&'static str, &'static str),
    /// Which currencies it takes, and how it counts them.
    pub amounts: Amounts,
    /// Whether a part of a payment can be given back.
    pub partial_refunds: bool,
    /// Whether money may come hours or days after the buyer has done all there is to do.
    pub pending: bool,
    /// Whether a buyer whose attempt was declined may try again on the same page: the payment then stays open.
    pub tries_again: bool,
    /// How its events are proved.
    pub proof: Proof,
}

impl Capabilities {
    /// Whether an account with these keys moves real money.
    pub fn is_live(&self, credentials: &BTreeMap<String, String>) -> bool {
        match self.mode {
            Mode::Test => false,
            Mode::Live => true,
            Mode::ByKey(name, begins) => credentials
                .get(name)
                .is_some_and(|value| begins.iter().any(|begin| value.starts_with(begin))),
        }
    }
}

/// A payment as our row says it. Its key is the idempotency key: told twice, it is one payment.
#[derive(Clone, Debug)]
pub struct Order {
    /// Our key of it.
    pub id: Uuid,
    /// What the provider calls it, once it said so.
    pub provider_reference: Option<String>,
    /// Minor units of the currency, as ISO 4217 counts them.
    pub amount_minor: i64,
    /// What members say came in by hand.
    pub received_minor: Option<i64>,
    /// ISO 4217.
    pub currency: String,
    /// What the buyer reads.
    pub description: String,
    /// Who pays.
    pub buyer_name: String,
    /// Their address.
    pub buyer_email: String,
    /// Where the buyer goes afterwards.
    pub return_url: Option<String>,
}

/// What the provider made of it.
#[derive(Clone, Debug, Default)]
pub struct Opened {
    /// What the provider calls it.
    pub provider_reference: String,
    /// Where the buyer pays.
    pub checkout_url: Option<String>,
    /// How the buyer pays, in words, where there is no page for it.
    pub instructions: Option<String>,
    /// Until when the money is waited for, where the provider says so.
    pub due_at: Option<DateTime<Utc>>,
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

/// A payment whose refunds are asked for.
#[derive(Clone, Copy, Debug)]
pub struct Paid<'a> {
    /// Our key of it.
    pub payment_id: Uuid,
    /// What the provider calls it.
    pub reference: &'a str,
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

/// Money that comes later, by a way that the provider tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waits {
    /// Until when.
    pub due_at: DateTime<Utc>,
    /// How the buyer pays, in words.
    pub instructions: String,
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
    /// What is waited for, while it is pending.
    #[serde(skip)]
    pub waits: Option<Waits>,
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

impl RefundFact {
    /// The one among them that is ours by that key.
    pub(super) fn of(known: Vec<Self>, id: Uuid) -> Option<Self> {
        known
            .into_iter()
            .find(|refund| refund.refund_id == Some(id))
    }
}

/// Where a dispute stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeWord {
    /// The buyer asks for the money back by the bank or the provider; the organization may answer.
    Open,
    /// It keeps the money.
    Won,
    /// The money is gone.
    Lost,
}

/// What the provider says of a dispute.
#[derive(Clone, Debug, Serialize)]
pub struct DisputeFact {
    /// Our key of the payment, where the provider carries it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<Uuid>,
    /// What the provider calls the payment.
    pub payment_reference: String,
    /// What the provider calls the dispute.
    pub provider_reference: String,
    /// Where it stands.
    pub status: DisputeWord,
    /// What is asked back, in minor units.
    pub amount_minor: i64,
    /// ISO 4217.
    pub currency: String,
    /// Whether the provider has taken the money back by now; `None` where it does not say. What is lost, was taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<bool>,
    /// What the provider takes for it, in minor units.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fee_minor: Option<i64>,
    /// Why, in a word of the provider's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A payment as the provider's statement has it: what moved by it so far.
#[derive(Clone, Debug, Serialize)]
pub struct Listed {
    /// Our key, where the provider carries it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<Uuid>,
    /// The provider's.
    pub provider_reference: String,
    /// What came in, in minor units; 0 when nothing did.
    pub captured_minor: i64,
    /// What went back by refunds; `None` where the provider does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refunded_minor: Option<i64>,
    /// What it holds back, or has given back, for disputes; `None` where it does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disputed_minor: Option<i64>,
    /// ISO 4217.
    pub currency: String,
}

/// What an event says.
#[derive(Clone, Debug)]
pub enum Fact {
    /// Of a payment.
    Payment(PaymentFact),
    /// Of a refund.
    Refund(RefundFact),
    /// Of a dispute.
    Dispute(DisputeFact),
    /// Nothing that we keep; its type, for whoever looks.
    Nothing(String),
}

impl Fact {
    /// These, or that an event of this type says nothing that we keep.
    pub(super) fn or_nothing(facts: Vec<Self>, kind: &str) -> Vec<Self> {
        match facts.is_empty() {
            true => vec![Self::Nothing(kind.to_owned())],
            false => facts,
        }
    }
}

/// An event whose sender was proved.
#[derive(Clone, Debug)]
pub struct Heard {
    /// The provider's key of the event; `None` when it has none, and its bytes are their own key.
    pub event_key: Option<String>,
}

/// Why an event is not believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Forged {
    /// It carries no signature that can be read.
    Unsigned,
    /// It was signed too long ago, or in the future.
    OutOfTime,
    /// It was signed with another key, or changed since.
    WrongSignature,
    /// It is signed, and still nothing that the provider sends.
    Unreadable,
    /// The provider knows nothing of it.
    Disowned,
    /// Nobody can say now; it is to be sent again.
    Undecided(String),
}

/// Why a call gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallFailed {
    /// The provider will not do it, with its word for it. Nothing was done, and asking again changes nothing.
    #[error("the provider refused: {0}")]
    Refused(String),
    /// Nobody knows whether it was done; the provider is to be asked.
    #[error("{0}")]
    Unknown(String),
    /// The account's keys do not open the provider's door. Nothing was done; with other keys it will be.
    #[error("the account's keys are not accepted: {0}")]
    Misconfigured(String),
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
        order: &Order,
    ) -> Result<Opened, CallFailed>;

    /// Our own page, on which the buyer pays by the provider's script; most providers have pages of their own.
    async fn page(
        &self,
        _app: &App,
        _account: &Account,
        _order: &Order,
    ) -> Result<Option<Page>, CallFailed> {
        Ok(None)
    }

    /// The buyer is back from the provider's page, with these parameters that nobody vouches for. Does what is left to
    /// do, and says where the payment stands.
    async fn finish(
        &self,
        app: &App,
        account: &Account,
        order: &Order,
        _returned: &BTreeMap<String, String>,
    ) -> Result<Option<PaymentFact>, CallFailed> {
        self.fetch(app, account, order).await
    }

    /// Whether these bytes were sent by it, to this account, now.
    async fn verify(
        &self,
        app: &App,
        account: &Account,
        headers: &HeaderMap,
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Heard, Forged>;

    /// What bytes say that were verified; where they say too little, the provider is asked. Bytes that cannot be read are
    /// `Refused`.
    async fn read(
        &self,
        app: &App,
        account: &Account,
        body: &[u8],
    ) -> Result<Vec<Fact>, CallFailed>;

    /// Where the payment stands; `None` when the provider never heard of it. What the buyer agreed to and only waits for
    /// us is completed first.
    async fn fetch(
        &self,
        app: &App,
        account: &Account,
        order: &Order,
    ) -> Result<Option<PaymentFact>, CallFailed>;

    /// Tells it to give money back.
    async fn refund(
        &self,
        app: &App,
        account: &Account,
        refund: &NewRefund,
    ) -> Result<RefundFact, CallFailed>;

    /// All refunds of a payment, those that were made at the provider itself among them; `None` where it cannot say.
    async fn refunds(
        &self,
        _app: &App,
        _account: &Account,
        _paid: Paid<'_>,
    ) -> Result<Option<Vec<RefundFact>>, CallFailed> {
        Ok(None)
    }

    /// Where the refund with our key stands; `None` when the provider never heard of it.
    async fn fetch_refund(
        &self,
        app: &App,
        account: &Account,
        refund: &NewRefund,
    ) -> Result<Option<RefundFact>, CallFailed> {
        let paid = Paid {
            payment_id: refund.payment_id,
            reference: &refund.payment_reference,
        };
        let known = self.refunds(app, account, paid).await?;
        Ok(RefundFact::of(known.unwrap_or_default(), refund.id))
    }

    /// All payments of the account that were begun in that time; `None` where the provider cannot say. Whoever reconciles
    /// asks then about each payment that we know.
    async fn list(
        &self,
        _app: &App,
        _account: &Account,
        _from: DateTime<Utc>,
        _to: DateTime<Utc>,
    ) -> Result<Option<Vec<Listed>>, CallFailed> {
        Ok(None)
    }
}
