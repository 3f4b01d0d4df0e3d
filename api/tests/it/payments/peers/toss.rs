//! TossPayments' wire format, as docs.tosspayments.com shows it: payments by order, confirmation, cancellation. Its webhooks
//! of payments carry no signature.

use async_trait::async_trait;
use axum::{
    Json, Router,
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
    routing::{get, post},
};
use serde_json::{Value, json};

use super::{
    Books, Deal, Hook, Kind, Peer, Returned, Stand, Told, answer, header, keys, serve, settings,
};
use crate::payments::Stage;

/// Of deposits; only Toss and the merchant know it.
pub const SECRET: &str = "ps_eqRGgYO1r57E4Z5";
/// Until when a deposit is waited for.
pub const DUE: &str = "2027-01-09T14:46:43+09:00";

#[derive(Default)]
pub struct Toss {
    books: Books,
}

impl Toss {
    /// The buyer has chosen to pay into a virtual account.
    pub fn chooses_account(&self, key: &str) {
        let mut inner = self.books.open();
        let deal = inner.deal(key).expect("a payment");
        deal.id = format!("va{}", deal.id);
    }
}

fn payment(deal: &Deal) -> Value {
    let returned: i64 = deal.returned.iter().map(|back| back.amount).sum();
    let status = match (deal.stand, returned) {
        (Stand::Open, _) => "READY",
        (Stand::Agreed, _) => "IN_PROGRESS",
        (Stand::Waiting, _) => "WAITING_FOR_DEPOSIT",
        (Stand::Declined, _) => "ABORTED",
        (Stand::Paid, 0) => "DONE",
        (Stand::Paid, some) if some == deal.amount => "CANCELED",
        (Stand::Paid, _) => "PARTIAL_CANCELED",
    };
    let paid = deal.stand == Stand::Paid;
    let account = deal.id.starts_with("va").then(|| {
        json!({
            "accountNumber": "X6505636518308", "accountType": "일반", "bankCode": "20", "customerName": "박토스",
            "dueDate": DUE, "expired": false,
        })
    });
    let cancels: Vec<Value> = deal
        .returned
        .iter()
        .map(|back| {
            json!({
                "transactionKey": back.id, "cancelReason": back.note.as_deref().unwrap_or("고객이 취소를 원함"),
                "cancelAmount": back.amount, "cancelStatus": "DONE", "canceledAt": "2026-01-02T15:46:43+09:00",
            })
        })
        .collect();
    let last = deal
        .returned
        .last()
        .map_or("txrd_a", |back| back.id.as_str());
    json!({
        "mId": "tosspayments", "version": "2022-11-16", "paymentKey": deal.id, "lastTransactionKey": last,
        "orderId": deal.ours, "status": status, "currency": deal.currency, "totalAmount": deal.amount,
        "balanceAmount": deal.amount - returned, "method": "카드", "virtualAccount": account, "secret": SECRET,
        "approvedAt": paid.then_some("2026-01-02T14:46:58+09:00"), "isPartialCancelable": true,
        "cancels": (!cancels.is_empty()).then_some(cancels),
        "failure": (deal.stand == Stand::Declined).then(|| json!({ "code": "REJECT_CARD_PAYMENT", "message": "한도초과" })),
    })
}

fn wrong(status: u16, code: &str) -> (u16, Value) {
    (status, json!({ "code": code, "message": "안내" }))
}

fn refused(headers: &HeaderMap) -> Option<Response> {
    // base64 of the key and a colon
    let right = header(headers, "authorization") == "Basic dGVzdF9za196WExrS0V5cE5BcldtbzUwblg6";
    (!right).then(|| answer(wrong(401, "UNAUTHORIZED_KEY")))
}

async fn show(
    State(books): State<Books>,
    Path(order): Path<String>,
    headers: HeaderMap,
) -> Response {
    if let Some(refused) = refused(&headers) {
        return refused;
    }
    let found = books.open().deal(&order).map(|deal| payment(deal));
    answer(found.map_or_else(|| wrong(404, "NOT_FOUND_PAYMENT"), |found| (200, found)))
}

async fn confirm(
    State(books): State<Books>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    if let Some(refused) = refused(&headers) {
        return refused;
    }
    let key = header(&headers, "idempotency-key");
    assert!(!key.is_empty());
    answer(books.once(key, |inner| {
        let deal = inner
            .named(body["paymentKey"].as_str().unwrap())
            .expect("a payment");
        assert_eq!(body["orderId"], deal.ours);
        assert_eq!(body["amount"], deal.amount);
        match deal.stand {
            Stand::Agreed if deal.id.starts_with("va") => {
                deal.stand = Stand::Waiting;
                (200, payment(deal))
            }
            Stand::Agreed => {
                deal.stand = Stand::Paid;
                (200, payment(deal))
            }
            Stand::Declined => wrong(403, "REJECT_CARD_PAYMENT"),
            Stand::Paid | Stand::Waiting => wrong(400, "ALREADY_PROCESSED_PAYMENT"),
            Stand::Open => wrong(404, "NOT_FOUND_PAYMENT_SESSION"),
        }
    }))
}

async fn cancel(
    State(books): State<Books>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    if let Some(refused) = refused(&headers) {
        return refused;
    }
    answer(books.once(header(&headers, "idempotency-key"), |inner| {
        let back = Returned {
            id: format!("A8992D33A3620C9D{}", inner.next()),
            note: body["cancelReason"].as_str().map(str::to_owned),
            amount: body["cancelAmount"].as_i64().unwrap(),
        };
        let deal = inner.named(&id).expect("a payment");
        deal.returned.push(back);
        (200, payment(deal))
    }))
}

#[async_trait]
impl Peer for Toss {
    fn kind(&self) -> Kind {
        Kind {
            name: "toss",
            currency: "KRW",
            price: 15_000,
            units: 1,
            needs_return: true,
            hears: false,
            tells: true,
            declined: "FAILED",
        }
    }

    fn books(&self) -> &Books {
        &self.books
    }

    async fn serve(&self) -> String {
        let routes = Router::new()
            .route("/v1/payments/orders/{order}", get(show))
            .route("/v1/payments/confirm", post(confirm))
            .route("/v1/payments/{id}/cancel", post(cancel));
        serve(&self.books, routes).await
    }

    fn credentials(&self, wrong: bool) -> Value {
        let right = "test_sk_zXLkKEypNArWmo50nX";
        keys(&[
            ("secret_key", if wrong { "test_sk_wrong" } else { right }),
            ("client_key", "test_ck_docs_Ovk5rk1EwkEbP0W"),
        ])
    }

    async fn pay(&self, stage: &Stage, payment: &Value, key: &str, declined: bool) {
        let settings = settings(stage, payment).await;
        assert_eq!(settings["key"], "test_ck_docs_Ovk5rk1EwkEbP0W");
        let order = &settings["order"];
        assert_eq!(order["orderId"], key);
        let mut inner = self.books.open();
        let id = format!("tviva2026{}", inner.next());
        inner.deals.push(Deal {
            id,
            ours: key.to_owned(),
            amount: order["amount"]["value"].as_i64().unwrap(),
            currency: order["amount"]["currency"].as_str().unwrap().to_owned(),
            stand: if declined {
                Stand::Declined
            } else {
                Stand::Agreed
            },
            returned: vec![],
        });
    }

    fn brings(&self, key: &str) -> String {
        let deal = self.books.open().deal(key).expect("a payment").clone();
        format!(
            "?paymentType=NORMAL&paymentKey={}&orderId={key}&amount={}",
            deal.id, deal.amount
        )
    }

    fn hook(&self, key: &str, told: Told, forged: bool) -> Hook {
        let mut inner = self.books.open();
        let body = match (forged, told) {
            // Of an order that Toss never saw.
            (true, _) => json!({
                "eventType": "PAYMENT_STATUS_CHANGED", "createdAt": "2026-01-02T14:46:59.65327",
                "data": { "orderId": uuid::Uuid::new_v4(), "status": "DONE", "totalAmount": 15000 },
            }),
            // Disputes are told by mail.
            (false, Told::Disputed) => json!({ "eventType": "OTHER", "data": { "orderId": key } }),
            (false, _) => json!({
                "eventType": "PAYMENT_STATUS_CHANGED", "createdAt": "2026-01-02T14:46:59.65327",
                "data": payment(inner.deal(key).expect("a payment")),
            }),
        };
        Hook {
            headers: vec![],
            body: body.to_string(),
        }
    }
}
