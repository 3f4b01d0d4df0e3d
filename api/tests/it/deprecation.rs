//! What will be removed is told in headers and counted by who used it. Nothing of the API need be deprecated for that:
//! the server is given an engine in which some things are.

use std::{sync::Arc, time::Duration};

use eventsphere::{assemble, deprecated_uses, state::Parts};
use eventsphere_graphql::{Deprecation, Engine, guard::Limits};
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::harness::{Database, EventSetup, TestApp};

fn engine() -> Engine {
    let mut catalog = assemble::catalog(&assemble::verbs()).expect("a catalog");
    for (coordinate, since, removal) in [
        ("Event.summary", "2026-11-21", "2027-07-01"),
        ("EventFilter.startsAt", "2026-10-01", "2027-10-01"),
        ("EventOrderBy.STARTS_AT_DESC", "2026-12-31", "2028-01-01"),
        ("Mutation.createVenue", "2026-12-31", "2027-10-01"),
    ] {
        let deprecation = Deprecation::new(since, removal, "Use something else.");
        catalog.deprecate(coordinate, deprecation).expect("once");
    }
    Engine::new(catalog, Limits::default()).expect("an engine")
}

async fn server() -> TestApp {
    let change = |parts: &mut Parts| parts.engine = Arc::new(engine());
    TestApp::over_changed(Database::fresh().await, &[], change).await
}

/// Sends it with that token; the headers of an answer without errors.
async fn headers(app: &TestApp, token: Option<&str>, query: &str, variables: Value) -> HeaderMap {
    let mut request = app
        .http()
        .post(format!("{}/graphql", app.url))
        .json(&json!({ "query": query, "variables": variables }));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let response = request.send().await.expect("an answer");
    let headers = response.headers().clone();
    let answer: Value = response.json().await.expect("JSON");
    assert!(answer.get("errors").is_none(), "{query} {answer:#}");
    headers
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().expect("text"))
}

async fn written(app: &TestApp) {
    let written = app.app.deprecated_uses.write(&app.app.door).await;
    written.expect("the counts are written");
}

const FILTERED: &str = "query($f: EventFilter, $o: [EventOrderBy!]) { events(filter: $f, orderBy: $o) { nodes { title } } }";

#[tokio::test]
async fn headers_tell_what_will_be_removed_and_when() {
    let app = server().await;
    let clean = headers(&app, None, FILTERED, json!({ "o": ["STARTS_AT_ASC"] })).await;
    for name in ["deprecation", "sunset", "graphql-deprecated", "link"] {
        assert_eq!(text(&clean, name), None, "{name}");
    }
    let one = headers(&app, None, "{ events { nodes { summary } } }", json!({})).await;
    assert_eq!(text(&one, "deprecation"), Some("@1795219200"));
    assert_eq!(text(&one, "sunset"), Some("Thu, 01 Jul 2027 00:00:00 GMT"));
    assert_eq!(
        text(&one, "graphql-deprecated"),
        Some("\"Event.summary\";sunset=@1814400000")
    );
    assert_eq!(
        text(&one, "link"),
        Some("</schema.graphql>; rel=\"deprecation\"; type=\"text/plain\"")
    );
    let variables = json!({ "f": { "startsAt": { "isNull": false } }, "o": ["STARTS_AT_DESC"] });
    let both = headers(&app, None, FILTERED, variables).await;
    // The earliest of each.
    assert_eq!(text(&both, "deprecation"), Some("@1790812800"));
    assert_eq!(text(&both, "sunset"), Some("Fri, 01 Oct 2027 00:00:00 GMT"));
    assert_eq!(
        text(&both, "graphql-deprecated"),
        Some(
            "\"EventFilter.startsAt\";sunset=@1822348800, \"EventOrderBy.STARTS_AT_DESC\";sunset=@1830297600"
        )
    );
}

#[tokio::test]
async fn an_organization_sees_which_of_its_programs_must_change() {
    let app = server().await;
    let (north, south) = (app.organizer("north").await, app.organizer("south").await);
    north.event(&EventSetup::default()).await;
    let venue = "mutation { createVenue(input: {name: \"Hall\"}) { venue { id } } }";
    headers(&app, Some(&north.token), venue, json!({})).await;
    written(&app).await;
    let made = north
        .caller
        .does(
            "createApiToken",
            "token apiToken { id }",
            json!({ "name": "Website", "scopes": ["events:read"] }),
        )
        .await;
    let secret = made["token"].as_str().unwrap();
    let summaries = "{ events { nodes { summary } } }";
    for _ in 0..3 {
        headers(&app, Some(secret), summaries, json!({})).await;
    }
    headers(&app, Some(&north.token), summaries, json!({})).await;
    headers(&app, Some(&south.token), summaries, json!({})).await;
    headers(&app, None, summaries, json!({})).await;
    written(&app).await;
    headers(&app, Some(secret), summaries, json!({})).await;
    // What is refused before it is executed uses nothing.
    let refused = "query($n: Int!) { events(first: $n) { nodes { summary } } }";
    app.with_token(secret)
        .fails(refused, json!({ "n": 1000 }))
        .await;
    written(&app).await;
    // Nothing is left to be written.
    written(&app).await;

    let query = "query($f: DeprecatedUseFilter) { deprecatedUses(filter: $f) {
        totalCount nodes { coordinate caller uses day organization { slug } apiToken { id name } }
    } }";
    let token = json!({ "id": made["apiToken"]["id"], "name": "Website" });
    let filter = json!({ "f": { "apiTokenId": { "eq": token["id"] } } });
    let midnight = app.app.clock.now().format("%Y-%m-%dT00:00:00.000000Z");
    let of_token = json!({
        "coordinate": "Event.summary", "caller": "TOKEN", "uses": "4", "day": midnight.to_string(),
        "organization": { "slug": "north" }, "apiToken": token,
    });
    let data = north.caller.ask(query, filter).await;
    assert_eq!(data["deprecatedUses"]["nodes"], json!([of_token]));
    let mut of = |node: &Value| {
        let uses = node["uses"].as_str().unwrap().to_owned();
        format!("{} {} {uses}", node["coordinate"], node["caller"])
    };
    let mut seen = async |who: &crate::harness::Caller| {
        let data = who.ask(query, json!({})).await;
        let nodes = data["deprecatedUses"]["nodes"].as_array().unwrap().clone();
        let mut lines: Vec<String> = nodes.iter().map(&mut of).collect();
        lines.sort();
        lines
    };
    assert_eq!(
        seen(&north.caller).await,
        [
            "\"Event.summary\" \"MEMBER\" 1",
            "\"Event.summary\" \"TOKEN\" 4",
            "\"Mutation.createVenue\" \"MEMBER\" 1",
        ]
    );
    assert_eq!(
        seen(&south.caller).await,
        ["\"Event.summary\" \"MEMBER\" 1"]
    );
    let by_token = "{ apiTokens { nodes { name deprecatedUses { nodes { coordinate uses } } } } }";
    let data = north.caller.ask(by_token, json!({})).await;
    assert_eq!(
        data["apiTokens"]["nodes"],
        json!([{ "name": "Website", "deprecatedUses": { "nodes": [
            { "coordinate": "Event.summary", "uses": "4" },
        ] } }])
    );
    // The website itself may read events, not tokens.
    let code = app.with_token(secret).fails(query, json!({})).await;
    assert_eq!(code, "FORBIDDEN");
    assert_eq!(
        app.visitor().fails(query, json!({})).await,
        "UNAUTHENTICATED"
    );
    let nobodys = app.database.admin().await;
    let row = nobodys
        .query_one(
            "select caller, uses from deprecated_uses where org_id is null",
            &[],
        )
        .await
        .expect("one row");
    let row: (&str, i64) = (row.get(0), row.get(1));
    assert_eq!(row, ("visitor", 1));
}

#[tokio::test]
async fn a_day_is_counted_for_itself() {
    let app = server().await;
    let north = app.organizer("north").await;
    let summaries = "{ events { nodes { summary } } }";
    headers(&app, Some(&north.token), summaries, json!({})).await;
    app.app.clock.advance(chrono::TimeDelta::days(1));
    headers(&app, None, summaries, json!({})).await;
    headers(&app, None, summaries, json!({})).await;
    written(&app).await;
    let admin = app.database.admin().await;
    let rows = admin
        .query(
            "select caller, uses, day - min(day) over () = interval '1 day' from deprecated_uses order by day",
            &[],
        )
        .await
        .expect("rows");
    let rows: Vec<(&str, i64, bool)> = rows
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect();
    assert_eq!(rows, [("member", 1, false), ("visitor", 2, true)]);
}

#[tokio::test]
async fn what_cannot_be_written_stays_counted_and_the_last_counts_are_written_at_the_end() {
    let app = server().await;
    let admin = app.database.admin().await;
    let summaries = "{ events { nodes { summary } } }";
    headers(&app, None, summaries, json!({})).await;
    admin
        .batch_execute("alter table deprecated_uses rename to elsewhere")
        .await
        .expect("renamed");
    let written = app.app.deprecated_uses.write(&app.app.door).await;
    assert!(written.is_err());
    admin
        .batch_execute("alter table elsewhere rename to deprecated_uses")
        .await
        .expect("renamed back");
    headers(&app, None, summaries, json!({})).await;
    let drained = CancellationToken::new();
    let keeping = tokio::spawn(deprecated_uses::keep(app.app.clone(), drained.clone()));
    drained.cancel();
    tokio::time::timeout(Duration::from_secs(4), keeping)
        .await
        .expect("before the next regular writing")
        .expect("no panic");
    let row = admin
        .query_one("select uses from deprecated_uses", &[])
        .await
        .expect("one row");
    assert_eq!(row.get::<_, i64>(0), 2);
}
