//! Requests that are no ordinary GraphQL, and what every refusal must look like.

use reqwest::{
    Method, RequestBuilder,
    header::{ACCEPT, CONTENT_TYPE, HeaderMap},
};
use serde_json::{Value, json};

use crate::harness::TestApp;

pub const GRAPHQL: &str = "application/graphql-response+json";

/// An answer, taken apart.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

/// Words that only our insides use: SQL, paths of sources, panics.
const INSIDES: [&str; 10] = [
    "::text",
    "es_public",
    "es_member",
    "panicked",
    ".rs:",
    "SQLSTATE",
    "sqlx",
    "tokio",
    "stack backtrace",
    "syntax error at",
];

impl Reply {
    pub async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.expect("an answer");
        Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.text().await.expect("text"),
        }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    pub fn content_type(&self) -> &str {
        self.headers[CONTENT_TYPE].to_str().expect("ASCII")
    }

    /// It is an answer in the form of GraphQL that says no more than it should.
    #[track_caller]
    pub fn is_sound(&self) -> &Self {
        let body = self.json();
        assert!(
            body.get("data").is_some() || body["errors"][0].is_object(),
            "{self:?}"
        );
        for error in body["errors"].as_array().into_iter().flatten() {
            let extensions = &error["extensions"];
            assert!(extensions["code"].is_string(), "{error}");
            assert_eq!(
                extensions["requestId"]
                    .as_str()
                    .expect("a request id")
                    .as_bytes(),
                self.headers["x-request-id"].as_bytes()
            );
            let message = error["message"].as_str().expect("a message");
            for word in INSIDES {
                assert!(!message.contains(word), "{word}: {message}");
            }
        }
        self
    }

    /// It refuses the whole request with this status and code.
    #[track_caller]
    pub fn refuses(&self, status: u16, code: &str) {
        let body = self.is_sound().json();
        assert_eq!(self.status, status, "{self:?}");
        assert!(body.get("data").is_none(), "{self:?}");
        assert_eq!(body["errors"][0]["extensions"]["code"], code, "{self:?}");
    }
}

impl TestApp {
    /// A request to the API with nothing set.
    pub fn bare(&self, method: Method) -> RequestBuilder {
        self.http().request(method, format!("{}/graphql", self.url))
    }

    /// A POST of these bytes, as JSON.
    pub fn bytes(&self, body: impl Into<reqwest::Body>) -> RequestBuilder {
        self.bare(Method::POST)
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, GRAPHQL)
            .body(body)
    }

    /// The answer to an operation, whole.
    pub async fn reply(&self, query: &str, variables: Value) -> Reply {
        let body = json!({ "query": query, "variables": variables }).to_string();
        Reply::of(self.bytes(body)).await
    }

    /// The process is alive and answers.
    pub async fn lives(&self) {
        let reply = self.reply("{ events { totalCount } }", json!({})).await;
        assert_eq!(reply.status, 200, "{reply:?}");
    }
}
