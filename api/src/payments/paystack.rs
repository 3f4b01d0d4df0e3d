//! Paystack: initialize, verify, refunds, disputes. Buyers pay on Paystack's page. Webhooks carry HMAC-SHA512 of their bytes
//! under the secret key and no time; one that is repeated is the same event.

use async_trait::async_trait;
use aws_lc_rs::hmac;
use axum::http::HeaderMap;
use chrono::{DateTime, Utc};
use reqwest::RequestBuilder;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    Account, Amounts, CallFailed, Capabilities, Credential, DisputeFact, DisputeWord, Fact, Forged,
    Heard, Mode, NewRefund, Opened, Order, Paid, PaymentFact, PaymentWord, Proof, Provider,
    RefundFact, RefundWord,
    call::{self, Again, Answer, text},
    page,
};
use crate::{state::App, vault::unhex};

/// The provider.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paystack;

const CAPABILITIES: Capabilities = Capabilities {
    name: "paystack",
    means: "cards, bank transfers and mobile money in Africa",
    credentials: &[Credential::beginning(
        "secret_key",
        &["sk_test_", "sk_live_"],
        "the secret key, which also signs webhooks",
    )],
    mode: Mode::ByKey("secret_key", &["sk_live_"]),
    urls: ("https://api.paystack.co", "https://api.paystack.co"),
    // Every currency in hundredths, those too that have none.
    amounts: Amounts {
        only: &["NGN", "GHS", "ZAR", "KES", "USD", "XOF", "EGP", "RWF"],
        never: &[],
        decimals: &[("XOF", 2), ("RWF", 2)],
        steps: &[("XOF", 100), ("RWF", 100)],
    },
    partial_refunds: true,
    pending: true,
    tries_again: false,
    proof: Proof::Signature,
};

/// Paystack's word for why not: a code of newer answers, else the sentence.
fn word(body: &Json) -> Option<&str> {
    body["code"].as_str().or_else(|| body["message"].as_str())
}

async fn send(
    app: &App,
    account: &Account,
    request: RequestBuilder,
    again: Again,
) -> Result<Answer, CallFailed> {
    let request = request.bearer_auth(account.credential("secret_key"));
    call::send(app, request, again).await
}

fn url(app: &App, account: &Account, path: &str) -> String {
    format!("{}{path}", call::base(app, &CAPABILITIES, account))
}

/// The transaction of that reference; `None` when there is none.
async fn transaction(
    app: &App,
    account: &Account,
    reference: &str,
) -> Result<Option<Json>, CallFailed> {
    let path = format!("/transaction/verify/{reference}");
    let request = app.payments.http.get(url(app, account, &path));
    let answer = send(app, account, request, Again::Harmless).await?;
    // Of a reference that it does not know it said so with 400 before it learned to say 404.
    let unknown = answer.status.is_client_error()
        && answer.body["message"]
            .as_str()
            .is_some_and(|said| said.contains("not found"));
    match unknown {
        true => Ok(None),
        false => Ok(answer.found(word)?.map(|mut body| body["data"].take())),
    }
}

/// Units as they are written: as numbers, in some events as text.
fn units(value: &Json) -> Option<i64> {
    value
        .as_i64()
        .or_else(|| value.as_str().and_then(|text| text.parse().ok()))
}

fn money(object: &Json, field: &str) -> Result<(i64, String), CallFailed> {
    let odd = || CallFailed::Unknown("Paystack's amount cannot be read".to_owned());
    let currency = object["currency"].as_str().ok_or_else(odd)?.to_uppercase();
    let units = units(&object[field]).ok_or_else(odd)?;
    let minor = CAPABILITIES
        .amounts
        .minor(units, &currency)
        .ok_or_else(odd)?;
    Ok((minor, currency))
}

/// Our key, which a reference begins with.
fn ours(reference: &str) -> Option<Uuid> {
    reference.get(..36)?.parse().ok()
}

fn payment(transaction: &Json) -> Result<PaymentFact, CallFailed> {
    let reference = text(transaction, "/reference")?;
    let status = match transaction["status"].as_str() {
        Some("success") => PaymentWord::Succeeded,
        Some("failed" | "reversed") => PaymentWord::Failed,
        _ => PaymentWord::Pending,
    };
    let (captured, currency) = money(transaction, "amount")?;
    let failure = transaction["gateway_response"].as_str();
    Ok(PaymentFact {
        payment_id: ours(reference),
        provider_reference: reference.to_owned(),
        status,
        // What was reversed had come in before.
        captured_minor: matches!(transaction["status"].as_str(), Some("success" | "reversed"))
            .then_some(captured),
        currency: Some(currency),
        failure: failure
            .filter(|_| status == PaymentWord::Failed)
            .map(str::to_owned),
        checkout_url: None,
        waits: None,
    })
}

fn refund(object: &Json, reference: &str) -> Result<RefundFact, CallFailed> {
    let (amount_minor, currency) = money(object, "amount")?;
    let id = object["id"]
        .as_i64()
        .map(|id| id.to_string())
        .or_else(|| object["id"].as_str().map(str::to_owned));
    Ok(RefundFact {
        refund_id: object["merchant_note"]
            .as_str()
            .and_then(|note| note.parse().ok()),
        payment_reference: reference.to_owned(),
        provider_reference: id,
        status: match object["status"].as_str() {
            Some("processed") => RefundWord::Done,
            Some("failed") => RefundWord::Failed,
            _ => RefundWord::InTransit,
        },
        amount_minor,
        currency,
        failure: None,
    })
}

/// All refunds of a transaction.
async fn refunds(
    app: &App,
    account: &Account,
    reference: &str,
) -> Result<Vec<RefundFact>, CallFailed> {
    let Some(paid) = transaction(app, account, reference).await? else {
        return Ok(vec![]);
    };
    let id = paid["id"].as_i64().unwrap_or_default();
    let path = format!("/refund?transaction={id}&perPage=100");
    let request = app.payments.http.get(url(app, account, &path));
    let listed = send(app, account, request, Again::Harmless)
        .await?
        .done(word)?;
    let listed = listed["data"].as_array().cloned().unwrap_or_default();
    listed
        .iter()
        .filter(|one| one["transaction"] == id || one["transaction"]["id"] == id)
        .map(|one| refund(one, reference))
        .collect()
}

fn dispute(object: &Json, resolved: bool) -> Result<Option<DisputeFact>, CallFailed> {
    let reference = object["transaction"]["reference"]
        .as_str()
        .or_else(|| object["transaction_reference"].as_str());
    let Some(reference) = reference else {
        return Ok(None);
    };
    let mut priced = object.clone();
    if priced["currency"].is_null() {
        priced["currency"] = object["transaction"]["currency"].clone();
    }
    if priced["refund_amount"].is_null() {
        priced["refund_amount"] = object["transaction"]["amount"].clone();
    }
    let (amount_minor, currency) = money(&priced, "refund_amount")?;
    Ok(Some(DisputeFact {
        payment_id: ours(reference),
        payment_reference: reference.to_owned(),
        provider_reference: object["id"].to_string().trim_matches('"').to_owned(),
        status: match (resolved, object["resolution"].as_str()) {
            (true, Some("declined")) => DisputeWord::Won,
            (true, _) => DisputeWord::Lost,
            (false, _) => DisputeWord::Open,
        },
        amount_minor,
        currency,
        withdrawn: None,
        fee_minor: None,
        reason: object["category"].as_str().map(str::to_owned),
    }))
}

#[async_trait]
impl Provider for Paystack {
    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    async fn create(
        &self,
        app: &App,
        account: &Account,
        order: &Order,
    ) -> Result<Opened, CallFailed> {
        let amount = CAPABILITIES
            .amounts
            .units(order.amount_minor, &order.currency)?;
        // A reference is used once, and says nothing new when it is repeated. So each attempt has its own: a page whose
        // address got lost is known to nobody and paid by nobody.
        let attempt = Uuid::new_v4().simple().to_string();
        let reference = format!("{}.{}", order.id, &attempt[..8]);
        let request = app
            .payments
            .http
            .post(url(app, account, "/transaction/initialize"))
            .json(&json!({
                "email": order.buyer_email, "amount": amount.to_string(), "currency": order.currency,
                "reference": reference, "callback_url": page::back_url(app, order.id),
            }));
        let made = send(app, account, request, Again::Never)
            .await?
            .done(word)?;
        Ok(Opened {
            checkout_url: Some(text(&made, "/data/authorization_url")?.to_owned()),
            provider_reference: text(&made, "/data/reference")?.to_owned(),
            ..Opened::default()
        })
    }

    async fn verify(
        &self,
        _app: &App,
        account: &Account,
        headers: &HeaderMap,
        body: &[u8],
        _now: DateTime<Utc>,
    ) -> Result<Heard, Forged> {
        let secret = account.credential("secret_key");
        let given = headers
            .get("x-paystack-signature")
            .and_then(|value| value.to_str().ok())
            .and_then(unhex)
            .filter(|_| !secret.is_empty())
            .ok_or(Forged::Unsigned)?;
        let key = hmac::Key::new(hmac::HMAC_SHA512, secret.as_bytes());
        hmac::verify(&key, body, &given).map_err(|_| Forged::WrongSignature)?;
        serde_json::from_slice::<Json>(body).map_err(|_| Forged::Unreadable)?;
        Ok(Heard { event_key: None })
    }

    async fn read(
        &self,
        app: &App,
        account: &Account,
        body: &[u8],
    ) -> Result<Vec<Fact>, CallFailed> {
        let event: Json =
            serde_json::from_slice(body).map_err(|error| CallFailed::Refused(error.to_string()))?;
        let kind = event["event"].as_str().unwrap_or_default();
        let data = &event["data"];
        let ours_of = |value: &Json| value.as_str().and_then(ours).is_some();
        let facts: Vec<Fact> = match kind {
            // Of what somebody else sells by the same account we keep nothing.
            "charge.success" if ours_of(&data["reference"]) => vec![Fact::Payment(payment(data)?)],
            // These do not say which refund they speak of.
            kind if kind.starts_with("refund.") && ours_of(&data["transaction_reference"]) => {
                let reference = text(data, "/transaction_reference")?;
                let refunds = refunds(app, account, reference).await?;
                refunds.into_iter().map(Fact::Refund).collect()
            }
            kind if kind.starts_with("charge.dispute.") => {
                dispute(data, kind == "charge.dispute.resolve")?
                    .filter(|dispute| dispute.payment_id.is_some())
                    .map(Fact::Dispute)
                    .into_iter()
                    .collect()
            }
            _ => vec![],
        };
        Ok(Fact::or_nothing(facts, kind))
    }

    async fn fetch(
        &self,
        app: &App,
        account: &Account,
        order: &Order,
    ) -> Result<Option<PaymentFact>, CallFailed> {
        let Some(reference) = &order.provider_reference else {
            return Ok(None);
        };
        let found = transaction(app, account, reference).await?;
        found.as_ref().map(payment).transpose()
    }

    async fn refund(
        &self,
        app: &App,
        account: &Account,
        new: &NewRefund,
    ) -> Result<RefundFact, CallFailed> {
        let amount = CAPABILITIES
            .amounts
            .units(new.amount_minor, &new.currency)?;
        let request = app
            .payments
            .http
            .post(url(app, account, "/refund"))
            .json(&json!({
                "transaction": new.payment_reference, "amount": amount, "currency": new.currency,
                // Paystack knows no keys of ours; by this note a refund is found again.
                "merchant_note": new.id,
            }));
        let made = send(app, account, request, Again::Never)
            .await?
            .done(word)?;
        let mut fact = refund(&made["data"], &new.payment_reference)?;
        fact.refund_id = Some(new.id);
        Ok(fact)
    }

    async fn refunds(
        &self,
        app: &App,
        account: &Account,
        paid: Paid<'_>,
    ) -> Result<Option<Vec<RefundFact>>, CallFailed> {
        refunds(app, account, paid.reference).await.map(Some)
    }
}
