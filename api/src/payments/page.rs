//! What buyers' browsers see of us: `/payments/pay/{payment}`, where the provider's script shows the form for card numbers
//! (they go to the provider and never come here), and `/payments/return/{payment}`, where providers send buyers back.
//! A payment's key opens both: who has it may pay, which is no harm.

use std::collections::BTreeMap;

use aws_lc_rs::rand;
use axum::{
    Router,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    CallFailed, Order, accounts, check,
    look::{self, Card},
    settle::{self, From},
};
use crate::{fault::Fault, http::Problem, state::App, tenancy::SystemReason, vault::hex};

/// A page of ours on which the provider's script asks for the money.
#[derive(Clone, Debug)]
pub struct Page {
    /// The provider, as buyers know it.
    pub by: &'static str,
    /// What its script defines; without that it did not come.
    pub global: &'static str,
    /// Address of the provider's script.
    pub script: &'static str,
    /// Hosts that the script speaks with, loads from and shows frames of; as a Content-Security-Policy names them.
    pub hosts: &'static str,
    /// Our script, which starts theirs. It has `settings`, and the elements `said` (for what went wrong), `place` (for the
    /// form) and `button`, which it enables.
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
        return Ok(plain(&known.status, &order));
    }
    let (account, provider) = accounts::of_ours(&app, known.account_id).await?;
    let page = app
        .payments
        .call(provider.page(&app, &account, &order))
        .await
        .map_err(unanswered)?;
    Ok(match page {
        Some(page) => show(&page, &order)?,
        None => plain(&known.status, &order),
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
    let mut status = known.status.clone();
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
                if let Some(word) = answer["status"].as_str() {
                    word.clone_into(&mut status);
                }
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
        None => plain(&status, &order),
    })
}

fn show(page: &Page, order: &Order) -> Result<Response, Fault> {
    let mut bytes = [0u8; 16];
    rand::fill(&mut bytes).map_err(|_| Fault::Internal("no randomness".to_owned()))?;
    let nonce = hex(&bytes);
    // In an element of script nothing but `<` can end the text.
    let settings = page.settings.to_string().replace('<', "\\u003c");
    let by = page.by;
    let content = format!(
        "{due}<form id=\"form\"><div id=\"place\"><p class=\"note\" id=\"loading\">The form of {by} is being loaded …</p></div>\
         <p id=\"said\" class=\"said bad\" role=\"alert\"></p><button class=\"first\" id=\"pay\" disabled>Pay</button></form>\
         <noscript><p class=\"said bad\">Paying here needs JavaScript: the form is one of {by}.</p></noscript>\
         <p class=\"note\">You pay by {by}, which alone sees what you enter. Nothing is charged before you say so.</p>{back}",
        due = look::due(&order.description, order.amount_minor, &order.currency),
        back = look::back(order.return_url.as_deref()),
    );
    let after = format!(
        "<script type=\"application/json\" id=\"settings\">{settings}</script>\
         <script nonce=\"{nonce}\" src=\"{script}\"></script><script nonce=\"{nonce}\">{BEGIN}\
         begin(typeof {global} === \"undefined\", {by:?}, (settings, said, place, button) => {{{start}}});</script>",
        script = page.script,
        global = page.global,
        start = page.start,
    );
    let hosts = page.hosts;
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}' {hosts}; frame-src {hosts}; connect-src {hosts}; img-src {hosts} \
         data:; style-src 'unsafe-inline'; form-action 'self' {hosts}; frame-ancestors 'none'; base-uri 'none'"
    );
    let card = Card {
        title: &format!("Pay {}", order.description),
        banner: "",
        content: &content,
        after: &after,
        policy: &policy,
    };
    card.answer()
}

/// Starts the provider's script, or says that it did not come: then nobody looks at an empty page.
const BEGIN: &str = r#"
const begin = (missing, by, start) => {
  const one = (id) => document.getElementById(id);
  const said = one("said"), place = one("place"), button = one("pay");
  const sorry = () => {
    said.textContent = `The form of ${by} could not be loaded. Nothing was charged. Please look at your connection, or let this page load content of ${by}, and load it again.`;
    place.textContent = "";
    button.type = "button";
    button.textContent = "Load again";
    button.disabled = false;
    button.onclick = () => location.reload();
  };
  if (missing) return sorry();
  place.textContent = "";
  try { start(JSON.parse(one("settings").textContent), said, place, button); } catch { sorry(); }
};
"#;

/// Where a payment stands, for a buyer.
fn stands(status: &str) -> (&'static str, &'static str) {
    match status {
        "succeeded" => ("good", "This is paid. Thank you."),
        "failed" => (
            "bad",
            "The payment did not succeed, and nothing was charged. You may try again where you came from.",
        ),
        "cancelled" => (
            "bad",
            "The payment was called off, and nothing was charged.",
        ),
        _ => (
            "waits",
            "We wait for word that the money is there. The organizer tells you as soon as it is; you need not stay here.",
        ),
    }
}

/// Nothing is left to do here.
fn plain(status: &str, order: &Order) -> Response {
    let (how, sentence) = stands(status);
    let content = format!(
        "{}{}{}",
        look::due(&order.description, order.amount_minor, &order.currency),
        look::said(how, sentence),
        look::back(order.return_url.as_deref()),
    );
    let card = Card {
        title: &order.description,
        banner: "",
        content: &content,
        after: "",
        policy: "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    };
    let answer = card.answer();
    answer.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}
