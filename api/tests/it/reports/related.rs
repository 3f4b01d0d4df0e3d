//! Filters by related rows, against plain SQL.

use serde_json::{Value, json};

use super::stage::Stage;
use crate::harness::{EventSetup, TestApp};

/// Slugs of the events that the filter means, and what it counts.
async fn slugs(caller: &crate::harness::Caller, filter: Value) -> Vec<String> {
    let data = caller
        .ask(
            "query($filter: EventFilter) { events(first: 100, filter: $filter, orderBy: [TITLE_ASC]) { totalCount nodes { slug } } }",
            json!({ "filter": filter }),
        )
        .await;
    let nodes = data["events"]["nodes"].as_array().expect("rows").clone();
    assert_eq!(data["events"]["totalCount"], nodes.len());
    let slug = |node: &Value| node["slug"].as_str().expect("a slug").to_owned();
    nodes.iter().map(slug).collect()
}

#[tokio::test]
async fn some_and_none_mean_what_they_say() {
    let stage = Stage::open("kin").await;
    let (free, paid, bare) = (
        stage.event("free", "UTC", "EUR").await,
        stage.event("paid", "UTC", "EUR").await,
        stage.event("bare", "UTC", "EUR").await,
    );
    let owner = &stage.owner.caller;
    for (event, prices) in [(&free, vec![0, 500]), (&paid, vec![500, 900])] {
        for price in prices {
            let price = json!({ "minorUnits": price.to_string(), "currencyCode": "EUR" });
            let input = json!({ "eventId": event.id, "name": "T", "price": price });
            owner.does("createTicketType", "", input).await;
        }
    }
    stage
        .registration(&paid, "confirmed", 500, "2026-06-01T00:00:00Z")
        .await;
    stage
        .registration(&paid, "cancelled", 500, "2026-06-02T00:00:00Z")
        .await;
    stage
        .registration(&bare, "cancelled", 0, "2026-06-03T00:00:00Z")
        .await;
    let zero = json!({ "priceMinor": { "eq": "0" } });
    let dear = json!({ "priceMinor": { "gte": "900" } });
    let sold = json!({ "status": { "eq": "CONFIRMED" } });
    for (filter, expected) in [
        (json!({ "ticketTypes": { "some": zero } }), vec!["free"]),
        (
            json!({ "ticketTypes": { "none": zero } }),
            vec!["bare", "paid"],
        ),
        (
            json!({ "ticketTypes": { "some": {} } }),
            vec!["free", "paid"],
        ),
        (json!({ "ticketTypes": { "none": {} } }), vec!["bare"]),
        (
            json!({ "ticketTypes": { "some": {}, "none": dear } }),
            vec!["free"],
        ),
        (json!({ "ticketTypes": {} }), vec!["bare", "free", "paid"]),
        (json!({ "ticketTypes": null }), vec!["bare", "free", "paid"]),
        (
            json!({ "ticketTypes": { "some": null } }),
            vec!["bare", "free", "paid"],
        ),
        (
            json!({ "not": { "ticketTypes": { "some": zero } } }),
            vec!["bare", "paid"],
        ),
        (
            json!({ "or": [{ "ticketTypes": { "some": zero } }, { "registrations": { "some": sold } }] }),
            vec!["free", "paid"],
        ),
        (
            json!({ "registrations": { "some": {}, "none": sold } }),
            vec!["bare"],
        ),
        // The same row meets both conditions, not one row each.
        (
            json!({ "registrations": { "some": { "and": [sold, { "placedAt": { "gt": "2026-06-01T12:00:00Z" } }] } } }),
            vec![],
        ),
    ] {
        assert_eq!(slugs(owner, filter.clone()).await, expected, "{filter}");
    }
}

#[tokio::test]
async fn the_one_row_of_a_key_filters_too_and_many_to_many_walks_the_link() {
    let stage = Stage::open("ties").await;
    let (one, two) = (
        stage.event("one", "UTC", "EUR").await,
        stage.event("two", "UTC", "EUR").await,
    );
    stage
        .registration(&one, "confirmed", 1, "2026-06-01T00:00:00Z")
        .await;
    stage
        .registration(&two, "confirmed", 2, "2026-06-01T00:00:00Z")
        .await;
    let owner = &stage.owner.caller;
    let data = owner
        .ask(
            "{ registrations(filter: { event: { title: { eq: \"Event two\" } } }) { totalCount nodes { event { slug } } } }",
            json!({}),
        )
        .await;
    assert_eq!(
        data["registrations"],
        json!({ "totalCount": 1, "nodes": [{ "event": { "slug": "two" } }] })
    );
    // An event without a venue meets no condition on it, not even an empty one.
    assert!(slugs(owner, json!({ "venue": {} })).await.is_empty());
    assert_eq!(
        slugs(owner, json!({ "not": { "venue": {} } })).await.len(),
        2
    );

    let mut speakers = vec![];
    for name in ["Ada", "Grace"] {
        let made = owner
            .does("createSpeaker", "speaker { id }", json!({ "name": name }))
            .await;
        speakers.push(made["speaker"]["id"].clone());
    }
    for (title, speaker) in [("first", Some(0)), ("second", Some(1)), ("third", None)] {
        let input = json!({
            "eventId": one.id, "title": title,
            "startsAt": "2027-05-04T09:00:00Z", "endsAt": "2027-05-04T10:00:00Z",
        });
        let session =
            owner.does("createSession", "session { id }", input).await["session"]["id"].clone();
        if let Some(speaker) = speaker {
            let speaker: &Value = &speakers[speaker];
            let link = json!({ "eventId": one.id, "sessionId": session, "speakerId": speaker });
            owner.does("createSessionSpeaker", "", link).await;
        }
    }
    let titles = |filter: Value| {
        let (caller, id) = (owner.clone(), one.id.clone());
        async move {
            let query = "query($id: ID!, $filter: SessionFilter) { event(id: $id) { sessions(filter: $filter) { nodes { title } } } }";
            let data = caller
                .ask(query, json!({ "id": id, "filter": filter }))
                .await;
            data["event"]["sessions"]["nodes"].clone()
        }
    };
    let ada = json!({ "name": { "startsWith": "A" } });
    assert_eq!(
        titles(json!({ "speakers": { "some": ada } })).await,
        json!([{ "title": "first" }])
    );
    assert_eq!(
        titles(json!({ "speakers": { "none": ada } })).await,
        json!([{ "title": "second" }, { "title": "third" }])
    );
    // Three steps: events with a session of hers.
    let hers = json!({ "sessions": { "some": { "speakers": { "some": ada } } } });
    assert_eq!(slugs(owner, hers).await, ["one"]);
}

#[tokio::test]
async fn a_condition_sees_only_rows_that_the_caller_sees() {
    let app = TestApp::start().await;
    let owner = app.organizer("veil").await;
    let event = owner.event(&EventSetup::default()).await;
    let hidden = json!({
        "eventId": event["id"], "name": "secret", "hidden": true,
        "price": { "minorUnits": "777", "currencyCode": "EUR" },
    });
    owner.caller.does("createTicketType", "", hidden).await;
    app.visitor().place(&event, &event["types"][0], 1).await;
    let some = json!({ "ticketTypes": { "some": { "priceMinor": { "eq": "777" } } } });
    assert_eq!(slugs(&owner.caller, some.clone()).await, ["rust-day"]);
    assert!(slugs(&app.visitor(), some).await.is_empty());
    // Registrations are no table of visitors' at all; buyers see their own.
    let bought = json!({ "registrations": { "some": {} } });
    assert_eq!(slugs(&owner.caller, bought.clone()).await, ["rust-day"]);
    let query = "query($filter: EventFilter) { events(filter: $filter) { totalCount } }";
    let refused = app
        .visitor()
        .fails(query, json!({ "filter": bought }))
        .await;
    assert_eq!(refused, "UNAUTHENTICATED");
    let (person, _) = app.person("nobody@example.org").await;
    assert!(slugs(&person, bought).await.is_empty());
}

#[tokio::test]
async fn conditions_on_related_rows_are_bounded_with_the_rest() {
    let stage = Stage::open("fathom").await;
    let query = "query($filter: EventFilter) { events(filter: $filter) { totalCount } }";
    let zero = json!({ "priceMinor": { "eq": "0" } });
    let some = json!({ "ticketTypes": { "some": zero } });
    let deep = |levels: usize| (0..levels).fold(some.clone(), |inner, _| json!({ "not": inner }));
    let many = |pairs: usize| json!({ "or": vec![some.clone(); pairs] });
    // Each counts twice: that there is a row, and what holds of it.
    for fine in [deep(2), many(10)] {
        stage
            .owner
            .caller
            .ask(query, json!({ "filter": fine }))
            .await;
    }
    for wrong in [
        deep(3),
        many(11),
        json!({ "ticketTypes": { "every": zero } }),
        json!({ "ticketTypes": zero }),
        json!({ "ticketTypes": [] }),
        json!({ "ticketTypes": 1 }),
        json!({ "ticketTypes": { "some": [zero, zero] } }),
        json!({ "ticketTypes": { "some": { "name": { "eq": "x" } } } }),
        json!({ "venue": { "some": {} } }),
        json!({ "capacityPools": { "some": {} } }),
    ] {
        let answer = stage
            .owner
            .caller
            .send(query, json!({ "filter": wrong }))
            .await;
        assert!(answer.get("data").is_none(), "{wrong}: {answer}");
        assert_eq!(
            answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT",
            "{wrong}"
        );
    }
}
