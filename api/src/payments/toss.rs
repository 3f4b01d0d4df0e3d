//! TossPayments: the payment window on a page of ours, confirmation after order and amount were compared, cancellation,
//! virtual accounts. Its webhooks of payments carry no signature: each is a hint, and the payment is read from Toss.

use std::collections::BTreeMap;

use async_trait::async_trait;
use axum::http::HeaderMap;
use chrono::{DateTime, Utc};
use reqwest::RequestBuilder;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    Account, Amounts, CallFailed, Capabilities, Credential, Fact, Forged, Heard, Mode, NewRefund,
    Opened, Order, Page, Paid, PaymentFact, PaymentWord, Proof, Provider, RefundFact, RefundWord,
    Waits,
    call::{self, Again, Answer, text},
    page,
};
use crate::{state::App, vault::same};

/// The provider.
#[derive(Clone, Copy, Debug)]
pub(super) struct Toss;

const CAPABILITIES: Capabilities = Capabilities {
    name: "toss",
    means: "TossPayments: cards, transfers and virtual accounts in Korea",
    credentials: &[
        Credential::beginning(
            "secret_key",
            &["test_sk_", "live_sk_"],
            "the secret key for the API",
        ),
        Credential::beginning(
            "client_key",
            &["test_ck_", "live_ck_"],
            "the client key that belongs to it",
        ),
    ],
    mode: Mode::ByKey("secret_key", &["live_sk_"]),
    urls: (
        "https://api.tosspayments.com",
        "https://api.tosspayments.com",
    ),
    amounts: Amounts {
        only: &["KRW"],
        never: &[],
        decimals: &[],
        steps: &[],
    },
    partial_refunds: true,
    pending: true,
    tries_again: false,
    proof: Proof::Read,
};

/// Opens Toss's window for the way of paying that the buyer chooses.
const START: &str = r#"
button.remove();
const payment = TossPayments(settings.key).payment({ customerKey: TossPayments.ANONYMOUS });
for (const [method, label] of settings.methods) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = label;
  button.addEventListener("click", () => {
    said.textContent = "";
    payment.requestPayment({ ...settings.order, method }).catch((error) => { said.textContent = error.message; });
  });
  place.append(button);
}
"#;

/// Toss's word for why not.
fn word(body: &Json) -> Option<&str> {
    body["code"].as_str()
}

async fn send(app: &App, account: &Account, request: RequestBuilder) -> Result<Answer, CallFailed> {
    // The key is the user, and there is no password.
    let request = request.basic_auth(account.credential("secret_key"), Some(""));
    call::send(app, request, Again::Harmless).await
}

fn url(app: &App, account: &Account, path: &str) -> String {
    format!("{}{path}", call::base(app, &CAPABILITIES, account))
}

/// The payment for one of our orders; `None` when nobody opened the window for it yet.
async fn order(app: &App, account: &Account, id: Uuid) -> Result<Option<Json>, CallFailed> {
    let path = format!("/v1/payments/orders/{id}");
    let request = app.payments.http.get(url(app, account, &path));
    send(app, account, request).await?.found(word)
}

fn units(payment: &Json, field: &str) -> Result<(i64, String), CallFailed> {
    let read = || {
        let currency = payment["currency"].as_str()?.to_owned();
        let minor = CAPABILITIES
            .amounts
            .minor(payment[field].as_i64()?, &currency)?;
        Some((minor, currency))
    };
    read().ok_or_else(|| CallFailed::Unknown(format!("Toss's {field} cannot be read")))
}

fn fact(payment: &Json) -> Result<PaymentFact, CallFailed> {
    let id = text(payment, "/orderId")?;
    let came_in = payment["approvedAt"].is_string();
    let status = match payment["status"].as_str() {
        Some("DONE") => PaymentWord::Succeeded,
        // Cancelled is what Toss calls given back, unless nothing had come in.
        Some("CANCELED" | "PARTIAL_CANCELED") if came_in => PaymentWord::Succeeded,
        Some("CANCELED" | "EXPIRED") => PaymentWord::Cancelled,
        Some("ABORTED") => PaymentWord::Failed,
        _ => PaymentWord::Pending,
    };
    let (captured, currency) = units(payment, "totalAmount")?;
    Ok(PaymentFact {
        payment_id: id.parse().ok(),
        provider_reference: id.to_owned(),
        status,
        captured_minor: (status == PaymentWord::Succeeded).then_some(captured),
        currency: Some(currency),
        failure: payment["failure"]["code"].as_str().map(str::to_owned),
        checkout_url: None,
        waits: waits(payment).filter(|_| status == PaymentWord::Pending),
    })
}

/// A virtual account: the bank account that the buyer is to pay into.
fn waits(payment: &Json) -> Option<Waits> {
    let account = payment["virtualAccount"].as_object()?;
    let said = |name: &str| account.get(name).and_then(Json::as_str).unwrap_or_default();
    let due_at = DateTime::parse_from_rfc3339(said("dueDate")).ok()?;
    Some(Waits {
        due_at: due_at.to_utc(),
        instructions: format!(
            "Bank {}, account {}, {}",
            said("bankCode"),
            said("accountNumber"),
            said("customerName")
        ),
    })
}

/// What was given back. Our key of a refund stands at the end of its reason.
fn refunds(payment: &Json) -> Result<Vec<RefundFact>, CallFailed> {
    let id = text(payment, "/orderId")?;
    let (_, currency) = units(payment, "totalAmount")?;
    let cancels = payment["cancels"].as_array().into_iter().flatten();
    cancels
        .filter(|_| payment["approvedAt"].is_string())
        .map(|cancel| {
            let amount = cancel["cancelAmount"].as_i64();
            let minor = amount.and_then(|amount| CAPABILITIES.amounts.minor(amount, &currency));
            let odd = || CallFailed::Unknown("Toss's cancelAmount cannot be read".to_owned());
            let reason = cancel["cancelReason"].as_str().unwrap_or_default();
            Ok(RefundFact {
                refund_id: reason.rsplit(' ').next().and_then(|key| key.parse().ok()),
                payment_reference: id.to_owned(),
                provider_reference: cancel["transactionKey"].as_str().map(str::to_owned),
                status: match cancel["cancelStatus"].as_str() {
                    Some("DONE") | None => RefundWord::Done,
                    Some("ABORTED") => RefundWord::Failed,
                    Some(_) => RefundWord::InTransit,
                },
                amount_minor: minor.ok_or_else(odd)?,
                currency: currency.clone(),
                failure: None,
            })
        })
        .collect()
}

/// Takes the money that the buyer agreed to, when it is for this order and as much as we ask.
async fn confirm(
    app: &App,
    account: &Account,
    order_row: &Order,
    payment_key: &str,
    amount: i64,
) -> Result<PaymentFact, CallFailed> {
    let wanted = CAPABILITIES
        .amounts
        .units(order_row.amount_minor, &order_row.currency)?;
    if amount != wanted {
        return Err(CallFailed::Refused("amount_differs".to_owned()));
    }
    let request = app
        .payments
        .http
        .post(url(app, account, "/v1/payments/confirm"))
        // Another attempt of the buyer has another key.
        .header("idempotency-key", format!("confirm-{payment_key}"))
        .json(&json!({ "paymentKey": payment_key, "orderId": order_row.id, "amount": amount }));
    let answer = send(app, account, request).await?;
    if answer.status.is_success() {
        return fact(&answer.body);
    }
    let refused = answer.refused(word);
    let CallFailed::Refused(said) = &refused else {
        return Err(refused);
    };
    // Confirmed before, or declined: it says which.
    let found = order(app, account, order_row.id).await?;
    let found = found.ok_or_else(|| refused.clone())?;
    let mut found = fact(&found)?;
    if found.status == PaymentWord::Pending {
        found.status = PaymentWord::Failed;
        found.failure = Some(said.clone());
    }
    Ok(found)
}

#[async_trait]
impl Provider for Toss {
    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    async fn create(
        &self,
        app: &App,
        _account: &Account,
        order: &Order,
    ) -> Result<Opened, CallFailed> {
        // Toss hears of it when the buyer opens its window; by our key it is asked about until then.
        CAPABILITIES
            .amounts
            .units(order.amount_minor, &order.currency)?;
        Ok(Opened {
            provider_reference: order.id.to_string(),
            checkout_url: Some(page::pay_url(app, order.id)),
            ..Opened::default()
        })
    }

    async fn page(
        &self,
        app: &App,
        account: &Account,
        order: &Order,
    ) -> Result<Option<Page>, CallFailed> {
        let amount = CAPABILITIES
            .amounts
            .units(order.amount_minor, &order.currency)?;
        let back = page::back_url(app, order.id);
        Ok(Some(Page {
            by: "TossPayments",
            global: "TossPayments",
            script: "https://js.tosspayments.com/v2/standard",
            hosts: "https://*.tosspayments.com https://*.toss.im",
            start: START,
            settings: json!({
                "key": account.credential("client_key"),
                "methods": [["CARD", "카드 · Card"], ["TRANSFER", "계좌이체 · Bank transfer"], ["VIRTUAL_ACCOUNT", "가상계좌 · Virtual account"]],
                "order": {
                    "amount": { "currency": order.currency, "value": amount }, "orderId": order.id,
                    "orderName": order.description, "successUrl": back, "failUrl": back,
                    "customerEmail": order.buyer_email, "customerName": order.buyer_name,
                },
            }),
        }))
    }

    async fn finish(
        &self,
        app: &App,
        account: &Account,
        order: &Order,
        returned: &BTreeMap<String, String>,
    ) -> Result<Option<PaymentFact>, CallFailed> {
        let said = |name: &str| returned.get(name).map(String::as_str);
        let (Some(key), Some(id)) = (said("paymentKey"), said("orderId")) else {
            return self.fetch(app, account, order).await;
        };
        if id != order.id.to_string() {
            return Err(CallFailed::Refused("another_order".to_owned()));
        }
        let amount = said("amount").and_then(|amount| amount.parse().ok());
        let amount = amount.ok_or_else(|| CallFailed::Refused("amount_differs".to_owned()))?;
        confirm(app, account, order, key, amount).await.map(Some)
    }

    async fn verify(
        &self,
        app: &App,
        account: &Account,
        _headers: &HeaderMap,
        body: &[u8],
        _now: DateTime<Utc>,
    ) -> Result<Heard, Forged> {
        let event: Json = serde_json::from_slice(body).map_err(|_| Forged::Unreadable)?;
        let id = named(&event).ok_or(Forged::Unreadable)?;
        let found = order(app, account, id)
            .await
            .map_err(|failed| Forged::Undecided(failed.to_string()))?
            .ok_or(Forged::Disowned)?;
        // Deposits name a secret that only Toss and we know.
        if let (Some(given), Some(secret)) = (event["secret"].as_str(), found["secret"].as_str())
            && !same(given.as_bytes(), secret.as_bytes())
        {
            return Err(Forged::WrongSignature);
        }
        // Who repeats a hint, or makes one up about a payment that is there, says what was said before.
        let part = |name: &str| found[name].as_str().unwrap_or_default();
        let key = format!(
            "{}:{}:{}",
            part("paymentKey"),
            part("status"),
            part("lastTransactionKey")
        );
        Ok(Heard {
            event_key: Some(key.chars().take(200).collect()),
        })
    }

    async fn read(
        &self,
        app: &App,
        account: &Account,
        body: &[u8],
    ) -> Result<Vec<Fact>, CallFailed> {
        let unreadable = || CallFailed::Refused("no order is named".to_owned());
        let event: Json = serde_json::from_slice(body).map_err(|_| unreadable())?;
        let id = named(&event).ok_or_else(unreadable)?;
        let Some(found) = order(app, account, id).await? else {
            return Ok(vec![Fact::Nothing("a payment that is gone".to_owned())]);
        };
        let mut facts = vec![Fact::Payment(fact(&found)?)];
        facts.extend(refunds(&found)?.into_iter().map(Fact::Refund));
        Ok(facts)
    }

    async fn fetch(
        &self,
        app: &App,
        account: &Account,
        order_row: &Order,
    ) -> Result<Option<PaymentFact>, CallFailed> {
        let Some(reference) = &order_row.provider_reference else {
            return Ok(None);
        };
        let Some(found) = order(app, account, order_row.id).await? else {
            return Ok(Some(PaymentFact {
                payment_id: Some(order_row.id),
                provider_reference: reference.clone(),
                status: PaymentWord::Pending,
                captured_minor: None,
                currency: None,
                failure: None,
                checkout_url: None,
                waits: None,
            }));
        };
        // The buyer agreed, and perhaps never came back to us.
        if found["status"] == "IN_PROGRESS" {
            let key = text(&found, "/paymentKey")?;
            let amount = found["totalAmount"].as_i64().unwrap_or_default();
            let confirmed = confirm(app, account, order_row, key, amount).await?;
            return Ok(Some(confirmed));
        }
        Ok(Some(fact(&found)?))
    }

    async fn refund(
        &self,
        app: &App,
        account: &Account,
        new: &NewRefund,
    ) -> Result<RefundFact, CallFailed> {
        let found = order(app, account, new.payment_id).await?;
        let refused = |word: &str| CallFailed::Refused(word.to_owned());
        let found = found.ok_or_else(|| refused("no_such_payment"))?;
        if found["virtualAccount"].is_object() {
            // Toss wants to know the buyer's bank account; members refund in its own pages, and we hear of it.
            return Err(refused("refund_account_needed"));
        }
        let amount = CAPABILITIES
            .amounts
            .units(new.amount_minor, &new.currency)?;
        let path = format!("/v1/payments/{}/cancel", text(&found, "/paymentKey")?);
        let request = app
            .payments
            .http
            .post(url(app, account, &path))
            .header("idempotency-key", new.id.to_string())
            .json(&json!({ "cancelReason": format!("refund {}", new.id), "cancelAmount": amount }));
        let made = send(app, account, request).await?.done(word)?;
        RefundFact::of(refunds(&made)?, new.id)
            .ok_or_else(|| CallFailed::Unknown("Toss's answer lacks the refund".to_owned()))
    }

    async fn refunds(
        &self,
        app: &App,
        account: &Account,
        paid: Paid<'_>,
    ) -> Result<Option<Vec<RefundFact>>, CallFailed> {
        let found = order(app, account, paid.payment_id).await?;
        let known = found.as_ref().map(refunds).transpose()?;
        Ok(Some(known.unwrap_or_default()))
    }
}

/// Our key of the payment that an event speaks of: deposits name it at the top, other events in the payment.
fn named(event: &Json) -> Option<Uuid> {
    let id = event["data"]["orderId"]
        .as_str()
        .or_else(|| event["orderId"].as_str());
    id?.parse().ok()
}
