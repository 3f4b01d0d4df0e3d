use std::time::Duration;

use serde_json::{Value, json};

use super::{AVAILABILITY, REGISTRATIONS, Stage, socket::Socket};

#[tokio::test]
async fn members_are_told_of_registrations_as_they_come_and_change() {
    let stage = Stage::set(&[]).await;
    let mut member = stage.member().await;
    member.begin("all", REGISTRATIONS, json!({})).await;
    let started = member.data("all", "registrationChanged").await;
    assert_eq!(started["type"], "subscription.started");
    assert_eq!(started["registration"], Value::Null);
    let (secret, id) = stage.place().await;
    let held = member.data("all", "registrationChanged").await;
    assert_eq!(held["type"], "registration.held");
    assert_eq!(
        (&held["version"], &held["registration"]),
        (&json!(1), &json!({ "id": id, "status": "HELD" }))
    );
    assert!(
        held["at"].as_str().unwrap().ends_with('Z') && held["id"].as_str().unwrap().len() == 36
    );
    stage.app.visitor().with_guest(&secret).confirm(&id).await;
    let confirmed = member.data("all", "registrationChanged").await;
    assert_eq!(confirmed["type"], "registration.confirmed");
    assert_eq!(confirmed["registration"]["status"], "CONFIRMED");
    assert_ne!(confirmed["cursor"], held["cursor"]);
    // Who has said that it is enough hears nothing more.
    member.say(json!({ "type": "complete", "id": "all" })).await;
    member
        .begin(
            "next",
            REGISTRATIONS,
            json!({ "eventId": stage.event["id"] }),
        )
        .await;
    assert_eq!(
        member.data("next", "registrationChanged").await["type"],
        "subscription.started"
    );
    stage.place().await;
    assert_eq!(
        member.data("next", "registrationChanged").await["type"],
        "registration.held"
    );
    member.is_silent(Duration::from_millis(600)).await;
    stage.end().await;
}

#[tokio::test]
async fn a_guest_watches_their_own_registration_and_its_tickets() {
    let stage = Stage::set(&[]).await;
    let (secret, id) = stage.place().await;
    let (_, other) = stage.place().await;
    stage.passed_on().await;
    let mut guest = Socket::of(&stage.app.url, json!({ "X-Guest-Secret": secret })).await;
    guest
        .begin("mine", REGISTRATIONS, json!({ "registrationId": id }))
        .await;
    let started = guest.data("mine", "registrationChanged").await;
    assert_eq!(
        started["registration"],
        json!({ "id": id, "status": "HELD" })
    );
    let tickets = "subscription($of: ID!) { ticketChanged(registrationId: $of) { type ticket { status code } } }";
    guest.begin("tickets", tickets, json!({ "of": id })).await;
    assert_eq!(
        guest.data("tickets", "ticketChanged").await["ticket"],
        Value::Null
    );
    // Of anybody else's there is nothing to watch, and not of all of an event either.
    guest
        .begin("other", REGISTRATIONS, json!({ "registrationId": other }))
        .await;
    assert_eq!(guest.refused("other").await, "NOT_FOUND");
    guest
        .begin(
            "all",
            REGISTRATIONS,
            json!({ "eventId": stage.event["id"] }),
        )
        .await;
    assert_eq!(guest.refused("all").await, "BAD_USER_INPUT");
    stage.app.visitor().with_guest(&secret).confirm(&id).await;
    let mut seen = vec![];
    for _ in 0..2 {
        let message = guest.hear().await;
        let data = &message["payload"]["data"];
        match message["id"].as_str() {
            Some("mine") => assert_eq!(
                data["registrationChanged"]["registration"]["status"],
                "CONFIRMED"
            ),
            _ => {
                assert_eq!(data["ticketChanged"]["type"], "ticket.issued");
                assert_eq!(data["ticketChanged"]["ticket"]["status"], "VALID");
            }
        }
        seen.push(message["id"].clone());
    }
    assert!(
        seen.contains(&json!("mine")) && seen.contains(&json!("tickets")),
        "{seen:?}"
    );
    stage.end().await;
}

#[tokio::test]
async fn visitors_are_told_what_is_left_and_last_of_all_the_last_state() {
    let stage = Stage::set(&[]).await;
    let mut visitor = Socket::visitor(&stage.app.url).await;
    visitor
        .begin(
            "left",
            AVAILABILITY,
            json!({ "eventId": stage.event["id"] }),
        )
        .await;
    let left = |told: &Value| {
        told["event"]["ticketTypes"]["nodes"][0]["available"]
            .as_i64()
            .unwrap()
    };
    let started = visitor.data("left", "availabilityChanged").await;
    assert_eq!(
        (left(&started), &started["event"]["title"]),
        (50, &json!("Rust Day"))
    );
    for _ in 0..12 {
        stage.place().await;
    }
    let (mut messages, mut last) = (0, 50);
    while last != 38 {
        let told = visitor.data("left", "availabilityChanged").await;
        assert_eq!(told["type"], "availability.changed");
        assert!(left(&told) <= last, "{} after {last}", left(&told));
        (messages, last) = (messages + 1, left(&told));
    }
    assert!(messages <= 12);
    // What is passed on after it was counted is told too, and then says the same.
    stage.passed_on().await;
    while let Some(told) = visitor.within(Duration::from_millis(700)).await {
        let told = &told["payload"]["data"]["availabilityChanged"];
        assert_eq!(left(told), 38);
        messages += 1;
    }
    assert!(messages <= 12);
    stage.end().await;
}

#[tokio::test]
async fn what_changes_without_an_event_is_told_too() {
    let stage = Stage::set(&[]).await;
    let mut visitor = Socket::visitor(&stage.app.url).await;
    visitor
        .begin(
            "left",
            AVAILABILITY,
            json!({ "eventId": stage.event["id"] }),
        )
        .await;
    visitor.data("left", "availabilityChanged").await;
    let more = json!({ "id": stage.event["pool"], "capacity": 70 });
    let organizer = &stage.organizer.caller;
    organizer.does("updateCapacityPool", "", more).await;
    let told = visitor.data("left", "availabilityChanged").await;
    assert_eq!(told["type"], "availability.changed");
    assert_eq!(told["event"]["ticketTypes"]["nodes"][0]["available"], 70);
    // And then nothing, for nothing changes.
    visitor.is_silent(Duration::from_secs(12)).await;
    stage.end().await;
}

#[tokio::test]
async fn a_cursor_goes_on_where_it_was_and_an_old_one_says_so() {
    let stage = Stage::set(&[]).await;
    let mut member = stage.member().await;
    member.begin("1", REGISTRATIONS, json!({})).await;
    let started = member.data("1", "registrationChanged").await;
    let (_, first) = stage.place().await;
    let seen = member.data("1", "registrationChanged").await;
    assert_eq!(seen["registration"]["id"], first);
    drop(member);
    let mut missed = vec![];
    for _ in 0..3 {
        missed.push(stage.place().await.1);
    }
    stage.passed_on().await;
    let mut member = stage.member().await;
    member
        .begin("2", REGISTRATIONS, json!({ "after": seen["cursor"] }))
        .await;
    member
        .begin("3", REGISTRATIONS, json!({ "after": started["cursor"] }))
        .await;
    let mut told = [vec![], vec![]];
    for _ in 0..7 {
        let message = member.hear().await;
        let of = usize::from(message["id"] == "3");
        told[of]
            .push(message["payload"]["data"]["registrationChanged"]["registration"]["id"].clone());
    }
    assert_eq!(told[0], missed);
    missed.insert(0, first);
    assert_eq!(told[1], missed);
    // From there on it is live again.
    let (_, live) = stage.place().await;
    for _ in 0..2 {
        let message = member.hear().await;
        assert_eq!(
            message["payload"]["data"]["registrationChanged"]["registration"]["id"],
            live
        );
    }
    member
        .begin("4", REGISTRATIONS, json!({ "after": "nonsense" }))
        .await;
    assert_eq!(member.refused("4").await, "BAD_CURSOR");
    let admin = stage.app.database.admin().await;
    let kept = "delete from outbox where position < (select max(position) from outbox)";
    admin.execute(kept, &[]).await.unwrap();
    member
        .begin("5", REGISTRATIONS, json!({ "after": started["cursor"] }))
        .await;
    assert_eq!(member.refused("5").await, "CURSOR_EXPIRED");
    stage.end().await;
}

#[tokio::test]
async fn other_operations_are_answered_and_completed() {
    let stage = Stage::set(&[]).await;
    let mut member = stage.member().await;
    member
        .begin("q", "{ events { totalCount } }", json!({}))
        .await;
    assert_eq!(member.told("q").await["data"]["events"]["totalCount"], 1);
    assert_eq!(
        member.hear().await,
        json!({ "type": "complete", "id": "q" })
    );
    // The name is free again.
    member.begin("q", "{ nothingOfThatName }", json!({})).await;
    assert_eq!(member.refused("q").await, "GRAPHQL_VALIDATION_FAILED");
    let two = "subscription { a: eventChanged { id } b: eventChanged { id } }";
    member.begin("q", two, json!({})).await;
    assert_eq!(member.refused("q").await, "GRAPHQL_VALIDATION_FAILED");
    let dear = "subscription { eventChanged { event { ticketTypes(first: 100) { nodes { tickets(first: 100) { nodes { \
        checkIns(first: 100) { nodes { id } } } } } } } } }";
    member.begin("q", dear, json!({})).await;
    assert_eq!(member.refused("q").await, "COST_EXCEEDED");
    let mut visitor = Socket::visitor(&stage.app.url).await;
    visitor.begin("q", REGISTRATIONS, json!({})).await;
    assert_eq!(visitor.refused("q").await, "UNAUTHENTICATED");
    // Over plain HTTP there is no subscription.
    let code = stage
        .app
        .visitor()
        .fails(AVAILABILITY, json!({ "eventId": stage.event["id"] }))
        .await;
    assert_eq!(code, "BAD_USER_INPUT");
    stage.end().await;
}
