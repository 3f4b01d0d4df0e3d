//! Requests that would grow on their way: refused for what they are, before they have grown. (`make
//! bench-explosions` prints what refusing costs.)

use serde_json::{Value, json};

use crate::{harness::TestApp, protocol::reply::Reply};

fn repeated(many: usize, each: impl Fn(usize) -> String) -> String {
    (0..many).map(each).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn ten_megabytes_are_not_read() {
    let app = TestApp::start().await;
    let padding = "x".repeat(10 * 1024 * 1024);
    for body in [
        json!({ "query": "{ __typename }", "variables": { "a": padding } }).to_string(),
        json!({ "query": format!("{{ __typename # {padding}\n }}") }).to_string(),
        "[".repeat(10 * 1024 * 1024),
    ] {
        // The server may close the connection before all is sent: that is a refusal, too.
        if let Ok(response) = app.bytes(body).send().await {
            assert_eq!(response.status(), 413);
        }
    }
    app.lives().await;
}

#[tokio::test]
async fn nested_json_is_no_way_in() {
    let app = TestApp::start().await;
    let deep = |open: &str, close: &str, many: usize| open.repeat(many) + &close.repeat(many);
    for variables in [
        deep("[", "]", 100_000),
        deep("{\"a\":", "}", 40_000),
        format!("{{\"a\":{}1{}}}", "[".repeat(50_000), "]".repeat(50_000)),
    ] {
        let body = format!("{{\"query\":\"{{ __typename }}\",\"variables\":{variables}}}");
        let reply = Reply::of(app.bytes(body)).await;
        reply.refuses(400, "BAD_USER_INPUT");
        assert!(reply.text.len() < 2_000);
    }
    app.lives().await;
}

#[tokio::test]
async fn long_lists_are_refused_whether_written_out_or_sent_along() {
    let app = TestApp::start().await;
    let ids: Vec<String> = (0..5_000).map(|number| format!("id{number}")).collect();
    let asked = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }";
    let filtered = "query($f: EventFilter) { events(filter: $f) { totalCount } }";
    let nested = |depth: usize| {
        let mut filter = json!({ "title": { "eq": "a" } });
        for _ in 0..depth {
            filter = json!({ "and": [filter.clone(), filter] });
        }
        filter
    };
    let predicates: Vec<Value> = (0..2_000)
        .map(|n| json!({ "title": { "eq": n.to_string() } }))
        .collect();
    for (query, variables) in [
        (asked, json!({ "ids": ids })),
        (filtered, json!({ "f": { "title": { "in": ids } } })),
        (filtered, json!({ "f": { "or": predicates } })),
        (filtered, json!({ "f": nested(8) })),
    ] {
        let reply = app.reply(query, variables).await;
        let body = reply.is_sound().json();
        assert_eq!(
            reply.status,
            400,
            "{query}: {}",
            &reply.text[..reply.text.len().min(300)]
        );
        assert!(body.get("data").is_none());
        assert!(reply.text.len() < 2_000, "{}", reply.text.len());
    }
    app.lives().await;
}

#[tokio::test]
async fn what_is_repeated_is_counted_wherever_it_stands() {
    let app = TestApp::start().await;
    let fragments = repeated(400, |n| format!("fragment f{n} on Query {{ __typename }}"));
    let spreads = repeated(400, |n| format!("...f{n}"));
    let operations = repeated(300, |n| format!("query q{n} {{ a{n}: __typename }}"));
    for document in [
        format!("{{ {spreads} }} {fragments}"),
        operations,
        format!(
            "{{ __typename {} }}",
            repeated(60, |_| "... @include(if: true) { __typename }".to_owned())
        ),
        format!(
            "query({}) {{ __typename }}",
            repeated(700, |n| format!("$v{n}: Int"))
        ),
        format!(
            "{{ events(filter: {{ and: [{}] }}) {{ totalCount }} }}",
            repeated(300, |_| "{ title: { eq: \"a\" } }".to_owned())
        ),
        format!(
            "{{ events(orderBy: [{}]) {{ totalCount }} }}",
            repeated(1_500, |_| "TITLE_ASC".to_owned())
        ),
        format!("{{ __type(name: \"{}\") {{ name }} }}", "x".repeat(70_000)),
    ] {
        let reply = app.reply(&document, json!({})).await;
        let body = reply.is_sound().json();
        assert_eq!(reply.status, 400, "{}", &document[..120]);
        assert!(body.get("data").is_none());
        assert!(reply.text.len() < 20_000);
    }
    app.lives().await;
}
