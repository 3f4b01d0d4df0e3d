//! The page where buyers pay at the sandbox, and what a merchant does at the sandbox itself.

use axum::{
    Form, Json, Router,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{CallFailed, Payment, give_back, own, payment};
use crate::{fault::Fault, http::Problem, payments::accounts, state::App, vault::same};

pub(in crate::payments) fn routes() -> Router<App> {
    Router::new()
        .route("/sandbox/pay/{payment}", get(show).post(act))
        .route("/sandbox/refund/{payment}", post(refund))
}

/// What a buyer can do, as the form says it: its word, the button, what becomes of the payment, why it fails, and after
/// how many seconds each webhook is sent.
type Choice = (
    &'static str,
    &'static str,
    &'static str,
    Option<&'static str>,
    &'static [u64],
);

const OPEN: &[Choice] = &[
    ("succeed", "Pay", "succeeded", None, &[0]),
    (
        "challenge",
        "Pay with a card that asks back",
        "challenge",
        None,
        &[],
    ),
    (
        "decline",
        "Pay with a card that is declined",
        "failed",
        Some("card_declined"),
        &[0],
    ),
    (
        "delay",
        "Pay, and tell it five seconds late",
        "succeeded",
        None,
        &[5],
    ),
    (
        "repeat",
        "Pay, and tell it three times",
        "succeeded",
        None,
        &[0, 0, 1],
    ),
    ("silent", "Pay, and tell nobody", "succeeded", None, &[]),
    ("cancel", "Do not pay", "cancelled", None, &[0]),
];

const CHALLENGE: &[Choice] = &[
    ("approve", "It is me", "succeeded", None, &[0]),
    (
        "reject",
        "It is not me",
        "failed",
        Some("authentication_failed"),
        &[0],
    ),
];

fn choices(found: &Payment) -> &'static [Choice] {
    match found.status.as_str() {
        "open" => OPEN,
        "challenge" => CHALLENGE,
        _ => &[],
    }
}

#[derive(Deserialize)]
struct Chosen {
    outcome: String,
}

async fn find(app: &App, id: &str) -> Result<Payment, Problem> {
    let missing = || Fault::NotFound("there is no such payment".to_owned());
    let id: Uuid = id.parse().map_err(|_| missing())?;
    let found = payment(app, json!({ "id": id })).await.map_err(fault)?;
    Ok(found.ok_or_else(missing)?)
}

fn fault(failed: CallFailed) -> Fault {
    match failed {
        CallFailed::Refused(word) => Fault::Conflict(word),
        CallFailed::Unknown(reason) | CallFailed::Misconfigured(reason) => {
            Fault::Unavailable(reason)
        }
    }
}

async fn show(State(app): State<App>, Path(id): Path<String>) -> Result<Response, Problem> {
    Ok(page(&find(&app, &id).await?))
}

async fn act(
    State(app): State<App>,
    Path(id): Path<String>,
    Form(chosen): Form<Chosen>,
) -> Result<Response, Problem> {
    let found = find(&app, &id).await?;
    let choice = choices(&found)
        .iter()
        .find(|(word, ..)| *word == chosen.outcome);
    if let Some((_, _, to, failure, after)) = choice {
        // The same event each time: that is what a provider repeats.
        let event = found.event(to, *failure);
        let deliveries: Vec<_> = after
            .iter()
            .map(|seconds| json!({ "after_seconds": seconds, "event": event }))
            .collect();
        let request =
            json!({ "id": found.id, "to": to, "failure": failure, "deliveries": deliveries });
        own(&app, "sandbox_act", &request).await.map_err(fault)?;
        app.jobs.wake();
    }
    Ok(page(&find(&app, &id).await?))
}

#[derive(Deserialize)]
struct Wanted {
    amount_minor: Option<i64>,
}

/// A refund made at the provider itself, as in its dashboard; whoever has the account's key may.
async fn refund(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(wanted): Json<Wanted>,
) -> Result<Response, Problem> {
    let found = find(&app, &id).await?;
    let account = accounts::find(&app, found.account_id).await?;
    let given = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
        .unwrap_or_default();
    let known = account.filter(|(account, _)| {
        let secret = account.credential("webhook_secret");
        !secret.is_empty() && same(secret.as_bytes(), given.as_bytes())
    });
    if known.is_none() {
        return Err(Fault::Unauthenticated("the account's key is needed".to_owned()).into());
    }
    let amount = wanted
        .amount_minor
        .unwrap_or(found.amount_minor - found.refunded_minor);
    let made = give_back(&app, found.account_id, found.id, None, amount)
        .await
        .map_err(fault)?;
    let answer = json!({ "id": made.provider_reference, "amount_minor": made.amount_minor });
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

/// The page: nothing but text and buttons.
fn page(found: &Payment) -> Response {
    let buttons: String = choices(found)
        .iter()
        .map(|(word, label, ..)| {
            format!("<p><button name=\"outcome\" value=\"{word}\">{label}</button></p>")
        })
        .collect();
    let back = found.return_url.as_deref().map_or_else(String::new, |url| {
        format!("<p><a href=\"{}\">Back to the shop</a></p>", escape(url))
    });
    let units = found.amount_minor;
    let status = outcome_text(found);
    let text = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Sandbox</title>\
         <h1>Sandbox</h1><p>Test money only.</p><p>{}: {units} minor units of {}</p>\
         <p id=\"status\">{status}</p><form method=\"post\">{buttons}</form>{back}</html>",
        escape(&found.description),
        escape(&found.currency),
    );
    let mut response = Html(text).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
        ),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn outcome_text(found: &Payment) -> String {
    match (found.status.as_str(), &found.failure) {
        ("challenge", _) => "Your bank asks: is it you?".to_owned(),
        (status, Some(failure)) => format!("{} ({})", escape(status), escape(failure)),
        (status, None) => escape(status),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
