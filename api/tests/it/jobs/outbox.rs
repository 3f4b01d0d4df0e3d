use std::collections::BTreeMap;

use async_trait::async_trait;
use eventsphere::jobs::{Event, Events, Failed, Handler, Running};
use uuid::Uuid;

use super::{Worker, app, note, noted, until};
use crate::harness::Database;

/// Notes what it hears, under the key of the object.
struct Hears;

#[async_trait]
impl Handler for Hears {
    type Payload = Event;

    const KIND: &'static str = "test.hears";

    async fn run(_: &Running, event: Event) -> Result<(), Failed> {
        note(event.object_id, event.sequence.to_string());
        Ok(())
    }
}

const WRITE: &str = "
insert into outbox (id, org_id, type, object_type, object_id, sequence, created_at)
select
  ('00000000-0000-7000-8000-' || lpad((n + $2::bigint)::text, 12, '0'))::uuid, gen_random_uuid(), $4, 'thing', $1, n + $2::bigint,
  clock_timestamp() - interval '1 hour'
from generate_series(1, $3::bigint) as n";

#[tokio::test]
async fn three_relays_tell_each_event_once_and_those_committed_late_too() {
    let database = Database::fresh().await;
    let mut apps = vec![];
    let mut workers = vec![];
    for _ in 0..3 {
        let app = app(database.again(), |registry| {
            registry
                .add::<Hears>()
                .on::<Hears>(Events::Of(&["test.happened"]));
        })
        .await;
        workers.push(Worker::start(&app));
        apps.push(app);
    }
    let object = Uuid::new_v4();
    let mut late = database.admin().await;
    let held = late.transaction().await.unwrap();
    let write = async |client: &tokio_postgres::Client, from: i32, many: i32, kind: &str| {
        let from = i64::from(from);
        let many = i64::from(many);
        client
            .execute(WRITE, &[&object, &from, &many, &kind])
            .await
            .unwrap();
    };
    // Earlier keys and times than all others, but not committed yet.
    held.execute(WRITE, &[&object, &0_i64, &5_i64, &"test.happened"])
        .await
        .unwrap();
    let admin = database.admin().await;
    write(&admin, 100, 2000, "test.happened").await;
    write(&admin, 5000, 7, "test.something.else").await;
    until("they heard", async || noted(object).len() == 2000).await;
    held.commit().await.unwrap();
    until("they heard of the late ones", async || {
        noted(object).len() == 2005
    })
    .await;
    let unsent = "select count(*) from outbox where sent_at is null";
    until("all is sent", async || database.count(unsent).await == 0).await;
    until("nothing is left", async || {
        database
            .count("select count(*) from jobs where kind = 'test.hears'")
            .await
            == 0
    })
    .await;
    for worker in workers {
        worker.stop().await;
    }
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for sequence in noted(object) {
        *times.entry(sequence).or_default() += 1;
    }
    assert_eq!(times.len(), 2005);
    assert!(times.values().all(|times| *times == 1), "{times:?}");
}

#[tokio::test]
async fn a_relay_that_dies_half_way_has_told_nothing() {
    let app = app(Database::fresh().await, |_| {}).await;
    let mut client = app.database.admin().await;
    let object = Uuid::new_v4();
    client
        .execute(WRITE, &[&object, &0_i64, &10_i64, &"test.happened"])
        .await
        .unwrap();
    let relay = "select relay_outbox('{\"limit\": 4, \"consumers\": [
        {\"kind\": \"test.each\", \"types\": null, \"once\": false},
        {\"kind\": \"test.other\", \"types\": [\"no.such\"], \"once\": false}]}')";
    let count = async |sql: &str| app.database.count(sql).await;
    let dies = client.transaction().await.unwrap();
    dies.execute(relay, &[]).await.unwrap();
    // Another one meanwhile takes others; its place behind this one it gets when that is gone.
    let other = app.database.admin().await;
    let waiting = "select count(*) from pg_locks where locktype = 'advisory' and not granted
        and database = (select oid from pg_database where datname = current_database())";
    let gone = async {
        until("it waits for its place", async || count(waiting).await == 1).await;
        drop(dies);
    };
    let (told, ()) = tokio::join!(other.execute(relay, &[]), gone);
    told.unwrap();
    until("it is undone", async || {
        count("select count(*) from outbox where sent_at is not null").await == 4
    })
    .await;
    for _ in 0..2 {
        other.execute(relay, &[]).await.unwrap();
    }
    // However many events, one job waits for them; what comes after it was taken makes another.
    let once = relay.replace("test.each", "test.once").replace(
        "\"types\": null, \"once\": false",
        "\"types\": null, \"once\": true",
    );
    let waiting = "select count(*) from jobs where kind = 'test.once'";
    for (number, expected) in [(1, 1), (2, 1)] {
        let from = number * 100_i64;
        other
            .execute(WRITE, &[&object, &from, &3_i64, &"test.happened"])
            .await
            .unwrap();
        other.execute(&once, &[]).await.unwrap();
        assert_eq!(count(waiting).await, expected);
    }
    assert_eq!(
        count("select count(*) from outbox where sent_at is null").await,
        0
    );
    assert_eq!(
        count("select count(*) from jobs where kind = 'test.each'").await,
        10
    );
    assert_eq!(
        count("select count(distinct key) from jobs where kind = 'test.each'").await,
        10
    );
    assert_eq!(
        count("select count(*) from jobs where kind = 'test.other'").await,
        0
    );
}

#[tokio::test]
async fn many_events_of_an_organization_are_followed_by_few_jobs() {
    let app = app(Database::fresh().await, |_| {}).await;
    let client = app.database.admin().await;
    let (much, little) = (Uuid::new_v4(), Uuid::new_v4());
    let write = "insert into outbox (org_id, type, object_type, object_id, sequence, created_at)
        select case when n <= 120 then $1::uuid else $2::uuid end, 'test.happened', 'thing', $1, n,
            clock_timestamp() - make_interval(secs => 200 - n)
        from generate_series(1, 123) as n
        order by n desc";
    client.execute(write, &[&much, &little]).await.unwrap();
    let relay = "select relay_outbox('{\"limit\": 500, \"consumers\": [
        {\"kind\": \"test.many\", \"types\": [\"test.happened\"], \"once\": false, \"together\": true}]}')";
    client.execute(relay, &[]).await.unwrap();
    let jobs = client
        .query(
            "select org_id, payload -> 'events' from jobs where kind = 'test.many'
             order by org_id = $1 desc, (payload -> 'events' -> 0 ->> 'sequence')::bigint",
            &[&much],
        )
        .await
        .unwrap();
    let told = jobs.iter().map(|row| {
        let events: Vec<Event> = serde_json::from_value(row.get(1)).unwrap();
        let sequences: Vec<i64> = events.iter().map(|event| event.sequence).collect();
        (row.get::<_, Uuid>(0), sequences)
    });
    let all = |of: std::ops::RangeInclusive<i64>| of.collect::<Vec<_>>();
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            (much, all(1..=50)),
            (much, all(51..=100)),
            (much, all(101..=120)),
            (little, all(121..=123)),
        ]
    );
}
