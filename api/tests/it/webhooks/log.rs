//! What is remembered of attempts, for how long, and whom it is told.

use serde_json::{Value, json};

use super::{
    delivery, endpoint,
    receiver::{Answer, Receiver},
    start,
};

fn told(delivery: &Value, field: &str) -> Vec<Value> {
    let attempts = delivery["attemptLog"]["nodes"].as_array().unwrap();
    attempts.iter().map(|one| one[field].clone()).collect()
}

#[tokio::test]
async fn every_attempt_is_on_record_for_a_set_time() {
    let app = start().await;
    let organizer = app.organizer("north").await;
    let answers = [Answer::Status(500), Answer::Cut, Answer::Status(201)];
    let receiver = Receiver::answering(answers).await;
    let (endpoint, _) = endpoint(&organizer.caller, json!({}), &receiver.url).await;
    let test = json!({ "id": endpoint["id"] });
    organizer.caller.does("sendTestEvent", "", test).await;
    for (attempts, pause) in [(1, 7), (2, 80)] {
        delivery(&organizer.caller, &endpoint, |one| {
            one["attempts"] == attempts
        })
        .await;
        app.database.advance(pause).await;
    }
    let is_delivered = |one: &Value| one["status"] == "DELIVERED";
    let done = delivery(&organizer.caller, &endpoint, is_delivered).await;
    let again = json!({ "deliveryIds": [done["id"]] });
    organizer
        .caller
        .does("replayWebhookDeliveries", "", again)
        .await;
    receiver.received(4).await;
    let whole = delivery(&organizer.caller, &endpoint, |one| {
        is_delivered(one) && one["attemptLog"]["nodes"][3].is_object()
    })
    .await;
    assert_eq!(whole["attempts"], 1, "a replay begins anew");
    assert_eq!(told(&whole, "number"), [1, 2, 3, 4]);
    assert_eq!(
        told(&whole, "responseStatus"),
        [json!(500), Value::Null, json!(201), json!(204)]
    );
    assert_eq!(
        told(&whole, "failure"),
        [
            json!("answered 500"),
            json!("the answer was no HTTP"),
            Value::Null,
            Value::Null
        ]
    );
    assert_eq!(told(&whole, "responseBody")[0], "as I was told");
    let times = told(&whole, "startedAt");
    assert!(times.is_sorted_by(|one, other| one.as_str() < other.as_str()));
    assert!(told(&whole, "tookMs").iter().all(Value::is_i64));

    // Only those see it who may see webhooks.
    let scopes = json!({ "name": "events", "scopes": ["events:read"] });
    let token = organizer
        .caller
        .does("createApiToken", "token", scopes)
        .await;
    let outsider = app.with_token(token["token"].as_str().unwrap());
    const READ: &str =
        "query($id: ID!) { webhookDelivery(id: $id) { attemptLog { nodes { responseBody } } } }";
    let refused = outsider.fails(READ, json!({ "id": whole["id"] })).await;
    assert_eq!(refused, "FORBIDDEN");

    app.database.advance(31 * 24 * 3600).await;
    let pruned = delivery(&organizer.caller, &endpoint, |one| one["body"].is_null()).await;
    assert_eq!(told(&pruned, "number"), [1, 2, 3, 4]);
    assert!(told(&pruned, "responseBody").iter().all(Value::is_null));
    app.database.advance(60 * 24 * 3600).await;
    for _ in 0..300 {
        if app
            .database
            .count("select count(*) from webhook_attempts")
            .await
            == 0
        {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("attempts are kept for ever");
}

#[tokio::test]
async fn owners_hear_once_a_day_that_deliveries_are_given_up() {
    let app = start().await;
    let organizer = app.organizer("north").await;
    let receiver = Receiver::answering(vec![Answer::Status(500); 100]).await;
    let (endpoint, _) = endpoint(&organizer.caller, json!({}), &receiver.url).await;
    let admin = app.database.admin().await;
    let letters = async || {
        const LETTERS: &str = "select count(*) from mail_messages where kind = 'webhook_dead' \
             and recipient = 'owner@north.example' and body_text like '%webhook.test%answered 500%'";
        app.database.count(LETTERS).await
    };
    let gives_up = async || {
        let test = json!({ "id": endpoint["id"] });
        organizer.caller.does("sendTestEvent", "", test).await;
        delivery(&organizer.caller, &endpoint, |one| one["attempts"] == 1).await;
        // As after three days and a half.
        let last = "update webhook_deliveries set attempts = 11 where status = 'pending'";
        admin.execute(last, &[]).await.unwrap();
        app.database.advance(700).await;
        delivery(&organizer.caller, &endpoint, |one| one["status"] == "DEAD").await;
    };
    for (wait, expected) in [(0, 1), (0, 1), (24 * 3600, 2)] {
        app.database.advance(wait).await;
        gives_up().await;
        assert_eq!(letters().await, expected);
    }
}

#[tokio::test]
async fn what_cannot_be_made_is_an_attempt_that_failed_and_not_the_endpoints_fault() {
    let app = start().await;
    let organizer = app.organizer("north").await;
    let receiver = Receiver::start().await;
    let (endpoint, _) = endpoint(&organizer.caller, json!({}), &receiver.url).await;
    // As by a program that sends this version no longer.
    let admin = app.database.admin().await;
    let version = async |name: &str| {
        const SET: &str = "update webhook_endpoints set api_version = $1";
        admin.execute(SET, &[&name]).await.unwrap();
    };
    version("2020-01-01").await;
    let test = json!({ "id": endpoint["id"] });
    organizer.caller.does("sendTestEvent", "", test).await;
    let failed = delivery(&organizer.caller, &endpoint, |one| one["attempts"] == 1).await;
    let why = "nothing could be sent: the API version 2020-01-01 is no longer sent";
    assert_eq!(
        (&failed["status"], &failed["failure"]),
        (&json!("PENDING"), &json!(why))
    );
    assert_eq!(failed["apiVersion"], Value::Null);
    assert_eq!(failed["endpoint"]["failures"], 0);
    let renamed = json!({ "id": endpoint["id"], "description": "still here" });
    let refused = organizer
        .caller
        .tries("updateWebhookEndpoint", "", renamed)
        .await;
    assert_eq!(refused["userErrors"][0]["code"], "API_VERSION_UNKNOWN");

    let chosen = json!({ "id": endpoint["id"], "apiVersion": "2026-11-21" });
    organizer
        .caller
        .does("updateWebhookEndpoint", "", chosen)
        .await;
    app.database.advance(7).await;
    let sent = delivery(&organizer.caller, &endpoint, |one| {
        one["status"] == "DELIVERED"
    })
    .await;
    assert_eq!(sent["apiVersion"], "2026-11-21");
    assert_eq!(receiver.so_far().len(), 1);
}
