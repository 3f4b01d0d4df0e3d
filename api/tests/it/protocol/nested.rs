//! What is denied below a root field: null at its place, or around it where it is never null, and told at every path
//! at which the answer came to it. The rest is there.

use serde_json::{Value, json};

use crate::harness::{Caller, EventSetup, Organizer, TestApp};

/// Code and path of every error, in the order of the answer.
pub(super) fn told(answer: &Value) -> Vec<(String, String)> {
    let errors = answer["errors"].as_array();
    let each = errors.into_iter().flatten().map(|error| {
        let code = error["extensions"]["code"].as_str().expect("a code");
        (code.to_owned(), error["path"].to_string())
    });
    each.collect()
}

/// That code at each of these paths.
fn at(code: &str, paths: &[Value]) -> Vec<(String, String)> {
    let each = paths.iter().map(|path| (code.to_owned(), path.to_string()));
    each.collect()
}

/// An application with these scopes.
async fn application(app: &TestApp, organizer: &Organizer, scopes: &[&str]) -> Caller {
    let input = json!({ "name": "Application", "scopes": scopes });
    let made = organizer
        .caller
        .does("createApiToken", "token", input)
        .await;
    app.with_token(made["token"].as_str().expect("a token"))
}

/// An organizer with an event, and two registrations of two and one places.
async fn stage() -> (TestApp, Organizer, Value) {
    let app = TestApp::start().await;
    let organizer = app.organizer("acme").await;
    let event = organizer.event(&EventSetup::default()).await;
    for quantity in [2, 1] {
        let placed = app
            .visitor()
            .place(&event, &event["types"][0], quantity)
            .await;
        assert_eq!(placed["userErrors"], json!([]), "{placed}");
    }
    (app, organizer, event)
}

#[tokio::test]
async fn a_denied_field_that_can_be_null_is_null_in_every_row_and_told_in_each() {
    let (app, organizer, _) = stage().await;
    let token = application(&app, &organizer, &["registrations:read"]).await;
    let query = "query($with: Boolean!) {
      all: registrations(first: 5) { totalCount nodes { ...own items { edges { node { who: attendee @include(if: $with) { name } price { minorUnits } } } } } }
      here: __typename
    }
    fragment own on Registration { number: confirmationNumber event { title } event { slug } }";
    let answer = token.send(query, json!({ "with": true })).await;
    let all = &answer["data"]["all"];
    assert_eq!(all["totalCount"], 2, "{answer}");
    assert_eq!(answer["data"]["here"], "Query");
    let (mut paths, mut items) = (vec![], 0);
    for (row, node) in all["nodes"].as_array().expect("rows").iter().enumerate() {
        assert!(
            node["number"].is_string() && node["event"].is_null(),
            "{node}"
        );
        paths.push(json!(["all", "nodes", row, "event"]));
        for (item, edge) in node["items"]["edges"]
            .as_array()
            .expect("items")
            .iter()
            .enumerate()
        {
            assert_eq!(
                edge["node"],
                json!({ "who": null, "price": { "minorUnits": "0" } })
            );
            paths.push(json!([
                "all", "nodes", row, "items", "edges", item, "node", "who"
            ]));
            items += 1;
        }
    }
    assert_eq!(items, 3);
    assert_eq!(told(&answer), at("FORBIDDEN", &paths));
    // Where each stands in the document: in the fragment, and under its alias.
    let lines = |index: usize| answer["errors"][index]["locations"][0]["line"].clone();
    assert_eq!((lines(0), lines(1)), (json!(5), json!(2)));
    // Left out by a directive, it is not asked, so it is not denied either; the same plan does not serve both.
    let answer = token.send(query, json!({ "with": false })).await;
    let paths: Vec<Value> = (0..2)
        .map(|row| json!(["all", "nodes", row, "event"]))
        .collect();
    assert_eq!(told(&answer), at("FORBIDDEN", &paths));
    // The organizer asks the same document and has everything.
    let data = organizer.caller.ask(query, json!({ "with": true })).await;
    assert_eq!(
        data["all"]["nodes"][0]["event"],
        json!({ "title": "Rust Day", "slug": "rust-day" })
    );
}

#[tokio::test]
async fn a_denied_field_that_is_never_null_takes_its_nearest_nullable_parent_along() {
    let (app, organizer, event) = stage().await;
    let token = application(&app, &organizer, &["events:read"]).await;
    let query = "query($id: ID!, $ids: [ID!]!, $none: EventFilter) {
      one: event(id: $id) { title tickets { totalCount } registrations { totalCount } }
      list: events { totalCount nodes { title registrations { totalCount } } }
      empty: events(filter: $none) { totalCount nodes { registrations { totalCount } } }
      each: nodes(ids: $ids) { ... on Event { title registrations { totalCount } } ... on TicketType { name } }
      gone: node(id: \"nonsense\") { ... on Event { registrations { totalCount } } }
      beside: event(id: $id) { title }
    }";
    let ids = json!([event["id"], event["types"][0], "nonsense", event["id"]]);
    let variables =
        json!({ "id": event["id"], "ids": ids, "none": { "title": { "eq": "Other" } } });
    let answer = token.send(query, variables).await;
    assert_eq!(
        answer["data"],
        json!({
            "one": null, "list": null,
            // No row, no field that could be denied.
            "empty": { "totalCount": 0, "nodes": [] },
            "each": [null, { "name": "Standard" }, null, null],
            "gone": null, "beside": { "title": "Rust Day" },
        }),
        "{answer}"
    );
    let paths = [
        json!(["one", "tickets"]),
        json!(["list", "nodes", 0, "registrations"]),
        json!(["each", 0, "registrations"]),
        json!(["each", 3, "registrations"]),
    ];
    assert_eq!(told(&answer), at("FORBIDDEN", &paths));
}

#[tokio::test]
async fn aggregates_are_null_for_whom_they_are_not_and_the_page_is_there() {
    let (app, organizer, event) = stage().await;
    let query = "query($id: ID!) {
      events { nodes { title } sums: aggregates { groups { count } } pageInfo { hasNextPage } }
      event(id: $id) { title ticketTypes { totalCount } }
    }";
    let variables = json!({ "id": event["id"] });
    let answer = app.visitor().send(query, variables).await;
    let events = json!({ "nodes": [{ "title": "Rust Day" }], "sums": null, "pageInfo": { "hasNextPage": false } });
    assert_eq!(answer["data"]["events"], events, "{answer}");
    assert_eq!(answer["data"]["event"]["ticketTypes"]["totalCount"], 2);
    assert_eq!(
        told(&answer),
        at("UNAUTHENTICATED", &[json!(["events", "sums"])])
    );
    // A key of a group that may not be read is null in each group; what is counted is told.
    let token = application(&app, &organizer, &["registrations:read"]).await;
    let query = "{ registrations { aggregates(groupBy: [EVENT, STATUS]) { groups { count status event { title } } } } }";
    let answer = token.send(query, json!({})).await;
    assert_eq!(
        answer["data"]["registrations"]["aggregates"]["groups"],
        json!([{ "count": 2, "status": "HELD", "event": null }]),
        "{answer}"
    );
    let path = json!(["registrations", "aggregates", "groups", 0, "event"]);
    assert_eq!(told(&answer), at("FORBIDDEN", &[path]));
    // Days are those of the event's zone: who may not read the event is denied the whole aggregation.
    let query = "{ registrations { totalCount aggregates(groupBy: [PLACED_AT_DAY]) { groups { count } } } }";
    let answer = token.send(query, json!({})).await;
    let page = json!({ "totalCount": 2, "aggregates": null });
    assert_eq!(answer["data"]["registrations"], page, "{answer}");
    assert_eq!(
        told(&answer),
        at("FORBIDDEN", &[json!(["registrations", "aggregates"])])
    );
}

#[tokio::test]
async fn a_filter_that_is_denied_denies_the_field_that_it_stands_at() {
    let (app, organizer, event) = stage().await;
    let token = application(&app, &organizer, &["events:read"]).await;
    let query = "query($id: ID!, $filter: EventFilter, $title: String!) {
      currentOrganization { slug venues { nodes { name } } }
      below: currentOrganization { slug events(filter: $filter) { totalCount } }
      root: events(filter: $filter) { totalCount }
      before: events(filter: { title: { eq: $title } }) { totalCount }
      event(id: $id) { title }
    }";
    let filter = json!({ "title": { "eq": "Rust Day" }, "registrations": { "some": { "status": { "eq": "HELD" } } } });
    let variables = json!({ "id": event["id"], "filter": filter, "title": "Rust Day" });
    let answer = token.send(query, variables).await;
    assert_eq!(
        answer["data"],
        json!({
            "currentOrganization": { "slug": "acme", "venues": { "nodes": [] } },
            "below": null, "root": null,
            "before": { "totalCount": 1 }, "event": { "title": "Rust Day" },
        }),
        "{answer}"
    );
    // A root field is known before anything is read; what is below one, where the answer comes to it.
    let paths = [json!(["root"]), json!(["below", "events"])];
    assert_eq!(told(&answer), at("FORBIDDEN", &paths));
}

#[tokio::test]
async fn a_payload_with_something_denied_in_it_follows_an_effect_that_stands() {
    let (app, organizer, event) = stage().await;
    let token = application(&app, &organizer, &["events:read", "events:write"]).await;
    let query = "mutation($venue: CreateVenueInput!, $event: UpdateEventInput!, $id: ID!) {
      made: createVenue(input: $venue) { userErrors { code } venue { name } }
      changed: updateEvent(input: $event) {
        event { title registrations { totalCount } }
        again: event { title summary }
        query {
          event(id: $id) { title tickets { totalCount } }
          organizer: currentOrganization { slug }
          list: registrations { totalCount }
          events { nodes { title } }
        }
        userErrors { code }
      }
    }";
    let variables = json!({
        "venue": { "name": "Hall", "timeZone": "Europe/Berlin" },
        "event": { "eventId": event["id"], "title": "Rust Days" }, "id": event["id"],
    });
    let answer = token.send(query, variables).await;
    assert_eq!(
        answer["data"],
        json!({
            "made": { "userErrors": [], "venue": { "name": "Hall" } },
            "changed": {
                "event": null,
                "again": { "title": "Rust Days", "summary": "" },
                "query": {
                    "event": null, "organizer": { "slug": "acme" },
                    "list": null, "events": { "nodes": [{ "title": "Rust Days" }] },
                },
                "userErrors": [],
            },
        }),
        "{answer}"
    );
    let mut paths = told(&answer);
    paths.sort();
    let mut expected = at(
        "FORBIDDEN",
        &[
            json!(["changed", "event", "registrations"]),
            json!(["changed", "query", "event", "tickets"]),
            json!(["changed", "query", "list"]),
        ],
    );
    expected.sort();
    assert_eq!(paths, expected);
}

#[tokio::test]
async fn not_more_than_a_hundred_places_are_told() {
    let (app, organizer, event) = stage().await;
    let token = application(&app, &organizer, &["events:read"]).await;
    let ids: Vec<&Value> = (0..100).map(|_| &event["id"]).collect();
    let query = "query($ids: [ID!]!) {
      a: nodes(ids: $ids) { ... on Event { tickets { totalCount } } }
      b: nodes(ids: $ids) { ... on Event { title } }
      c: nodes(ids: $ids) { ... on Event { tickets { totalCount } } }
    }";
    let answer = token.send(query, json!({ "ids": ids })).await;
    let nulls = |key: &str| {
        let items = answer["data"][key].as_array().expect("a list");
        items.iter().filter(|item| item.is_null()).count()
    };
    assert_eq!((nulls("a"), nulls("b"), nulls("c")), (100, 0, 100));
    assert_eq!(told(&answer).len(), 100);
}
