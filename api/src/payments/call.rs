//! Calls to providers over HTTP: within a time limit, repeated where that can do no harm, and answered in four ways: done,
//! refused, not known, not let in.

use std::time::Duration;

use reqwest::{RequestBuilder, StatusCode};
use serde_json::Value as Json;

use super::{Account, CallFailed, Capabilities};
use crate::state::App;

/// How much of an answer is read, in bytes.
const MOST: usize = 1024 * 1024;

/// How often a call is made at most.
pub(super) const TRIES: u32 = 3;

/// Whether a call may be made again when nobody knows what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    /// It only reads, or carries a key by which the provider knows it again.
    Harmless,
    /// It would be done twice.
    Never,
}

/// What a provider answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub status: StatusCode,
    /// `null` where it is no JSON.
    pub body: Json,
}

impl Answer {
    /// The body of what was done; else the provider's word for why not, read by `word`.
    pub fn done(self, word: impl Fn(&Json) -> Option<&str>) -> Result<Json, CallFailed> {
        match self.status.is_success() {
            true => Ok(self.body),
            false => Err(self.refused(word)),
        }
    }

    /// The same where "there is no such thing" is an answer too.
    pub fn found(self, word: impl Fn(&Json) -> Option<&str>) -> Result<Option<Json>, CallFailed> {
        match self.status {
            StatusCode::NOT_FOUND => Ok(None),
            _ => self.done(word).map(Some),
        }
    }

    /// Why not.
    pub fn refused(&self, word: impl Fn(&Json) -> Option<&str>) -> CallFailed {
        let word = word(&self.body).map_or_else(
            || format!("status_{}", self.status.as_u16()),
            |word| word.chars().take(100).collect(),
        );
        match self.status {
            StatusCode::UNAUTHORIZED => CallFailed::Misconfigured(word),
            _ => CallFailed::Refused(word),
        }
    }
}

/// Where a provider is reached for that account.
pub(super) fn base(app: &App, provider: &Capabilities, account: &Account) -> String {
    let (live, test) = provider.urls;
    let theirs = if account.live { live } else { test };
    let ours = app.payments.urls.get(provider.name);
    ours.map_or_else(|| theirs.to_owned(), Clone::clone)
}

/// Makes the call. An error says that nobody knows what was done.
pub(super) async fn send(
    app: &App,
    request: RequestBuilder,
    again: Again,
) -> Result<Answer, CallFailed> {
    let limit = match again {
        Again::Harmless => app.payments.call_limit / 2,
        Again::Never => app.payments.call_limit,
    };
    let mut request = request.timeout(limit);
    for tried in 1.. {
        let next = request.try_clone();
        let answer = attempt(request).await;
        let unknown = match answer {
            Ok(answer) => return Ok(answer),
            Err(unknown) => unknown,
        };
        let may = again == Again::Harmless || unknown.unsent;
        match next.filter(|_| may && tried < TRIES) {
            Some(next) => request = next,
            None => return Err(CallFailed::Unknown(unknown.reason)),
        }
        pause(tried).await;
    }
    Err(CallFailed::Unknown("the provider was not asked".to_owned()))
}

/// Before the call is made once more, after so many times.
pub(super) async fn pause(tried: u32) {
    tokio::time::sleep(Duration::from_millis(150) * 2u32.pow(tried)).await;
}

/// Whether a status says nothing of what was done.
pub(super) fn is_undecided(status: u16) -> bool {
    matches!(status, 408 | 409 | 425 | 429 | 500..)
}

/// Nobody knows.
struct Unanswered {
    reason: String,
    /// Whether it is sure that the provider never got it.
    unsent: bool,
}

async fn attempt(request: RequestBuilder) -> Result<Answer, Unanswered> {
    let unanswered = |reason: &str| Unanswered {
        reason: reason.to_owned(),
        unsent: false,
    };
    let mut response = request.send().await.map_err(|error| {
        let unsent = error.is_connect();
        // The address may hold references; what went wrong is for operators.
        tracing::warn!(error = %error.without_url(), "a payment provider gave no answer");
        Unanswered {
            reason: "the provider could not be reached".to_owned(),
            unsent,
        }
    })?;
    let status = response.status();
    let mut bytes: Vec<u8> = vec![];
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if bytes.len() + chunk.len() <= MOST => {
                bytes.extend_from_slice(&chunk);
            }
            Ok(None) => break,
            Ok(Some(_)) => return Err(unanswered("the provider's answer is too long")),
            Err(_) => return Err(unanswered("the provider's answer broke off")),
        }
    }
    if is_undecided(status.as_u16()) {
        let reason = format!("the provider answered with {}", status.as_u16());
        return Err(unanswered(&reason));
    }
    let body = serde_json::from_slice(&bytes).unwrap_or(Json::Null);
    if status.is_success() && body.is_null() {
        return Err(unanswered("the provider's answer cannot be read"));
    }
    Ok(Answer { status, body })
}

/// A text of an answer that must be there.
pub(super) fn text<'a>(body: &'a Json, pointer: &str) -> Result<&'a str, CallFailed> {
    body.pointer(pointer)
        .and_then(Json::as_str)
        .ok_or_else(|| CallFailed::Unknown(format!("the provider's answer lacks {pointer}")))
}
