use std::time::Duration;

use async_trait::async_trait;
use eventsphere::jobs::{Backoff, Failed, Handler, New, Policy, Running, enqueue};
use eventsphere::tenancy::SystemReason;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Worker, app, note, noted, until};
use crate::harness::{Caller, Database};

/// Does what it is told, unless something of that name was noted before: then it is done.
struct Tries;

#[derive(Clone, Debug, Deserialize, Serialize)]
struct What {
    test: Uuid,
    fails: String,
}

#[async_trait]
impl Handler for Tries {
    type Payload = What;

    const KIND: &'static str = "test.tries";

    fn policy() -> Policy {
        let backoff = Backoff::new(Duration::from_millis(20), Duration::from_millis(50));
        Policy::new()
            .attempts(3)
            .backoff(backoff)
            .time_limit(Duration::from_secs(2))
    }

    async fn run(job: &Running, what: What) -> Result<(), Failed> {
        note(what.test, format!("{} {}", what.fails, job.attempt));
        if noted(what.test).contains(&"mended".to_owned()) {
            return Ok(());
        }
        match what.fails.as_str() {
            "for good" => Err(Failed::Never("there is no such address".to_owned())),
            "with a panic" => panic!("on purpose"),
            "by hanging" => {
                tokio::time::sleep(Duration::from_secs(60)).await;
                Ok(())
            }
            _ => Err(Failed::later("the server did not answer")),
        }
    }
}

const JOBS: &str = "query { jobs(filter: { status: { eq: DEAD } }, orderBy: [CREATED_AT_ASC]) {
  nodes { id kind status attempts maxAttempts failure finishedAt organization { slug } } } }";

async fn dead(caller: &Caller) -> Vec<Value> {
    let found = caller.ask(JOBS, json!({})).await;
    found["jobs"]["nodes"].as_array().unwrap().clone()
}

#[tokio::test]
async fn what_fails_for_good_is_shown_to_members_and_runs_again_when_they_say_so() {
    let app = app(Database::fresh().await, |registry| {
        registry.add::<Tries>();
    })
    .await;
    let north = app.organizer("north").await;
    let south = app.organizer("south").await;
    let org = app
        .database
        .admin()
        .await
        .query_one("select id from organizations where slug = 'north'", &[])
        .await
        .unwrap()
        .get::<_, Uuid>(0);
    let test = Uuid::new_v4();
    let ways = ["by not answering", "for good", "with a panic", "by hanging"];
    let tx = app.app.door.system(SystemReason::Jobs).await.unwrap();
    for fails in ways {
        let what = What {
            test,
            fails: fails.to_owned(),
        };
        let job = New::of::<Tries>(&what).unwrap().of_organization(org);
        enqueue(&tx, job).await.unwrap();
    }
    tx.commit().await.unwrap();
    let worker = Worker::start(&app);
    until("all are dead", async || {
        dead(&north.caller).await.len() == 4
    })
    .await;

    let found = dead(&north.caller).await;
    let told = |fails: &str| {
        let at = ways.iter().position(|way| *way == fails).unwrap();
        let job = &found[at];
        assert_eq!(job["kind"], "test.tries");
        assert_eq!(job["organization"]["slug"], "north");
        assert_ne!(job["finishedAt"], Value::Null);
        (
            job["attempts"].as_i64().unwrap(),
            job["failure"].as_str().unwrap().to_owned(),
        )
    };
    assert_eq!(
        told("by not answering"),
        (3, "the server did not answer".to_owned())
    );
    assert_eq!(told("for good"), (1, "there is no such address".to_owned()));
    assert_eq!(told("with a panic"), (3, "internal error".to_owned()));
    assert_eq!(
        told("by hanging"),
        (3, "it took longer than it may".to_owned())
    );
    assert!(dead(&south.caller).await.is_empty());
    assert_eq!(noted(test).len(), 10);

    // Of another organization: as if they were not there.
    let ids: Vec<_> = found.iter().map(|job| job["id"].clone()).collect();
    let theirs = south
        .caller
        .tries("replayJobs", "jobs { id }", json!({ "jobIds": ids }))
        .await;
    assert_eq!(theirs["userErrors"][0]["code"], "JOB_NOT_FOUND");
    note(test, "mended");
    let replayed = north
        .caller
        .does("replayJobs", "jobs { id }", json!({ "jobIds": ids }))
        .await;
    assert!(replayed["jobs"].as_array().unwrap().len() <= 4);
    let left = "select count(*) from jobs where kind = 'test.tries'";
    until("all are done", async || app.database.count(left).await == 0).await;
    assert_eq!(noted(test).len(), 15, "each once more: {:?}", noted(test));
    let again = north
        .caller
        .tries("replayJobs", "jobs { id }", json!({ "jobIds": ids }))
        .await;
    assert_eq!(again["userErrors"][0]["code"], "JOB_NOT_FOUND");
    let audited = "select count(*) from audit_log where action = 'job.replayed'";
    assert_eq!(app.database.count(audited).await, 4);
    worker.stop().await;
}

#[tokio::test]
async fn a_job_of_a_kind_that_only_another_version_knows_is_left_to_it() {
    let app = app(Database::fresh().await, |_| {}).await;
    let admin = app.database.admin().await;
    admin
        .execute(
            "select es.enqueue_jobs('[{\"kind\": \"of.tomorrow\"}]')",
            &[],
        )
        .await
        .unwrap();
    let worker = Worker::start(&app);
    let left = "select count(*) from jobs where kind = 'of.tomorrow' and status = 'scheduled' and attempts = 0 \
                and run_at > clock_timestamp() + interval '20 seconds'";
    until("it is left", async || app.database.count(left).await == 1).await;
    worker.stop().await;
}
