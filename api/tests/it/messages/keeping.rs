//! For how long what was sent is remembered.

use serde_json::json;

use super::{log, mailbox, registered};
use crate::{
    harness::{Database, EventSetup, TestApp},
    jobs::{Worker, until},
};

const DAY: i64 = 24 * 3600;

/// Lets the clock's job run, and waits for it.
async fn prune(app: &TestApp) {
    let admin = app.database.admin().await;
    const ENQUEUE: &str = "select es.enqueue_jobs('[{\"kind\": \"messages.prune\"}]')";
    admin.execute(ENQUEUE, &[]).await.expect("a job");
    const LEFT: &str = "select count(*) from jobs where kind = 'messages.prune' and status in ('ready', 'running')";
    until("it is pruned", async || app.database.count(LEFT).await == 0).await;
}

#[tokio::test]
async fn letters_go_first_then_their_lines_and_who_must_not_be_written_to_stays() {
    let settings = [("MESSAGE_DAYS", "10"), ("MESSAGE_LOG_DAYS", "60")];
    let app = TestApp::over(Database::fresh().await, &settings).await;
    let north = app.organizer("north").await;
    let event = north.event(&EventSetup::default()).await;
    registered(&app, &event).await;
    let stop = json!({ "channel": "EMAIL", "address": "stop@example.org", "reason": "BOUNCE" });
    north
        .caller
        .does("createMessageSuppression", "", stop)
        .await;
    let worker = Worker::start(&app);
    let lines = async || log(&north.caller, "vera@example.org").await.len();
    let letters = async || mailbox(&app, "vera@example.org").await.len();
    until("it is sent", async || {
        let entries = log(&north.caller, "vera@example.org").await;
        entries
            .first()
            .is_some_and(|entry| entry["state"] == "SENT")
    })
    .await;
    worker.stop().await;
    // One that nobody has delivered, and nobody will: its job is dead and gone.
    let admin = app.database.admin().await;
    const LOST: &str = "select es.write_messages(jsonb_build_array(jsonb_build_object(
          'org_id', e.org_id, 'kind', 'reminder', 'recipient', 'lost@example.org', 'event_id', e.id, 'about', e.id)))
        from events e";
    admin.execute(LOST, &[]).await.expect("a letter");
    const GONE: &str = "delete from jobs where kind = 'mail.deliver'";
    admin.execute(GONE, &[]).await.expect("no job");
    let worker = Worker::start(&app);

    for (days, kept) in [(9, (1, 1)), (2, (0, 1)), (48, (0, 1)), (2, (0, 0))] {
        app.database.advance(days * DAY).await;
        prune(&app).await;
        assert_eq!(
            (letters().await, lines().await),
            kept,
            "after {days} more days"
        );
    }
    const LOST_ONES: &str =
        "select count(*) from mail_messages where recipient = 'lost@example.org'";
    assert_eq!(app.database.count(LOST_ONES).await, 0);
    const STOPPED: &str = "select count(*) from message_suppressions";
    assert_eq!(app.database.count(STOPPED).await, 1);
    worker.stop().await;
}
