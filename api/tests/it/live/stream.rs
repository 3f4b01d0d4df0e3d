//! The same by server-sent events, in distinct connections.

use serde_json::{Value, json};

use super::{AVAILABILITY, REGISTRATIONS, Stage};

/// An event stream under way.
pub struct Stream {
    response: reqwest::Response,
    held: String,
}

impl Stream {
    pub async fn open(request: reqwest::RequestBuilder, query: &str, variables: Value) -> Self {
        let request = request.header("accept", "text/event-stream");
        let request = request.json(&json!({ "query": query, "variables": variables }));
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), 200);
        assert_eq!(
            response.headers()["content-type"],
            "text/event-stream; charset=utf-8"
        );
        Self {
            response,
            held: String::new(),
        }
    }

    /// The next event: its name and data; nothing when the stream has ended.
    pub async fn next(&mut self) -> Option<(String, String)> {
        loop {
            while let Some((event, rest)) = self.held.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.held = rest;
                let field = |name: &str| {
                    let mut lines = event.lines();
                    lines
                        .find_map(|line| line.strip_prefix(name))
                        .map(|text| text.trim().to_owned())
                };
                if let Some(name) = field("event:") {
                    return Some((name, field("data:").unwrap_or_default()));
                }
            }
            let chunk = self.response.chunk().await.ok()??;
            self.held
                .push_str(std::str::from_utf8(&chunk).expect("UTF-8"));
        }
    }

    /// The payload of the next event, which must be a `next`.
    pub async fn told(&mut self) -> Value {
        let (name, data) = self.next().await.expect("an event");
        assert_eq!(name, "next");
        serde_json::from_str(&data).expect("JSON")
    }

    pub async fn completes(&mut self) {
        assert_eq!(
            self.next().await,
            Some(("complete".to_owned(), String::new()))
        );
        assert_eq!(self.next().await, None);
    }
}

fn post(stage: &Stage) -> reqwest::RequestBuilder {
    stage
        .app
        .http()
        .post(format!("{}/graphql/stream", stage.app.url))
}

#[tokio::test]
async fn a_stream_tells_the_same() {
    let stage = Stage::set(&[]).await;
    let as_member = post(&stage).bearer_auth(&stage.organizer.token);
    let mut member = Stream::open(as_member, REGISTRATIONS, json!({})).await;
    let mut visitor = Stream::open(
        post(&stage),
        AVAILABILITY,
        json!({ "eventId": stage.event["id"] }),
    )
    .await;
    assert_eq!(
        member.told().await["data"]["registrationChanged"]["type"],
        "subscription.started"
    );
    visitor.told().await;
    let (_, id) = stage.place().await;
    let told = member.told().await;
    assert_eq!(
        told["data"]["registrationChanged"]["registration"]["id"],
        id
    );
    let told = visitor.told().await;
    let left =
        &told["data"]["availabilityChanged"]["event"]["ticketTypes"]["nodes"][0]["available"];
    assert_eq!(*left, 49);
    // The program that stops ends it without a `complete`: clients come back.
    stage.app.app.live.stopping().cancel();
    assert_eq!(visitor.next().await, None);
    stage.end().await;
}

#[tokio::test]
async fn anything_else_is_a_stream_of_one_answer() {
    let stage = Stage::set(&[]).await;
    let mut query = Stream::open(post(&stage), "{ events { totalCount } }", json!({})).await;
    assert_eq!(query.told().await["data"]["events"]["totalCount"], 1);
    query.completes().await;
    for (bad, code) in [
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        (
            "subscription { registrationChanged { id } }",
            "UNAUTHENTICATED",
        ),
        ("{", "GRAPHQL_PARSE_FAILED"),
    ] {
        let mut refused = Stream::open(post(&stage), bad, json!({})).await;
        assert_eq!(
            refused.told().await["errors"][0]["extensions"]["code"],
            code,
            "{bad}"
        );
        refused.completes().await;
    }
    stage.end().await;
}

#[tokio::test]
async fn what_is_no_stream_is_refused_by_its_status() {
    let stage = Stage::set(&[]).await;
    let body = json!({ "query": "{ __typename }" });
    let status = async |request: reqwest::RequestBuilder| {
        request.send().await.expect("an answer").status().as_u16()
    };
    assert_eq!(
        status(
            post(&stage)
                .header("accept", "application/json")
                .json(&body)
        )
        .await,
        406
    );
    assert_eq!(
        status(post(&stage).header("accept", "text/event-stream").body("x")).await,
        415
    );
    let wrong = post(&stage)
        .header("accept", "text/event-stream")
        .bearer_auth("nonsense")
        .json(&body);
    assert_eq!(status(wrong).await, 401);
    let url = format!("{}/graphql/stream", stage.app.url);
    assert_eq!(status(stage.app.http().put(&url)).await, 405);
    // By GET, as a browser's EventSource asks; but nothing is changed so.
    let get = |query: &str| {
        let url = reqwest::Url::parse_with_params(&url, &[("query", query)]).expect("an address");
        let request = stage.app.http().get(url);
        request.header("accept", "text/event-stream")
    };
    let text = get("{ __typename }")
        .send()
        .await
        .expect("an answer")
        .text()
        .await
        .expect("a text");
    assert!(
        text.contains("\"__typename\":\"Query\"") && text.ends_with("event: complete\ndata: \n\n"),
        "{text}"
    );
    let text = get("mutation { signOut(input: {}) { query { __typename } } }")
        .send()
        .await
        .expect("an answer");
    assert!(
        text.text()
            .await
            .expect("a text")
            .contains("BAD_USER_INPUT")
    );
    stage.end().await;
}
