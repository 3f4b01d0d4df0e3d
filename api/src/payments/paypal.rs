//! PayPal: orders of version 2, captured when the buyer has agreed, refunds, disputes. Buyers agree on PayPal's page. Whether a
//! webhook is PayPal's is asked of PayPal, with the bytes as they came.

use std::time::Duration;

use async_trait::async_trait;
use axum::http::HeaderMap;
use chrono::{DateTime, Utc};
use moka::sync::Cache;
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value as Json, json, value::RawValue};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    Account, Amounts, CallFailed, Capabilities, Credential, DisputeFact, DisputeWord, Fact, Forged,
    Heard, Mode, NewRefund, Opened, Order, Paid, PaymentFact, PaymentWord, Proof, Provider,
    RefundFact, RefundWord,
    call::{self, Again, Answer, text},
    page,
};
use crate::state::App;

/// The provider, with the access tokens that it has. Never printed.
pub(super) struct PayPal {
    tokens: Cache<[u8; 32], String>,
}

impl Default for PayPal {
    fn default() -> Self {
        Self {
            // They live for hours; one that was taken back is missed sooner so.
            tokens: Cache::builder()
                .max_capacity(10_000)
                .time_to_live(Duration::from_secs(600))
                .build(),
        }
    }
}

const CAPABILITIES: Capabilities = Capabilities {
    name: "paypal",
    means: "PayPal accounts and what else PayPal's page offers",
    credentials: &[
        Credential::needed("client_id", "the app's client id"),
        Credential::needed("client_secret", "the app's secret"),
        Credential {
            least: 1,
            accepts: |text| matches!(text, "sandbox" | "live"),
            ..Credential::needed("environment", "`sandbox` or `live`, as the app is")
        },
        Credential::needed("webhook_id", "the id that PayPal gives the webhook").later(),
    ],
    mode: Mode::ByKey("environment", &["live"]),
    urls: (
        "https://api-m.paypal.com",
        "https://api-m.sandbox.paypal.com",
    ),
    amounts: Amounts {
        only: &[
            "AUD", "BRL", "CAD", "CNY", "CZK", "DKK", "EUR", "HKD", "HUF", "ILS", "JPY", "MYR",
            "MXN", "TWD", "NZD", "NOK", "PHP", "PLN", "GBP", "SGD", "SEK", "CHF", "THB", "USD",
        ],
        never: &[],
        decimals: &[("HUF", 0), ("TWD", 0)],
        steps: &[],
    },
    partial_refunds: true,
    pending: true,
    tries_again: true,
    proof: Proof::Asked,
};

/// PayPal's word for why not.
fn word(body: &Json) -> Option<&str> {
    body["details"][0]["issue"]
        .as_str()
        .or_else(|| body["name"].as_str())
        .or_else(|| body["error"].as_str())
}

fn url(app: &App, account: &Account, path: &str) -> String {
    format!("{}{path}", call::base(app, &CAPABILITIES, account))
}

fn odd(what: &str) -> CallFailed {
    CallFailed::Unknown(format!("PayPal's {what} cannot be read"))
}

/// Minor units and currency of PayPal's money.
fn money(object: &Json) -> Result<(i64, String), CallFailed> {
    let amount = || {
        let currency = object["currency_code"].as_str()?.to_owned();
        let minor = CAPABILITIES
            .amounts
            .parse(object["value"].as_str()?, &currency)?;
        Some((minor, currency))
    };
    amount().ok_or_else(|| odd("amount"))
}

fn written(minor: i64, currency: &str) -> Result<Json, CallFailed> {
    let value = CAPABILITIES.amounts.text(minor, currency)?;
    Ok(json!({ "currency_code": currency, "value": value }))
}

/// The last part of the address of a related thing.
fn linked<'a>(object: &'a Json, rel: &str) -> Option<&'a str> {
    let links = object["links"].as_array()?;
    let link = links.iter().find(|link| link["rel"] == rel)?;
    link["href"].as_str()?.rsplit('/').next()
}

fn captures(order: &Json) -> impl Iterator<Item = &Json> {
    let captures = &order["purchase_units"][0]["payments"]["captures"];
    captures.as_array().into_iter().flatten()
}

fn ours(order: &Json) -> Option<Uuid> {
    order["purchase_units"][0]["custom_id"]
        .as_str()?
        .parse()
        .ok()
}

fn capture_word(capture: &Json) -> PaymentWord {
    match capture["status"].as_str() {
        // What was given back had come in before.
        Some("COMPLETED" | "PARTIALLY_REFUNDED" | "REFUNDED") => PaymentWord::Succeeded,
        Some("DECLINED" | "FAILED") => PaymentWord::Failed,
        _ => PaymentWord::Pending,
    }
}

fn payment(order: &Json) -> Result<PaymentFact, CallFailed> {
    let mut fact = PaymentFact {
        payment_id: ours(order),
        provider_reference: text(order, "/id")?.to_owned(),
        status: match order["status"].as_str() {
            Some("VOIDED") => PaymentWord::Cancelled,
            _ => PaymentWord::Pending,
        },
        captured_minor: None,
        currency: None,
        failure: None,
        checkout_url: None,
        waits: None,
    };
    for capture in captures(order) {
        fact.status = capture_word(capture);
        match fact.status {
            PaymentWord::Succeeded => {
                let (minor, currency) = money(&capture["amount"])?;
                fact.captured_minor = Some(minor);
                fact.currency = Some(currency);
                fact.failure = None;
                break;
            }
            PaymentWord::Failed => {
                let reason = &capture["status_details"]["reason"];
                fact.failure = reason.as_str().map(str::to_owned);
            }
            _ => {}
        }
    }
    Ok(fact)
}

fn refund(object: &Json, order: &str) -> Result<RefundFact, CallFailed> {
    let (amount_minor, currency) = money(&object["amount"])?;
    Ok(RefundFact {
        refund_id: object["invoice_id"]
            .as_str()
            .and_then(|key| key.parse().ok()),
        payment_reference: order.to_owned(),
        provider_reference: Some(text(object, "/id")?.to_owned()),
        status: match object["status"].as_str() {
            Some("COMPLETED") => RefundWord::Done,
            Some("FAILED" | "CANCELLED") => RefundWord::Failed,
            _ => RefundWord::InTransit,
        },
        amount_minor,
        currency,
        failure: object["status_details"]["reason"]
            .as_str()
            .map(str::to_owned),
    })
}

impl PayPal {
    async fn token(&self, app: &App, account: &Account) -> Result<([u8; 32], String), CallFailed> {
        let (id, secret) = (
            account.credential("client_id"),
            account.credential("client_secret"),
        );
        let at = url(app, account, "/v1/oauth2/token");
        let key: [u8; 32] = Sha256::digest(format!("{at}\n{id}\n{secret}")).into();
        if let Some(token) = self.tokens.get(&key) {
            return Ok((key, token));
        }
        let request = app
            .payments
            .http
            .post(at)
            .basic_auth(id, Some(secret))
            .form(&[("grant_type", "client_credentials")]);
        let answer = call::send(app, request, Again::Harmless)
            .await?
            .done(word)?;
        let token = text(&answer, "/access_token")?.to_owned();
        self.tokens.insert(key, token.clone());
        Ok((key, token))
    }

    /// Makes a call that carries a key or only reads, with a token; once more with a new one when the old is not taken.
    async fn send(
        &self,
        app: &App,
        account: &Account,
        request: RequestBuilder,
    ) -> Result<Answer, CallFailed> {
        let again = request.try_clone();
        let (key, token) = self.token(app, account).await?;
        let answer = call::send(app, request.bearer_auth(token), Again::Harmless).await?;
        let Some(again) = again.filter(|_| answer.status == StatusCode::UNAUTHORIZED) else {
            return allowed(answer);
        };
        self.tokens.invalidate(&key);
        let (_, token) = self.token(app, account).await?;
        allowed(call::send(app, again.bearer_auth(token), Again::Harmless).await?)
    }

    async fn get(
        &self,
        app: &App,
        account: &Account,
        path: &str,
    ) -> Result<Option<Json>, CallFailed> {
        let request = app.payments.http.get(url(app, account, path));
        self.send(app, account, request).await?.found(word)
    }

    async fn post(
        &self,
        app: &App,
        account: &Account,
        path: &str,
        key: &str,
        body: &Json,
    ) -> Result<Answer, CallFailed> {
        let request = app
            .payments
            .http
            .post(url(app, account, path))
            .header("paypal-request-id", key)
            .header("prefer", "return=representation")
            .json(body);
        self.send(app, account, request).await
    }

    /// Takes the money of an order that the buyer agreed to.
    async fn capture(
        &self,
        app: &App,
        account: &Account,
        id: &str,
    ) -> Result<PaymentFact, CallFailed> {
        let path = format!("/v2/checkout/orders/{id}/capture");
        let key = format!("capture-{id}");
        let answer = self.post(app, account, &path, &key, &json!({})).await?;
        if answer.status.is_success() {
            return payment(&answer.body);
        }
        // Declined: the buyer may choose another way to pay on PayPal's page. Captured before: it says how that went.
        let refused = answer.refused(word);
        let CallFailed::Refused(said) = &refused else {
            return Err(refused);
        };
        let path = format!("/v2/checkout/orders/{id}");
        let found = self.get(app, account, &path).await?;
        let found = found.ok_or_else(|| refused.clone())?;
        let mut fact = payment(&found)?;
        if fact.status == PaymentWord::Pending {
            fact.failure = Some(said.clone());
        }
        Ok(fact)
    }

    /// The order that a capture is of; `None` when PayPal says of none.
    async fn order_of_capture(
        &self,
        app: &App,
        account: &Account,
        capture: &str,
    ) -> Result<Option<String>, CallFailed> {
        let path = format!("/v2/payments/captures/{capture}");
        let Some(found) = self.get(app, account, &path).await? else {
            return Ok(None);
        };
        let id = found["supplementary_data"]["related_ids"]["order_id"].as_str();
        Ok(id.or_else(|| linked(&found, "up")).map(str::to_owned))
    }

    async fn read_refund(
        &self,
        app: &App,
        account: &Account,
        resource: &Json,
    ) -> Result<Option<Fact>, CallFailed> {
        let Some(capture) = linked(resource, "up") else {
            return Ok(None);
        };
        let order = self.order_of_capture(app, account, capture).await?;
        let fact = order.map(|order| refund(resource, &order)).transpose()?;
        Ok(fact.map(Fact::Refund))
    }

    async fn read_dispute(
        &self,
        app: &App,
        account: &Account,
        resource: &Json,
    ) -> Result<Option<Fact>, CallFailed> {
        let capture = resource["disputed_transactions"][0]["seller_transaction_id"].as_str();
        let Some(capture) = capture else {
            return Ok(None);
        };
        let Some(order) = self.order_of_capture(app, account, capture).await? else {
            return Ok(None);
        };
        let (amount_minor, currency) = money(&resource["dispute_amount"])?;
        let outcome = resource["dispute_outcome"]["outcome_code"].as_str();
        let status = match (resource["status"].as_str(), outcome) {
            (
                Some("RESOLVED"),
                Some("RESOLVED_BUYER_FAVOUR" | "RESOLVED_WITH_PAYOUT" | "ACCEPTED"),
            ) => DisputeWord::Lost,
            (Some("RESOLVED"), _) => DisputeWord::Won,
            _ => DisputeWord::Open,
        };
        Ok(Some(Fact::Dispute(DisputeFact {
            payment_id: None,
            payment_reference: order,
            provider_reference: text(resource, "/dispute_id")?.to_owned(),
            status,
            amount_minor,
            currency,
            withdrawn: None,
            fee_minor: None,
            reason: resource["reason"].as_str().map(str::to_owned),
        })))
    }
}

/// Without permission is not let in, as without a key.
fn allowed(answer: Answer) -> Result<Answer, CallFailed> {
    match (answer.status, answer.refused(word)) {
        (StatusCode::FORBIDDEN, CallFailed::Refused(word)) => Err(CallFailed::Misconfigured(word)),
        _ => Ok(answer),
    }
}

/// What PayPal is asked to judge; the event stands in it byte for byte as it came.
fn question(account: &Account, headers: &HeaderMap, body: &[u8]) -> Result<String, Forged> {
    let event: &RawValue = serde_json::from_slice(body).map_err(|_| Forged::Unreadable)?;
    let header = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.map(|value| json!(value)).ok_or(Forged::Unsigned)
    };
    let webhook = account.credential("webhook_id");
    if webhook.is_empty() {
        return Err(Forged::Unsigned);
    }
    Ok(format!(
        r#"{{"auth_algo":{},"cert_url":{},"transmission_id":{},"transmission_sig":{},"transmission_time":{},"webhook_id":{},"webhook_event":{}}}"#,
        header("paypal-auth-algo")?,
        header("paypal-cert-url")?,
        header("paypal-transmission-id")?,
        header("paypal-transmission-sig")?,
        header("paypal-transmission-time")?,
        json!(webhook),
        event.get(),
    ))
}

#[async_trait]
impl Provider for PayPal {
    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    async fn create(
        &self,
        app: &App,
        account: &Account,
        order: &Order,
    ) -> Result<Opened, CallFailed> {
        let back = page::back_url(app, order.id);
        let body = json!({
            "intent": "CAPTURE",
            "purchase_units": [{
                "custom_id": order.id, "description": order.description,
                "amount": written(order.amount_minor, &order.currency)?,
            }],
            "payment_source": { "paypal": { "experience_context": {
                "user_action": "PAY_NOW", "shipping_preference": "NO_SHIPPING", "return_url": back, "cancel_url": back,
            } } },
        });
        let key = order.id.to_string();
        let made = self
            .post(app, account, "/v2/checkout/orders", &key, &body)
            .await?
            .done(word)?;
        let links = made["links"].as_array().ok_or_else(|| odd("order"))?;
        let page = links
            .iter()
            .find(|link| link["rel"] == "payer-action" || link["rel"] == "approve");
        let page = page.ok_or_else(|| odd("order"))?;
        Ok(Opened {
            provider_reference: text(&made, "/id")?.to_owned(),
            checkout_url: Some(text(page, "/href")?.to_owned()),
            ..Opened::default()
        })
    }

    async fn verify(
        &self,
        app: &App,
        account: &Account,
        headers: &HeaderMap,
        body: &[u8],
        _now: DateTime<Utc>,
    ) -> Result<Heard, Forged> {
        let question = question(account, headers, body)?;
        let request = app
            .payments
            .http
            .post(url(
                app,
                account,
                "/v1/notifications/verify-webhook-signature",
            ))
            .header("content-type", "application/json")
            .body(question);
        let undecided = |failed: CallFailed| Forged::Undecided(failed.to_string());
        let answer = self.send(app, account, request).await.map_err(undecided)?;
        // What it cannot even judge is not its own.
        if answer.status.is_client_error() || answer.body["verification_status"] != "SUCCESS" {
            return Err(Forged::WrongSignature);
        }
        let event: Json = serde_json::from_slice(body).map_err(|_| Forged::Unreadable)?;
        let key = event["id"].as_str().ok_or(Forged::Unreadable)?;
        match (1..=200).contains(&key.len()) {
            true => Ok(Heard {
                event_key: Some(key.to_owned()),
            }),
            false => Err(Forged::Unreadable),
        }
    }

    async fn read(
        &self,
        app: &App,
        account: &Account,
        body: &[u8],
    ) -> Result<Vec<Fact>, CallFailed> {
        let event: Json =
            serde_json::from_slice(body).map_err(|error| CallFailed::Refused(error.to_string()))?;
        let kind = event["event_type"].as_str().unwrap_or_default();
        let resource = &event["resource"];
        let fact = match kind {
            // The buyer agreed, and perhaps never came back to us.
            "CHECKOUT.ORDER.APPROVED" if ours(resource).is_some() => {
                let id = text(resource, "/id")?;
                Some(Fact::Payment(self.capture(app, account, id).await?))
            }
            "PAYMENT.CAPTURE.COMPLETED"
            | "PAYMENT.CAPTURE.PENDING"
            | "PAYMENT.CAPTURE.DENIED"
            | "PAYMENT.CAPTURE.DECLINED"
                if resource["custom_id"].is_string() =>
            {
                let id = resource["supplementary_data"]["related_ids"]["order_id"].as_str();
                let id = id.or_else(|| linked(resource, "up"));
                let path = format!("/v2/checkout/orders/{}", id.ok_or_else(|| odd("capture"))?);
                let found = self.get(app, account, &path).await?;
                found.as_ref().map(payment).transpose()?.map(Fact::Payment)
            }
            "PAYMENT.CAPTURE.REFUNDED" | "PAYMENT.CAPTURE.REVERSED" => {
                self.read_refund(app, account, resource).await?
            }
            kind if kind.starts_with("CUSTOMER.DISPUTE.") => {
                self.read_dispute(app, account, resource).await?
            }
            _ => None,
        };
        Ok(vec![fact.unwrap_or_else(|| Fact::Nothing(kind.to_owned()))])
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
        let path = format!("/v2/checkout/orders/{reference}");
        let Some(found) = self.get(app, account, &path).await? else {
            // An order that nobody agreed to is forgotten after some hours.
            return Ok(Some(PaymentFact {
                payment_id: Some(order.id),
                provider_reference: reference.clone(),
                status: PaymentWord::Cancelled,
                captured_minor: None,
                currency: None,
                failure: None,
                checkout_url: None,
                waits: None,
            }));
        };
        match found["status"] == "APPROVED" {
            true => Ok(Some(self.capture(app, account, reference).await?)),
            false => Ok(Some(payment(&found)?)),
        }
    }

    async fn refund(
        &self,
        app: &App,
        account: &Account,
        new: &NewRefund,
    ) -> Result<RefundFact, CallFailed> {
        let path = format!("/v2/checkout/orders/{}", new.payment_reference);
        let order = self.get(app, account, &path).await?.unwrap_or_default();
        let paid = captures(&order).find(|one| capture_word(one) == PaymentWord::Succeeded);
        let Some(capture) = paid.and_then(|capture| capture["id"].as_str()) else {
            return Err(CallFailed::Refused("no_capture".to_owned()));
        };
        let body = json!({
            "amount": written(new.amount_minor, &new.currency)?,
            "invoice_id": new.id,
        });
        let path = format!("/v2/payments/captures/{capture}/refund");
        let key = new.id.to_string();
        let made = self
            .post(app, account, &path, &key, &body)
            .await?
            .done(word)?;
        let mut fact = refund(&made, &new.payment_reference)?;
        fact.refund_id = Some(new.id);
        Ok(fact)
    }

    async fn refunds(
        &self,
        app: &App,
        account: &Account,
        paid: Paid<'_>,
    ) -> Result<Option<Vec<RefundFact>>, CallFailed> {
        let path = format!("/v2/checkout/orders/{}", paid.reference);
        let order = self.get(app, account, &path).await?.unwrap_or_default();
        let listed = &order["purchase_units"][0]["payments"]["refunds"];
        let listed = listed.as_array().into_iter().flatten();
        let known: Result<_, _> = listed.map(|one| refund(one, paid.reference)).collect();
        known.map(Some)
    }
}
