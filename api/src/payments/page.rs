//! What buyers' browsers see of us: `/payments/pay/{payment}`, where the provider's script shows the form for card numbers
//! (they go to the provider and never come here), and `/payments/return/{payment}`, where providers send buyers back.
//! A payment's key opens both: who has it may pay, which is no harm.

use std::collections::BTreeMap;

use aws_lc_rs::rand;
use axum::{
    Router,
    extract::{Path, Query, State},
    http::HeaderMap,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    CallFailed, accounts,
    check::{self, Known},
    look::{self, Card},
    settle::{self, From},
    words::{self, Words},
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
    /// Our script, which starts theirs. It has `settings`, the elements `said` (for what went wrong), `place` (for the
    /// form) and `button`, which it enables, and `sorry`, to call when the form does not come.
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
async fn named(app: &App, payment: &str) -> Result<(Uuid, Known), Problem> {
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

async fn pay(State(app): State<App>, Path(payment): Path<String>, headers: HeaderMap) -> Response {
    let words = words::of(&headers);
    let shown = form(&app, &payment, words).await;
    shown.unwrap_or_else(|problem| look::failed(words, problem))
}

async fn form(app: &App, payment: &str, words: &Words) -> Result<Response, Problem> {
    let (_, mut known) = named(app, payment).await?;
    if known.status != "pending" {
        return Ok(plain(words, &known.status, &known)?);
    }
    let order = known.order();
    let (account, provider) = accounts::of_ours(app, known.account_id).await?;
    let page = app
        .payments
        .call(provider.page(app, &account, &order))
        .await
        .map_err(unanswered)?;
    Ok(match page {
        Some(page) => show(words, &page, &known)?,
        None => {
            // This is where one would go.
            known.checkout_url = None;
            plain(words, &known.status, &known)?
        }
    })
}

async fn back(
    State(app): State<App>,
    Path(payment): Path<String>,
    Query(returned): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let words = words::of(&headers);
    let shown = returning(&app, &payment, &returned, words).await;
    shown.unwrap_or_else(|problem| look::failed(words, problem))
}

/// The buyer is back. What the address says is told to the provider and believed by nobody.
async fn returning(
    app: &App,
    payment: &str,
    returned: &BTreeMap<String, String>,
    words: &Words,
) -> Result<Response, Problem> {
    let (org_id, mut known) = named(app, payment).await?;
    let order = known.order();
    let mut status = known.status.clone();
    if matches!(known.status.as_str(), "created" | "pending") {
        let (account, provider) = accounts::of_ours(app, known.account_id).await?;
        let finished = provider.finish(app, &account, &order, returned);
        match app.payments.call(finished).await {
            Ok(Some(mut fact)) => {
                fact.payment_id = Some(order.id);
                if let Some(waits) = &fact.waits {
                    known.instructions = Some(waits.instructions.clone());
                }
                let from = From {
                    account_id: Some(account.id),
                    asked: true,
                    inbox_id: None,
                };
                let answer = settle::payment(app, org_id, &fact, from).await?;
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
        // Those who turned back at the provider come here too.
        None => plain(words, &status, &known)?,
    })
}

fn show(words: &Words, page: &Page, known: &Known) -> Result<Response, Fault> {
    let mut bytes = [0u8; 16];
    rand::fill(&mut bytes).map_err(|_| Fault::Internal("no randomness".to_owned()))?;
    let nonce = hex(&bytes);
    // In an element of script nothing but `<` can end the text.
    let text = |value: &Json| value.to_string().replace('<', "\\u003c");
    let by = |sentence: &str| sentence.replace("{by}", page.by);
    let content = format!(
        "{due}<form id=\"form\"><div id=\"place\"><p class=\"note\" id=\"loading\">{loading}</p></div>\
         <p id=\"said\" class=\"said bad\" role=\"alert\"></p><button class=\"first\" id=\"pay\" disabled>{pay}</button></form>\
         <noscript><style>#form{{display:none}}</style><p class=\"said bad\">{needs_script}</p></noscript><p class=\"note\">{who_sees}</p>{back}",
        due = due(known),
        loading = by(words.loading),
        pay = words.pay,
        needs_script = by(words.needs_script),
        who_sees = by(words.who_sees),
        back = back_to_shop(words, known, false),
    );
    let after = format!(
        "<script type=\"application/json\" id=\"settings\">{settings}</script>\
         <script nonce=\"{nonce}\" src=\"{script}\"></script><script nonce=\"{nonce}\">{BEGIN}\
         begin(typeof {global} === \"undefined\", {sorry}, (settings, said, place, button, sorry) => {{{start}}});</script>",
        settings = text(&page.settings),
        script = page.script,
        global = page.global,
        sorry = text(&json!({ "text": by(words.no_form), "again": words.load_again })),
        start = page.start,
    );
    let hosts = page.hosts;
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}' {hosts}; frame-src {hosts}; connect-src {hosts}; img-src {hosts} \
         data:; style-src 'unsafe-inline'; form-action 'self' {hosts}; frame-ancestors 'none'; base-uri 'none'"
    );
    let card = Card {
        lang: words.lang,
        title: &format!("{}: {}", words.payment, known.event_title),
        banner: "",
        content: &content,
        after: &after,
        policy: &policy,
    };
    card.answer()
}

/// Starts the provider's script, or says that it did not come: then nobody looks at an empty page.
const BEGIN: &str = r#"
const begin = (missing, words, start) => {
  const one = (id) => document.getElementById(id);
  const said = one("said"), place = one("place"), button = one("pay");
  const sorry = () => {
    said.textContent = words.text;
    place.textContent = "";
    button.type = "button";
    button.textContent = words.again;
    button.disabled = false;
    button.onclick = () => location.reload();
    if (!button.isConnected) place.after(button);
  };
  if (missing) return sorry();
  place.textContent = "";
  try { start(JSON.parse(one("settings").textContent), said, place, button, sorry); } catch { sorry(); }
};
"#;

/// What is paid, to whom, and how much.
fn due(known: &Known) -> String {
    let order = known.order();
    look::due(
        &known.event_title,
        Some((&known.organizer, &order.description)),
        order.amount_minor,
        &order.currency,
    )
}

fn back_to_shop(words: &Words, known: &Known, first: bool) -> String {
    let order = known.order();
    let url = order.return_url.as_deref();
    url.map_or_else(String::new, |url| look::link(url, words.back, first))
}

/// Where a payment stands, for a buyer.
fn stands(words: &Words, status: &str) -> (&'static str, &'static str) {
    match status {
        "succeeded" => ("good", words.paid),
        "failed" => ("bad", words.failed),
        "cancelled" => ("bad", words.called_off),
        _ => ("waits", words.waits),
    }
}

/// How a payment stands. While nothing came in: how money that comes later is sent, or where one may still pay.
fn plain(words: &Words, status: &str, known: &Known) -> Result<Response, Fault> {
    let (how, sentence) = stands(words, status);
    let open = match (how, &known.instructions, &known.checkout_url) {
        ("waits", Some(told), _) => format!("<p class=\"told\">{}</p>", look::escape(told)),
        ("waits", None, Some(url)) => {
            let link = look::link(url, words.pay_now, false);
            format!("<h2>{}</h2>{link}", words.not_paid_yet)
        }
        _ => String::new(),
    };
    let content = format!(
        "{}{}{open}{}",
        due(known),
        look::said(how, sentence),
        back_to_shop(words, known, true),
    );
    let card = Card {
        lang: words.lang,
        title: &known.event_title,
        banner: "",
        content: &content,
        after: "",
        policy: look::NO_SCRIPT,
    };
    card.answer()
}
