use std::time::Duration;

use async_trait::async_trait;
use eventsphere::jobs::{Failed, Handler, Policy, Priority, Queue, Running};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Worker, app, note, noted, until};
use crate::harness::{Database, TestApp};

/// Two organizations, `a...` and `b...`.
const ORGANIZATIONS: &str = "
insert into organizations (id, slug, name)
values
  ('a0000000-0000-7000-8000-0000000000aa', 'aa', 'A'),
  ('b0000000-0000-7000-8000-0000000000aa', 'bb', 'B')";

async fn organizations(app: &TestApp) {
    let admin = app.database.admin().await;
    admin.batch_execute(ORGANIZATIONS).await.unwrap();
}

#[tokio::test]
async fn a_hundred_thousand_letters_of_one_organization_do_not_delay_anothers() {
    let app = app(Database::fresh().await, |_| {}).await;
    organizations(&app).await;
    let admin = app.database.admin().await;
    let heap = "
      with letters as (
        insert into mail_messages (org_id, kind, recipient, subject, body_text)
        select 'a0000000-0000-7000-8000-0000000000aa', 'x', 'a@example.org', 's', 'b' from generate_series(1, 100000)
        returning id
      )
      select es.enqueue_jobs(jsonb_agg(jsonb_build_object(
        'kind', 'mail.deliver', 'org_id', 'a0000000-0000-7000-8000-0000000000aa',
        'payload', jsonb_build_object('letter_id', id)
      )))
      from letters";
    admin.execute(heap, &[]).await.unwrap();
    let worker = Worker::start(&app);
    let delivered = "select count(*) from mail_messages where delivered_at is not null";
    until("they are at it", async || {
        app.database.count(delivered).await > 100
    })
    .await;
    for _ in 0..5 {
        let write = "select es.write_letter('b0000000-0000-7000-8000-0000000000aa', 'x', 'b@example.org', 's', 'b')";
        admin.execute(write, &[]).await.unwrap();
        let missing = "select count(*) from mail_messages where recipient = 'b@example.org' and delivered_at is null";
        until("it is delivered", async || {
            app.database.count(missing).await == 0
        })
        .await;
    }
    let slowest = "select (1000 * max(extract(epoch from delivered_at - created_at)))::bigint from mail_messages \
                   where recipient = 'b@example.org'";
    let slowest = app.database.count(slowest).await;
    assert!(slowest < 2000, "{slowest} ms");
    let waiting = "select count(*) from mail_messages where recipient = 'a@example.org' and delivered_at is null";
    assert!(
        app.database.count(waiting).await > 50_000,
        "the heap is gone too soon to prove anything"
    );
    worker.stop().await;
}

/// Holds its place until it is cut off.
struct Hangs;

/// Notes that it ran.
struct Quick;

#[derive(Debug, Deserialize, Serialize)]
struct Test {
    test: Uuid,
}

#[async_trait]
impl Handler for Hangs {
    type Payload = Test;

    const KIND: &'static str = "test.hangs";

    fn policy() -> Policy {
        Policy::new()
            .queue("narrow")
            .time_limit(Duration::from_secs(300))
    }

    async fn run(job: &Running, told: Test) -> Result<(), Failed> {
        note(told.test, "hangs");
        while !job.stopping() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Err(Failed::GiveBack)
    }
}

#[async_trait]
impl Handler for Quick {
    type Payload = Test;

    const KIND: &'static str = "test.quick";

    fn policy() -> Policy {
        Policy::new().queue("narrow")
    }

    async fn run(_: &Running, told: Test) -> Result<(), Failed> {
        note(told.test, "quick");
        Ok(())
    }
}

#[tokio::test]
async fn a_lane_whose_jobs_hang_leaves_places_to_others_and_is_given_back_when_the_program_stops() {
    let app = app(Database::fresh().await, |registry| {
        registry
            .queue(Queue::new("narrow", 4, 3))
            .add::<Hangs>()
            .add::<Quick>();
    })
    .await;
    let (hanging, quick) = (Uuid::new_v4(), Uuid::new_v4());
    let admin = app.database.admin().await;
    let enqueue = "select es.enqueue_jobs(jsonb_agg(jsonb_build_object(
        'kind', $1::text, 'lane', $2::uuid, 'payload', jsonb_build_object('test', $2))))
      from generate_series(1, $3::int)";
    admin
        .execute(enqueue, &[&"test.hangs", &hanging, &10])
        .await
        .unwrap();
    let worker = Worker::start(&app);
    until("three hang", async || noted(hanging).len() == 3).await;
    admin
        .execute(enqueue, &[&"test.quick", &quick, &50])
        .await
        .unwrap();
    until("the others are done", async || noted(quick).len() == 50).await;
    assert_eq!(
        noted(hanging).len(),
        3,
        "the fourth place is nobody's but theirs"
    );
    worker.stop().await;
    let back =
        "select count(*) from jobs where kind = 'test.hangs' and status = 'ready' and attempts = 0";
    assert_eq!(app.database.count(back).await, 10);
    assert_eq!(
        app.database.count("select count(*) from job_workers").await,
        0
    );
}

/// Notes its rank.
struct Ranked<const RANK: usize>;

const RANKS: [(&str, Priority); 3] = [
    ("test.urgent", Priority::Urgent),
    ("test.normal", Priority::Normal),
    ("test.bulk", Priority::Bulk),
];

#[async_trait]
impl<const RANK: usize> Handler for Ranked<RANK> {
    type Payload = Test;

    const KIND: &'static str = RANKS[RANK].0;

    fn policy() -> Policy {
        Policy::new().queue("ranked").priority(RANKS[RANK].1)
    }

    async fn run(_: &Running, told: Test) -> Result<(), Failed> {
        note(told.test, RANK.to_string());
        // Long enough for a heap of them to be there still when something urgent comes.
        tokio::time::sleep(Duration::from_millis(5)).await;
        Ok(())
    }
}

#[tokio::test]
async fn what_is_urgent_overtakes_whatever_was_there_before() {
    let app = app(Database::fresh().await, |registry| {
        registry
            .queue(Queue::new("ranked", 1, 1))
            .add::<Ranked<0>>()
            .add::<Ranked<1>>()
            .add::<Ranked<2>>();
    })
    .await;
    let test = Uuid::new_v4();
    let admin = app.database.admin().await;
    // One lane each: the order is not that of lanes.
    let enqueue = "select es.enqueue_jobs(jsonb_agg(jsonb_build_object(
        'kind', $1::text, 'lane', gen_random_uuid(), 'payload', jsonb_build_object('test', $2::uuid))))
      from generate_series(1, $3::int)";
    for rank in [2, 1, 0] {
        admin
            .execute(enqueue, &[&RANKS[rank].0, &test, &20])
            .await
            .unwrap();
    }
    let worker = Worker::start(&app);
    until("all are done", async || noted(test).len() == 60).await;
    let ranks = noted(test);
    // Two turns may be under way, and the answer of the second come first: neighbours may be swapped.
    let urgent = ranks.iter().rposition(|rank| rank == "0");
    let bulk = ranks.iter().position(|rank| rank == "2");
    assert!(urgent < bulk, "{ranks:?}");

    admin
        .execute(enqueue, &[&RANKS[2].0, &test, &400])
        .await
        .unwrap();
    until("the heap is worked at", async || noted(test).len() > 70).await;
    admin
        .execute(enqueue, &[&RANKS[0].0, &test, &1])
        .await
        .unwrap();
    until("the urgent one is done", async || {
        noted(test)[60..].iter().any(|rank| rank == "0")
    })
    .await;
    assert!(noted(test).len() < 400, "it came after the heap");
    worker.stop().await;
}
