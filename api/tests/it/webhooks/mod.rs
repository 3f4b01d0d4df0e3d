//! Webhooks from outside: a member makes an endpoint, somebody buys over HTTP, and a receiver of its own gets what
//! happened, signed. Signatures are verified by the package of Standard Webhooks.

mod attempts;
mod crowds;
mod endpoints;
mod log;
mod receiver;
mod scopes;
mod spans;
mod verifier;
mod waiting;

use std::time::Duration;

use eventsphere::jobs;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use self::receiver::Receiver;
use crate::harness::{Caller, EventSetup, TestApp};

/// A server whose worker runs, and which may send to this machine.
async fn start() -> TestApp {
    let app = TestApp::start_with(&[("WEBHOOKS_TO_LOOPBACK", "on")]).await;
    let worker = jobs::work(app.app.clone(), CancellationToken::new());
    tokio::spawn(worker);
    app
}

/// An endpoint and its secret.
async fn endpoint(caller: &Caller, mut input: Value, url: &str) -> (Value, String) {
    input["url"] = json!(url);
    let made = caller
        .does(
            "createWebhookEndpoint",
            "secret webhookEndpoint { id url status eventTypes apiVersion scopes document failures }",
            input,
        )
        .await;
    let secret = made["secret"].as_str().unwrap().to_owned();
    (made["webhookEndpoint"].clone(), secret)
}

/// Buys a ticket as a visitor; the registration.
async fn buy(app: &TestApp, event: &Value) -> Value {
    let visitor = app.visitor();
    let placed = visitor.place(event, &event["types"][0], 1).await;
    let guest = visitor.with_guest(placed["guestSecret"].as_str().unwrap());
    let confirmed = guest.confirm(&placed["registration"]["id"]).await;
    assert_eq!(confirmed["userErrors"], json!([]), "{confirmed:#}");
    confirmed["registration"].clone()
}

/// The only delivery of the endpoint, once it is so.
async fn delivery(caller: &Caller, endpoint: &Value, is: impl Fn(&Value) -> bool) -> Value {
    const READ: &str = "query($id: ID!) { webhookEndpoint(id: $id) { status failures restsUntil deliveries { nodes {
        id status messageId eventType sequence attempts apiVersion body responseStatus failure tookMs nextAttemptAt
        attemptLog { nodes { number startedAt tookMs responseStatus responseBody failure } }
    } } } }";
    for _ in 0..300 {
        let read = caller.ask(READ, json!({ "id": endpoint["id"] })).await;
        let found = &read["webhookEndpoint"];
        let one = &found["deliveries"]["nodes"][0];
        if !one.is_null() && is(one) {
            let mut one = one.clone();
            one["endpoint"] = found.clone();
            return one;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it never was so");
}

#[tokio::test]
async fn a_sale_reaches_the_receiver_signed() {
    let app = start().await;
    let organizer = app.organizer("north").await;
    let event = organizer.event(&EventSetup::default()).await;
    let receiver = Receiver::start().await;
    let wanted = json!({ "eventTypes": ["registration.confirmed"] });
    let (endpoint, secret) = endpoint(&organizer.caller, wanted, &receiver.url).await;
    assert_eq!(endpoint["status"], "ACTIVE");
    let registration = buy(&app, &event).await;

    let received = receiver.received(1).await;
    let first = &received[0];
    assert!(first.is_genuine(&secret));
    assert_eq!(first.header("content-type"), "application/json");
    let body = first.json();
    assert_eq!(body["id"], first.header("webhook-id"));
    assert_eq!(body["type"], "registration.confirmed");
    assert_eq!(body["version"], 1);
    assert_eq!(body["apiVersion"], "2026-11-21");
    assert_eq!(body["organizationId"], organizer.organization["id"]);
    assert_eq!(
        body["object"],
        json!({ "type": "Registration", "id": registration["id"] })
    );
    assert_eq!(body["sequence"], 2, "held came first");
    assert_eq!(body["data"]["eventId"], event["id"]);

    let told = delivery(&organizer.caller, &endpoint, |one| {
        one["status"] == "DELIVERED"
    })
    .await;
    assert_eq!(told["messageId"], body["id"]);
    assert_eq!(told["apiVersion"], body["apiVersion"]);
    assert_eq!(told["body"].as_str().unwrap().as_bytes(), &first.body[..]);
    assert_eq!(
        (&told["attempts"], &told["responseStatus"]),
        (&json!(1), &json!(204))
    );
    assert_eq!(
        receiver.so_far().len(),
        1,
        "the filter lets one type through"
    );
}
