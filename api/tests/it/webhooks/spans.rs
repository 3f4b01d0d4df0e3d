//! Replay of a span of time: by a job whose progress its asker sees.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{endpoint, receiver::Receiver, start};
use crate::{harness::Caller, jobs::until};

const JOB: &str =
    "query($id: ID!) { job(id: $id) { kind status progressDone progressTotal failure } }";

async fn job(caller: &Caller, id: &Value) -> Value {
    caller.ask(JOB, json!({ "id": id })).await["job"].clone()
}

#[tokio::test]
async fn a_long_span_is_sent_again_in_steps_that_its_asker_can_watch() {
    let app = start().await;
    let north = app.organizer("north").await;
    let receiver = Receiver::start().await;
    let (endpoint, _) = endpoint(&north.caller, json!({}), &receiver.url).await;
    let mut admin = app.database.admin().await;
    // More than one step of 200; a few that are not meant.
    const GIVEN_UP: &str = "insert into webhook_deliveries
          (org_id, endpoint_id, message_id, event_type, event_version, object_type, object_id, sequence, occurred_at, status,
           finished_at, body, scopes, created_at)
        select e.org_id, e.id, 'evt_' || n, 'webhook.test', 1, 'webhook_endpoint', e.id, 0, now(),
          case when n > 210 then 'delivered' else 'dead' end, es.clock(), '{}',
          case when n = 210 then array['of nobody'] else '{}' end, es.clock() - make_interval(secs => 300 - n)
        from webhook_endpoints e, generate_series(1, 212) n";
    admin.execute(GIVEN_UP, &[]).await.expect("deliveries");
    // Somebody is just changing one of the second step.
    let busy = admin.transaction().await.expect("a transaction");
    const HOLD: &str = "select from webhook_deliveries where message_id = 'evt_209' for update";
    busy.execute(HOLD, &[]).await.expect("a lock");
    let span = json!({ "id": endpoint["id"], "from": "2026-01-01T00:00:00Z" });
    let asked = north
        .caller
        .does("replayWebhookEndpoint", "job { id kind status }", span)
        .await["job"]
        .clone();
    assert_eq!(asked["kind"], "webhooks.replay");
    until("the first step is done", async || {
        job(&north.caller, &asked["id"]).await["progressDone"] == "200"
    })
    .await;
    let seen = job(&north.caller, &asked["id"]).await;
    assert_eq!(
        (&seen["status"], &seen["progressTotal"]),
        (&json!("RUNNING"), &json!("209"))
    );
    busy.rollback().await.expect("let go");
    until("it is done", async || {
        job(&north.caller, &asked["id"]).await["status"] == "DONE"
    })
    .await;
    let seen = job(&north.caller, &asked["id"]).await;
    assert_eq!(
        (&seen["progressDone"], &seen["progressTotal"]),
        (&json!("209"), &json!("209"))
    );
    receiver.received(209).await;
    const PENDING: &str = "select count(*) from webhook_deliveries where status = 'pending'";
    until("all have arrived", async || {
        app.database.count(PENDING).await == 0
    })
    .await;
    assert_eq!(receiver.so_far().len(), 209, "each once");
}

#[tokio::test]
async fn a_replay_that_died_half_way_sends_nothing_twice_when_it_runs_again() {
    let app = start().await;
    let north = app.organizer("north").await;
    let receiver = Receiver::start().await;
    let (endpoint, _) = endpoint(&north.caller, json!({}), &receiver.url).await;
    let test = json!({ "id": endpoint["id"] });
    north.caller.does("sendTestEvent", "", test).await;
    receiver.received(1).await;
    const DELIVERED: &str = "select count(*) from webhook_deliveries where status = 'delivered'";
    until("it has arrived", async || {
        app.database.count(DELIVERED).await == 1
    })
    .await;
    let span =
        json!({ "id": endpoint["id"], "from": "2026-01-01T00:00:00Z", "deliveredToo": true });
    let asked = north
        .caller
        .does("replayWebhookEndpoint", "job { id }", span)
        .await["job"]["id"]
        .clone();
    until("it is done", async || {
        job(&north.caller, &asked).await["status"] == "DONE"
    })
    .await;
    receiver.received(2).await;
    until("it has arrived", async || {
        app.database.count(DELIVERED).await == 1
    })
    .await;
    // As if its worker had died before it said so.
    let admin = app.database.admin().await;
    const AGAIN: &str = "update jobs set status = 'ready', finished_at = null where kind = 'webhooks.replay' returning id";
    let row = admin.query_one(AGAIN, &[]).await.expect("a job");
    let id: Uuid = row.get(0);
    until("it is done again", async || {
        let sql = format!("select count(*) from jobs where id = '{id}' and status = 'done'");
        app.database.count(&sql).await == 1
    })
    .await;
    const PENDING: &str = "select count(*) from webhook_deliveries where status = 'pending'";
    assert_eq!(app.database.count(PENDING).await, 0);
    assert_eq!(receiver.so_far().len(), 2);

    let off = json!({ "id": endpoint["id"], "active": false });
    north.caller.does("updateWebhookEndpoint", "", off).await;
    let span = json!({ "id": endpoint["id"], "from": "2026-01-01T00:00:00Z" });
    let refused = north.caller.tries("replayWebhookEndpoint", "", span).await;
    assert_eq!(refused["userErrors"][0]["code"], "ENDPOINT_NOT_ACTIVE");
}
