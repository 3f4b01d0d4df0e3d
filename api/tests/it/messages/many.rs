//! What concerns many: members see how far the job is that does it.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{mailbox, registered};
use crate::{
    harness::{Caller, EventSetup, TestApp},
    jobs::{Worker, until},
};

const JOBS: &str = "query { jobs(first: 100, filter: { status: { in: [RUNNING, DONE, DEAD] } }) {
    nodes { kind status progressDone progressTotal } } }";

/// The newest job of that kind, as a member sees it.
async fn job(caller: &Caller, kind: &str) -> Value {
    let found = caller.ask(JOBS, json!({})).await;
    let jobs = found["jobs"]["nodes"].as_array().expect("jobs").clone();
    let of_kind = jobs.into_iter().find(|job| job["kind"] == kind);
    of_kind.unwrap_or(Value::Null)
}

#[tokio::test]
async fn an_organizer_sees_how_far_an_event_is_called_off_and_everybody_hears_once() {
    let app = TestApp::start().await;
    let north = app.organizer("north").await;
    let event = north.event(&EventSetup::default()).await;
    registered(&app, &event).await;
    let admin = app.database.admin().await;
    const OTHERS: &str = "insert into registrations
          (org_id, event_id, occurrence_id, confirmation_number, status, buyer_name, buyer_email, currency, total_minor, confirmed_at)
        select r.org_id, r.event_id, r.occurrence_id, 'OTHER-' || n, 'confirmed', 'Other', 'other-' || n || '@example.org',
          r.currency, 0, r.confirmed_at
        from registrations r, generate_series(1, 509) n";
    admin.execute(OTHERS, &[]).await.expect("others");
    let off = json!({ "eventId": event["id"] });
    north.caller.does("cancelEvent", "", off).await;

    // Somebody else is at work on the last one.
    let mut other = app.database.admin().await;
    let busy = other.transaction().await.expect("a transaction");
    const LAST: &str = "select from registrations order by id desc limit 1 for update";
    busy.query(LAST, &[]).await.expect("the last one");
    let worker = Worker::start(&app);
    let number = |seen: &Value| -> u32 {
        let text = seen["progressDone"].as_str().unwrap_or("0");
        text.parse().expect("a number")
    };
    until("some are cancelled", async || {
        let seen = job(&north.caller, "events.cancel").await;
        seen["status"] == "RUNNING"
            && seen["progressTotal"] == "510"
            && (1..510).contains(&number(&seen))
    })
    .await;
    busy.rollback().await.expect("given up");
    until("it is done", async || {
        job(&north.caller, "events.cancel").await["status"] == "DONE"
    })
    .await;
    let seen = job(&north.caller, "events.cancel").await;
    assert_eq!(
        (&seen["progressDone"], &seen["progressTotal"]),
        (&json!("510"), &json!("510"))
    );
    const TOLD: &str = "select count(*) from message_deliveries where kind = 'event_cancelled'";
    until("all are told", async || {
        app.database.count(TOLD).await == 510
    })
    .await;
    worker.stop().await;
    const TWICE: &str = "select count(*) from mail_messages where kind = 'event_cancelled'";
    assert_eq!(app.database.count(TWICE).await, 510);
}

#[tokio::test]
async fn a_reminder_to_many_tells_how_far_it_is() {
    let app = TestApp::start().await;
    let north = app.organizer("north").await;
    let event = north.event(&EventSetup::default()).await;
    registered(&app, &event).await;
    let admin = app.database.admin().await;
    let row = admin
        .query_one("select org_id, id from occurrences", &[])
        .await
        .expect("a date");
    let (org, date): (Uuid, Uuid) = (row.get(0), row.get(1));
    let input = json!({ "eventId": event["id"], "minutesBefore": 60 });
    let made = north.caller.does("createMessageReminder", "", input).await;
    assert_eq!(made["userErrors"], json!([]));
    const ENQUEUE: &str = "select es.enqueue_jobs(jsonb_build_array(jsonb_build_object(
        'kind', 'messages.remind_people', 'org_id', $1::uuid,
        'payload', jsonb_build_object('reminder_id', (select id from message_reminders), 'occurrence_id', $2::uuid))))";
    admin.execute(ENQUEUE, &[&org, &date]).await.expect("a job");
    let worker = Worker::start(&app);
    until("it is done", async || {
        job(&north.caller, "messages.remind_people").await["status"] == "DONE"
    })
    .await;
    let seen = job(&north.caller, "messages.remind_people").await;
    assert_eq!(
        (&seen["progressDone"], &seen["progressTotal"]),
        (&json!("2"), &json!("2"))
    );
    until("both are reminded", async || {
        let letters = mailbox(&app, "guest1@example.org").await;
        letters.iter().any(|mail| mail["kind"] == "reminder")
    })
    .await;
    worker.stop().await;
}
