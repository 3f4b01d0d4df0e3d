//! Deliveries that wait: for their next attempt, or for an endpoint that is turned off.

use serde_json::{Value, json};
use tokio_postgres::Client;
use uuid::Uuid;

use super::{
    buy, delivery, endpoint,
    receiver::{Answer, Receiver},
    start,
};
use crate::{
    harness::{EventSetup, TestApp},
    jobs::until,
};

#[tokio::test]
async fn a_waiting_delivery_is_tried_at_once_when_a_member_asks() {
    let app = start().await;
    let north = app.organizer("north").await;
    let receiver = Receiver::answering(vec![Answer::Status(500); 4]).await;
    let (endpoint, _) = endpoint(&north.caller, json!({}), &receiver.url).await;
    let test = json!({ "id": endpoint["id"] });
    north.caller.does("sendTestEvent", "", test).await;
    let mut waiting = Value::Null;
    for attempts in 1..=4 {
        waiting = delivery(&north.caller, &endpoint, |one| {
            one["attempts"] == attempts && one["nextAttemptAt"].is_string()
        })
        .await;
        assert_eq!(waiting["status"], "PENDING");
        if attempts >= 3 {
            assert!(waiting["endpoint"]["restsUntil"].is_string(), "{waiting:#}");
        }
        let now = json!({ "deliveryIds": [waiting["id"]] });
        let selection = "webhookDeliveries { id status }";
        let asked = north
            .caller
            .does("retryWebhookDeliveries", selection, now)
            .await;
        assert_eq!(asked["webhookDeliveries"][0]["id"], waiting["id"]);
    }
    let done = delivery(&north.caller, &endpoint, |one| one["status"] == "DELIVERED").await;
    assert_eq!(done["attempts"], 5, "no clock was moved");

    let now = json!({ "deliveryIds": [waiting["id"]] });
    let ended = north
        .caller
        .tries("retryWebhookDeliveries", "", now.clone())
        .await;
    assert_eq!(ended["userErrors"][0]["code"], "NOT_WAITING");
    let south = app.organizer("south").await;
    let theirs = south.caller.tries("retryWebhookDeliveries", "", now).await;
    assert_eq!(
        theirs["userErrors"][0]["code"],
        "WEBHOOK_DELIVERY_NOT_FOUND"
    );
}

#[tokio::test]
async fn a_delivery_that_lost_its_job_gets_another() {
    let app = start().await;
    let north = app.organizer("north").await;
    let receiver = Receiver::answering([Answer::Status(500)]).await;
    let (endpoint, _) = endpoint(&north.caller, json!({}), &receiver.url).await;
    let test = json!({ "id": endpoint["id"] });
    north.caller.does("sendTestEvent", "", test).await;
    let waiting = delivery(&north.caller, &endpoint, |one| one["attempts"] == 1).await;
    let admin = app.database.admin().await;
    const LOSE: &str = "delete from jobs where kind = 'webhooks.deliver' and status = 'scheduled'";
    until("the job is there", async || {
        admin.execute(LOSE, &[]).await.expect("lost") == 1
    })
    .await;
    let now = json!({ "deliveryIds": [waiting["id"]] });
    north.caller.does("retryWebhookDeliveries", "", now).await;
    delivery(&north.caller, &endpoint, |one| one["status"] == "DELIVERED").await;
}

async fn turn(app: &TestApp, caller: &crate::harness::Caller, endpoint: &Value, on: bool) {
    let _ = app;
    let turned = json!({ "id": endpoint["id"], "active": on });
    caller.does("updateWebhookEndpoint", "", turned).await;
}

#[tokio::test]
async fn nothing_is_lost_while_an_endpoint_is_turned_off() {
    let app = start().await;
    let north = app.organizer("north").await;
    let event = north.event(&EventSetup::default()).await;
    let receiver = Receiver::answering([Answer::Status(500)]).await;
    let wanted = json!({ "eventTypes": ["registration.confirmed"] });
    let (endpoint, secret) = endpoint(&north.caller, wanted, &receiver.url).await;
    // One that has failed once, and two that happen meanwhile.
    let first = buy(&app, &event).await;
    delivery(&north.caller, &endpoint, |one| one["attempts"] == 1).await;
    turn(&app, &north.caller, &endpoint, false).await;
    app.database.advance(3600).await;
    let meanwhile = [buy(&app, &event).await, buy(&app, &event).await];
    const WAITING: &str = "select count(*) from webhook_deliveries d where d.status = 'pending'
        and not exists (select from jobs j where j.kind = 'webhooks.deliver' and j.key = d.id::text)";
    until("all three wait without a job", async || {
        app.database.count(WAITING).await == 3
    })
    .await;
    let waiting = delivery(&north.caller, &endpoint, |_| true).await;
    let now = json!({ "deliveryIds": [waiting["id"]] });
    let off = north.caller.tries("retryWebhookDeliveries", "", now).await;
    assert_eq!(off["userErrors"][0]["code"], "ENDPOINT_NOT_ACTIVE");
    assert_eq!(receiver.so_far().len(), 1);

    turn(&app, &north.caller, &endpoint, true).await;
    let received = receiver.received(4).await;
    assert!(received.iter().all(|one| one.is_genuine(&secret)));
    let about: Vec<Value> = received[1..]
        .iter()
        .map(|one| one.json()["object"]["id"].clone())
        .collect();
    for registration in [&first, &meanwhile[0], &meanwhile[1]] {
        assert!(about.contains(&registration["id"]), "{about:?}");
    }
    const DONE: &str = "select count(*) from jobs where kind = 'webhooks.resume' and status = 'done' and progress_done = 3";
    until("the job says so", async || {
        app.database.count(DONE).await == 1
    })
    .await;

    // Not for ever.
    turn(&app, &north.caller, &endpoint, false).await;
    buy(&app, &event).await;
    const PENDING: &str = "select count(*) from webhook_deliveries where status = 'pending'";
    until("it waits", async || app.database.count(PENDING).await == 1).await;
    app.database.advance(31 * 24 * 3600).await;
    const DEAD: &str =
        "select count(*) from webhook_deliveries where status = 'dead' and failure like '%30 days'";
    until("it is given up", async || {
        app.database.count(DEAD).await == 1
    })
    .await;
}

/// Whoever finds a delivery ended finds no job of it: the next is written, and nothing is in its way.
#[tokio::test]
async fn a_delivery_and_its_job_end_in_one_transaction_whatever_ends_it() {
    let app = start().await;
    let north = app.organizer("north").await;
    let receiver = Receiver::answering([Answer::Status(500), Answer::Status(410)]).await;
    let (endpoint, _) = endpoint(&north.caller, json!({}), &receiver.url).await;
    let admin = app.database.admin().await;
    const WATCHED: &str = "
        create table left_over (id uuid);
        grant insert on left_over to public;
        create function note_left_over() returns trigger language plpgsql as $$
        begin
          insert into left_over
          select new.id from jobs j where j.kind = 'webhooks.deliver' and j.key = new.id::text;
          return null;
        end
        $$;
        create constraint trigger watched after update on webhook_deliveries deferrable initially deferred
          for each row when (new.status <> 'pending') execute function note_left_over();";
    admin.batch_execute(WATCHED).await.expect("watched");
    let test = json!({ "id": endpoint["id"] });
    // The first waits; the second turns the endpoint off for good, so that the first is given up; then one arrives.
    north.caller.does("sendTestEvent", "", test.clone()).await;
    delivery(&north.caller, &endpoint, |one| one["attempts"] == 1).await;
    north.caller.does("sendTestEvent", "", test.clone()).await;
    let ended = async |status: &str| {
        let sql = format!("select count(*) from webhook_deliveries where status = '{status}'");
        app.database.count(&sql).await
    };
    until("one is dead", async || ended("dead").await == 1).await;
    app.database.advance(60).await;
    until("both are dead", async || ended("dead").await == 2).await;
    turn(&app, &north.caller, &endpoint, true).await;
    north.caller.does("sendTestEvent", "", test).await;
    until("one arrived", async || ended("delivered").await == 1).await;
    assert_eq!(
        app.database.count("select count(*) from left_over").await,
        0
    );
}

/// A call as the program makes it, in a transaction of that connection.
async fn call(client: &Client, function: &str, request: Value) -> Value {
    let sql = format!("select public.{function}($1)");
    let row = client.query_one(&sql, &[&request]).await.expect(function);
    row.get(0)
}

/// A worker puts a delivery aside, and a member turns the endpoint on, in the same instant: whoever comes second sees the
/// first, so the delivery either is sent or gets another job.
#[tokio::test]
async fn turning_on_waits_for_who_is_just_putting_a_delivery_aside() {
    let app = TestApp::start().await;
    let north = app.organizer("north").await;
    let (endpoint, _) = endpoint(&north.caller, json!({}), "https://hooks.example.org/").await;
    let test = json!({ "id": endpoint["id"] });
    north.caller.does("sendTestEvent", "", test).await;
    turn(&app, &north.caller, &endpoint, false).await;
    let (worker, member) = (app.database.admin().await, app.database.admin().await);
    let row = worker
        .query_one(
            "select id, org_id, endpoint_id from webhook_deliveries",
            &[],
        )
        .await
        .expect("a delivery");
    let (delivery, org, endpoint): (Uuid, Uuid, Uuid) = (row.get(0), row.get(1), row.get(2));
    let of_org = format!("select set_config('es.org', '{org}', false)");
    for client in [&worker, &member] {
        client.batch_execute(&of_org).await.expect("a setting");
    }
    worker.batch_execute("begin").await.expect("begun");
    let over = call(&worker, "begin_webhook_attempt", json!({ "id": delivery })).await;
    assert_eq!(over["outcome"], "over");
    const FINISH: &str = "delete from jobs where kind = 'webhooks.deliver'";
    worker.execute(FINISH, &[]).await.expect("its end");
    let resumes = tokio::spawn(async move {
        // As update_webhook_endpoint locks and writes, and the job that it writes.
        member
            .batch_execute(&format!(
                "begin; select from webhook_endpoints where id = '{endpoint}' for update;
                 update webhook_endpoints set status = 'active' where id = '{endpoint}'; commit"
            ))
            .await
            .expect("turned on");
        let request = json!({ "endpoint_id": endpoint, "limit": 100, "count": true });
        call(&member, "resume_webhook_endpoint", request).await
    });
    const WAITS: &str = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    until("it waits", async || {
        app.database.count(WAITS).await == 1 || resumes.is_finished()
    })
    .await;
    worker.batch_execute("commit").await.expect("committed");
    let resumed = resumes.await.expect("resumed");
    assert_eq!(resumed, json!({ "done": 1, "total": 1 }));
}
