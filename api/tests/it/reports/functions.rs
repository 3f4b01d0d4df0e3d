//! Fields that functions answer: with arguments, one value or many rows.

use serde_json::{Value, json};

use super::stage::{Event, Stage};
use crate::harness::{EventSetup, TestApp};

async fn session(
    stage: &Stage,
    event: &Event,
    title: &str,
    room: &str,
    from: &str,
    to: &str,
) -> Value {
    let input = json!({
        "eventId": event.id, "title": title, "room": room, "startsAt": from, "endsAt": to, "track": "main",
    });
    let made = stage
        .owner
        .caller
        .does("createSession", "session { id }", input)
        .await;
    made["session"]["id"].clone()
}

fn titles(connection: &Value) -> Vec<&str> {
    let nodes = connection["nodes"].as_array().expect("rows");
    nodes
        .iter()
        .map(|node| node["title"].as_str().expect("a title"))
        .collect()
}

const ON: &str = "query($id: ID!, $day: Date!, $filter: SessionFilter) { event(id: $id) {
    sessionsOn(day: $day, filter: $filter) { totalCount nodes { title } } } }";

#[tokio::test]
async fn a_day_of_the_programme_is_a_day_of_the_events_calendar() {
    let stage = Stage::open("diary").await;
    let new_york = stage.event("ny", "America/New_York", "USD").await;
    for (title, at) in [
        ("last of Saturday", "2026-11-01T03:59:00Z"),
        ("first of Sunday", "2026-11-01T04:00:00Z"),
        ("the hour that comes twice", "2026-11-01T06:30:00Z"),
        ("last of Sunday", "2026-11-02T04:59:00Z"),
        ("first of Monday", "2026-11-02T05:00:00Z"),
    ] {
        session(&stage, &new_york, title, "", at, "2026-11-03T00:00:00Z").await;
    }
    let on = |day: &'static str, filter: Value| {
        let (caller, id) = (stage.owner.caller.clone(), new_york.id.clone());
        async move {
            let data = caller
                .ask(ON, json!({ "id": id, "day": day, "filter": filter }))
                .await;
            data["event"]["sessionsOn"].clone()
        }
    };
    let saturday = on("2026-10-31", json!({})).await;
    assert_eq!(titles(&saturday), ["last of Saturday"]);
    let sunday = on("2026-11-01", json!(null)).await;
    assert_eq!(
        titles(&sunday),
        [
            "first of Sunday",
            "the hour that comes twice",
            "last of Sunday"
        ]
    );
    assert_eq!(sunday["totalCount"], 3);
    assert_eq!(
        titles(&on("2026-11-02", json!({})).await),
        ["first of Monday"]
    );
    assert_eq!(
        on("2026-11-04", json!({})).await,
        json!({ "totalCount": 0, "nodes": [] })
    );
    let late = json!({ "startsAt": { "gt": "2026-11-01T05:00:00Z" } });
    assert_eq!(
        titles(&on("2026-11-01", late).await),
        ["the hour that comes twice", "last of Sunday"]
    );
    for wrong in [
        "",
        "2026-11-1",
        "2026-13-01",
        "2026-02-30",
        "20261101",
        "+026-11-01",
        "2026-11-01T00:00:00Z",
        "infinity",
        "0000-01-01",
    ] {
        let code = stage
            .owner
            .caller
            .fails(ON, json!({ "id": new_york.id, "day": wrong }))
            .await;
        assert_eq!(code, "BAD_USER_INPUT", "{wrong}");
    }
    // A draft's programme is nobody else's.
    let other = stage.app.organizer("others").await;
    for caller in [&other.caller, &stage.app.visitor()] {
        let data = caller
            .ask(ON, json!({ "id": new_york.id, "day": "2026-11-01" }))
            .await;
        assert_eq!(data["event"], Value::Null);
    }
}

#[tokio::test]
async fn sessions_that_cannot_both_take_place_are_told() {
    let stage = Stage::open("clash").await;
    let event = stage.event("e", "UTC", "EUR").await;
    let at = |hour: &str| format!("2027-05-04T{hour}:00Z");
    let first = session(&stage, &event, "first", "hall", &at("09:00"), &at("10:00")).await;
    session(
        &stage,
        &event,
        "same room, meanwhile",
        "hall",
        &at("09:30"),
        &at("11:00"),
    )
    .await;
    session(
        &stage,
        &event,
        "same room, afterwards",
        "hall",
        &at("10:00"),
        &at("11:00"),
    )
    .await;
    session(
        &stage,
        &event,
        "other room, meanwhile",
        "attic",
        &at("09:00"),
        &at("10:00"),
    )
    .await;
    let speaks = session(
        &stage,
        &event,
        "same speaker, meanwhile",
        "",
        &at("08:00"),
        &at("09:15"),
    )
    .await;
    let elsewhere = stage.event("f", "UTC", "EUR").await;
    session(
        &stage,
        &elsewhere,
        "other event",
        "hall",
        &at("09:00"),
        &at("10:00"),
    )
    .await;
    let owner = &stage.owner.caller;
    let made = owner
        .does("createSpeaker", "speaker { id }", json!({ "name": "Ada" }))
        .await;
    for id in [&first, &speaks] {
        let link =
            json!({ "eventId": event.id, "sessionId": id, "speakerId": made["speaker"]["id"] });
        owner.does("createSessionSpeaker", "", link).await;
    }
    let query = "query($id: ID!) { node(id: $id) { ... on Session { clashes { totalCount nodes { title } } } } }";
    let data = owner.ask(query, json!({ "id": first })).await;
    assert_eq!(
        titles(&data["node"]["clashes"]),
        ["same speaker, meanwhile", "same room, meanwhile"]
    );
    assert_eq!(data["node"]["clashes"]["totalCount"], 2);
}

#[tokio::test]
async fn what_is_left_at_a_date_is_told_by_the_date() {
    let app = TestApp::start().await;
    let owner = app.organizer("dates").await;
    let event = owner.event(&EventSetup::default()).await;
    let other = owner
        .event(&EventSetup {
            slug: "other".to_owned(),
            ..EventSetup::default()
        })
        .await;
    app.visitor().place(&event, &event["types"][0], 2).await;
    let dates = "query($id: ID!) { event(id: $id) { occurrences { nodes { id } } } }";
    let date = |event: &Value| {
        let (caller, id) = (app.visitor(), event["id"].clone());
        async move {
            let data = caller.ask(dates, json!({ "id": id })).await;
            data["event"]["occurrences"]["nodes"][0]["id"].clone()
        }
    };
    let (own, foreign) = (date(&event).await, date(&other).await);
    let query = "query($id: ID!, $date: ID!) { event(id: $id) { ticketTypes(first: 1) { nodes { available availableAt(occurrenceId: $date) } } } }";
    for (date, left) in [
        (&own, 3),
        (&foreign, 0),
        (&json!("nonsense"), 0),
        (&event["id"], 0),
    ] {
        let data = app
            .visitor()
            .ask(query, json!({ "id": event["id"], "date": date }))
            .await;
        let found = &data["event"]["ticketTypes"]["nodes"][0];
        assert_eq!(
            *found,
            json!({ "available": 3, "availableAt": left }),
            "{date}"
        );
    }
}
