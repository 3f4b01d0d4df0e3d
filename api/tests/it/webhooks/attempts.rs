//! What becomes of a delivery that fails, and what is sent again.

use serde_json::{Value, json};

use super::{
    buy, delivery, endpoint,
    receiver::{Answer, Receiver},
    start,
};
use crate::{
    harness::{Caller, EventSetup, key},
    jobs::until,
};

const STATUS: &str = "query About($id: ID!) {
    registration(id: $id) { status confirmationNumber __typename }
    node(id: $id) { id }
}";

#[tokio::test]
async fn what_fails_is_tried_again_with_the_same_bytes() {
    let app = start().await;
    let organizer = app.organizer("north").await;
    let event = organizer.event(&EventSetup::default()).await;
    let receiver = Receiver::answering([Answer::Status(500), Answer::Flood]).await;
    let wanted = json!({
        "eventTypes": ["registration.confirmed"],
        "document": STATUS,
        "scopes": ["registrations:read"],
    });
    let (endpoint, secret) = endpoint(&organizer.caller, wanted, &receiver.url).await;
    let registration = buy(&app, &event).await;
    let failed = delivery(&organizer.caller, &endpoint, |one| one["attempts"] == 1).await;
    assert_eq!(failed["status"], "PENDING");
    assert_eq!(failed["failure"], "answered 500");
    let first = &failed["attemptLog"]["nodes"][0];
    assert_eq!(first["responseBody"], "as I was told");
    assert!(failed["nextAttemptAt"].is_string());
    assert_eq!(failed["endpoint"]["failures"], 1);

    // What is told is what was true at the first attempt.
    let cancel = json!({ "registrationId": registration["id"], "idempotencyKey": key() });
    organizer
        .caller
        .does("cancelRegistration", "", cancel)
        .await;
    app.database.advance(7).await;
    let received = receiver.received(2).await;
    assert!(received.iter().all(|one| one.is_genuine(&secret)));
    assert_eq!(received[0].body, received[1].body);
    assert_eq!(
        received[0].header("webhook-id"),
        received[1].header("webhook-id")
    );
    assert_eq!(
        received[0].json()["data"],
        json!({
            "registration": {
                "status": "CONFIRMED", "confirmationNumber": registration["confirmationNumber"],
                "__typename": "Registration",
            },
            "node": { "id": registration["id"] },
        })
    );
    let told = delivery(&organizer.caller, &endpoint, |one| {
        one["status"] == "DELIVERED"
    })
    .await;
    assert_eq!(told["attempts"], 2);
    assert_eq!(told["endpoint"]["failures"], 0);
    // Of a flood no more is kept than its beginning.
    let second = &told["attemptLog"]["nodes"][1];
    assert_eq!(second["responseBody"].as_str().unwrap().len(), 4096);
}

#[tokio::test]
async fn gone_turns_the_endpoint_off_and_tells_the_owner() {
    let app = start().await;
    let organizer = app.organizer("north").await;
    let event = organizer.event(&EventSetup::default()).await;
    let receiver = Receiver::answering([Answer::Status(410)]).await;
    let wanted = json!({ "eventTypes": ["registration.confirmed"] });
    let (endpoint, _) = endpoint(&organizer.caller, wanted, &receiver.url).await;
    buy(&app, &event).await;
    let gone = delivery(&organizer.caller, &endpoint, |one| one["status"] == "DEAD").await;
    assert_eq!(gone["responseStatus"], 410);
    assert_eq!(gone["endpoint"]["status"], "GONE");
    const TOLD: &str = "select count(*) from mail_messages where kind = 'webhook_gone' \
         and recipient = 'owner@north.example' and body_text like '%/hooks?from=events%'";
    assert_eq!(app.database.count(TOLD).await, 1);

    let replay = json!({ "deliveryIds": [gone["id"]] });
    let off = organizer
        .caller
        .tries("replayWebhookDeliveries", "", replay.clone())
        .await;
    assert_eq!(off["userErrors"][0]["code"], "ENDPOINT_NOT_ACTIVE");
    let on = json!({ "id": endpoint["id"], "active": true });
    let on = organizer
        .caller
        .does("updateWebhookEndpoint", "webhookEndpoint { status }", on)
        .await;
    assert_eq!(on["webhookEndpoint"]["status"], "ACTIVE");
    organizer
        .caller
        .does("replayWebhookDeliveries", "", replay)
        .await;
    let received = receiver.received(2).await;
    assert_eq!(received[0].body, received[1].body);
}

/// How many a replay has sent again, once it is done.
async fn done(caller: &Caller, job: &Value) -> Value {
    const JOB: &str = "query($id: ID!) { job(id: $id) { status progressDone } }";
    let read = async || caller.ask(JOB, json!({ "id": job })).await["job"].clone();
    until("it is done", async || read().await["status"] == "DONE").await;
    read().await["progressDone"].clone()
}

#[tokio::test]
async fn what_is_given_up_can_be_sent_again_by_id_and_by_time() {
    let app = start().await;
    let organizer = app.organizer("north").await;
    let event = organizer.event(&EventSetup::default()).await;
    let receiver = Receiver::answering([Answer::Status(500), Answer::Status(500)]).await;
    let wanted = json!({ "eventTypes": ["registration.confirmed"] });
    let (endpoint, secret) = endpoint(&organizer.caller, wanted, &receiver.url).await;
    buy(&app, &event).await;
    delivery(&organizer.caller, &endpoint, |one| one["attempts"] == 1).await;
    // As after three days and a half of failures.
    let admin = app.database.admin().await;
    admin
        .execute("update webhook_deliveries set attempts = 11", &[])
        .await
        .unwrap();
    app.database.advance(7).await;
    let dead = delivery(&organizer.caller, &endpoint, |one| one["status"] == "DEAD").await;

    let named = json!({ "deliveryIds": [dead["id"]] });
    organizer
        .caller
        .does(
            "replayWebhookDeliveries",
            "webhookDeliveries { id }",
            named.clone(),
        )
        .await;
    receiver.received(3).await;
    delivery(&organizer.caller, &endpoint, |one| {
        one["status"] == "DELIVERED"
    })
    .await;
    let span = |too: bool| json!({ "id": endpoint["id"], "from": "2026-01-01T00:00:00Z", "deliveredToo": too });
    for (too, count) in [(false, "0"), (true, "1")] {
        let again = organizer
            .caller
            .does("replayWebhookEndpoint", "job { id }", span(too))
            .await;
        assert_eq!(done(&organizer.caller, &again["job"]["id"]).await, count);
    }
    let received = receiver.received(4).await;
    assert!(
        received
            .iter()
            .all(|one| one.body == received[0].body && one.is_genuine(&secret))
    );

    // After a month the bodies are gone, and with them what could be sent again.
    delivery(&organizer.caller, &endpoint, |one| {
        one["status"] == "DELIVERED"
    })
    .await;
    app.database.advance(31 * 24 * 3600).await;
    delivery(&organizer.caller, &endpoint, |one| one["body"].is_null()).await;
    let late = organizer
        .caller
        .tries("replayWebhookDeliveries", "", named)
        .await;
    assert_eq!(late["userErrors"][0]["code"], "BODY_GONE");
}

#[tokio::test]
async fn a_redirect_leads_nowhere() {
    let app = start().await;
    let organizer = app.organizer("north").await;
    let elsewhere = Receiver::start().await;
    let receiver = Receiver::answering([Answer::Redirect(elsewhere.url.clone())]).await;
    let (endpoint, _) = endpoint(&organizer.caller, json!({}), &receiver.url).await;
    let test = json!({ "id": endpoint["id"] });
    organizer.caller.does("sendTestEvent", "", test).await;
    let failed = delivery(&organizer.caller, &endpoint, |one| one["attempts"] == 1).await;
    assert_eq!(
        failed["failure"],
        "answered 307; redirects are not followed"
    );
    assert_eq!(elsewhere.so_far().len(), 0);
}
