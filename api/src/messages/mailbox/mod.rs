//! The development mailbox: what was written, readable at `/dev/mailbox`. It shows codes that open accounts, so the routes
//! are mounted in development only. A letter that waits is shown as it would be sent now.

mod page;

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json_, json};
use uuid::Uuid;

use page::View;
pub(crate) use page::escaped;

use super::{compose::compose, email, providers::Outgoing, variables};
use crate::{fault::Fault, state::App, tenancy::SystemReason};

/// How many letters are listed.
const NEWEST: i64 = 200;

/// `/dev/mailbox` and what is below it, for development only.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/dev/mailbox", get(list))
        .route("/dev/mailbox/{id}", get(show))
        .route("/dev/mailbox/{id}/html", get(framed))
        .route("/dev/mailbox/{id}/event.ics", get(calendar))
        .route("/dev/mailbox.json", get(list_json))
}

#[derive(Debug, Default, Deserialize)]
struct Wanted {
    /// Only letters to this address.
    to: Option<String>,
    /// `html`, `text` or `source`.
    view: Option<String>,
}

impl Wanted {
    fn to(&self) -> Option<String> {
        let to = self.to.as_deref()?.trim().to_lowercase().replace('\0', "");
        (!to.is_empty()).then_some(to)
    }
}

/// A letter as it is shown.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Letter {
    id: Uuid,
    kind: String,
    channel: String,
    from: String,
    to: String,
    subject: String,
    #[serde(rename = "body")]
    text: String,
    html: Option<String>,
    source: Option<String>,
    calendar: Option<String>,
    organization: Option<String>,
    state: String,
    failure: Option<String>,
    created_at: DateTime<Utc>,
}

async fn list(State(app): State<App>, Query(wanted): Query<Wanted>) -> Response {
    let to = wanted.to();
    match read(&app, None, to.as_deref()).await {
        Ok(letters) => page::mailbox(&letters, to.as_deref(), None, app.clock.now()),
        Err(fault) => failed(&fault),
    }
}

async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Response {
    let to = wanted.to();
    let letters = match read(&app, None, to.as_deref()).await {
        Ok(letters) => letters,
        Err(fault) => return failed(&fault),
    };
    match one(&app, &id).await {
        Ok(letter) => {
            let view = View::of(wanted.view.as_deref(), &letter);
            page::mailbox(
                &letters,
                to.as_deref(),
                Some((&letter, view)),
                app.clock.now(),
            )
        }
        Err(response) => response,
    }
}

async fn framed(State(app): State<App>, Path(id): Path<String>) -> Response {
    match one(&app, &id).await {
        Ok(letter) => match letter.html {
            Some(html) => page::framed(&html),
            None => missing(),
        },
        Err(response) => response,
    }
}

async fn calendar(State(app): State<App>, Path(id): Path<String>) -> Response {
    match one(&app, &id).await {
        Ok(letter) => match letter.calendar {
            Some(file) => page::calendar(&file),
            None => missing(),
        },
        Err(response) => response,
    }
}

async fn list_json(State(app): State<App>, Query(wanted): Query<Wanted>) -> Response {
    match read(&app, None, wanted.to().as_deref()).await {
        Ok(messages) => {
            let mut response = Json(json!({ "messages": messages })).into_response();
            response
                .headers_mut()
                .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
        Err(fault) => failed(&fault),
    }
}

async fn one(app: &App, id: &str) -> Result<Letter, Response> {
    let Ok(id) = id.parse() else {
        return Err(missing());
    };
    match read(app, Some(id), None).await {
        Ok(letters) => letters.into_iter().next().ok_or_else(missing),
        Err(fault) => Err(failed(&fault)),
    }
}

async fn read(app: &App, id: Option<Uuid>, to: Option<&str>) -> Result<Vec<Letter>, Fault> {
    let request = json!({ "letter_id": id, "recipient": to, "limit": NEWEST });
    let answer = app
        .door
        .decide_as_system(SystemReason::DevelopmentMailbox, "message_look", &request)
        .await?;
    let Json_::Array(told) = answer else {
        return Ok(vec![]);
    };
    let mut letters = vec![];
    for told in told {
        letters.push(letter(app, told).await?);
    }
    Ok(letters)
}

async fn letter(app: &App, told: Json_) -> Result<Letter, Fault> {
    let text = |from: &Json_, name: &str| from[name].as_str().map(str::to_owned);
    let kind = text(&told["letter"], "kind").unwrap_or_default();
    let organization = text(&told, "organization");
    let log = told["log"].clone();
    let delivered = told["letter"]["delivered_at"].is_string();
    let composed = match compose(app, told.clone()).await {
        Ok(composed) => composed.outgoing,
        // The others can be read all the same.
        Err(fault) => unmade(&told, &fault)?,
    };
    let source = match composed.channel.as_str() {
        "email" => email::of(&composed).ok(),
        _ => None,
    };
    let state = text(&log, "state").unwrap_or_else(|| match delivered {
        true => "sent".to_owned(),
        false => "queued".to_owned(),
    });
    Ok(Letter {
        id: composed.id,
        kind,
        from: format!("{} <{}>", composed.from_name, composed.from_address),
        channel: composed.channel,
        to: composed.to,
        subject: composed.subject,
        text: composed.text,
        html: composed.html,
        source: source.map(|mail| String::from_utf8_lossy(&mail.formatted()).into_owned()),
        calendar: composed.calendar,
        organization,
        state,
        failure: text(&log, "failure"),
        created_at: composed.written_at,
    })
}

/// In the place of a letter that nothing can be made of.
fn unmade(told: &Json_, fault: &Fault) -> Result<Outgoing, Fault> {
    let letter = &told["letter"];
    let text = |name: &str| letter[name].as_str().unwrap_or_default().to_owned();
    Ok(Outgoing {
        id: text("id").parse().map_err(Fault::internal)?,
        channel: text("channel"),
        from_name: "EventSphere".to_owned(),
        from_address: String::new(),
        reply_to: None,
        to: text("recipient"),
        subject: "(cannot be made)".to_owned(),
        text: fault.to_string(),
        html: None,
        calendar: None,
        unsubscribe_url: None,
        written_at: variables::instant(&letter["created_at"]).unwrap_or_default(),
    })
}

fn missing() -> Response {
    page::sentence(
        StatusCode::NOT_FOUND,
        "No such letter",
        "It may have been removed.",
    )
}

fn failed(fault: &Fault) -> Response {
    tracing::error!(error = ?fault, "the mailbox could not be read");
    page::sentence(
        StatusCode::SERVICE_UNAVAILABLE,
        "Not available",
        "The mail could not be read right now.",
    )
}
