//! What is asked beside the rows: connections of which no row is read, `__typename` with all that may stand at it, and
//! variables of types that there are not.

use serde_json::json;

use crate::harness::{EventSetup, TestApp};

#[tokio::test]
async fn a_connection_of_which_no_row_is_asked_is_answered_whatever_its_arguments() {
    let app = TestApp::start().await;
    let organizer = app.organizer("acme").await;
    for slug in ["one", "two", "three"] {
        let setup = EventSetup {
            slug: slug.to_owned(),
            ..EventSetup::default()
        };
        organizer.event(&setup).await;
    }
    let cursors = "{ events(first: 1) { pageInfo { endCursor } } }";
    let cursor = &organizer.caller.ask(cursors, json!({})).await["events"]["pageInfo"]["endCursor"];
    let query = "query($c: String, $f: EventFilter) {
      name: events(after: $c, filter: $f) { __typename }
      count: events(after: $c, filter: $f) { totalCount }
      forward: events(first: 1, after: $c) { pageInfo { hasPreviousPage } }
      backward: events(last: 2, before: $c) { pageInfo { hasNextPage __typename } }
      none: events(filter: {title: {eq: \"Nothing\"}}) { pageInfo { hasPreviousPage } }
      nested: events { nodes { sessions(last: 2) { pageInfo { hasNextPage } } } }
      last: events(first: 1) { nodes { slug } }
    }";
    let variables = json!({ "c": cursor, "f": { "title": { "startsWith": "Rust" } } });
    let data = organizer.caller.ask(query, variables).await;
    assert_eq!(data["name"], json!({ "__typename": "EventConnection" }));
    assert_eq!(data["count"], json!({ "totalCount": 3 }));
    assert_eq!(
        data["forward"]["pageInfo"],
        json!({ "hasPreviousPage": true })
    );
    assert_eq!(
        data["backward"]["pageInfo"],
        json!({ "hasNextPage": true, "__typename": "PageInfo" })
    );
    assert_eq!(
        data["none"]["pageInfo"],
        json!({ "hasPreviousPage": false })
    );
    assert_eq!(data["nested"]["nodes"].as_array().map(Vec::len), Some(3));
    assert_eq!(data["last"]["nodes"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn what_stands_at_typename_is_looked_at() {
    let app = TestApp::start().await;
    let visitor = app.visitor();
    let query =
        "query($v: Boolean!) { __typename @skip(if: $v) events { __typename @include(if: $v) } }";
    let data = visitor.ask(query, json!({ "v": true })).await;
    assert_eq!(
        data,
        json!({ "events": { "__typename": "EventConnection" } })
    );
    let data = visitor.ask(query, json!({ "v": false })).await;
    assert_eq!(data, json!({ "__typename": "Query", "events": {} }));
    for wrong in [
        "{ __typename @include(if: $nobody) }",
        "{ __typename @skip(if: true) @skip(if: true) }",
        "{ __typename(first: 1) }",
        "query($v: String!) { __typename @skip(if: $v) }",
        "query($v: Boolean!) { __typename }",
    ] {
        let code = visitor.fails(wrong, json!({ "v": true })).await;
        assert_eq!(code, "GRAPHQL_VALIDATION_FAILED", "{wrong}");
    }
}

#[tokio::test]
async fn a_variable_of_an_unknown_type_is_refused_whatever_its_default() {
    let app = TestApp::start().await;
    let visitor = app.visitor();
    for of in ["Nope", "[Nope]", "[[Nope!]!]!", "[Nope!]"] {
        for default in ["A", "[A]", "null", "{a: 1}", "[[1]]"] {
            let query =
                format!("query($v: {of} = {default}) {{ events(orderBy: $v) {{ totalCount }} }}");
            let code = visitor.fails(&query, json!({})).await;
            assert_eq!(code, "GRAPHQL_VALIDATION_FAILED", "{query}");
        }
    }
    let ours = "query($v: [EventOrderBy!] = [TITLE_ASC]) { events(orderBy: $v) { totalCount } }";
    assert_eq!(
        visitor.ask(ours, json!({})).await["events"]["totalCount"],
        0
    );
}
