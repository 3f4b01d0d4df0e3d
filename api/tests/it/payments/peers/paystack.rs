//! Paystack's wire format, as its documentation and its snippets show it. It knows no keys of idempotency.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_lc_rs::hmac;
use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::HeaderMap,
    response::Response,
    routing::{get, post},
};
use serde_json::{Value, json};

use super::{Books, Deal, Hook, Kind, Peer, Returned, Stand, Told, answer, bears, keys, serve};
use crate::payments::Stage;

const SECRET: &str = "sk_test_f2f0c8b1a7d64c5f9e3a";

#[derive(Default)]
pub struct Paystack {
    books: Books,
}

fn number(deal: &Deal) -> i64 {
    deal.id.parse().unwrap()
}

fn transaction(deal: &Deal) -> Value {
    let (status, said) = match deal.stand {
        Stand::Open | Stand::Agreed | Stand::Waiting => {
            ("abandoned", "The transaction was not completed")
        }
        Stand::Paid => ("success", "Successful"),
        Stand::Declined => ("failed", "Declined"),
    };
    json!({
        "id": number(deal), "domain": "test", "status": status, "reference": deal.ours, "amount": deal.amount,
        "gateway_response": said, "channel": "card", "currency": deal.currency, "metadata": "",
    })
}

fn refund(deal: &Deal, back: &Returned) -> Value {
    json!({
        "id": back.id.parse::<i64>().unwrap(), "transaction": number(deal), "currency": deal.currency, "amount": back.amount,
        "status": "processed", "customer_note": format!("Refund for transaction {}", deal.ours),
        "merchant_note": back.note.clone().unwrap_or_else(|| "Refund by paystack@email.com".to_owned()),
    })
}

fn fine(message: &str, data: Value) -> Response {
    answer((
        200,
        json!({ "status": true, "message": message, "data": data }),
    ))
}

fn wrong(status: u16, message: &str) -> Response {
    answer((status, json!({ "status": false, "message": message })))
}

fn refused(headers: &HeaderMap) -> Option<Response> {
    (!bears(headers, SECRET)).then(|| wrong(401, "Invalid key"))
}

async fn initialize(
    State(books): State<Books>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    if let Some(refused) = refused(&headers) {
        return refused;
    }
    assert_eq!(body["email"], "vera@example.org");
    let reference = body["reference"].as_str().unwrap();
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-.=".contains(c);
    assert!(reference.chars().all(allowed), "{reference}");
    let mut inner = books.open();
    if inner.deals.iter().any(|deal| deal.ours == reference) {
        return wrong(400, "Duplicate Transaction Reference");
    }
    let id = inner.next().to_string();
    inner.deals.push(Deal {
        id: id.clone(),
        ours: reference.to_owned(),
        amount: body["amount"].as_str().unwrap().parse().unwrap(),
        currency: body["currency"].as_str().unwrap().to_owned(),
        stand: Stand::Open,
        returned: vec![],
    });
    let url = format!("https://checkout.paystack.com/nkdks46nymizns{id}");
    let code = format!("nms6uvr1pl{id}");
    let data = json!({ "authorization_url": url, "access_code": code, "reference": reference });
    fine("Authorization URL created", data)
}

async fn verify(
    State(books): State<Books>,
    Path(reference): Path<String>,
    headers: HeaderMap,
) -> Response {
    if let Some(refused) = refused(&headers) {
        return refused;
    }
    match books.open().deal(&reference) {
        Some(deal) => fine("Verification successful", transaction(deal)),
        None => wrong(404, "Transaction reference not found"),
    }
}

async fn give_back(
    State(books): State<Books>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    if let Some(refused) = refused(&headers) {
        return refused;
    }
    let mut inner = books.open();
    let back = Returned {
        id: inner.next().to_string(),
        note: body["merchant_note"].as_str().map(str::to_owned),
        amount: body["amount"].as_i64().unwrap(),
    };
    let deal = inner
        .deal(body["transaction"].as_str().unwrap())
        .expect("a transaction");
    deal.returned.push(back.clone());
    let mut data = refund(deal, &back);
    data["status"] = json!("pending");
    fine("Refund has been queued for processing", data)
}

async fn refunds(
    State(books): State<Books>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    if let Some(refused) = refused(&headers) {
        return refused;
    }
    let inner = books.open();
    let asked = inner
        .deals
        .iter()
        .filter(|deal| deal.id == query["transaction"]);
    let data = asked.flat_map(|deal| deal.returned.iter().map(|back| refund(deal, back)));
    fine("Refunds retrieved", data.collect())
}

#[async_trait]
impl Peer for Paystack {
    fn kind(&self) -> Kind {
        Kind {
            name: "paystack",
            currency: "XOF",
            price: 1000,
            // Paystack counts francs in hundredths, which they do not have.
            units: 100,
            needs_return: false,
            hears: true,
            tells: true,
            declined: "FAILED",
        }
    }

    fn books(&self) -> &Books {
        &self.books
    }

    async fn serve(&self) -> String {
        let routes = Router::new()
            .route("/transaction/initialize", post(initialize))
            .route("/transaction/verify/{reference}", get(verify))
            .route("/refund", post(give_back).get(refunds));
        serve(&self.books, routes).await
    }

    fn credentials(&self, wrong: bool) -> Value {
        keys(&[("secret_key", if wrong { "sk_test_wrong" } else { SECRET })])
    }

    async fn pay(&self, _stage: &Stage, payment: &Value, key: &str, declined: bool) {
        let url = payment["checkoutUrl"].as_str().expect("a page");
        assert!(url.starts_with("https://checkout.paystack.com/"));
        let mut inner = self.books.open();
        let deal = inner.deal(key).expect("a transaction");
        deal.stand = if declined {
            Stand::Declined
        } else {
            Stand::Paid
        };
    }

    fn brings(&self, key: &str) -> String {
        let reference = self.books.open().deal(key).expect("one").ours.clone();
        format!("?trxref={reference}&reference={reference}")
    }

    fn hook(&self, key: &str, told: Told, forged: bool) -> Hook {
        let mut inner = self.books.open();
        let deal = inner.deal(key).expect("a transaction").clone();
        let (kind, data) = match told {
            // It tells of no declines.
            Told::Paid | Told::Declined => ("charge.success", transaction(&deal)),
            Told::Returned => (
                "refund.processed",
                json!({
                    "status": "processed", "transaction_reference": deal.ours, "refund_reference": null,
                    "amount": deal.returned.last().unwrap().amount.to_string(), "currency": deal.currency,
                }),
            ),
            Told::Disputed => (
                "charge.dispute.create",
                json!({
                    "id": 358950, "refund_amount": deal.amount, "currency": deal.currency, "status":
                    "awaiting-merchant-feedback", "resolution": null, "category": "general",
                    "transaction": transaction(&deal),
                }),
            ),
        };
        let body = json!({ "event": kind, "data": data }).to_string();
        let secret = if forged {
            "sk_test_of_somebody"
        } else {
            SECRET
        };
        let key = hmac::Key::new(hmac::HMAC_SHA512, secret.as_bytes());
        let tag = hmac::sign(&key, body.as_bytes());
        let hex: String = tag
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Hook {
            headers: vec![("x-paystack-signature", hex)],
            body,
        }
    }
}
