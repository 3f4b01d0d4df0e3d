use serde_json::json;
use tokio_postgres::Client;
use uuid::Uuid;

use super::{Worker, app, until};
use crate::harness::{Database, EventSetup, TestApp, key};

#[tokio::test]
async fn while_no_worker_runs_buyers_notice_nothing_and_then_everything_is_made_up_for() {
    let app = TestApp::start().await;
    let north = app.organizer("north").await;
    let event = north.event(&EventSetup::default()).await;
    let visitor = app.visitor();
    let placed = visitor
        .does(
            "placeRegistration",
            "guestSecret registration { id }",
            json!({
                "eventId": event["id"], "buyer": { "name": "Bo", "email": "bo@example.org" },
                "lines": [{ "ticketTypeId": event["types"][0], "quantity": 1 }], "idempotencyKey": key(),
            }),
        )
        .await;
    let buyer = visitor.with_guest(placed["guestSecret"].as_str().unwrap());
    let confirmed = buyer
        .does(
            "confirmRegistration",
            "registration { status tickets { nodes { code } } }",
            json!({ "registrationId": placed["registration"]["id"], "idempotencyKey": key() }),
        )
        .await;
    assert_eq!(confirmed["registration"]["status"], "CONFIRMED");
    let unsent = "select count(*) from outbox where sent_at is null";
    let undelivered = "select count(*) from mail_messages where delivered_at is null";
    let count = async |sql: &str| app.database.count(sql).await;
    assert!(count(unsent).await >= 3);
    assert_eq!(count(undelivered).await, 1);

    let worker = Worker::start(&app);
    until("all is relayed", async || count(unsent).await == 0).await;
    // The code of the account, and what follows from the event: the confirmation.
    until("both letters are written", async || {
        count("select count(*) from mail_messages").await == 2
    })
    .await;
    until("they are delivered", async || count(undelivered).await == 0).await;
    worker.stop().await;
}

#[tokio::test]
async fn a_job_is_there_exactly_when_its_transaction_was_committed() {
    let app = app(Database::fresh().await, |_| {}).await;
    let mut admin = app.database.admin().await;
    let count = async || app.database.count("select count(*) from jobs").await;
    let write = "select es.write_letter(null, 'x', 'a@example.org', 's', 'b')";
    let undone = admin.transaction().await.unwrap();
    undone.execute(write, &[]).await.unwrap();
    undone.rollback().await.unwrap();
    assert_eq!(count().await, 0);
    admin.execute(write, &[]).await.unwrap();
    assert_eq!(count().await, 1);
    let queued =
        "select count(*) from jobs where queue = 'mail' and priority = 0 and max_attempts = 20";
    assert_eq!(
        app.database.count(queued).await,
        1,
        "as the program registered the kind"
    );
}

/// Takes one job as that worker.
async fn take(client: &Client, worker: Uuid) -> Option<Uuid> {
    let request = json!({
        "worker": worker, "queue": "default", "done": [], "failed": [], "back": [], "want": 1, "per_lane": 1,
        "busy": {}, "cursor": Uuid::nil(),
    });
    let row = client
        .query_one("select (job_turn($1) #>> '{jobs,0,0}')::uuid", &[&request])
        .await
        .unwrap();
    row.get(0)
}

async fn beat(client: &Client, worker: Uuid, new: bool, dead_after: i32) -> serde_json::Value {
    let request = json!({ "worker": worker, "new": new, "dead_after": dead_after });
    let row = client.query_one("select job_beat($1)", &[&request]).await;
    row.unwrap().get(0)
}

#[tokio::test]
async fn the_effect_of_a_worker_that_was_taken_for_dead_is_refused() {
    let app = app(Database::fresh().await, |_| {}).await;
    let admin = app.database.admin().await;
    let (first, second) = (Uuid::new_v4(), Uuid::new_v4());
    let enqueue = "select es.enqueue_jobs('[{\"kind\": \"test.effect\"}]')";
    admin.execute(enqueue, &[]).await.unwrap();
    assert!(
        beat(&admin, first, true, 30).await["stands"]
            .as_bool()
            .unwrap()
    );
    let job = take(&admin, first).await.expect("the job");
    assert_eq!(take(&admin, first).await, None, "one job, one taker");

    admin
        .execute(
            "update job_workers set beat_at = beat_at - interval '31 seconds'",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(beat(&admin, second, true, 30).await["given_away"], 1);
    assert_eq!(take(&admin, second).await, Some(job));
    let finish = "select es.finish_job($1, $2)";
    let late = admin.execute(finish, &[&job, &first]).await.unwrap_err();
    assert_eq!(late.code().unwrap().code(), "ES409");
    // What the first still says of it counts for nothing either.
    assert!(
        !beat(&admin, first, false, 30).await["stands"]
            .as_bool()
            .unwrap()
    );
    assert_eq!(take(&admin, first).await, None);
    admin.execute(finish, &[&job, &second]).await.unwrap();
    assert_eq!(app.database.count("select count(*) from jobs").await, 0);
}

#[tokio::test]
async fn a_job_that_kills_its_workers_is_dead_after_its_last_attempt() {
    let app = app(Database::fresh().await, |_| {}).await;
    let admin = app.database.admin().await;
    admin
        .execute(
            "insert into job_kinds values ('test.kills', 'default', 1, 2, 0)",
            &[],
        )
        .await
        .unwrap();
    let enqueue = "select es.enqueue_jobs('[{\"kind\": \"test.kills\"}]')";
    admin.execute(enqueue, &[]).await.unwrap();
    let watcher = Uuid::new_v4();
    beat(&admin, watcher, true, 30).await;
    for attempt in 1..=2 {
        let worker = Uuid::new_v4();
        beat(&admin, worker, true, 30).await;
        assert!(take(&admin, worker).await.is_some(), "attempt {attempt}");
        let silent =
            "update job_workers set beat_at = beat_at - interval '31 seconds' where id = $1";
        admin.execute(silent, &[&worker]).await.unwrap();
        assert_eq!(beat(&admin, watcher, false, 30).await["given_away"], 1);
    }
    assert_eq!(take(&admin, watcher).await, None);
    let dead = "select count(*) from jobs where status = 'dead' and attempts = 2 and finished_at is not null";
    assert_eq!(app.database.count(dead).await, 1);
}

#[tokio::test]
async fn what_a_lost_answer_took_is_ready_again_after_the_next_turn() {
    let app = app(Database::fresh().await, |_| {}).await;
    let admin = app.database.admin().await;
    let worker = Uuid::new_v4();
    let enqueue = "select es.enqueue_jobs('[{\"kind\": \"a\"}, {\"kind\": \"b\"}]')";
    admin.execute(enqueue, &[]).await.unwrap();
    beat(&admin, worker, true, 30).await;
    let known = take(&admin, worker).await.expect("a job");
    // Taken, but nobody heard of it.
    take(&admin, worker).await.expect("the other");
    let request = json!({
        "worker": worker, "queue": "default", "done": [], "failed": [], "back": [], "want": 0, "per_lane": 1,
        "busy": {}, "cursor": Uuid::nil(), "have": [known],
    });
    admin
        .execute("select job_turn($1)", &[&request])
        .await
        .unwrap();
    let ready = "select count(*) from jobs where status = 'ready' and attempts = 0";
    let running = "select count(*) from jobs where status = 'running' and attempts = 1";
    assert_eq!(app.database.count(ready).await, 1);
    assert_eq!(app.database.count(running).await, 1);
}
