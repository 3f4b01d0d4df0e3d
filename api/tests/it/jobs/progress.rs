use std::time::Duration;

use async_trait::async_trait;
use eventsphere::jobs::{Failed, Handler, New, Policy, Running, enqueue};
use eventsphere::tenancy::SystemReason;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Worker, app, note, noted, until};
use crate::harness::{Caller, Database};

/// Ten steps; waits after the third until somebody has seen it.
struct Long;

#[derive(Debug, Deserialize, Serialize)]
struct Test {
    test: Uuid,
}

#[async_trait]
impl Handler for Long {
    type Payload = Test;

    const KIND: &'static str = "test.long";

    fn policy() -> Policy {
        Policy::new().keep(Duration::from_secs(3600))
    }

    async fn run(job: &Running, told: Test) -> Result<(), Failed> {
        job.progress(3, Some(10)).await?;
        while !noted(told.test).contains(&"seen".to_owned()) {
            if job.stopping() {
                return Err(Failed::GiveBack);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        job.progress(10, Some(10)).await?;
        Ok(())
    }
}

const JOB: &str =
    "query { jobs(filter: { status: { in: [SCHEDULED, READY, RUNNING, DONE, DEAD] } }) {
  nodes { id kind status attempts progressDone progressTotal startedAt finishedAt } } }";

async fn long(caller: &Caller) -> Value {
    let found = caller.ask(JOB, json!({})).await;
    let jobs = found["jobs"]["nodes"].as_array().unwrap().clone();
    let long = jobs.into_iter().find(|job| job["kind"] == "test.long");
    long.expect("the job")
}

#[tokio::test]
async fn members_see_how_far_a_long_job_is_and_it_moves_to_another_worker_when_one_stops() {
    let app = app(Database::fresh().await, |registry| {
        registry.add::<Long>();
    })
    .await;
    let north = app.organizer("north").await;
    let admin = app.database.admin().await;
    let org: Uuid = admin
        .query_one("select id from organizations where slug = 'north'", &[])
        .await
        .unwrap()
        .get(0);
    let test = Uuid::new_v4();
    let tx = app
        .app
        .door
        .system_at(SystemReason::Jobs, org)
        .await
        .unwrap();
    enqueue(
        &tx,
        New::of::<Long>(&Test { test }).unwrap().once("the one"),
    )
    .await
    .unwrap();
    // The same key again is the same job.
    enqueue(
        &tx,
        New::of::<Long>(&Test { test }).unwrap().once("the one"),
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(long(&north.caller).await["status"], "READY");

    let worker = Worker::start(&app);
    until("it is at the third step", async || {
        long(&north.caller).await["progressDone"] == "3"
    })
    .await;
    let seen = long(&north.caller).await;
    assert_eq!(seen["status"], "RUNNING");
    assert_eq!(seen["progressTotal"], "10");
    worker.stop().await;
    let back = long(&north.caller).await;
    assert_eq!(
        (back["status"].clone(), back["attempts"].clone()),
        (json!("READY"), json!(0))
    );

    let worker = Worker::start(&app);
    note(test, "seen");
    until("it is done", async || {
        long(&north.caller).await["status"] == "DONE"
    })
    .await;
    let done = long(&north.caller).await;
    assert_eq!(done["progressDone"], "10");
    assert_eq!(done["attempts"], 1);
    assert_ne!(done["finishedAt"], Value::Null);
    worker.stop().await;
    let jobs = "select count(*) from jobs where kind = 'test.long'";
    assert_eq!(app.database.count(jobs).await, 1);

    // Kept for an hour.
    let clear = "select clear_finished('{\"limit\": 100, \"days\": 30}')";
    admin.execute(clear, &[]).await.unwrap();
    assert_eq!(app.database.count(jobs).await, 1);
    app.database.advance(3700).await;
    admin.execute(clear, &[]).await.unwrap();
    assert_eq!(app.database.count(jobs).await, 0);
}
