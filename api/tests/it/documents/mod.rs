//! Documents by their hash, answers that caches keep, and tokens that execute registered documents only.

mod automatic;
mod public;
mod trusted;

use reqwest::{
    RequestBuilder,
    header::{ACCEPT, CONTENT_TYPE},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    harness::TestApp,
    protocol::reply::{GRAPHQL, Reply},
};

/// SHA-256 of the text in hexadecimal digits.
fn hash(text: &str) -> String {
    let hash = Sha256::digest(text.as_bytes());
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// As Apollo's clients say it.
fn extension(hash: &str) -> Value {
    json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } })
}

/// A POST of this request, by this token if there is one.
fn post(app: &TestApp, token: Option<&str>, body: &Value) -> RequestBuilder {
    let request = app.bytes(body.to_string());
    match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    }
}

async fn posted(app: &TestApp, token: Option<&str>, body: Value) -> Reply {
    Reply::of(post(app, token, &body)).await
}

/// A GET with these parameters.
fn get(app: &TestApp, pairs: &[(&str, &str)]) -> RequestBuilder {
    let escaped = |text: &str| -> String { text.bytes().map(|b| format!("%{b:02x}")).collect() };
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{name}={}", escaped(value)))
        .collect();
    let url = format!("{}/graphql?{}", app.url, pairs.join("&"));
    app.http()
        .get(url)
        .header(ACCEPT, GRAPHQL)
        .header(CONTENT_TYPE, "application/json")
}

/// It says that the document is not known, as clients look for it, and no cache may keep that.
#[track_caller]
fn misses(reply: &Reply) {
    reply.refuses(400, "PERSISTED_QUERY_NOT_FOUND");
    assert_eq!(
        reply.json()["errors"][0]["message"],
        "PersistedQueryNotFound"
    );
    assert_eq!(reply.headers["cache-control"], "no-store");
}
