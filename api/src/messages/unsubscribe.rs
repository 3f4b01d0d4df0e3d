//! One click ends messages that one can do without (RFC 8058). The link is signed, so that nobody ends another's; a reader
//! who follows it sees a page with a button, for programs that look at links must end nothing.

use axum::{
    Router,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use uuid::Uuid;

use crate::{
    fault::Fault,
    http::Problem,
    state::App,
    statements::run,
    tenancy::SystemReason,
    vault::{self, Purpose},
};

/// Bytes of the signature that are kept.
const SIGNED: usize = 18;

/// `/unsubscribe/{token}`.
pub(super) fn routes() -> Router<App> {
    Router::new().route("/unsubscribe/{token}", get(ask).post(end))
}

/// Whose messages end for whom.
#[derive(Debug, PartialEq, Eq)]
struct Wish {
    org_id: Uuid,
    channel: String,
    address: String,
}

/// The link for a recipient.
pub(super) fn url(app: &App, org_id: Uuid, channel: &str, address: &str) -> Result<String, Fault> {
    let address = address.to_lowercase();
    let said = said(org_id, channel, &address);
    let signature = signature(app, &said)?;
    let mut token = signature.to_vec();
    token.extend_from_slice(&said);
    Ok(format!(
        "{}/unsubscribe/{}",
        app.posture.public_url,
        URL_SAFE_NO_PAD.encode(token)
    ))
}

fn said(org_id: Uuid, channel: &str, address: &str) -> Vec<u8> {
    let mut said = org_id.as_bytes().to_vec();
    said.extend_from_slice(channel.as_bytes());
    said.push(b' ');
    said.extend_from_slice(address.as_bytes());
    said
}

fn signature(app: &App, said: &[u8]) -> Result<[u8; SIGNED], Fault> {
    let mac = app
        .vault
        .mac(Purpose::Unsubscribe, &[said])
        .map_err(Fault::internal)?;
    let mut signature = [0; SIGNED];
    signature.copy_from_slice(&mac[..SIGNED]);
    Ok(signature)
}

fn read(app: &App, token: &str) -> Result<Option<Wish>, Fault> {
    let Ok(token) = URL_SAFE_NO_PAD.decode(token) else {
        return Ok(None);
    };
    let Some((signed, said)) = token.split_at_checked(SIGNED) else {
        return Ok(None);
    };
    if !vault::same(signed, &signature(app, said)?) {
        return Ok(None);
    }
    let wish = || {
        let (org_id, rest) = said.split_at_checked(16)?;
        let (channel, address) = std::str::from_utf8(rest).ok()?.split_once(' ')?;
        Some(Wish {
            org_id: Uuid::from_slice(org_id).ok()?,
            channel: channel.to_owned(),
            address: address.to_owned(),
        })
    };
    Ok(wish())
}

fn missing() -> Problem {
    Fault::NotFound("this link does not end anything".to_owned()).into()
}

async fn ask(State(app): State<App>, Path(token): Path<String>) -> Result<Response, Problem> {
    let wish = read(&app, &token)?.ok_or_else(missing)?;
    let html = format!(
        "<h1>No more reminders?</h1><p>{} gets no more reminders from this organizer. What belongs to a purchase, such as a \
         confirmation, is still sent.</p><form method=\"post\"><button>Unsubscribe</button></form>",
        super::mailbox::escaped(&wish.address)
    );
    Ok(page(&html))
}

async fn end(State(app): State<App>, Path(token): Path<String>) -> Result<Response, Problem> {
    let wish = read(&app, &token)?.ok_or_else(missing)?;
    let tx = app
        .door
        .system_at(SystemReason::Messages, wish.org_id)
        .await
        .map_err(Fault::from)?;
    run(
        &tx,
        "insert into message_suppressions (org_id, channel, address, reason) \
         select id, $2, $3, 'unsubscribe' from organizations where id = $1 \
         on conflict on constraint message_suppressions_key do nothing",
        [wish.org_id.into(), wish.channel.into(), wish.address.into()],
    )
    .await
    .map_err(Fault::from)?;
    tx.commit().await.map_err(Fault::from)?;
    Ok(page("<h1>Done</h1><p>There will be no more reminders.</p>"))
}

fn page(body: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>Unsubscribe</title><style>\
         body{{font:17px/1.6 system-ui,sans-serif;max-width:34rem;margin:12vh auto;padding:0 1.25rem;color:#1c1e21;\
         background:#fff}}h1{{font-size:1.5rem}}button{{font:inherit;font-weight:600;padding:.7rem 1.4rem;border:0;\
         border-radius:.4rem;background:#1f3a5f;color:#fff;cursor:pointer}}@media(prefers-color-scheme:dark){{\
         body{{background:#16181c;color:#e8eaed}}button{{background:#8fb0ff;color:#16181c}}}}</style></head>\
         <body>{body}</body></html>"
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (StatusCode::OK, headers, html).into_response()
}
