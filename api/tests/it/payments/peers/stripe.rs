//! Stripe's wire format, as docs.stripe.com/api shows it: forms in, objects out, keys of idempotency.

use std::collections::HashMap;

use async_trait::async_trait;
use axum::{
    Form, Router,
    extract::{Path, Query, State},
    http::HeaderMap,
    response::Response,
    routing::{get, post},
};
use serde_json::{Value, json};

use super::{
    Books, Deal, Hook, Kind, Peer, Returned, Stand, Told, answer, bears, header, keys, serve,
    settings,
};
use crate::payments::{Stage, now, signed};

const SECRET: &str = "sk_test_4eC39HqLyjWDarjtT1zdp7dc";
/// Lets in, but gives nothing back.
pub const RESTRICTED: &str = "rk_test_4eC39HqLyjWDarjtT1zdp7dc";
const HOOKS: &str = "whsec_5WbX5kEWLlfzsGNjH64I8lOOqUB6e8FH";

#[derive(Default)]
pub struct Stripe {
    books: Books,
}

fn intent(deal: &Deal) -> Value {
    let (status, received, error) = match deal.stand {
        Stand::Open | Stand::Agreed | Stand::Waiting => ("requires_payment_method", 0, Value::Null),
        Stand::Paid => ("succeeded", deal.amount, Value::Null),
        Stand::Declined => (
            "requires_payment_method",
            0,
            json!({ "code": "card_declined", "decline_code": "insufficient_funds", "type": "card_error" }),
        ),
    };
    json!({
        "id": deal.id, "object": "payment_intent", "amount": deal.amount, "amount_received": received,
        "currency": deal.currency, "client_secret": format!("{}_secret_YrKJUKribcBjcG8HVhfZluoGH", deal.id),
        "last_payment_error": error, "livemode": false, "metadata": { "payment_id": deal.ours }, "status": status,
    })
}

fn refund(deal: &Deal, back: &Returned) -> Value {
    json!({
        "id": format!("re_{}", back.id), "object": "refund", "amount": back.amount, "charge": "ch_1", "currency": deal.currency,
        "metadata": back.note.as_ref().map_or(json!({}), |note| json!({ "refund_id": note })),
        "payment_intent": deal.id, "reason": null, "status": "succeeded",
    })
}

fn error(status: u16, code: &str) -> Response {
    let kind = "invalid_request_error";
    answer((
        status,
        json!({ "error": { "code": code, "message": "no", "type": kind } }),
    ))
}

fn refused(headers: &HeaderMap) -> Option<Response> {
    let known = bears(headers, SECRET) || bears(headers, RESTRICTED);
    (!known).then(|| error(401, "api_key_invalid"))
}

async fn create(
    State(books): State<Books>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    if let Some(refused) = refused(&headers) {
        return refused;
    }
    assert!(!header(&headers, "stripe-version").is_empty());
    let key = header(&headers, "idempotency-key");
    assert_eq!(key, form["metadata[payment_id]"]);
    answer(books.once(key, |inner| {
        let deal = Deal {
            id: format!("pi_{}", inner.next()),
            ours: form["metadata[payment_id]"].clone(),
            amount: form["amount"].parse().unwrap(),
            currency: form["currency"].clone(),
            stand: Stand::Open,
            returned: vec![],
        };
        inner.deals.push(deal.clone());
        (200, intent(&deal))
    }))
}

async fn show(State(books): State<Books>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    if let Some(refused) = refused(&headers) {
        return refused;
    }
    match books.open().named(&id) {
        Some(deal) => answer((200, intent(deal))),
        None => error(404, "resource_missing"),
    }
}

async fn give_back(
    State(books): State<Books>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    if let Some(refused) = refused(&headers) {
        return refused;
    }
    if bears(&headers, RESTRICTED) {
        return error(403, "more_permissions_required");
    }
    answer(books.once(header(&headers, "idempotency-key"), |inner| {
        let back = Returned {
            id: inner.next().to_string(),
            note: form.get("metadata[refund_id]").cloned(),
            amount: form["amount"].parse().unwrap(),
        };
        let deal = inner.named(&form["payment_intent"]).expect("an intent");
        deal.returned.push(back.clone());
        (200, refund(deal, &back))
    }))
}

async fn refunds(
    State(books): State<Books>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    if let Some(refused) = refused(&headers) {
        return refused;
    }
    let mut inner = books.open();
    let deal = inner.named(&query["payment_intent"]).expect("an intent");
    let data: Vec<Value> = deal
        .returned
        .iter()
        .map(|back| refund(deal, back))
        .collect();
    answer((
        200,
        json!({ "object": "list", "data": data, "has_more": false, "url": "/v1/refunds" }),
    ))
}

#[async_trait]
impl Peer for Stripe {
    fn kind(&self) -> Kind {
        Kind {
            name: "stripe",
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
            .route("/v1/payment_intents", post(create))
            .route("/v1/payment_intents/{id}", get(show))
            .route("/v1/refunds", post(give_back).get(refunds));
        serve(&self.books, routes).await
    }

    fn credentials(&self, wrong: bool) -> Value {
        keys(&[
            ("secret_key", if wrong { "sk_test_wrong" } else { SECRET }),
            ("publishable_key", "pk_test_TYooMQauvdEDq54NiTphI7jx"),
            ("webhook_secret", HOOKS),
        ])
    }

    async fn pay(&self, stage: &Stage, payment: &Value, key: &str, declined: bool) {
        let settings = settings(stage, payment).await;
        assert_eq!(settings["key"], "pk_test_TYooMQauvdEDq54NiTphI7jx");
        let mut inner = self.books.open();
        let deal = inner.deal(key).expect("an intent");
        assert_eq!(settings["secret"], intent(deal)["client_secret"]);
        deal.stand = if declined {
            Stand::Declined
        } else {
            Stand::Paid
        };
    }

    fn brings(&self, _key: &str) -> String {
        "?payment_intent=pi_1&payment_intent_client_secret=pi_1_secret_x&redirect_status=succeeded"
            .to_owned()
    }

    fn hook(&self, key: &str, told: Told, forged: bool) -> Hook {
        let mut inner = self.books.open();
        let deal = inner.deal(key).expect("an intent").clone();
        let (kind, object) = match told {
            Told::Paid => ("payment_intent.succeeded", intent(&deal)),
            Told::Declined => ("payment_intent.payment_failed", intent(&deal)),
            Told::Returned => (
                "refund.created",
                refund(&deal, deal.returned.last().unwrap()),
            ),
            Told::Disputed => (
                "charge.dispute.created",
                json!({
                    "id": "dp_1", "object": "dispute", "amount": deal.amount, "currency": deal.currency, "charge": "ch_1",
                    "payment_intent": deal.id, "reason": "fraudulent", "status": "needs_response",
                    "balance_transactions": [{ "amount": -deal.amount, "fee": 1500, "currency": deal.currency }],
                }),
            ),
        };
        let body = json!({
            "id": format!("evt_{told:?}_{key}"), "object": "event", "api_version": "2024-10-28.acacia", "livemode": false,
            "type": kind, "data": { "object": object },
        })
        .to_string();
        let secret = if forged {
            "whsec_of_somebody_else"
        } else {
            HOOKS
        };
        Hook {
            headers: vec![("stripe-signature", signed(secret, now(), &body))],
            body,
        }
    }
}
