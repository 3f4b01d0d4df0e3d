//! How many may watch, from where, and how fast they have to read.

use serde_json::json;
use tokio_tungstenite::tungstenite::Error;

use super::{
    AVAILABILITY, REGISTRATIONS, Stage,
    socket::{PROTOCOL, Socket},
};

fn status(error: &Error) -> u16 {
    match error {
        Error::Http(response) => response.status().as_u16(),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn pages_of_other_origins_cannot_connect() {
    let stage = Stage::set(&[("CORS_ORIGINS", "https://app.example.org")]).await;
    let url = &stage.app.url;
    let from = |origin| [("sec-websocket-protocol", PROTOCOL), ("origin", origin)];
    for origin in ["https://app.example.org", url] {
        assert!(
            Socket::try_open(url, &from(origin)).await.is_ok(),
            "{origin}"
        );
    }
    for origin in [
        "https://evil.example",
        "null",
        "https://app.example.org.evil.example",
    ] {
        let refused = Socket::try_open(url, &from(origin))
            .await
            .err()
            .expect(origin);
        assert_eq!(status(&refused), 403, "{origin}");
        let streamed = stage
            .app
            .http()
            .post(format!("{url}/graphql/stream"))
            .header("origin", origin);
        let streamed = streamed
            .header("accept", "text/event-stream")
            .json(&json!({ "query": "{ __typename }" }));
        assert_eq!(
            streamed.send().await.expect("an answer").status(),
            403,
            "{origin}"
        );
    }
    stage.end().await;
}

#[tokio::test]
async fn connections_and_subscriptions_are_counted() {
    let settings = [
        ("LIVE_VISITOR_CONNECTIONS", "2"),
        ("LIVE_TENANT_CONNECTIONS", "2"),
        ("LIVE_SUBSCRIPTIONS", "2"),
    ];
    let stage = Stage::set(&settings).await;
    let url = &stage.app.url;
    let visitors = [Socket::visitor(url).await, Socket::visitor(url).await];
    let refused = Socket::try_open(url, &[("sec-websocket-protocol", PROTOCOL)]).await;
    assert_eq!(status(&refused.err().expect("refused")), 429);
    drop(visitors);
    crate::jobs::until("their places are free", async || {
        Socket::try_open(url, &[("sec-websocket-protocol", PROTOCOL)])
            .await
            .is_ok()
    })
    .await;
    // Whoever says who they are takes a place of their organization instead.
    let mut members = [stage.member().await, stage.member().await];
    let mut third = Socket::open(url).await;
    let token = format!("Bearer {}", stage.organizer.token);
    third
        .say(json!({ "type": "connection_init", "payload": { "Authorization": token } }))
        .await;
    assert_eq!(third.closed().await, 4290);
    let member = &mut members[0];
    for id in ["1", "2"] {
        member.begin(id, REGISTRATIONS, json!({})).await;
        member.data(id, "registrationChanged").await;
    }
    member.begin("3", REGISTRATIONS, json!({})).await;
    assert_eq!(member.refused("3").await, "THROTTLED");
    member.say(json!({ "type": "complete", "id": "1" })).await;
    member.begin("3", REGISTRATIONS, json!({})).await;
    member.data("3", "registrationChanged").await;
    stage.end().await;
}

#[tokio::test]
async fn who_does_not_read_is_cut_off_and_others_are_not() {
    let stage = Stage::set(&[]).await;
    let (mut slow, mut quick) = (stage.member().await, stage.member().await);
    let long = "subscription { eventChanged { cursor event { title description
        a: description b: description c: description d: description e: description f: description } } }";
    for socket in [&mut slow, &mut quick] {
        socket.begin("1", long, json!({})).await;
        socket.data("1", "eventChanged").await;
    }
    let admin = stage.app.database.admin().await;
    admin
        .execute("update events set description = repeat('x', 5000)", &[])
        .await
        .expect("a long text");
    let many = "insert into outbox (org_id, type, object_type, object_id, sequence)
        select e.org_id, 'event.updated', 'event', e.id, 1000 + $1::bigint * 100 + n from events e, generate_series(1, 50) n";
    let mut last = serde_json::Value::Null;
    for round in 0..20_i64 {
        admin.execute(many, &[&round]).await.expect("events");
        for _ in 0..50 {
            last = quick.data("1", "eventChanged").await["cursor"].take();
        }
        if stage.app.app.live.figures().1 == 1 {
            break;
        }
    }
    assert_eq!(slow.closed().await, 4008);
    // It comes back, and goes on.
    let mut again = stage.member().await;
    let resumed = long
        .replace("eventChanged", "eventChanged(after: $after)")
        .replace("subscription", "subscription($after: String)");
    again.begin("1", &resumed, json!({ "after": last })).await;
    admin.execute(many, &[&99_i64]).await.expect("events");
    again.data("1", "eventChanged").await;
    stage.end().await;
}

#[tokio::test]
async fn what_the_program_stops_is_told_to_come_back() {
    let stage = Stage::set(&[]).await;
    let mut visitor = Socket::visitor(&stage.app.url).await;
    visitor
        .begin("1", AVAILABILITY, json!({ "eventId": stage.event["id"] }))
        .await;
    visitor.data("1", "availabilityChanged").await;
    stage.app.app.live.stopping().cancel();
    assert_eq!(visitor.closed().await, 1012);
    stage.end().await;
}
