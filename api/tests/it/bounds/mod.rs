//! How much a caller may ask: points of cost, tries, operations at the same time, time, and what every answer says when
//! that is too much.

mod buckets;
mod explosions;
mod figures;
mod lanes;
mod pages;
mod rules;
mod shared;
mod together;
mod trouble;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{harness::TestApp, protocol::reply::Reply};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A visitor's question that may cost much and comes to little.
const WIDE: &str =
    "{ events(first: 100) { nodes { id venue { id } sessions(first: 3) { nodes { id } } } } }";

impl TestApp {
    /// What a visitor at this address is answered; the server must trust 127.0.0.1 as its proxy.
    async fn at_address(&self, address: &str, query: &str) -> Reply {
        let body = json!({ "query": query }).to_string();
        Reply::of(self.bytes(body).header("x-forwarded-for", address)).await
    }

    /// What the holder of this token is answered.
    async fn by_token(&self, token: &str, query: &str) -> Reply {
        let body = json!({ "query": query }).to_string();
        Reply::of(self.bytes(body).bearer_auth(token)).await
    }
}

/// `extensions.cost` of an answer.
#[track_caller]
fn cost(reply: &Reply) -> Value {
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()["extensions"]["cost"].clone()
}

/// Points left.
#[track_caller]
fn available(reply: &Reply) -> u64 {
    let available = &cost(reply)["throttle"]["available"];
    available.as_u64().unwrap_or_else(|| panic!("{reply:?}"))
}

/// It was held back, and says for how many seconds.
#[track_caller]
fn held_back(reply: &Reply) -> i64 {
    reply.refuses(429, "THROTTLED");
    let seconds = reply.headers["retry-after"].to_str().expect("ASCII");
    let seconds = seconds.parse().expect("whole seconds");
    assert!(seconds >= 1, "{reply:?}");
    seconds
}

/// The same of a page.
#[track_caller]
fn held_back_page(reply: &reqwest::Response) {
    assert_eq!(reply.status(), 429);
    assert_eq!(reply.headers()["content-type"], "application/problem+json");
    assert!(reply.headers().contains_key("retry-after"), "{reply:?}");
}

/// Waits until it is so.
async fn until(what: &str, mut so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !so().await {
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
