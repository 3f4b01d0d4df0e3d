//! GraphQL over HTTP, to the letter of its standard.

use reqwest::{
    Method,
    header::{ACCEPT, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE},
};
use serde_json::{Value, json};

use super::reply::{GRAPHQL, Reply};
use crate::harness::TestApp;

const JSON: &str = "application/json";

#[tokio::test]
async fn the_accept_header_chooses_the_media_type() {
    let app = TestApp::start().await;
    for (accept, expected) in [
        (None, JSON),
        (Some("*/*"), JSON),
        (Some("application/*"), JSON),
        (Some(JSON), JSON),
        (Some(GRAPHQL), GRAPHQL),
        (
            Some("text/html, application/graphql-response+json;q=0.2"),
            GRAPHQL,
        ),
        (
            Some("application/json;q=0.1, application/graphql-response+json"),
            GRAPHQL,
        ),
        (Some("application/json;q=0, */*"), GRAPHQL),
        (
            Some(
                "application/graphql-response+json; charset=utf-8, application/json; charset=utf-8",
            ),
            GRAPHQL,
        ),
    ] {
        let mut request = app
            .bare(Method::POST)
            .json(&json!({ "query": "{ __typename }" }));
        if let Some(accept) = accept {
            request = request.header(ACCEPT, accept);
        }
        let reply = Reply::of(request).await;
        assert_eq!(reply.status, 200, "{accept:?}");
        assert_eq!(
            reply.content_type(),
            format!("{expected}; charset=utf-8"),
            "{accept:?}"
        );
        assert_eq!(reply.json()["data"], json!({ "__typename": "Query" }));
    }
    for accept in [
        "text/html",
        "application/json;q=0",
        "application/json; charset=utf-16",
        "*/*;q=0",
    ] {
        let request = app.bare(Method::POST).header(ACCEPT, accept);
        let reply = Reply::of(request.json(&json!({ "query": "{ __typename }" }))).await;
        reply.refuses(406, "BAD_USER_INPUT");
    }
}

#[tokio::test]
async fn the_status_says_how_far_a_request_came() {
    let app = TestApp::start().await;
    for (query, code) in [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("", "GRAPHQL_PARSE_FAILED"),
        ("{ nothingLikeThis }", "GRAPHQL_VALIDATION_FAILED"),
        (
            "query($a: Int!) { events(first: $a) { totalCount } }",
            "BAD_USER_INPUT",
        ),
    ] {
        app.reply(query, json!({})).await.refuses(400, code);
        let request = app.bare(Method::POST).header(ACCEPT, JSON);
        let reply = Reply::of(request.json(&json!({ "query": query }))).await;
        reply.refuses(200, code);
    }
    // What was executed is 200 whatever befell a field.
    let reply = app
        .reply(
            "{ events { totalCount } registrations { totalCount } }",
            json!({}),
        )
        .await;
    assert_eq!(reply.is_sound().status, 200);
    let body = reply.json();
    assert_eq!(
        body["data"],
        json!({ "events": { "totalCount": 0 }, "registrations": null })
    );
    assert_eq!(body["errors"][0]["path"], json!(["registrations"]));
    assert_eq!(body["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
}

#[tokio::test]
async fn the_body_must_be_one_request_in_json() {
    let app = TestApp::start().await;
    for body in [
        "",
        "{",
        "null",
        "5",
        "\"{ __typename }\"",
        "[]",
        r#"[{"query":"{ __typename }"}]"#,
        "{}",
        r#"{"query":null}"#,
        r#"{"query":5}"#,
        r#"{"query":["{ __typename }"]}"#,
        r#"{"query":"{ __typename }","variables":"{}"}"#,
        r#"{"query":"{ __typename }","variables":[1]}"#,
        r#"{"query":"{ __typename }","operationName":5}"#,
        r#"{"query":"{ __typename }","extensions":"a"}"#,
        r#"{"query":"{ __typename }"} x"#,
        r#"{"query":"\ud800"}"#,
    ] {
        Reply::of(app.bytes(body))
            .await
            .refuses(400, "BAD_USER_INPUT");
    }
    Reply::of(app.bytes(b"{\"query\":\"{ __typename }\xff\"}".to_vec()))
        .await
        .refuses(400, "BAD_USER_INPUT");
    Reply::of(app.bytes(vec![0u8; 20]))
        .await
        .refuses(400, "BAD_USER_INPUT");
    let deep = format!(
        r#"{{"query":"{{ __typename }}","variables":{}1{}}}"#,
        "[".repeat(5000),
        "]".repeat(5000)
    );
    Reply::of(app.bytes(deep))
        .await
        .refuses(400, "BAD_USER_INPUT");
    // What may be left out, and what nobody knows.
    for body in [
        r#"{"query":"{ __typename }","variables":null,"operationName":null,"extensions":null,"id":7}"#,
        r#"{"query":"{ __typename }","variables":{"unknown":[1]},"extensions":{"a":{}}}"#,
    ] {
        assert_eq!(Reply::of(app.bytes(body)).await.status, 200, "{body}");
    }
    app.lives().await;
}

#[tokio::test]
async fn only_json_is_taken_and_not_too_much_of_it() {
    let app = TestApp::start().await;
    let body = r#"{"query":"{ __typename }"}"#;
    for kind in [
        "application/x-www-form-urlencoded",
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/graphql",
        "application/json; charset=utf-16",
        "application/jsonp",
    ] {
        let request = app.bare(Method::POST).header(CONTENT_TYPE, kind).body(body);
        Reply::of(request).await.refuses(415, "BAD_USER_INPUT");
    }
    Reply::of(app.bare(Method::POST).body(body))
        .await
        .refuses(415, "BAD_USER_INPUT");
    let packed = app.bytes(body).header(CONTENT_ENCODING, "gzip");
    Reply::of(packed).await.refuses(415, "BAD_USER_INPUT");
    for kind in [
        "application/json; charset=utf-8",
        "Application/JSON;charset=\"UTF-8\"",
    ] {
        let request = app.bare(Method::POST).header(CONTENT_TYPE, kind).body(body);
        assert_eq!(Reply::of(request).await.status, 200, "{kind}");
    }
    for bytes in [256 * 1024 + 1, 10 * 1024 * 1024] {
        let body = format!(r#"{{"query":"{}"}}"#, " ".repeat(bytes));
        Reply::of(app.bytes(body))
            .await
            .refuses(413, "BAD_USER_INPUT");
    }
    app.lives().await;
}

#[tokio::test]
async fn get_takes_queries_and_nothing_else() {
    let app = TestApp::start().await;
    let get = async |pairs: &[(&str, &str)]| {
        let pairs: Vec<String> = pairs
            .iter()
            .map(|(name, value)| format!("{name}={}", escaped(value)))
            .collect();
        let url = format!("{}/graphql?{}", app.url, pairs.join("&"));
        Reply::of(app.http().get(url).header(ACCEPT, GRAPHQL)).await
    };
    let reply = get(&[
        (
            "query",
            "query A($n: Int) { events(first: $n) { totalCount } } query B { __typename }",
        ),
        ("operationName", "A"),
        ("variables", r#"{"n":1}"#),
        ("extensions", "{}"),
    ])
    .await;
    assert_eq!(
        reply.json()["data"],
        json!({ "events": { "totalCount": 0 } })
    );

    let mutation = "mutation { signOut(input: {}) { signedOut } }";
    let reply = get(&[("query", mutation)]).await;
    reply.refuses(405, "BAD_USER_INPUT");
    assert_eq!(reply.headers["allow"], "GET, HEAD, POST");
    let two = format!(
        "query Q {{ __typename }} {}",
        mutation.replacen("mutation", "mutation M", 1)
    );
    get(&[("query", &two), ("operationName", "M")])
        .await
        .refuses(405, "BAD_USER_INPUT");
    assert_eq!(
        get(&[("query", &two), ("operationName", "Q")]).await.status,
        200
    );

    for pairs in [
        &[][..],
        &[("query", two.as_str())],
        &[("query", two.as_str()), ("operationName", "Nobody")],
        &[("query", "{ __typename }"), ("operationName", "Nobody")],
        &[("query", "{ __typename }"), ("variables", "{")],
        &[("query", "{ __typename }"), ("variables", "[]")],
        &[("query", "{ __typename }"), ("extensions", "5")],
        &[("query", "{ __typename }"), ("query", "{ __typename }")],
    ] {
        get(pairs).await.refuses(400, "BAD_USER_INPUT");
    }
    let broken = format!("{}/graphql?query=%7B__typename%7D%23%ff", app.url);
    Reply::of(app.http().get(broken))
        .await
        .refuses(400, "BAD_USER_INPUT");
    for method in [Method::PUT, Method::DELETE, Method::PATCH] {
        Reply::of(app.bare(method))
            .await
            .refuses(405, "BAD_USER_INPUT");
    }
}

#[tokio::test]
async fn operations_are_chosen_by_name() {
    let app = TestApp::start().await;
    let two = "query A { a: __typename } query B { b: __typename }";
    let send = async |query: &str, name: Value| {
        let body = json!({ "query": query, "operationName": name }).to_string();
        Reply::of(app.bytes(body)).await
    };
    assert_eq!(
        send(two, json!("B")).await.json()["data"],
        json!({ "b": "Query" })
    );
    assert_eq!(
        send("query A { a: __typename }", Value::Null).await.json()["data"],
        json!({ "a": "Query" })
    );
    for name in [
        Value::Null,
        json!(""),
        json!("C"),
        json!("a"),
        json!("A\u{0}"),
    ] {
        send(two, name).await.refuses(400, "BAD_USER_INPUT");
    }
    send(
        "query A { a: __typename } query A { b: __typename }",
        json!("A"),
    )
    .await
    .refuses(400, "GRAPHQL_PARSE_FAILED");
}

#[tokio::test]
async fn wrong_tokens_are_refused_before_anything_is_done() {
    let app = TestApp::start().await;
    let (_, session) = app.person("ada@example.org").await;
    let good = session["accessToken"].as_str().expect("a token");
    let (head, tail) = good.rsplit_once('.').expect("three parts");
    let swapped = tail.chars().rev().collect::<String>();
    // No algorithm at all, a well-known forgery.
    let unsigned = format!(
        "eyJhbGciOiJub25lIn0.{}.",
        head.split_once('.').expect("two parts").1
    );
    for token in [
        "Bearer",
        "Bearer ",
        "Basic YTpi",
        "bearer x",
        "Bearer x.y.z",
        &format!("Bearer {head}.{swapped}"),
        &format!("Bearer {unsigned}"),
        &format!("Bearer {good}x"),
        "Bearer es_test_0000000000000000000000000000000000",
        &format!("Bearer {}", "a".repeat(20_000)),
    ] {
        let request = app
            .bytes(r#"{"query":"{ __typename }"}"#)
            .header(AUTHORIZATION, token);
        let reply = Reply::of(request).await;
        reply.refuses(401, "UNAUTHENTICATED");
        assert_eq!(reply.headers["www-authenticate"], "Bearer");
    }
    let request = app
        .bytes(r#"{"query":"{ viewer { email } }"}"#)
        .bearer_auth(good);
    assert_eq!(
        Reply::of(request).await.json()["data"]["viewer"]["email"],
        "ada@example.org"
    );
    let refresh = session["refreshToken"].as_str().expect("a token");
    let request = app
        .bytes(r#"{"query":"{ __typename }"}"#)
        .bearer_auth(refresh);
    Reply::of(request).await.refuses(401, "UNAUTHENTICATED");
}

fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

#[tokio::test]
async fn an_expired_token_is_refused() {
    let app = TestApp::start().await;
    let (caller, session) = app.person("ada@example.org").await;
    let token = session["accessToken"].as_str().expect("a token");
    assert_eq!(
        caller.ask("{ viewer { email } }", json!({})).await["viewer"]["email"],
        "ada@example.org"
    );
    app.app.clock.advance(chrono::TimeDelta::days(1));
    let request = app.bytes(r#"{"query":"{ viewer { email } }"}"#);
    Reply::of(request.bearer_auth(token))
        .await
        .refuses(401, "UNAUTHENTICATED");
}
