//! Several processes, and many who watch the same.

use serde_json::{Value, json};

use super::{AVAILABILITY, REGISTRATIONS, Stage, socket::Socket};
use crate::harness::{Asked, Redis, TestApp, Wire};

async fn both_hear(settings: &[(&str, &str)]) {
    let stage = Stage::set(settings).await;
    // The worker that passes events on is the first one's; the second one hears of them.
    let other = TestApp::over(stage.app.database.again(), settings).await;
    let mut near = stage.member().await;
    let mut far = Socket::visitor(&other.url).await;
    near.begin("1", REGISTRATIONS, json!({})).await;
    far.begin("1", AVAILABILITY, json!({ "eventId": stage.event["id"] }))
        .await;
    near.data("1", "registrationChanged").await;
    far.data("1", "availabilityChanged").await;
    for left in [49, 48] {
        // Whoever buys at the second process is heard of at the first one too.
        let placed = other
            .visitor()
            .place(&stage.event, &stage.event["types"][0], 1)
            .await;
        let told = near.data("1", "registrationChanged").await;
        assert_eq!(told["registration"]["id"], placed["registration"]["id"]);
        let told = far.data("1", "availabilityChanged").await;
        assert_eq!(told["event"]["ticketTypes"]["nodes"][0]["available"], left);
    }
    stage.end().await;
}

#[tokio::test]
async fn processes_tell_each_others_events_by_the_database() {
    both_hear(&[]).await;
}

#[tokio::test]
async fn processes_tell_each_others_events_by_redis() {
    let redis = Redis::start().await;
    let url = redis.url();
    both_hear(&[("REDIS_URL", url.as_str())]).await;
}

#[tokio::test]
async fn events_come_though_redis_is_gone() {
    let mut redis = Redis::start().await;
    let url = redis.url();
    let stage = Stage::set(&[("REDIS_URL", url.as_str())]).await;
    let other = TestApp::over(stage.app.database.again(), &[("REDIS_URL", url.as_str())]).await;
    let mut far = Socket::visitor(&other.url).await;
    far.begin("1", AVAILABILITY, json!({ "eventId": stage.event["id"] }))
        .await;
    far.data("1", "availabilityChanged").await;
    redis.kill();
    stage.place().await;
    let told = far.data("1", "availabilityChanged").await;
    assert_eq!(told["event"]["ticketTypes"]["nodes"][0]["available"], 49);
    stage.end().await;
}

/// Statements that read an event's ticket types.
fn reads(asked: &[Asked]) -> usize {
    let ran = asked
        .iter()
        .filter(|asked| matches!(asked, Asked::Ran(sql) if sql.contains("ticket_type_available")));
    ran.count()
}

#[tokio::test]
async fn those_who_watch_the_same_share_one_read() {
    let stage = Stage::set(&[]).await;
    let (database, wire) = Wire::before(stage.app.database.again()).await;
    let watched = TestApp::over(database, &[]).await;
    let mut all = vec![];
    for number in 0..20 {
        let mut socket = Socket::visitor(&watched.url).await;
        // A name of the client's own, and one of the operation's variables, make no difference.
        let name = format!("{number}");
        socket
            .begin(&name, AVAILABILITY, json!({ "eventId": stage.event["id"] }))
            .await;
        let told = socket.data(&name, "availabilityChanged").await;
        all.push((socket, name, told));
    }
    assert_eq!(watched.app.live.figures(), (1, 20));
    wire.take();
    stage.place().await;
    let mut told: Vec<Value> = vec![];
    for (socket, name, _) in &mut all {
        told.push(socket.data(name, "availabilityChanged").await);
    }
    assert!(told.iter().all(|one| *one == told[0]), "{told:#?}");
    // One for all of them; that a group looks by itself every ten seconds may come between.
    let read = reads(&wire.take());
    assert!((1..5).contains(&read), "{read} reads for 20 who watch");
    drop(all);
    crate::jobs::until("nobody is left", async || {
        watched.app.live.figures() == (0, 0)
    })
    .await;
    stage.end().await;
}

#[tokio::test]
async fn a_rush_is_not_read_as_often_as_it_sells() {
    let stage = Stage::set(&[]).await;
    let mut visitor = Socket::visitor(&stage.app.url).await;
    visitor
        .begin("1", AVAILABILITY, json!({ "eventId": stage.event["id"] }))
        .await;
    visitor.data("1", "availabilityChanged").await;
    let admin = stage.app.database.admin().await;
    let event = "(select e.id from events e)";
    let rush = format!(
        "insert into outbox (org_id, type, object_type, object_id, sequence, payload)
         select (select e.org_id from events e), 'registration.held', 'registration', gen_random_uuid(), 1,
           jsonb_build_object('event_id', {event})
         from generate_series(1, 20)"
    );
    let began = std::time::Instant::now();
    for _ in 0..50 {
        admin.execute(&rush, &[]).await.expect("a rush");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let took = began.elapsed().as_secs_f64();
    stage.place().await;
    let mut messages = 0;
    loop {
        let told = visitor.data("1", "availabilityChanged").await;
        messages += 1;
        if told["event"]["ticketTypes"]["nodes"][0]["available"] == 49 {
            break;
        }
    }
    // Four a second, with room for the slowness of the machine that ran all of it.
    assert!(
        f64::from(messages) <= took * 4.0 + 6.0,
        "{messages} in {took} s"
    );
    stage.end().await;
}
