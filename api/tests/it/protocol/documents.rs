//! Documents that cost more than they may, or are none.

use std::time::{Duration, Instant};

use serde_json::json;

use super::reply::Reply;
use crate::harness::TestApp;

/// Far more than refusing may take, far less than what is refused would.
const SOON: Duration = Duration::from_secs(5);

fn repeated(many: usize, each: impl Fn(usize) -> String) -> String {
    (0..many).map(each).collect::<Vec<_>>().join(" ")
}

fn doubling(root: &str) -> String {
    let chain = repeated(60, |n| {
        format!("fragment f{n} on Query {{ ...f{} ...f{} }}", n + 1, n + 1)
    });
    format!("{root} {chain} fragment f60 on Query {{ __typename }}")
}

#[tokio::test]
async fn what_costs_too_much_is_refused_soon() {
    let app = TestApp::start().await;
    let introspection = |levels: usize| {
        format!(
            "{{ __schema {{ types {{ {} name {} }} }} }}",
            "fields { type { ".repeat(levels),
            "} } ".repeat(levels)
        )
    };
    for document in [
        format!("{{ {} }}", repeated(10_000, |n| format!("a{n}: __typename"))),
        format!("{{ {} }}", repeated(31, |n| format!("a{n}: __typename"))),
        format!("{{ events {{ nodes {{ {} }} }} }}", repeated(31, |n| format!("a{n}: title"))),
        format!("{{ {} }}", repeated(1_900, |n| format!("field{n}"))),
        format!("{{ ...a }} fragment a on Query {{ {} }}", repeated(25, |n| format!("a{n}: __typename"))),
        doubling("{ ...f0 }"),
        doubling("{ __typename }"),
        format!("{{ events {{ {} name {} }} }}", "nodes { venue { events { ".repeat(12), "} } } ".repeat(12)),
        "{a".repeat(2_000),
        "[".repeat(60_000),
        format!("{{ nodes(ids: [{}]) {{ id }} }}", repeated(1_999, |n| format!("\"{n}\""))),
        format!("{{ __typename {} }}", "@skip(if: false) ".repeat(51)),
        format!("{{ __typename # {}\n }}", "x".repeat(100_000)),
        introspection(3),
        introspection(8),
        "{ __schema { types { ...t } } } fragment t on __Type { possibleTypes { interfaces { possibleTypes { name } } } }".to_owned(),
        "{ __type(name: \"Query\") { fields { type { fields { type { inputFields { name } } } } } } }".to_owned(),
        format!("{{ {} }}", repeated(11, |n| format!("s{n}: __schema {{ types {{ name }} }}"))),
        "{ events(first: 100) { nodes { sessions(first: 100) { nodes { speakers(first: 100) { nodes { name } } } } } } }".to_owned(),
    ] {
        let started = Instant::now();
        let reply = app.reply(&document, json!({})).await;
        reply.refuses(400, "COST_EXCEEDED");
        assert!(started.elapsed() < SOON, "{}", &document[..100]);
        assert!(reply.text.len() < 20_000);
    }
    app.lives().await;
}

/// Texts that are no document.
const UNPARSABLE: &[&str] = &[
    "{",
    "}",
    "{ }",
    "query",
    "{ events { nodes { id } }",
    "{ a(b: ) }",
    "{ a b: }",
    "\u{0}",
    "{ \u{0} }",
    "\u{feff}{",
    "{ events(filter: { title: { eq: \"open } }) { totalCount } }",
    "{ events(first: 1e400) { totalCount } }",
    "{ events(filter: { title: { eq: \"\\uD800\" } }) { totalCount } }",
    "{ events(filter: { title: { eq: \"\\x\" } }) { totalCount } }",
    "fragment a on Query { __typename }",
    "type Query { a: Int }",
    "{ __typename } query A { __typename }",
    "query($a: [Int) { __typename }",
    "🦀",
    "{ é }",
    "{ a(b: -) }",
    "{ a(b: 01) }",
    "{ \"a\" }",
    "{ a(b: {c: }) }",
];

/// Documents that the schema has no meaning for.
const MEANINGLESS: &[&str] = &[
    "{ nothing }",
    "{ events }",
    "{ events { nodes } }",
    "{ __typename { a } }",
    "{ events(first: \"1\") { totalCount } }",
    "{ events(first: 2147483648.0) { totalCount } }",
    "{ events(first: 1.0) { totalCount } }",
    "{ events(first: true) { totalCount } }",
    "{ events(first: [1, 2]) { totalCount } }",
    "{ events(first: 1, first: 2) { totalCount } }",
    "{ events(limit: 1) { totalCount } }",
    "{ events(filter: { title: { eq: \"a\" }, title: { eq: \"b\" } }) { totalCount } }",
    "{ events(filter: { title: { eq: \"a\", eq: \"a\" } }) { totalCount } }",
    "{ events(filter: { status: { eq: \"PUBLISHED\" } }) { totalCount } }",
    "{ events(filter: { status: { eq: NOPE } }) { totalCount } }",
    "{ events(filter: { title: { eq: 5 } }) { totalCount } }",
    "{ events(filter: { startsAt: { eq: 5 } }) { totalCount } }",
    "{ events(filter: [{ title: { eq: \"a\" } }]) { totalCount } }",
    "{ events(filter: { nothing: 1 }) { totalCount } }",
    "{ events(filter: { and: [null] }) { totalCount } }",
    "{ events(orderBy: \"TITLE_ASC\") { totalCount } }",
    "{ events(orderBy: NOPE) { totalCount } }",
    "{ events(orderBy: [TITLE_ASC, null]) { totalCount } }",
    "{ event { id } }",
    "{ event(id: null) { id } }",
    "{ event(id: 1.5) { id } }",
    "{ event(id: true) { id } }",
    "{ event(id: {}) { id } }",
    "{ nodes(ids: null) { id } }",
    "{ nodes(ids: [null]) { id } }",
    "{ ...a }",
    "{ __typename } fragment a on Query { __typename }",
    "{ ...a } fragment a on Nothing { id }",
    "{ ...a } fragment a on Int { id }",
    "{ events { ... on Venue { id } } }",
    "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }",
    "{ ...a } fragment a on Query { events { nodes { ...c } } } fragment c on Event { venue { events { nodes { ...c } } } }",
    "query($a: Nothing) { __typename }",
    "query($a: Event) { __typename }",
    "query($a: Int) { __typename }",
    "{ events(first: $a) { totalCount } }",
    "query($a: String) { events(first: $a) { totalCount } }",
    "query($a: Int, $a: Int) { events(first: $a) { totalCount } }",
    "query($a: Int = \"1\") { events(first: $a) { totalCount } }",
    "query($a: EventStatus = \"DRAFT\") { events(filter: { status: { eq: $a } }) { totalCount } }",
    "{ __typename @nothing }",
    "{ __typename @skip }",
    "{ __typename @skip(if: 1) }",
    "{ __typename @skip(if: null) }",
    "{ a: __typename a: events { totalCount } }",
    "{ a: events(first: 1) { totalCount } a: events(first: 2) { totalCount } }",
    "subscription { a }",
    "mutation { nothing }",
    "mutation { signOut { signedOut } }",
    "mutation { signOut(input: null) { signedOut } }",
    "mutation { signOut(input: { nothing: 1 }) { signedOut } }",
];

#[tokio::test]
async fn documents_that_are_none_are_named_so() {
    let app = TestApp::start().await;
    for document in UNPARSABLE {
        let reply = app.reply(document, json!({})).await;
        assert_eq!(reply.status, 400, "{document}");
        reply.refuses(400, "GRAPHQL_PARSE_FAILED");
    }
    for document in MEANINGLESS {
        let reply = app.reply(document, json!({})).await;
        assert_eq!(reply.status, 400, "{document}");
        reply.refuses(400, "GRAPHQL_VALIDATION_FAILED");
    }
    app.lives().await;
}

/// The same program with the door that production has.
async fn in_production(app: &TestApp) -> String {
    let program = app.app.with(|parts| parts.posture.development = false);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let url = format!(
        "http://{}/graphql",
        listener.local_addr().expect("an address")
    );
    let router = eventsphere::assemble::routes(program);
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

#[tokio::test]
async fn the_schema_is_shown_to_those_who_may_see_it() {
    let app = TestApp::start().await;
    let named = json!({
        "query": "query A { __typename } query B($t: String!) { s: __schema { queryType { name } } __type(name: $t) { kind } events { totalCount } }",
        "operationName": "B", "variables": { "t": "Event" },
    });
    let reply = Reply::of(app.bytes(named.to_string())).await;
    assert_eq!(
        reply.json()["data"],
        json!({ "s": { "queryType": { "name": "Query" } }, "__type": { "kind": "OBJECT" }, "events": { "totalCount": 0 } })
    );
    let unknown = app
        .reply("{ __type(name: \"Nothing\") { name } }", json!({}))
        .await;
    assert_eq!(unknown.json()["data"], json!({ "__type": null }));
    let guess = app.reply("{ event_ { id } }", json!({})).await;
    assert!(guess.text.contains("Did you mean"), "{guess:?}");

    let closed = in_production(&app).await;
    let ask = async |body: &str, token: Option<&str>| {
        let mut request = app
            .http()
            .post(&closed)
            .header("content-type", "application/json")
            .header("accept", super::reply::GRAPHQL);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        Reply::of(request.body(body.to_owned())).await
    };
    for query in [
        "{ __schema { queryType { name } } }",
        "{ events { totalCount } __type(name: \\\"Event\\\") { name } }",
    ] {
        ask(&format!(r#"{{"query":"{query}"}}"#), None)
            .await
            .refuses(400, "UNAUTHENTICATED");
    }
    let guess = ask(r#"{"query":"{ event_ { id } }"}"#, None).await;
    guess.refuses(400, "GRAPHQL_VALIDATION_FAILED");
    assert!(!guess.text.contains("Did you mean"), "{guess:?}");
    assert_eq!(
        ask(r#"{"query":"{ __typename events { totalCount } }"}"#, None)
            .await
            .status,
        200
    );

    let (_, session) = app.person("ada@example.org").await;
    let reply = ask(
        r#"{"query":"{ __schema { queryType { name } } }"}"#,
        session["accessToken"].as_str(),
    )
    .await;
    assert_eq!(
        reply.json()["data"]["__schema"]["queryType"]["name"],
        "Query"
    );
}

#[tokio::test]
async fn in_a_payload_there_is_no_introspection() {
    let app = TestApp::start().await;
    let query = "mutation { signUp(input: { email: \"ada@example.org\", password: \"correct horse battery\", name: \"Ada\" }) { query { __schema { queryType { name } } } } }";
    app.reply(query, json!({}))
        .await
        .refuses(400, "BAD_USER_INPUT");
    assert_eq!(app.database.count("select count(*) from users").await, 0);
}
