//! Endpoints that never answer, and those who must not notice.

use std::time::Duration;

use serde_json::json;

use super::{
    buy, endpoint,
    receiver::{Answer, Receiver},
    start,
};
use crate::harness::EventSetup;

/// Attempts that ended without an answer: a silent endpoint has cost somebody all our patience.
const GIVEN_UP: &str = "select count(*) from webhook_attempts where response_status is null";

async fn silent() -> Receiver {
    Receiver::answering(vec![Answer::Silence(Duration::from_secs(600)); 500]).await
}

#[tokio::test]
async fn silent_endpoints_keep_neither_others_waiting_nor_their_own_organizations_quick_ones() {
    let app = start().await;
    let quiet = app.organizer("quiet").await;
    let quiet_event = quiet.event(&EventSetup::default()).await;
    let quick = Receiver::start().await;
    let wanted = json!({ "eventTypes": ["registration.confirmed"] });
    endpoint(&quiet.caller, wanted.clone(), &quick.url).await;

    // Three organizations with as many silent endpoints as they may have beside a quick one.
    let mut loud = vec![];
    for slug in ["loud-a", "loud-b", "loud-c"] {
        let organizer = app.organizer(slug).await;
        let event = organizer.event(&EventSetup::default()).await;
        let (hole, own) = (silent().await, Receiver::start().await);
        let (proven, _) = endpoint(&organizer.caller, wanted.clone(), &own.url).await;
        let test = json!({ "id": proven["id"] });
        organizer.caller.does("sendTestEvent", "", test).await;
        own.received(1).await;
        for _ in 0..19 {
            endpoint(&organizer.caller, json!({}), &hole.url).await;
        }
        loud.push((event, hole, own));
    }
    for (event, hole, _) in &loud {
        for _ in 0..3 {
            buy(&app, event).await;
        }
        hole.received(16).await;
    }
    buy(&app, &quiet_event).await;
    quick.received(1).await;
    for (_, _, own) in &loud {
        own.received(4).await;
    }
    assert_eq!(app.database.count(GIVEN_UP).await, 0, "somebody waited");
    for (_, hole, _) in &loud {
        assert_eq!(hole.so_far().len(), 16, "an organization has 16 of them");
    }
}

#[tokio::test]
async fn an_endpoint_that_is_silent_has_two_places_and_rests_after_three_failures() {
    let app = start().await;
    let organizer = app.organizer("north").await;
    let setup = EventSetup {
        places: 20,
        ..EventSetup::default()
    };
    let event = organizer.event(&setup).await;
    let (slow, quick) = (silent().await, Receiver::start().await);
    for url in [&slow.url, &quick.url] {
        let wanted = json!({ "eventTypes": ["registration.confirmed"] });
        endpoint(&organizer.caller, wanted, url).await;
    }
    for _ in 0..8 {
        buy(&app, &event).await;
    }
    assert_eq!(quick.received(8).await.len(), 8);
    let hanging = slow.so_far().len();
    assert!(hanging <= 4, "{hanging} requests hang");
}
