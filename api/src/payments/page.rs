//! What buyers' browsers see of us: `/payments/pay/{payment}`, where the provider's script shows the form for card numbers
//! (they go to the provider and never come here), and `/payments/return/{payment}`, where providers send buyers back.
//! A payment's key opens both: who has it may pay, which is no harm.

use std::collections::BTreeMap;

use aws_lc_rs::rand;
use axum::{
    Router,
    extract::{Path, Query, State},
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
    routing::get,
};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    CallFailed, Order, accounts, check,
    settle::{self, From},
};
use crate::{fault::Fault, http::Problem, state::App, tenancy::SystemReason, vault::hex};

/// A page of ours on which the provider's script asks for the money.
#[derive(Clone, Debug)]
pub struct Page {
    /// Address of the provider's script.
    pub script: &'static str,
    /// Hosts that the script speaks with, loads from and shows frames of; as a Content-Security-Policy names them.
    pub hosts: &'static str,
    /// Our script, which starts theirs. It finds `settings` in the element `settings`.
    pub start: &'static str,
    /// What the scripts need to know. Buyers may read it.
    pub settings: Json,
}

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/payments/pay/{payment}", get(pay))
        .route("/payments/return/{payment}", get(back))
}

/// Where buyers pay on a page of ours.
pub(super) fn pay_url(app: &App, payment: Uuid) -> String {
    format!("{}/payments/pay/{payment}", app.posture.public_url)
}

/// Where a provider sends buyers back.
pub(super) fn back_url(app: &App, payment: Uuid) -> String {
    format!("{}/payments/return/{payment}", app.posture.public_url)
}

/// A payment that somebody's browser names, whosever it is.
async fn named(app: &App, payment: &str) -> Result<(Uuid, check::Known), Problem> {
    let missing = || Fault::NotFound("there is no such payment".to_owned());
    let id: Uuid = payment.parse().map_err(|_| missing())?;
    let request = json!({ "payment_id": id });
    let found = app
        .door
        .decide_as_system(SystemReason::Payments, "organization_of_payment", &request)
        .await
        .map_err(Fault::from)?;
    let org_id: Uuid = serde_json::from_value(found).map_err(|_| missing())?;
    let known = check::known(app, org_id, id).await?;
    Ok((org_id, known.ok_or_else(missing)?))
}

fn unanswered(failed: CallFailed) -> Fault {
    tracing::warn!(%failed, "a page of payments got no answer from the provider");
    Fault::Unavailable("the payment provider gives no answer; try again soon".to_owned())
}

async fn pay(State(app): State<App>, Path(payment): Path<String>) -> Result<Response, Problem> {
    let (_, known) = named(&app, &payment).await?;
    let order = known.order();
    if known.status != "pending" {
        return Ok(plain(known.status == "succeeded", &order));
    }
    let (account, provider) = accounts::of_ours(&app, known.account_id).await?;
    let page = app
        .payments
        .call(provider.page(&app, &account, &order))
        .await
        .map_err(unanswered)?;
    Ok(match page {
        Some(page) => show(&page, &order)?,
        None => plain(false, &order),
    })
}

/// The buyer is back. What the address says is told to the provider and believed by nobody.
async fn back(
    State(app): State<App>,
    Path(payment): Path<String>,
    Query(returned): Query<BTreeMap<String, String>>,
) -> Result<Response, Problem> {
    let (org_id, known) = named(&app, &payment).await?;
    let order = known.order();
    let mut paid = known.status == "succeeded";
    if matches!(known.status.as_str(), "created" | "pending") {
        let (account, provider) = accounts::of_ours(&app, known.account_id).await?;
        let finished = provider.finish(&app, &account, &order, &returned);
        match app.payments.call(finished).await {
            Ok(Some(mut fact)) => {
                fact.payment_id = Some(order.id);
                let from = From {
                    account_id: Some(account.id),
                    asked: true,
                    inbox_id: None,
                };
                let answer = settle::payment(&app, org_id, &fact, from).await?;
                paid = answer["status"] == "succeeded";
            }
            Ok(None) => {}
            // The provider is asked again by the clock; the buyer need not wait for that.
            Err(failed) => {
                tracing::warn!(%failed, payment = %order.id, "a payment was not finished")
            }
        }
    }
    Ok(match order.return_url.as_deref() {
        Some(url) => Redirect::to(url).into_response(),
        None => plain(paid, &order),
    })
}

fn show(page: &Page, order: &Order) -> Result<Response, Fault> {
    let mut bytes = [0u8; 16];
    rand::fill(&mut bytes).map_err(|_| Fault::Internal("no randomness".to_owned()))?;
    let nonce = hex(&bytes);
    // In an element of script nothing but `<` can end the text.
    let settings = page.settings.to_string().replace('<', "\\u003c");
    let text = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><h1>{title}</h1><form id=\"form\"><div id=\"place\"></div>\
         <p><button id=\"pay\">Pay</button></p><p id=\"said\" role=\"alert\"></p></form>\
         <script type=\"application/json\" id=\"settings\">{settings}</script>\
         <script nonce=\"{nonce}\" src=\"{script}\"></script><script nonce=\"{nonce}\">{start}</script></html>",
        title = escape(&order.description),
        script = page.script,
        start = page.start,
    );
    let hosts = page.hosts;
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}' {hosts}; frame-src {hosts}; connect-src {hosts}; img-src {hosts} \
         data:; style-src 'unsafe-inline'; form-action 'self' {hosts}; frame-ancestors 'none'; base-uri 'none'"
    );
    dressed(text, &policy)
}

/// Nothing is left to do here.
fn plain(paid: bool, order: &Order) -> Response {
    let said = match paid {
        true => "This is paid. Thank you.",
        false => {
            "This page knows no more than you: the organizer tells you when the money is there."
        }
    };
    let text = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title><h1>{title}</h1>\
         <p id=\"said\">{said}</p></html>",
        title = escape(&order.description),
    );
    let policy = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'";
    dressed(text, policy).unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

fn dressed(text: String, policy: &str) -> Result<Response, Fault> {
    let mut response = Html(text).into_response();
    let headers = response.headers_mut();
    let policy = HeaderValue::from_str(policy).map_err(Fault::internal)?;
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("strict-origin-when-cross-origin"),
    );
    Ok(response)
}

/// Text for HTML.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
