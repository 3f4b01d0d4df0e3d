//! The order in which events are passed on: whoever follows it by position leaves nothing out, however many relays there are.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use serde_json::{Value, json};

use crate::harness::TestApp;

const EVENTS: i64 = 1_500;
const WRITE: &str = "
insert into outbox (org_id, type, object_type, object_id, sequence)
select gen_random_uuid(), 'event.updated', 'event', gen_random_uuid(), 1 from generate_series(1, $1::bigint)";

#[tokio::test]
async fn who_follows_three_relays_leaves_nothing_out() {
    let app = TestApp::start().await;
    let admin = app.database.admin().await;
    admin.execute(WRITE, &[&EVENTS]).await.expect("events");
    let enough = Arc::new(AtomicBool::new(false));
    let mut relays = vec![];
    for _ in 0..3 {
        let (relay, enough) = (app.database.admin().await, enough.clone());
        relays.push(tokio::spawn(async move {
            while !enough.load(Ordering::Relaxed) {
                let batch = "select relay_outbox('{\"limit\": 3, \"consumers\": []}')";
                relay.execute(batch, &[]).await.expect("passed on");
            }
        }));
    }
    let (mut last, mut seen) = (0_i64, 0);
    while seen < EVENTS {
        let request = json!({ "after": last, "limit": 50, "types": ["event.updated"] });
        let row = admin
            .query_one(
                "select live_feed($1::text::jsonb)::text",
                &[&request.to_string()],
            )
            .await
            .expect("the feed");
        let page: Value = serde_json::from_str(row.get(0)).expect("JSON");
        let items = page["items"].as_array().expect("items");
        let positions: Vec<i64> = items.iter().filter_map(|item| item[0].as_i64()).collect();
        assert!(positions.is_sorted() && positions.iter().all(|position| *position > last));
        seen += i64::try_from(positions.len()).expect("few");
        last = page["upto"].as_i64().expect("a position");
        // Nothing comes in below what was looked at.
        let below = "select count(*) from outbox where position <= $1";
        let below: i64 = admin
            .query_one(below, &[&last])
            .await
            .expect("a count")
            .get(0);
        assert_eq!(below, seen, "after position {last}");
    }
    enough.store(true, Ordering::Relaxed);
    for relay in relays {
        relay.await.expect("it ends");
    }
}
