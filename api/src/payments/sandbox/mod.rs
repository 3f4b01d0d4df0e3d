//! A payment provider inside the program that behaves as if it stood outside: it keeps its own books (tables that no other
//! part reads), has a page where buyers pay, and tells what happened by signed webhooks over HTTP to the same route that
//! every provider uses. Its money is for trying out only.

mod deliver;
mod dispute;
mod page;

use async_trait::async_trait;
use axum::http::HeaderMap;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use uuid::Uuid;

pub(super) use deliver::Deliver;
pub(super) use page::routes;

use super::{
    Absent, Account, CallFailed, Capabilities, Credential, Fact, Forged, Heard, Listed, Mode,
    NewRefund, Opened, Order, PaymentFact, PaymentWord, Proof, Provider, RefundFact, RefundWord,
    amounts, signature,
};
use crate::{state::App, tenancy::SystemReason};

/// The provider.
#[derive(Clone, Copy, Debug)]
pub struct Sandbox;

const CAPABILITIES: Capabilities = Capabilities {
    name: "sandbox",
    means: "part of this program, for test money, where it is switched on",
    credentials: &[Credential {
        least: 16,
        absent: Absent::Made,
        ..Credential::needed("webhook_secret", "what its webhooks are signed with")
    }],
    mode: Mode::Test,
    urls: ("", ""),
    amounts: amounts::ISO,
    partial_refunds: true,
    pending: false,
    tries_again: false,
    proof: Proof::Signature,
};

/// A refund whose minor units end so is refused, so that one can see what comes of that.
const REFUSED_REFUND: i64 = 13;

/// A payment as `sandbox_payment` tells it.
#[derive(Clone, Debug, Deserialize)]
struct Payment {
    id: Uuid,
    account_id: Uuid,
    reference: Uuid,
    status: String,
    amount_minor: i64,
    refunded_minor: i64,
    currency: String,
    description: String,
    return_url: Option<String>,
    failure: Option<String>,
    refunds: Vec<Refund>,
    dispute: Option<dispute::Dispute>,
}

#[derive(Clone, Debug, Deserialize)]
struct Refund {
    id: Uuid,
    reference: Option<Uuid>,
    status: String,
    amount_minor: i64,
}

/// What a webhook carries.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Event {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    data: Json,
}

#[derive(Debug, Deserialize)]
struct PaymentData {
    id: Uuid,
    reference: Uuid,
    amount_minor: i64,
    currency: String,
    failure: Option<String>,
}

#[derive(Debug, Deserialize)]
struct RefundData {
    id: Uuid,
    reference: Option<Uuid>,
    payment: Uuid,
    amount_minor: i64,
    currency: String,
}

impl Payment {
    fn fact(&self) -> PaymentFact {
        let status = match self.status.as_str() {
            "succeeded" => PaymentWord::Succeeded,
            "failed" => PaymentWord::Failed,
            "cancelled" => PaymentWord::Cancelled,
            _ => PaymentWord::Pending,
        };
        PaymentFact {
            payment_id: Some(self.reference),
            provider_reference: self.id.to_string(),
            status,
            captured_minor: (status == PaymentWord::Succeeded).then_some(self.amount_minor),
            currency: Some(self.currency.clone()),
            failure: self.failure.clone(),
            checkout_url: None,
            waits: None,
        }
    }

    /// A line of the account's statement.
    fn listed(&self) -> Listed {
        let fact = self.fact();
        let held_back = self.dispute.as_ref().filter(|it| it.status != "won");
        Listed {
            payment_id: fact.payment_id,
            provider_reference: fact.provider_reference,
            captured_minor: fact.captured_minor.unwrap_or(0),
            refunded_minor: Some(self.refunded_minor),
            disputed_minor: Some(held_back.map_or(0, |dispute| dispute.amount_minor)),
            currency: self.currency.clone(),
        }
    }

    /// The event that tells that it became so.
    fn event(&self, status: &str, failure: Option<&str>) -> Event {
        Event {
            id: format!("evt_{}", Uuid::now_v7().simple()),
            kind: format!("payment.{status}"),
            data: json!({
                "id": self.id, "reference": self.reference, "amount_minor": self.amount_minor,
                "currency": self.currency, "failure": failure,
            }),
        }
    }
}

/// The sandbox's own function; it stands outside of all organizations.
async fn own(app: &App, function: &'static str, request: &Json) -> Result<Json, CallFailed> {
    app.door
        .decide_as_system(SystemReason::Sandbox, function, request)
        .await
        .map_err(|error| CallFailed::Unknown(error.to_string()))
}

async fn payment(app: &App, request: Json) -> Result<Option<Payment>, CallFailed> {
    let answer = own(app, "sandbox_payment", &request).await?;
    serde_json::from_value(answer).map_err(|error| CallFailed::Unknown(error.to_string()))
}

#[async_trait]
impl Provider for Sandbox {
    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    async fn create(
        &self,
        app: &App,
        account: &Account,
        order: &Order,
    ) -> Result<Opened, CallFailed> {
        let request = json!({
            "org_id": account.org_id, "account_id": account.id, "reference": order.id,
            "amount_minor": order.amount_minor, "currency": order.currency,
            "description": order.description, "return_url": order.return_url,
        });
        let made = own(app, "sandbox_create", &request).await?;
        let made: Payment =
            serde_json::from_value(made).map_err(|error| CallFailed::Unknown(error.to_string()))?;
        Ok(Opened {
            checkout_url: Some(format!(
                "{}/sandbox/pay/{}",
                app.posture.public_url, made.id
            )),
            provider_reference: made.id.to_string(),
            ..Opened::default()
        })
    }

    async fn verify(
        &self,
        _app: &App,
        account: &Account,
        headers: &HeaderMap,
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Heard, Forged> {
        let secret = account.credential("webhook_secret");
        signature::verify(deliver::HEADER, secret, headers, body, now)?;
        let event: Event = serde_json::from_slice(body).map_err(|_| Forged::Unreadable)?;
        match (1..=100).contains(&event.id.len()) {
            true => Ok(Heard {
                event_key: Some(event.id),
            }),
            false => Err(Forged::Unreadable),
        }
    }

    async fn read(
        &self,
        _app: &App,
        _account: &Account,
        body: &[u8],
    ) -> Result<Vec<Fact>, CallFailed> {
        let event: Event = serde_json::from_slice(body).map_err(unreadable)?;
        let status = match event.kind.as_str() {
            "payment.succeeded" => PaymentWord::Succeeded,
            "payment.failed" => PaymentWord::Failed,
            "payment.cancelled" => PaymentWord::Cancelled,
            "refund.succeeded" => return Ok(vec![read_refund(event.data)?]),
            kind if kind.starts_with("dispute.") => return dispute::read(event),
            _ => return Ok(vec![Fact::Nothing(event.kind)]),
        };
        let data: PaymentData = serde_json::from_value(event.data).map_err(unreadable)?;
        Ok(vec![Fact::Payment(PaymentFact {
            payment_id: Some(data.reference),
            provider_reference: data.id.to_string(),
            status,
            captured_minor: (status == PaymentWord::Succeeded).then_some(data.amount_minor),
            currency: Some(data.currency),
            failure: data.failure,
            checkout_url: None,
            waits: None,
        })])
    }

    async fn fetch(
        &self,
        app: &App,
        account: &Account,
        order: &Order,
    ) -> Result<Option<PaymentFact>, CallFailed> {
        let request =
            json!({ "org_id": account.org_id, "account_id": account.id, "reference": order.id });
        Ok(payment(app, request).await?.map(|found| found.fact()))
    }

    async fn refund(
        &self,
        app: &App,
        account: &Account,
        refund: &NewRefund,
    ) -> Result<RefundFact, CallFailed> {
        if refund.amount_minor % 100 == REFUSED_REFUND {
            return Err(CallFailed::Refused("card_closed".to_owned()));
        }
        let id = refund
            .payment_reference
            .parse()
            .map_err(|_| CallFailed::Refused("no_such_payment".to_owned()))?;
        give_back(app, account.id, id, Some(refund.id), refund.amount_minor).await
    }

    async fn fetch_refund(
        &self,
        app: &App,
        account: &Account,
        refund: &NewRefund,
    ) -> Result<Option<RefundFact>, CallFailed> {
        let request = json!({
            "org_id": account.org_id, "account_id": account.id, "reference": refund.payment_id,
        });
        let Some(found) = payment(app, request).await? else {
            return Ok(None);
        };
        let known = found
            .refunds
            .iter()
            .find(|known| known.reference == Some(refund.id));
        Ok(known.map(|known| RefundFact {
            refund_id: known.reference,
            payment_reference: found.id.to_string(),
            provider_reference: Some(known.id.to_string()),
            status: word(&known.status),
            amount_minor: known.amount_minor,
            currency: found.currency.clone(),
            failure: None,
        }))
    }

    async fn list(
        &self,
        app: &App,
        account: &Account,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<Option<Vec<Listed>>, CallFailed> {
        let request = json!({ "account_id": account.id, "from": from, "to": to });
        let answer = own(app, "sandbox_list", &request).await?;
        let found: Vec<Payment> = serde_json::from_value(answer)
            .map_err(|error| CallFailed::Unknown(error.to_string()))?;
        Ok(Some(found.iter().map(Payment::listed).collect()))
    }
}

fn word(status: &str) -> RefundWord {
    match status {
        "succeeded" => RefundWord::Done,
        "failed" => RefundWord::Failed,
        _ => RefundWord::InTransit,
    }
}

fn unreadable(error: serde_json::Error) -> CallFailed {
    CallFailed::Refused(error.to_string())
}

fn read_refund(data: Json) -> Result<Fact, CallFailed> {
    let data: RefundData = serde_json::from_value(data).map_err(unreadable)?;
    Ok(Fact::Refund(RefundFact {
        refund_id: data.reference,
        payment_reference: data.payment.to_string(),
        provider_reference: Some(data.id.to_string()),
        status: RefundWord::Done,
        amount_minor: data.amount_minor,
        currency: data.currency,
        failure: None,
    }))
}

/// Refunds, for the merchant (with its reference) or at the sandbox itself.
async fn give_back(
    app: &App,
    account_id: Uuid,
    payment_id: Uuid,
    reference: Option<Uuid>,
    amount_minor: i64,
) -> Result<RefundFact, CallFailed> {
    let found = payment(app, json!({ "id": payment_id })).await?;
    let Some(found) = found.filter(|found| found.account_id == account_id) else {
        return Err(CallFailed::Refused("no_such_payment".to_owned()));
    };
    let id = Uuid::now_v7();
    let event = Event {
        id: format!("evt_{}", Uuid::now_v7().simple()),
        kind: "refund.succeeded".to_owned(),
        data: json!({
            "id": id, "reference": reference, "payment": found.id, "amount_minor": amount_minor,
            "currency": found.currency,
        }),
    };
    let request = json!({
        "id": id, "payment_id": found.id, "account_id": account_id, "reference": reference,
        "amount_minor": amount_minor, "status": "succeeded",
        "deliveries": [{ "after_seconds": 0, "event": event }],
    });
    let answer = own(app, "sandbox_refund", &request).await?;
    app.jobs.wake();
    match crate::outcome::word(&answer) {
        "refunded" => Ok(RefundFact {
            refund_id: reference,
            payment_reference: found.id.to_string(),
            provider_reference: answer["id"].as_str().map(str::to_owned),
            status: word(answer["status"].as_str().unwrap_or_default()),
            amount_minor,
            currency: found.currency,
            failure: None,
        }),
        _ => Err(CallFailed::Refused(
            answer["failure"]
                .as_str()
                .unwrap_or("no_such_payment")
                .to_owned(),
        )),
    }
}
