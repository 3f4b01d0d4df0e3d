//! A client that goes away in the middle: what it left behind is nobody's, and what it had begun is finished or undone.

use std::{collections::HashSet, time::Duration};

use eventsphere::tenancy::{Actor, ActorKind, Guest};
use eventsphere_graphql::plan::{Flight, Prelude};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, net::TcpStream};
use tokio_postgres::Client;
use uuid::Uuid;

use super::world::world;
use crate::harness::{self, TestApp};

/// Connections of each pool of a test's server.
const POOL: usize = 8;
/// Number of the advisory lock at which statements of these tests wait.
const GATE: i64 = 4711;

/// What a clean connection says of itself outside any transaction.
const STATE: &str = "json_build_object('pid', pg_backend_pid(), 'user', current_user, 'set', concat( \
     current_setting('es.user', true), current_setting('es.org', true), current_setting('es.permissions', true), \
     current_setting('es.guest', true), current_setting('es.revealed', true), current_setting('es.actor', true)))::text";

fn actors(org: Uuid) -> [Actor; 3] {
    let member = Actor {
        kind: ActorKind::Token {
            token_id: Uuid::now_v7(),
            org_id: org,
            permissions: vec!["events:read".to_owned()],
            trusted_only: false,
        },
        guest: Guest::default(),
    };
    let attendee = Actor::attendee(Uuid::now_v7(), Uuid::now_v7());
    [Actor::anonymous(), attendee, member]
}

/// Waits until so many statements stand before the gate.
async fn wait_for(admin: &Client, waiting: usize) {
    let sql = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    for _ in 0..600 {
        let now: i64 = admin.query_one(sql, &[]).await.expect("a count").get(0);
        if now as usize == waiting {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{waiting} statements never came to wait");
}

/// A flight that ends its transaction first, so that what it reads is the connection as the next one finds it.
fn outside() -> Flight {
    Flight {
        preludes: vec![Prelude {
            sql: "commit".into(),
            params: vec![],
        }],
        sql: format!(
            "select {STATE} from (select pg_advisory_lock_shared({GATE}), pg_advisory_unlock_shared({GATE})) g"
        )
        .into(),
        params: vec![],
        fresh: false,
        by_key: false,
        joint: None,
    }
}

/// Each of them is that user, acts as that name, and stands for nobody.
fn assert_clean(states: Vec<String>, user: &str, acts_as: &str, whose: &str) {
    let mut backends = HashSet::new();
    for state in states {
        let state: Value = serde_json::from_str(&state).expect("JSON");
        assert_eq!(state["user"], json!(user), "{whose} {state}");
        assert_eq!(state["set"], json!(acts_as), "{whose} {state}");
        backends.insert(state["pid"].as_i64());
    }
    assert_eq!(
        backends.len(),
        POOL,
        "{whose}: not every connection was asked"
    );
}

/// Takes every connection of every pool at once and looks at each.
async fn every_connection_is_clean(app: &TestApp, org: Uuid) {
    let looked = tokio::time::timeout(Duration::from_secs(60), look_at_all(app, org)).await;
    looked.expect("a connection that never came back");
}

async fn look_at_all(app: &TestApp, org: Uuid) {
    let admin = app.database.admin().await;
    let gate = app.database.admin().await;
    // Connections that read have a weak role, and nobody's name, from their start; those that write, neither.
    let roles = ["es_public", "es_attendee", "es_member"];
    for (actor, role) in actors(org).into_iter().zip(roles) {
        gate.execute("select pg_advisory_lock($1)", &[&GATE])
            .await
            .expect("the gate");
        let asked: Vec<_> = (0..POOL)
            .map(|_| {
                let (door, actor) = (app.app.door.clone(), actor.clone());
                tokio::spawn(async move { door.read(&actor, &outside()).await })
            })
            .collect();
        wait_for(&admin, POOL).await;
        gate.execute("select pg_advisory_unlock($1)", &[&GATE])
            .await
            .expect("the gate");
        let mut states = vec![];
        for task in asked {
            let row = task.await.expect("a task").expect("an answer");
            let state = row.column(0).expect("a state").to_vec();
            states.push(String::from_utf8(state).expect("a text"));
        }
        let whose = format!("reads as {:?}", actor.kind);
        assert_clean(states, role, "anonymous", &whose);
    }
    let mut held = vec![];
    for _ in 0..POOL {
        held.push(
            app.app
                .door
                .begin(&actors(org)[2])
                .await
                .expect("a transaction"),
        );
    }
    let mut states = vec![];
    for tx in &held {
        tx.db().execute_unprepared("commit").await.expect("an end");
        let statement = Statement::from_string(DbBackend::Postgres, format!("select {STATE}"));
        let row = tx
            .db()
            .query_one_raw(statement)
            .await
            .expect("a row")
            .expect("a row");
        states.push(row.try_get_by_index(0).expect("a text"));
    }
    assert_clean(states, "es_app", "", "writes");
}

/// Sends a request and keeps the connection, its answer unread.
pub(super) async fn send(app: &TestApp, token: &str, query: &str, variables: Value) -> TcpStream {
    let address = app.url.strip_prefix("http://").expect("an address");
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let body = json!({ "query": query, "variables": variables }).to_string();
    let request = format!(
        "POST /graphql HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\nauthorization: Bearer {token}\r\n\
         accept: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream
        .write_all(request.as_bytes())
        .await
        .expect("a request");
    stream
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_who_hangs_up_leaves_no_context_behind() {
    let (app, world) = world().await;
    let (admin, lock) = (app.database.admin().await, app.database.admin().await);
    let token = world.a.member("owner").token.clone().expect("a token");
    lock.batch_execute("begin; lock table venues in access exclusive mode")
        .await
        .expect("a lock");
    let query = "{ organization: currentOrganization { venues(first: 5) { nodes { name } } } }";
    let mut streams = vec![];
    for _ in 0..POOL {
        streams.push(send(&app, &token, query, json!({})).await);
    }
    wait_for(&admin, POOL).await;
    drop(streams);
    lock.batch_execute("commit").await.expect("an end");
    every_connection_is_clean(&app, world.a.org).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_or_write_that_is_dropped_half_way_leaves_no_context_behind() {
    let (app, world) = world().await;
    let (admin, gate) = (app.database.admin().await, app.database.admin().await);
    gate.execute("select pg_advisory_lock($1)", &[&GATE])
        .await
        .expect("the gate");
    let mut under_way = vec![];
    for actor in actors(world.a.org) {
        for _ in 0..3 {
            let (door, actor) = (app.app.door.clone(), actor.clone());
            let flight = Flight {
                preludes: vec![],
                sql: format!(
                    "select ''::text from (select pg_advisory_xact_lock_shared({GATE})) g"
                )
                .into(),
                params: vec![],
                fresh: false,
                by_key: false,
                joint: None,
            };
            under_way.push(tokio::spawn(async move {
                let _ = door.read(&actor, &flight).await;
            }));
        }
        let door = app.app.door.clone();
        under_way.push(tokio::spawn(async move {
            let tx = door.begin(&actor).await.expect("a transaction");
            let wait = format!("select pg_advisory_xact_lock_shared({GATE})");
            let _ = tx.db().execute_unprepared(&wait).await;
        }));
    }
    wait_for(&admin, under_way.len()).await;
    for task in &under_way {
        task.abort();
    }
    for task in under_way {
        assert!(task.await.expect_err("dropped").is_cancelled());
    }
    gate.execute("select pg_advisory_unlock($1)", &[&GATE])
        .await
        .expect("the gate");
    every_connection_is_clean(&app, world.a.org).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_verb_under_way_is_finished_when_its_caller_hangs_up() {
    let (app, world) = world().await;
    let (admin, lock) = (app.database.admin().await, app.database.admin().await);
    let token = world.a.member("owner").token.clone().expect("a token");
    let sql = "select r.id from registrations r where r.org_id = $1 and r.status = 'held' order by 1 limit 1";
    let key: Uuid = admin
        .query_one(sql, &[&world.a.org])
        .await
        .expect("a hold")
        .get(0);
    let tag = app.app.engine.catalog.entities["Registration"].tag;
    lock.batch_execute("begin").await.expect("a transaction");
    lock.execute(
        "select from registrations where id = $1 for update",
        &[&key],
    )
    .await
    .expect("a lock");
    let query = "mutation($input: ConfirmRegistrationInput!) { confirmRegistration(input: $input) { registration { status } } }";
    let id = eventsphere_graphql::global_id::encode(tag, key);
    let input = json!({ "input": { "registrationId": id, "idempotencyKey": harness::key() } });
    let stream = send(&app, &token, query, input).await;
    wait_for(&admin, 1).await;
    drop(stream);
    lock.batch_execute("commit").await.expect("an end");
    let mut status = String::new();
    for _ in 0..600 {
        let sql = "select status from registrations where id = $1";
        status = admin
            .query_one(sql, &[&key])
            .await
            .expect("the registration")
            .get(0);
        if status == "confirmed" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(status, "confirmed");
    let tickets = "select count(*) from tickets where registration_id = $1";
    let tickets: i64 = admin
        .query_one(tickets, &[&key])
        .await
        .expect("tickets")
        .get(0);
    assert_eq!(tickets, 1);
    every_connection_is_clean(&app, world.a.org).await;
}
