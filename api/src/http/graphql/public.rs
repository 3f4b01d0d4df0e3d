//! Answers that caches may keep: what a visitor got by GET, without a token, without a secret, without an error.
//!
//! They hold `data` and nothing of the single request (no cost, no request id), so equal data is equal bytes, and the
//! entity tag is a hash of them. That they hold nothing private is no rule to be kept here: a visitor's transaction
//! cannot read anything else.

use std::time::Duration;

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use eventsphere_graphql::answer::Answer;
use sha2::{Digest, Sha256};

use super::{build, set};
use crate::{
    http::{accept::MediaType, deprecation},
    metrics::Ended,
    tenancy::{Actor, ActorKind},
    vault::hex,
};

/// Whether this is nobody in particular: what they see, everybody may see.
pub(super) fn is_anybody(actor: &Actor) -> bool {
    actor.kind == ActorKind::Anonymous && actor.guest.secret_hashes.is_empty()
}

/// The answer for caches, if it is one: nothing failed, nobody was held back.
pub(super) fn respond(
    answer: &Answer,
    media_type: MediaType,
    asked: &HeaderMap,
    max_age: Duration,
) -> Option<Response> {
    if answer.retry_after_seconds.is_some() {
        return None;
    }
    let data = answer.body.get(answer.data.clone()?)?;
    let body = format!("{{\"data\":{data}}}");
    let tag = tag(media_type, &body);
    let mut response = match already_there(asked, &tag) {
        true => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response
        }
        false => build(StatusCode::OK, media_type, body),
    };
    let seconds = max_age.as_secs();
    let control = match seconds {
        // What is left of a ticket type, or what it costs now, is true at this instant or not told.
        seconds if seconds == 0 || answer.of_now => "public, no-cache".to_owned(),
        // The oldest that anybody is shown is twice the age.
        _ => format!("public, max-age={seconds}, stale-while-revalidate={seconds}"),
    };
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static(super::VARY));
    set(headers, header::CACHE_CONTROL, &control);
    set(headers, header::ETAG, &tag);
    deprecation::announce(headers, &answer.deprecated);
    response.extensions_mut().insert(Ended::Executed);
    Some(response)
}

/// Of the bytes and of how they are called: two representations never have the same tag.
fn tag(media_type: MediaType, body: &str) -> String {
    let hash = Sha256::new()
        .chain_update(media_type.content_type())
        .chain_update([0])
        .chain_update(body)
        .finalize();
    format!("\"{}\"", hex(&hash[..16]))
}

/// Whether `If-None-Match` names the tag (RFC 9110, 13.1.2).
pub(super) fn already_there(asked: &HeaderMap, tag: &str) -> bool {
    asked
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
}
