//! Who is refused, and what is too much.

use serde_json::{Value, json};

use super::stage::Stage;
use crate::harness::{EventSetup, TestApp};

#[tokio::test]
async fn aggregates_are_for_those_who_act_for_the_organization() {
    let app = TestApp::start().await;
    let owner = app.organizer("insiders").await;
    owner.event(&EventSetup::default()).await;
    let events = "{ events { totalCount } counted: events { aggregates { groups { count } } } }";
    let registrations = "{ viewer { id } myRegistrations { aggregates { groups { count } } } }";
    let (person, _) = app.person("somebody@example.org").await;
    for (caller, query, code) in [
        (app.visitor(), events, "UNAUTHENTICATED"),
        (person.clone(), events, "FORBIDDEN"),
        (person.clone(), registrations, "FORBIDDEN"),
    ] {
        let answer = caller.send(query, json!({})).await;
        let errors = answer["errors"].as_array().expect("errors");
        assert_eq!(errors.len(), 1, "{answer}");
        assert_eq!(errors[0]["extensions"]["code"], code, "{answer}");
        // What may be read is answered beside it.
        let data = &answer["data"];
        let pages = [&data["counted"], &data["myRegistrations"]];
        assert!(
            pages.iter().all(|page| page["aggregates"].is_null()),
            "{answer}"
        );
        assert!(data["events"]["totalCount"] == 1 || data["viewer"]["id"].is_string());
    }
    owner.caller.ask(events, json!({})).await;
}

#[tokio::test]
async fn days_need_the_right_to_read_where_the_zone_stands() {
    let stage = Stage::open("clerks").await;
    let token = stage
        .owner
        .caller
        .does(
            "createApiToken",
            "token",
            json!({ "name": "clerk", "scopes": ["registrations:read"] }),
        )
        .await["token"]
        .as_str()
        .expect("a token")
        .to_owned();
    let clerk = stage.app.with_token(&token);
    let ask = |keys: &str, fields: &str| {
        format!(
            "{{ registrations {{ aggregates(groupBy: [{keys}]) {{ groups {{ {fields} }} }} }} }}"
        )
    };
    clerk.ask(&ask("STATUS", "count"), json!({})).await;
    // A group of which something is denied is there because there is a registration.
    let event = stage.owner.event(&EventSetup::default()).await;
    stage
        .app
        .visitor()
        .place(&event, &event["types"][0], 1)
        .await;
    for (keys, fields) in [
        ("PLACED_AT_DAY", "count"),
        ("EVENT", "event { id }"),
        // Not grouped by it, and still a question about events.
        ("STATUS", "event { id }"),
    ] {
        assert_eq!(
            clerk.fails(&ask(keys, fields), json!({})).await,
            "FORBIDDEN",
            "{keys}"
        );
    }
    // Nor by way of a filter.
    let filtered =
        "{ registrations(filter: { event: { title: { startsWith: \"a\" } } }) { totalCount } }";
    assert_eq!(clerk.fails(filtered, json!({})).await, "FORBIDDEN");
    let events = "{ events { aggregates { groups { count } } } }";
    assert_eq!(clerk.fails(events, json!({})).await, "FORBIDDEN");
}

#[tokio::test]
async fn arguments_that_cannot_be_meant_are_refused() {
    let stage = Stage::open("wrong").await;
    let query = "query($by: [RegistrationGroupBy!], $first: Int, $order: AggregateOrderBy) {
        registrations { aggregates(groupBy: $by, first: $first, orderBy: $order) { groups { count } } } }";
    for fine in [
        json!({}),
        json!({ "by": null, "first": null, "order": null }),
        json!({ "by": [], "first": 1 }),
        json!({ "by": "STATUS", "first": 1000, "order": "COUNT_DESC" }),
        json!({ "by": ["STATUS", "EVENT", "OCCURRENCE"] }),
    ] {
        stage.owner.caller.ask(query, fine).await;
    }
    for wrong in [
        json!({ "by": ["STATUS", "STATUS"] }),
        json!({ "by": ["STATUS", "EVENT", "OCCURRENCE", "PLACED_AT_DAY"] }),
        json!({ "by": ["status"] }),
        json!({ "by": ["BUYER_EMAIL"] }),
        json!({ "by": [null] }),
        json!({ "by": 1 }),
        json!({ "first": 0 }),
        json!({ "first": -1 }),
        json!({ "first": 1001 }),
        json!({ "first": "1" }),
        json!({ "order": "COUNT" }),
        json!({ "order": ["COUNT_DESC"] }),
    ] {
        let answer = stage.owner.caller.send(query, wrong.clone()).await;
        assert!(answer.get("data").is_none(), "{wrong}: {answer}");
        assert_eq!(
            answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT",
            "{wrong}"
        );
    }
}

/// (event, count) of groups by event.
fn pairs(found: &Value) -> Vec<(String, i64)> {
    let groups = found["groups"].as_array().expect("groups");
    groups
        .iter()
        .map(|group| {
            let slug = group["event"]["slug"].as_str().expect("a slug").to_owned();
            (slug, group["count"].as_i64().expect("a count"))
        })
        .collect()
}

#[tokio::test]
async fn groups_come_in_one_order_and_a_cut_is_told() {
    let stage = Stage::open("order").await;
    for (slug, many) in [("a", 2), ("b", 3), ("c", 1), ("d", 2)] {
        let event = stage.event(slug, "UTC", "EUR").await;
        for _ in 0..many {
            stage
                .registration(&event, "confirmed", 1, "2026-06-01T12:00:00Z")
                .await;
        }
    }
    let all = [("a", 2), ("b", 3), ("c", 1), ("d", 2)];
    for (order, places) in [
        ("KEY_ASC", [0, 1, 2, 3]),
        ("KEY_DESC", [3, 2, 1, 0]),
        ("COUNT_ASC", [2, 0, 3, 1]),
        ("COUNT_DESC", [1, 0, 3, 2]),
    ] {
        let expected: Vec<(String, i64)> = places
            .iter()
            .map(|place| (all[*place].0.to_owned(), all[*place].1))
            .collect();
        for first in [1, 3, 4, 5] {
            let arguments = format!("groupBy: [EVENT], orderBy: {order}, first: {first}");
            let found = stage
                .groups(json!({}), &arguments, "event { slug } count")
                .await;
            assert_eq!(pairs(&found), expected[..first.min(4)], "{order} {first}");
            assert_eq!(found["truncated"], json!(first < 4), "{order} {first}");
        }
    }
}

#[tokio::test]
async fn groups_cost_what_they_may_bring() {
    let stage = Stage::open("dear").await;
    let cost = |groups: &'static str| {
        let caller = stage.owner.caller.clone();
        async move {
            let query = format!("{{ registrations(first: 0) {{ aggregates{groups} }} }}");
            let answer = caller.send(&query, json!({})).await;
            answer["extensions"]["cost"]["requested"]
                .as_u64()
                .unwrap_or_else(|| panic!("{answer}"))
        }
    };
    let one = cost("{ groups { count } }").await;
    assert_eq!(
        cost("(groupBy: [STATUS], first: 10) { groups { count } }").await,
        one + 9
    );
    assert_eq!(
        cost("(groupBy: [EVENT], first: 10) { groups { count event { id } } }").await,
        one + 19
    );
    let dear = "{ registrations { a: aggregates(groupBy: [EVENT], first: 1000) { groups { event { sessions(first: 100) { nodes { id
        speakers(first: 100) { nodes { id } } } } } } } } }";
    assert_eq!(
        stage.owner.caller.fails(dear, json!({})).await,
        "COST_EXCEEDED"
    );
}
