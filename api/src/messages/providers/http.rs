//! What providers over HTTP share: one request within the configured time, and what its answer means to us.

use reqwest::{Client, RequestBuilder, StatusCode, header::RETRY_AFTER};
use serde_json::Value as Json;

use super::{Refused, reason};

/// How much of an answer is read.
const MOST: usize = 64 * 1024;

/// An answer that says yes.
pub(super) struct Answer {
    /// A header of it.
    pub message_id: Option<String>,
    /// Its body, `null` where that is no JSON.
    pub body: Json,
}

/// A client that follows nobody elsewhere: what we send holds codes.
pub(in crate::messages) fn client(timeout: std::time::Duration) -> Result<Client, reqwest::Error> {
    Client::builder()
        .timeout(timeout)
        .redirect(reqwest::redirect::Policy::none())
        .build()
}

/// Sends it. Of a refusal `reading` says what was wrong, and whether it is the address.
pub(super) async fn send(
    request: RequestBuilder,
    reading: impl Fn(&Json) -> (String, bool),
) -> Result<Answer, Refused> {
    let mut response = request.send().await.map_err(|error| {
        // The address may hold the account's name; what went wrong is for operators.
        tracing::warn!(error = %error.without_url(), "a provider of messages could not be reached");
        Refused::Later("the provider could not be reached".to_owned(), None)
    })?;
    let status = response.status();
    let header = |name: &str| {
        let value = response.headers().get(name)?.to_str().ok()?;
        Some(value.to_owned())
    };
    let message_id = header("x-message-id");
    let after = header(RETRY_AFTER.as_str()).and_then(|seconds| seconds.parse().ok());
    let mut bytes: Vec<u8> = vec![];
    while let Ok(Some(chunk)) = response.chunk().await {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > MOST {
            break;
        }
    }
    let body: Json = serde_json::from_slice(&bytes).unwrap_or(Json::Null);
    if status.is_success() {
        return Ok(Answer { message_id, body });
    }
    let (said, is_address) = reading(&body);
    let said = reason(&format!("{} {said}", status.as_u16()));
    Err(match status {
        StatusCode::TOO_MANY_REQUESTS => Refused::Later(said, after),
        StatusCode::REQUEST_TIMEOUT => Refused::Later(said, after),
        _ if status.is_server_error() => Refused::Later(said, after),
        _ if is_address => Refused::NoSuchRecipient(said),
        _ => Refused::Rejected(said),
    })
}
