//! The page where buyers pay at the sandbox, and what a merchant does at the sandbox itself.

use axum::{
    Form, Json, Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{CallFailed, Payment, dispute, give_back, own, payment};
use crate::{
    fault::Fault,
    http::Problem,
    payments::{
        accounts,
        look::{self, Card},
        words,
    },
    state::App,
    vault::same,
};

pub(in crate::payments) fn routes() -> Router<App> {
    Router::new()
        .route("/sandbox/pay/{payment}", get(show).post(act))
        .route("/sandbox/refund/{payment}", post(refund))
        .route("/sandbox/dispute/{payment}", post(decide))
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

/// What was paid can be asked back from the bank, once.
const PAID: &[Choice] = &[(
    "dispute",
    "Ask the bank for the money back",
    "dispute",
    None,
    &[0],
)];

fn choices(found: &Payment) -> &'static [Choice] {
    match found.status.as_str() {
        "open" => OPEN,
        "challenge" => CHALLENGE,
        "succeeded" if found.dispute.is_none() && found.refunded_minor < found.amount_minor => PAID,
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

async fn show(State(app): State<App>, Path(id): Path<String>) -> Response {
    told(find(&app, &id).await.and_then(|found| page(&found)))
}

async fn act(
    State(app): State<App>,
    Path(id): Path<String>,
    Form(chosen): Form<Chosen>,
) -> Response {
    told(acted(&app, &id, &chosen).await)
}

/// A page, whatever went wrong: people look at it. It speaks English.
fn told(page: Result<Response, Problem>) -> Response {
    page.unwrap_or_else(|problem| look::failed(words::of(&HeaderMap::new()), problem))
}

async fn acted(app: &App, id: &str, chosen: &Chosen) -> Result<Response, Problem> {
    let found = find(app, id).await?;
    let choice = choices(&found)
        .iter()
        .find(|(word, ..)| *word == chosen.outcome);
    if let Some((_, _, "dispute", _, after)) = choice {
        dispute::moves(app, &found, "open", after)
            .await
            .map_err(fault)?;
        return page(&find(app, id).await?);
    }
    if let Some((_, _, to, failure, after)) = choice {
        // The same event each time: that is what a provider repeats.
        let event = found.event(to, *failure);
        let deliveries: Vec<_> = after
            .iter()
            .map(|seconds| json!({ "after_seconds": seconds, "event": event }))
            .collect();
        let request =
            json!({ "id": found.id, "to": to, "failure": failure, "deliveries": deliveries });
        let mut done = own(app, "sandbox_act", &request).await.map_err(fault)?;
        app.jobs.wake();
        let now: Payment =
            serde_json::from_value(done["payment"].take()).map_err(Fault::internal)?;
        return page(&now);
    }
    page(&found)
}

#[derive(Deserialize)]
struct Wanted {
    amount_minor: Option<i64>,
}

/// The payment, for whoever has its account's key.
async fn opened(app: &App, id: &str, headers: &HeaderMap) -> Result<Payment, Problem> {
    let found = find(app, id).await?;
    let account = accounts::find(app, found.account_id).await?;
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
    Ok(found)
}

/// A refund made at the provider itself, as in its dashboard; whoever has the account's key may.
async fn refund(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(wanted): Json<Wanted>,
) -> Result<Response, Problem> {
    let found = opened(&app, &id, &headers).await?;
    let amount = wanted
        .amount_minor
        .unwrap_or(found.amount_minor - found.refunded_minor);
    let made = give_back(&app, found.account_id, found.id, None, amount)
        .await
        .map_err(fault)?;
    let answer = json!({ "id": made.provider_reference, "amount_minor": made.amount_minor });
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

#[derive(Deserialize)]
struct Decision {
    outcome: String,
}

/// How a dispute ends, as the bank says it; whoever has the account's key may, for trying out.
async fn decide(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(decision): Json<Decision>,
) -> Result<Response, Problem> {
    let found = opened(&app, &id, &headers).await?;
    let to = decision.outcome.as_str();
    if !matches!(to, "won" | "lost") || found.dispute.is_none() {
        let problem = "an open dispute is `won` or `lost`";
        return Err(Fault::BadInput(problem.to_owned()).into());
    }
    let id = dispute::moves(&app, &found, to, &[0])
        .await
        .map_err(fault)?;
    Ok(Json(json!({ "id": id, "status": to })).into_response())
}

/// The page: nothing but text and buttons.
fn page(found: &Payment) -> Result<Response, Problem> {
    let (how, sentence) = outcome_text(found);
    let (mut first, mut others) = (String::new(), String::new());
    for (word, label, ..) in choices(found) {
        // What buyers come for, and what only tests do.
        let is_first = matches!(*word, "succeed" | "approve");
        let class = if is_first { " class=\"first\"" } else { "" };
        let button = format!("<button name=\"outcome\" value=\"{word}\"{class}>{label}</button>");
        match is_first || found.status == "challenge" {
            true => first.push_str(&button),
            false => others.push_str(&button),
        }
    }
    if !others.is_empty() {
        others.insert_str(0, "<h2>Or try what else may happen</h2>");
    }
    let is_over = first.is_empty();
    let back = found.return_url.as_deref();
    let back = back.map_or_else(String::new, |url| {
        look::link(url, "Back to the shop", is_over)
    });
    // Who has paid goes back; who has not, pays.
    let (before, after) = if is_over {
        (back.as_str(), "")
    } else {
        ("", back.as_str())
    };
    let content = format!(
        "<div data-status=\"{}\">{}{}{before}<form method=\"post\">{first}{others}</form>{after}</div>",
        look::escape(&found.status),
        look::due(
            &found.description,
            None,
            found.amount_minor,
            &found.currency
        ),
        look::said(how, &sentence),
    );
    let card = Card {
        lang: "en",
        title: &format!("Sandbox: {}", found.description),
        banner: "<header class=\"banner\">Sandbox: test money only, no card is charged.</header>",
        content: &content,
        after: "",
        policy: look::NO_SCRIPT,
    };
    Ok(card.answer()?)
}

/// How it stands, in a word for its colour and a sentence.
fn outcome_text(found: &Payment) -> (&'static str, String) {
    if let Some(dispute) = &found.dispute {
        return match dispute.status.as_str() {
            "open" => (
                "waits",
                "You asked for your money back. Your bank looks into it.".to_owned(),
            ),
            "lost" => ("bad", "Your bank gave you the money back.".to_owned()),
            _ => ("good", "Your bank found that you bought it.".to_owned()),
        };
    }
    let failure = found.failure.as_deref();
    match (found.status.as_str(), failure) {
        ("open", _) => ("", String::new()),
        ("challenge", _) => ("waits", "Your bank asks: is it you?".to_owned()),
        ("succeeded", _) => ("good", "Paid: the payment succeeded.".to_owned()),
        ("failed", Some("card_declined")) => (
            "bad",
            "Your card was declined. Nothing was charged.".to_owned(),
        ),
        ("failed", Some("authentication_failed")) => (
            "bad",
            "Your bank could not tell that it is you. Nothing was charged.".to_owned(),
        ),
        ("failed", _) => ("bad", "It failed. Nothing was charged.".to_owned()),
        ("cancelled", _) => ("bad", "Called off. Nothing was charged.".to_owned()),
        (status, _) => ("", status.to_owned()),
    }
}
