use std::collections::BTreeSet;

use async_trait::async_trait;
use eventsphere::jobs::{Failed, Handler, Running, Schedule};
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
