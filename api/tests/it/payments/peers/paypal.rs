//! PayPal's wire format: orders and payments of version 2, tokens, and the call that judges webhooks, as PayPal's
//! specifications show them.

use std::collections::HashMap;

use async_trait::async_trait;
use axum::{
    Form, Json, Router,
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
    routing::{get, post},
};
use serde_json::{Value, json};

use super::{
    Books, Deal, Hook, Inner, Kind, Peer, Returned, Stand, Told, answer, bears, header, keys, serve,
};
use crate::payments::{Stage, now, signed};

const TOKEN: &str = "A21AAFEpH4PsADK7qSS7pSRsgzfENtu";
const CLIENT: &str = "AY8dRi6tc5Gq3Ww0zMnUfQ";
const WEBHOOK: &str = "1JE4291016473214C";
/// What only PayPal can sign with, here.
const OWN: &str = "paypal's own key";

#[derive(Default)]
pub struct PayPal {
    books: Books,
}

fn value(deal: &Deal, units: i64) -> Value {
    json!({ "currency_code": deal.currency, "value": format!("{}.{:02}", units / 100, units % 100) })
}

fn capture_id(deal: &Deal) -> String {
    format!("CAP{}", deal.id)
}

fn link(rel: &str, path: &str) -> Value {
    json!({ "href": format!("https://api.sandbox.paypal.com{path}"), "rel": rel, "method": "GET" })
}

fn capture(deal: &Deal) -> Value {
    let returned: i64 = deal.returned.iter().map(|back| back.amount).sum();
    let status = match returned {
        _ if deal.stand == Stand::Declined => "DECLINED",
        0 => "COMPLETED",
        some if some == deal.amount => "REFUNDED",
        _ => "PARTIALLY_REFUNDED",
    };
    json!({
        "id": capture_id(deal), "status": status, "amount": value(deal, deal.amount), "final_capture": true,
        "custom_id": deal.ours, "supplementary_data": { "related_ids": { "order_id": deal.id } },
        "links": [link("up", &format!("/v2/checkout/orders/{}", deal.id))],
    })
}

fn refund(deal: &Deal, back: &Returned) -> Value {
    let mut body = json!({
        "id": back.id, "amount": value(deal, back.amount), "status": "COMPLETED",
        "links": [link("up", &format!("/v2/payments/captures/{}", capture_id(deal)))],
    });
    if let Some(note) = &back.note {
        body["invoice_id"] = json!(note);
    }
    body
}

fn order(deal: &Deal) -> Value {
    let mut unit = json!({
        "reference_id": "default", "custom_id": deal.ours, "amount": value(deal, deal.amount),
    });
    let status = match deal.stand {
        Stand::Open | Stand::Waiting => "PAYER_ACTION_REQUIRED",
        Stand::Agreed | Stand::Declined => "APPROVED",
        Stand::Paid => "COMPLETED",
    };
    if deal.stand == Stand::Paid {
        let returned: Vec<Value> = deal
            .returned
            .iter()
            .map(|back| refund(deal, back))
            .collect();
        unit["payments"] = json!({ "captures": [capture(deal)], "refunds": returned });
    }
    json!({
        "id": deal.id, "intent": "CAPTURE", "status": status, "purchase_units": [unit],
        "links": [{
            "href": format!("https://www.sandbox.paypal.com/checkoutnow?token={}", deal.id), "rel": "payer-action",
            "method": "GET",
        }],
    })
}

fn refused(headers: &HeaderMap) -> Option<Response> {
    let body = json!({ "error": "invalid_token", "error_description": "Token signature verification failed" });
    (!bears(headers, TOKEN)).then(|| answer((401, body)))
}

fn unprocessable(issue: &str) -> (u16, Value) {
    let name = "UNPROCESSABLE_ENTITY";
    (
        422,
        json!({ "name": name, "details": [{ "issue": issue }], "debug_id": "fa9ffe64391d4" }),
    )
}

async fn token(headers: HeaderMap, Form(form): Form<HashMap<String, String>>) -> Response {
    assert_eq!(form["grant_type"], "client_credentials");
    let basic = header(&headers, "authorization");
    // base64 of the client's id, a colon and its secret
    match basic == "Basic QVk4ZFJpNnRjNUdxM1d3MHpNblVmUTpFQy1zZWNyZXQ=" {
        true => answer((
            200,
            json!({ "access_token": TOKEN, "token_type": "Bearer", "expires_in": 31668 }),
        )),
        false => answer((401, json!({ "error": "invalid_client" }))),
    }
}

async fn create(
    State(books): State<Books>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    if let Some(refused) = refused(&headers) {
        return refused;
    }
    let unit = body["purchase_units"][0].clone();
    let key = header(&headers, "paypal-request-id");
    assert_eq!(key, unit["custom_id"]);
    let context = &body["payment_source"]["paypal"]["experience_context"];
    assert!(context["return_url"].is_string() && context["cancel_url"].is_string());
    answer(books.once(key, |inner| {
        let amount = unit["amount"]["value"].as_str().unwrap();
        let deal = Deal {
            id: format!("5O190127TN{}", inner.next()),
            ours: unit["custom_id"].as_str().unwrap().to_owned(),
            amount: amount.replace('.', "").parse().unwrap(),
            currency: unit["amount"]["currency_code"].as_str().unwrap().to_owned(),
            stand: Stand::Open,
            returned: vec![],
        };
        inner.deals.push(deal.clone());
        (200, order(&deal))
    }))
}

async fn show(State(books): State<Books>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    if let Some(refused) = refused(&headers) {
        return refused;
    }
    let found = books.open().named(&id).map(|deal| order(deal));
    let missing = || {
        (
            404,
            json!({ "name": "RESOURCE_NOT_FOUND", "details": [{ "issue": "INVALID_RESOURCE_ID" }] }),
        )
    };
    answer(found.map_or_else(missing, |order| (200, order)))
}

fn taken(inner: &mut Inner, id: &str) -> (u16, Value) {
    let deal = inner.named(id).expect("an order");
    match deal.stand {
        Stand::Open | Stand::Waiting => unprocessable("ORDER_NOT_APPROVED"),
        Stand::Declined => unprocessable("INSTRUMENT_DECLINED"),
        Stand::Paid => unprocessable("ORDER_ALREADY_CAPTURED"),
        Stand::Agreed => {
            deal.stand = Stand::Paid;
            (201, order(deal))
        }
    }
}

async fn take(State(books): State<Books>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    if let Some(refused) = refused(&headers) {
        return refused;
    }
    let key = header(&headers, "paypal-request-id");
    assert!(!key.is_empty());
    // What was declined may be tried again under the same key.
    let mut inner = books.open();
    let agreed = inner
        .named(&id)
        .is_some_and(|deal| deal.stand == Stand::Agreed);
    if !agreed && !inner.answers.contains_key(key) {
        return answer(taken(&mut inner, &id));
    }
    drop(inner);
    answer(books.once(key, |inner| taken(inner, &id)))
}

async fn show_capture(
    State(books): State<Books>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    if let Some(refused) = refused(&headers) {
        return refused;
    }
    let mut inner = books.open();
    let deal = inner.named(&id["CAP".len()..]).expect("a capture");
    answer((200, capture(deal)))
}

async fn give_back(
    State(books): State<Books>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    if let Some(refused) = refused(&headers) {
        return refused;
    }
    answer(books.once(header(&headers, "paypal-request-id"), |inner| {
        let amount = body["amount"]["value"].as_str().unwrap();
        let back = Returned {
            id: format!("1JU08902781691{}", inner.next()),
            note: body["invoice_id"].as_str().map(str::to_owned),
            amount: amount.replace('.', "").parse().unwrap(),
        };
        let deal = inner.named(&id["CAP".len()..]).expect("a capture");
        deal.returned.push(back.clone());
        (201, refund(deal, &back))
    }))
}

/// Whether PayPal signed these bytes: the judged event stands in the question as it came.
async fn judge(headers: HeaderMap, body: String) -> Response {
    if let Some(refused) = refused(&headers) {
        return refused;
    }
    let question: Value = serde_json::from_str(&body).unwrap();
    let (_, event) = body.split_once("\"webhook_event\":").unwrap();
    let event = event.strip_suffix('}').unwrap();
    let signature = question["transmission_sig"].as_str().unwrap();
    let seconds: i64 = question["transmission_time"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let fits = question["webhook_id"] == WEBHOOK && signature == signed(OWN, seconds, event);
    let status = if fits { "SUCCESS" } else { "FAILURE" };
    answer((200, json!({ "verification_status": status })))
}

#[async_trait]
impl Peer for PayPal {
    fn kind(&self) -> Kind {
        Kind {
            name: "paypal",
            currency: "EUR",
            price: 1000,
            units: 1,
            needs_return: false,
            hears: true,
            tells: true,
            declined: "PENDING",
        }
    }

    fn books(&self) -> &Books {
        &self.books
    }

    async fn serve(&self) -> String {
        let routes = Router::new()
            .route("/v1/oauth2/token", post(token))
            .route("/v1/notifications/verify-webhook-signature", post(judge))
            .route("/v2/checkout/orders", post(create))
            .route("/v2/checkout/orders/{id}", get(show))
            .route("/v2/checkout/orders/{id}/capture", post(take))
            .route("/v2/payments/captures/{id}", get(show_capture))
            .route("/v2/payments/captures/{id}/refund", post(give_back));
        serve(&self.books, routes).await
    }

    fn credentials(&self, wrong: bool) -> Value {
        keys(&[
            ("client_id", CLIENT),
            (
                "client_secret",
                if wrong { "EC-another" } else { "EC-secret" },
            ),
            ("environment", "sandbox"),
            ("webhook_id", WEBHOOK),
        ])
    }

    async fn pay(&self, _stage: &Stage, payment: &Value, key: &str, declined: bool) {
        let url = payment["checkoutUrl"].as_str().expect("a page");
        assert!(url.starts_with("https://www.sandbox.paypal.com/checkoutnow?token="));
        let mut inner = self.books.open();
        let deal = inner.deal(key).expect("an order");
        deal.stand = if declined {
            Stand::Declined
        } else {
            Stand::Agreed
        };
    }

    fn brings(&self, key: &str) -> String {
        let id = self.books.open().deal(key).expect("an order").id.clone();
        format!("?token={id}&PayerID=QYR5Z8XDVJNXQ")
    }

    fn hook(&self, key: &str, told: Told, forged: bool) -> Hook {
        let mut inner = self.books.open();
        let deal = inner.deal(key).expect("an order").clone();
        let (kind, resource) = match (told, deal.stand) {
            (Told::Paid, Stand::Paid) => ("PAYMENT.CAPTURE.COMPLETED", capture(&deal)),
            (Told::Paid | Told::Declined, _) => ("CHECKOUT.ORDER.APPROVED", order(&deal)),
            (Told::Returned, _) => (
                "PAYMENT.CAPTURE.REFUNDED",
                refund(&deal, deal.returned.last().unwrap()),
            ),
            (Told::Disputed, _) => (
                "CUSTOMER.DISPUTE.CREATED",
                json!({
                    "dispute_id": "PP-000-042-663-135", "reason": "MERCHANDISE_OR_SERVICE_NOT_RECEIVED", "status": "OPEN",
                    "dispute_amount": value(&deal, deal.amount),
                    "disputed_transactions": [{ "seller_transaction_id": capture_id(&deal) }],
                }),
            ),
        };
        // With spaces, as others write JSON: whoever writes it again changes it.
        let body = serde_json::to_string_pretty(&json!({
            "id": format!("WH-{told:?}-{key}"), "event_type": kind, "event_version": "1.0", "resource_version": "2.0",
            "resource": resource,
        }))
        .unwrap();
        let secret = if forged { "somebody's" } else { OWN };
        Hook {
            headers: vec![
                ("paypal-auth-algo", "SHA256withRSA".to_owned()),
                (
                    "paypal-cert-url",
                    "https://api.paypal.com/v1/notifications/certs/CERT-1".to_owned(),
                ),
                ("paypal-transmission-id", key.to_owned()),
                ("paypal-transmission-sig", signed(secret, now(), &body)),
                ("paypal-transmission-time", now().to_string()),
            ],
            body,
        }
    }
}
