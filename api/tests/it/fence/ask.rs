//! Who asks, and what comes back: the bytes of the answer, without the number of the request.

use serde_json::{Value, json};

use crate::harness::TestApp;

/// Somebody who can send a request.
#[derive(Clone, Debug)]
pub struct Who {
    /// How a failing test calls them.
    pub name: String,
    /// Access or API token.
    pub token: Option<String>,
    /// Guest secret.
    pub guest: Option<String>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body, with every request id blanked.
    pub text: String,
}

impl Answer {
    /// The body, read.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text))
    }

    /// The codes of its errors.
    pub fn codes(&self) -> Vec<String> {
        let body = self.json();
        let errors = body["errors"].as_array().cloned().unwrap_or_default();
        errors
            .iter()
            .filter_map(|error| error["extensions"]["code"].as_str().map(str::to_owned))
            .collect()
    }
}

impl Who {
    /// Nobody in particular.
    pub fn anonymous() -> Self {
        Self {
            name: "anonymous".to_owned(),
            token: None,
            guest: None,
        }
    }

    /// Whoever holds the token.
    pub fn with_token(name: impl Into<String>, token: &Value) -> Self {
        Self {
            name: name.into(),
            token: Some(token.as_str().expect("a token").to_owned()),
            guest: None,
        }
    }

    /// Whoever holds the guest secret.
    pub fn with_guest(name: impl Into<String>, secret: &Value) -> Self {
        Self {
            name: name.into(),
            token: None,
            guest: Some(secret.as_str().expect("a guest secret").to_owned()),
        }
    }

    /// Asks.
    pub async fn ask(&self, app: &TestApp, query: &str, variables: &Value) -> Answer {
        let mut request = app
            .http()
            .post(format!("{}/graphql", app.url))
            .header("accept", "application/graphql-response+json")
            .header("user-agent", format!("browser-of-{}", self.name))
            .json(&json!({ "query": query, "variables": variables }));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(guest) = &self.guest {
            request = request.header("x-guest-secret", guest);
        }
        let response = request.send().await.expect("an answer");
        Answer {
            status: response.status().as_u16(),
            text: without_chance(&response.text().await.expect("a body")),
        }
    }

    /// Asks, and takes nothing for an answer that failed for a reason that would hide a leak.
    pub async fn asks(&self, app: &TestApp, query: &str, variables: &Value) -> Answer {
        let answer = self.ask(app, query, variables).await;
        // A question that was refused whole would prove nothing.
        assert_eq!(
            answer.status, 200,
            "{} {query} {variables}: {}",
            self.name, answer.text
        );
        for code in answer.codes() {
            assert!(
                matches!(
                    code.as_str(),
                    "FORBIDDEN" | "UNAUTHENTICATED" | "NOT_FOUND" | "CONFLICT"
                ),
                "{} {query} {variables}: {}",
                self.name,
                answer.text
            );
        }
        answer
    }
}

/// What differs between two equal answers: the request's id, and what is left of the caller's own points.
fn without_chance(text: &str) -> String {
    let text = without(text, "\"requestId\":\"", '"');
    without(&text, "\"available\":", ',').replace("\"available\":,", "\"available\":0,")
}

/// The text without what stands between each mark and the next `end`.
fn without(text: &str, mark: &str, end: char) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(mark) {
        out.push_str(before);
        out.push_str(mark);
        rest = after.find(end).map_or("", |at| &after[at..]);
    }
    out.push_str(rest);
    out
}
