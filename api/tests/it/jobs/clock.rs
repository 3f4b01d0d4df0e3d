use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono_tz::Europe::Berlin;
use eventsphere::jobs::{Failed, Handler, Running, Schedule};
use serde_json::{Value, json};
use uuid::{Uuid, uuid};

use super::{Worker, app, note, noted, until};
use crate::harness::{Database, at_once};

const TEST: Uuid = uuid!("00000000-0000-7000-8000-00000000c10c");

struct Ticks;

#[async_trait]
impl Handler for Ticks {
    type Payload = ();

    const KIND: &'static str = "test.ticks";

    async fn run(job: &Running, (): ()) -> Result<(), Failed> {
        note(TEST, job.created_at.timestamp().to_string());
        Ok(())
    }
}

#[tokio::test]
async fn what_the_clock_asks_for_runs_once_over_all_processes() {
    let database = Database::fresh().await;
    let mut apps = vec![];
    let mut workers = vec![];
    for _ in 0..3 {
        let app = app(database.again(), |registry| {
            registry.add::<Ticks>().every::<Ticks>(Schedule::seconds(1));
        })
        .await;
        workers.push(Worker::start(&app));
        apps.push(app);
    }
    until("five slots", async || noted(TEST).len() >= 5).await;
    for worker in workers {
        worker.stop().await;
    }
    let seconds = noted(TEST);
    let different: BTreeSet<_> = seconds.iter().collect();
    assert_eq!(
        different.len(),
        seconds.len(),
        "a slot ran twice: {seconds:?}"
    );
}

#[tokio::test]
async fn tables_that_grow_fast_are_counted_again_by_the_clock() {
    let database = Database::fresh().await;
    let app = app(database.again(), |_| {}).await;
    let admin = database.admin().await;
    // Whoever counts here, it is not PostgreSQL by itself.
    admin
        .batch_execute("alter table organizations set (autovacuum_enabled = false)")
        .await
        .expect("a setting");
    let known = "select reltuples::bigint from pg_class where oid = 'organizations'::regclass";
    let before = database.count(known).await;
    let worker = Worker::start(&app);
    let grow = "insert into organizations (slug, name, country, time_zone, default_currency)
        select 'house-' || n, 'House', 'DE', 'Europe/Berlin', 'EUR' from generate_series(1, 400) n";
    admin.execute(grow, &[]).await.expect("organizations");
    assert!(before < 400, "{before}");
    until("they are counted", async || {
        database.count(known).await >= 400
    })
    .await;
    worker.stop().await;
}

const NIGHTS: Uuid = uuid!("00000000-0000-7000-8000-00000000c20c");

struct Nightly;

#[async_trait]
impl Handler for Nightly {
    type Payload = ();

    const KIND: &'static str = "test.nightly";

    async fn run(job: &Running, (): ()) -> Result<(), Failed> {
        let local = job.created_at.with_timezone(&Berlin);
        note(NIGHTS, local.format("%d %H:%M").to_string());
        Ok(())
    }
}

#[tokio::test]
async fn what_a_crontab_asks_for_runs_at_its_hour_in_its_zone_once_over_all_processes() {
    let database = Database::fresh().await;
    let mut apps = vec![];
    let mut workers = vec![];
    for _ in 0..3 {
        let app = app(database.again(), |registry| {
            registry
                .add::<Nightly>()
                .at::<Nightly>("0 3 * * * Europe/Berlin");
        })
        .await;
        workers.push(Worker::start(&app));
        apps.push(app);
    }
    let known = "select count(*) from job_schedules where kind = 'test.nightly'";
    until("it is known", async || database.count(known).await == 1).await;
    assert_eq!(noted(NIGHTS).len(), 0, "it began with a slot that was over");
    const TO_THREE: &str = "select ceil(extract(epoch from
        (date_trunc('day', es.clock() at time zone 'Europe/Berlin') + interval '27 hours') at time zone 'Europe/Berlin'
        - es.clock()))::bigint";
    for night in 1..=3 {
        let seconds = database.count(TO_THREE).await;
        database.advance(seconds).await;
        until("a night", async || noted(NIGHTS).len() >= night).await;
        // Else it would be given to another worker: time that jumps makes workers look dead.
        let left = "select count(*) from jobs where kind = 'test.nightly'";
        until("it is done", async || database.count(left).await == 0).await;
    }
    for worker in workers {
        worker.stop().await;
    }
    let nights = noted(NIGHTS);
    assert_eq!(nights.len(), 3, "{nights:?}");
    let days: BTreeSet<_> = nights.iter().map(|night| &night[..2]).collect();
    assert_eq!(days.len(), 3, "{nights:?}");
    assert!(
        nights.iter().all(|night| night.ends_with("03:00")),
        "{nights:?}"
    );
}

#[tokio::test]
async fn a_slot_of_a_crontab_is_judged_by_the_databases_clock_and_only_while_it_lasts() {
    let app = app(Database::fresh().await, |_| {}).await;
    let ask = async |slot: i64, until: i64, many: usize| -> i64 {
        let now = app.app.clock.now();
        let at = |seconds| now + chrono::TimeDelta::seconds(seconds);
        let request = json!([{ "kind": "test.nightly", "slot": at(slot), "until": at(until) }]);
        let database = app.database.again();
        let all = at_once(many, move |_| {
            let (database, request) = (database.again(), request.clone());
            async move {
                let admin = database.admin().await;
                let row = admin
                    .query_one("select run_job_schedules($1)", &[&request])
                    .await
                    .unwrap();
                let answer: Value = row.get(0);
                assert!(answer["now"].is_string());
                answer["written"].as_i64().unwrap()
            }
        });
        all.await.into_iter().sum()
    };
    let known = "select count(*) from job_schedules where kind = 'test.nightly'";
    assert_eq!(ask(-7200, -3600, 1).await, 0, "it is over");
    assert_eq!(ask(3600, 7200, 1).await, 0, "it has not begun");
    assert_eq!(app.database.count(known).await, 0);
    assert_eq!(ask(-3600, 3600, 4).await, 0, "the first is only noted");
    assert_eq!(app.database.count(known).await, 1);
    assert_eq!(ask(-1800, 3600, 12).await, 1, "the next runs once");
    assert_eq!(ask(-1800, 3600, 4).await, 0);
}

#[tokio::test]
async fn operators_choose_other_hours_for_what_runs_by_the_clock() {
    let mut registry = eventsphere::assemble::jobs();
    let nightly = || Schedule::crontab("0 3 * * * Europe/Berlin").unwrap();
    assert!(registry.reschedule("webhooks.prune", nightly()).is_ok());
    let unknown = registry.reschedule("mail.deliver", nightly()).unwrap_err();
    assert!(unknown.contains("webhooks.prune"), "{unknown}");
    registry.at::<Ticks>("at night");
    let faults = registry.faults();
    assert!(
        faults.iter().any(|fault| fault.contains("at night")),
        "{faults:?}"
    );
}

#[tokio::test]
async fn a_slot_that_many_see_at_once_is_one_job_and_a_missed_one_is_not_made_up_for() {
    let app = app(Database::fresh().await, |_| {}).await;
    let written = async || -> i64 {
        let database = app.database.again();
        let all = at_once(12, move |_| {
            let database = database.again();
            async move {
                let admin = database.admin().await;
                let row = admin
                    .query_one(
                        "select (run_job_schedules('[{\"kind\": \"test.daily\", \"every_seconds\": 86400, \
                         \"offset_seconds\": 3600}]') ->> 'written')::bigint",
                        &[],
                    )
                    .await
                    .unwrap();
                row.get::<_, i64>(0)
            }
        });
        all.await.into_iter().sum()
    };
    assert_eq!(written().await, 1);
    assert_eq!(written().await, 0);
    let admin = app.database.admin().await;
    // While the last one waits, none is added; then one for all the days that passed.
    app.database.advance(86_400).await;
    assert_eq!(written().await, 0);
    admin.execute("delete from jobs", &[]).await.unwrap();
    app.database.advance(10 * 86_400).await;
    assert_eq!(written().await, 1);
}
