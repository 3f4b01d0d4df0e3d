//! The development mailbox: mail that was written, readable at `/dev/mailbox`. It shows codes that open accounts, so
//! the routes are mounted in development only. Everything is escaped, nothing runs scripts or loads from elsewhere.

use std::fmt::Write as _;

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{fault::Fault, state::App, statements::all, tenancy::SystemReason};

/// How many letters are listed.
const NEWEST: i64 = 200;

/// `/dev/mailbox`, `/dev/mailbox/{id}` and `/dev/mailbox.json?to=...`, for development only.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/dev/mailbox", get(list))
        .route("/dev/mailbox/{id}", get(show))
        .route("/dev/mailbox.json", get(list_json))
}

#[derive(Debug, Default, Deserialize)]
struct Wanted {
    /// Only mail to this address.
    to: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    id: Uuid,
    kind: String,
    to: String,
    subject: String,
    body: String,
    created_at: DateTime<Utc>,
}

async fn list(State(app): State<App>, Query(wanted): Query<Wanted>) -> Response {
    match read(&app, None, wanted.to).await {
        Ok(messages) => page(StatusCode::OK, "Mailbox", &rows(&messages)),
        Err(fault) => failed(&fault),
    }
}

async fn show(State(app): State<App>, Path(id): Path<String>) -> Response {
    let Ok(id) = id.parse() else {
        return missing();
    };
    match read(&app, Some(id), None).await {
        Ok(messages) => match messages.first() {
            Some(message) => page(StatusCode::OK, &message.subject, &letter(message)),
            None => missing(),
        },
        Err(fault) => failed(&fault),
    }
}

async fn list_json(State(app): State<App>, Query(wanted): Query<Wanted>) -> Response {
    match read(&app, None, wanted.to).await {
        Ok(messages) => {
            let mut response = Json(serde_json::json!({ "messages": messages })).into_response();
            no_store(&mut response);
            response
        }
        Err(fault) => failed(&fault),
    }
}

async fn read(app: &App, id: Option<Uuid>, to: Option<String>) -> Result<Vec<Message>, Fault> {
    let to = to.map(|to| to.trim().to_lowercase().replace('\0', ""));
    let tx = app.door.system(SystemReason::DevelopmentMailbox).await?;
    let rows = all(
        &tx,
        "select id, kind, recipient, subject, body_text, created_at from mail_messages \
         where ($1::uuid is null or id = $1) and ($2::text is null or recipient = $2) \
         order by created_at desc, id desc limit $3",
        [id.into(), to.into(), NEWEST.into()],
    )
    .await?;
    tx.commit().await?;
    rows.iter()
        .map(|row| {
            Ok(Message {
                id: row.try_get("", "id")?,
                kind: row.try_get("", "kind")?,
                to: row.try_get("", "recipient")?,
                subject: row.try_get("", "subject")?,
                body: row.try_get("", "body_text")?,
                created_at: row.try_get("", "created_at")?,
            })
        })
        .collect()
}

fn rows(messages: &[Message]) -> String {
    if messages.is_empty() {
        return "<p class=\"empty\">No mail yet.</p>".to_owned();
    }
    let mut html = String::from(
        "<table><thead><tr><th>When (UTC)</th><th>To</th><th>Subject</th></tr></thead><tbody>",
    );
    for message in messages {
        // Writing to a String does not fail.
        let _ = write!(
            html,
            "<tr><td>{}</td><td>{}</td><td><a href=\"/dev/mailbox/{}\">{}</a></td></tr>",
            message.created_at.format("%Y-%m-%d %H:%M:%S"),
            escaped(&message.to),
            message.id,
            escaped(&message.subject),
        );
    }
    html.push_str("</tbody></table>");
    html
}

fn letter(message: &Message) -> String {
    format!(
        "<p><a href=\"/dev/mailbox\">All mail</a></p><dl><dt>To</dt><dd>{}</dd><dt>Kind</dt><dd>{}</dd>\
         <dt>When</dt><dd>{} UTC</dd></dl><pre>{}</pre>",
        escaped(&message.to),
        escaped(&message.kind),
        message.created_at.format("%Y-%m-%d %H:%M:%S"),
        escaped(&message.body),
    )
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem;\
color:#1c1e21;background:#fff}h1{font-size:1.4rem}table{border-collapse:collapse;width:100%}\
th,td{text-align:left;padding:.4rem .6rem;border-bottom:1px solid #ddd;vertical-align:top}\
td:first-child{white-space:nowrap;color:#555}a{color:#1f4ed8}dl{display:grid;grid-template-columns:6rem 1fr}\
dt{color:#555}dd{margin:0}pre{white-space:pre-wrap;overflow-wrap:anywhere;padding:1rem;background:#f5f6f8;\
border-radius:.5rem;font:inherit}.empty{color:#555}\
@media(prefers-color-scheme:dark){body{background:#16181c;color:#e8eaed}th,td{border-color:#333}\
pre{background:#22252b}a{color:#8fb0ff}td:first-child,dt,.empty{color:#aaa}}";

fn page(status: StatusCode, title: &str, body: &str) -> Response {
    let title = escaped(title);
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>{title} - EventSphere mailbox</title><style>{STYLE}</style></head>\
         <body><h1>{title}</h1>{body}</body></html>"
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    let mut response = (status, headers, html).into_response();
    no_store(&mut response);
    response
}

fn no_store(response: &mut Response) {
    response.headers_mut().insert(
        header::CACHE_CONTROL,
        header::HeaderValue::from_static("no-store"),
    );
}

fn missing() -> Response {
    let body = "<p>There is no such mail. <a href=\"/dev/mailbox\">All mail</a></p>";
    page(StatusCode::NOT_FOUND, "No such mail", body)
}

fn failed(fault: &Fault) -> Response {
    tracing::error!(error = ?fault, "the mailbox could not be read");
    let body = "<p>The mail could not be read right now.</p>";
    page(StatusCode::SERVICE_UNAVAILABLE, "Not available", body)
}

/// Text as HTML text or attribute value.
fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> Message {
        Message {
            id: Uuid::nil(),
            kind: text.into(),
            to: text.into(),
            subject: text.into(),
            body: text.into(),
            created_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn nothing_in_a_letter_becomes_markup() {
        let evil = "<script>alert('x')</script>\"&";
        for html in [rows(&[message(evil)]), letter(&message(evil))] {
            assert!(!html.contains("<script"), "{html}");
            assert!(html.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;&amp;"));
        }
    }

    #[test]
    fn an_empty_mailbox_says_so() {
        assert!(rows(&[]).contains("No mail yet"));
    }

    #[test]
    fn pages_run_no_scripts_and_are_not_kept() {
        let response = page(StatusCode::OK, "<b>", "");
        let headers = response.headers();
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'"));
        assert!(!policy.contains("script-src"));
        assert_eq!(headers[header::CACHE_CONTROL], "no-store");
    }
}
