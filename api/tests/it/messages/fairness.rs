//! One organization's hundred thousand reminders stand in nobody's way: not in another organization's, and not in that of its
//! own confirmations.

use std::time::Instant;

use super::{log, registered};
use crate::{
    harness::{Database, EventSetup, TestApp},
    jobs::{Worker, until},
};

#[tokio::test]
async fn a_hundred_thousand_reminders_delay_no_confirmation_by_two_seconds() {
    let app = TestApp::over(Database::fresh().await, &[]).await;
    let (north, south) = (app.organizer("north").await, app.organizer("south").await);
    let setup = EventSetup {
        places: 50,
        ..EventSetup::default()
    };
    let heaped = north.event(&setup).await;
    let event = south
        .event(&EventSetup {
            slug: "quiet-day".to_owned(),
            ..setup
        })
        .await;
    let heap = "select es.write_messages(jsonb_agg(jsonb_build_object(
        'kind', 'reminder', 'org_id', o.org_id, 'recipient', n || '@heap.example', 'event_id', o.event_id, 'about', o.id,
        'priority', 2, 'variables', jsonb_build_object('occurrence_id', o.id))))
      from occurrences o join events e on e.id = o.event_id and e.slug = 'rust-day', generate_series(1, 100000) as n";
    app.database
        .admin()
        .await
        .execute(heap, &[])
        .await
        .expect("a heap");
    let worker = Worker::start(&app);
    let sent = "select count(*) from message_deliveries where state = 'sent' and kind = 'reminder'";
    until("they are at it", async || {
        app.database.count(sent).await > 50
    })
    .await;
    for (organizer, event) in [(&south, &event), (&north, &heaped)] {
        registered(&app, event).await;
        let from = Instant::now();
        until("it is delivered", async || {
            log(&organizer.caller, "vera@example.org")
                .await
                .first()
                .is_some_and(|entry| entry["state"] == "SENT")
        })
        .await;
        let took = from.elapsed();
        assert!(took.as_secs_f64() < 2.0, "{took:?}");
    }
    assert!(
        app.database.count(sent).await < 50_000,
        "the heap is gone too soon to prove anything"
    );
    worker.stop().await;
}
