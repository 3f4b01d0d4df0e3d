//! Who sees what was sent; and that nothing is done for those who want nothing.

use serde_json::json;

use super::{
    buy, delivery, endpoint,
    receiver::{Answer, Receiver},
    start,
};
use crate::{
    harness::{EventSetup, Organizer, TestApp},
    jobs::until,
};

async fn token(app: &TestApp, organizer: &Organizer, scopes: &[&str]) -> crate::harness::Caller {
    let input = json!({ "name": scopes.join(" "), "scopes": scopes });
    let made = organizer
        .caller
        .does("createApiToken", "token", input)
        .await;
    app.with_token(made["token"].as_str().unwrap())
}

#[tokio::test]
async fn what_was_rendered_is_shown_only_to_those_who_may_see_it_all() {
    let app = start().await;
    let organizer = app.organizer("north").await;
    let event = organizer.event(&EventSetup::default()).await;
    let receiver = Receiver::start().await;
    let wanted = json!({
        "eventTypes": ["registration.confirmed"], "scopes": ["registrations:read"],
        "document": "query($id: ID!) { registration(id: $id) { confirmationNumber } }",
    });
    let (endpoint, _) = endpoint(&organizer.caller, wanted, &receiver.url).await;
    buy(&app, &event).await;
    let sent = delivery(&organizer.caller, &endpoint, |one| {
        one["status"] == "DELIVERED"
    })
    .await;
    assert!(sent["body"].as_str().unwrap().contains("REG-"));
    let hooks = token(&app, &organizer, &["webhooks:read"]).await;
    let both = token(&app, &organizer, &["webhooks:read", "registrations:read"]).await;
    const READ: &str = "query($id: ID!, $endpoint: ID!) {
        webhookDelivery(id: $id) { body attemptLog { nodes { responseStatus } } }
        webhookDeliveries { totalCount }
        webhookEndpoint(id: $endpoint) { url deliveries { nodes { body } } }
    }";
    for (caller, sees) in [(hooks, 0), (both, 1)] {
        let ids = json!({ "id": sent["id"], "endpoint": endpoint["id"] });
        let read = caller.ask(READ, ids).await;
        assert_eq!(read["webhookDeliveries"]["totalCount"], sees);
        assert_eq!(read["webhookDelivery"].is_object(), sees == 1);
        assert_eq!(read["webhookEndpoint"]["url"], receiver.url.as_str());
        let listed = read["webhookEndpoint"]["deliveries"]["nodes"].as_array();
        assert_eq!(listed.unwrap().len(), sees);
    }
    let seen = "select count(*) from webhook_attempts where scopes = array['registrations:read']";
    assert_eq!(app.database.count(seen).await, 1);
}

#[tokio::test]
async fn what_was_rendered_is_led_nowhere_by_those_who_may_not_see_it() {
    let app = start().await;
    let organizer = app.organizer("north").await;
    let event = organizer.event(&EventSetup::default()).await;
    let receiver = Receiver::answering([Answer::Status(500)]).await;
    let elsewhere = Receiver::start().await;
    let wanted = json!({
        "eventTypes": ["registration.confirmed"], "scopes": ["registrations:read"],
        "document": "query($id: ID!) { registration(id: $id) { confirmationNumber } }",
    });
    let (endpoint, _) = endpoint(&organizer.caller, wanted, &receiver.url).await;
    buy(&app, &event).await;
    let waiting = delivery(&organizer.caller, &endpoint, |one| one["attempts"] == 1).await;
    // A token that may change endpoints takes the scopes away, which it need not hold for that, and then the address.
    let hooks = token(&app, &organizer, &["webhooks:read", "webhooks:write"]).await;
    let bare = json!({ "id": endpoint["id"], "scopes": [], "document": null });
    hooks.does("updateWebhookEndpoint", "", bare).await;
    let moved = json!({ "id": endpoint["id"], "url": elsewhere.url });
    let refused = hooks
        .tries("updateWebhookEndpoint", "", moved.clone())
        .await;
    assert_eq!(refused["userErrors"][0]["code"], "EXCEEDS_OWN_PERMISSIONS");
    app.database.advance(7).await;
    delivery(&organizer.caller, &endpoint, |one| {
        one["status"] == "DELIVERED"
    })
    .await;
    // Once it has arrived the address may change, and what was sent stays out of reach.
    hooks.does("updateWebhookEndpoint", "", moved).await;
    let named = json!({ "deliveryIds": [waiting["id"]] });
    let unseen = hooks
        .tries("replayWebhookDeliveries", "", named.clone())
        .await;
    assert_eq!(
        unseen["userErrors"][0]["code"],
        "WEBHOOK_DELIVERY_NOT_FOUND"
    );
    let span =
        json!({ "id": endpoint["id"], "from": "2026-01-01T00:00:00Z", "deliveredToo": true });
    hooks.does("replayWebhookEndpoint", "", span).await;
    const NONE: &str = "select count(*) from jobs where kind = 'webhooks.replay' and status = 'done' and progress_done = 0";
    until("none was sent", async || {
        app.database.count(NONE).await == 1
    })
    .await;
    assert_eq!(elsewhere.so_far().len(), 0);
    organizer
        .caller
        .does("replayWebhookDeliveries", "", named)
        .await;
    assert_eq!(elsewhere.received(1).await.len(), 1);
    assert_eq!(receiver.so_far().len(), 2);
}

#[tokio::test]
async fn events_that_no_endpoint_wants_cost_no_job() {
    // No worker runs here: what the relay writes stays.
    let app = TestApp::start().await;
    let admin = app.database.admin().await;
    let relays = async || {
        let relay = "select relay_outbox('{\"limit\": 500, \"consumers\": [
            {\"kind\": \"webhooks.fan_out\", \"types\": null, \"once\": false},
            {\"kind\": \"test.hears\", \"types\": [\"registration.confirmed\"], \"once\": false}]}')";
        admin.execute(relay, &[]).await.unwrap();
        let unsent = "select count(*) from outbox where sent_at is null";
        assert_eq!(app.database.count(unsent).await, 0);
        let jobs = async |kind: &str| {
            let of = format!("select count(*) from jobs where kind = '{kind}'");
            app.database.count(&of).await
        };
        let written = (jobs("webhooks.fan_out").await, jobs("test.hears").await);
        admin.execute("delete from jobs", &[]).await.unwrap();
        written
    };
    let (north, south) = (app.organizer("north").await, app.organizer("south").await);
    let events = [
        north.event(&EventSetup::default()).await,
        south.event(&EventSetup::default()).await,
    ];
    let buys = async || {
        for event in &events {
            buy(&app, event).await;
        }
        relays().await
    };
    assert_eq!(buys().await, (0, 2), "nobody has an endpoint");
    let wanted = json!({ "eventTypes": ["registration.confirmed"] });
    let (endpoint, _) = endpoint(&north.caller, wanted, "https://hooks.example.org/").await;
    assert_eq!(buys().await, (1, 2), "north wants one of its types");
    let off = json!({ "id": endpoint["id"], "active": false });
    north.caller.does("updateWebhookEndpoint", "", off).await;
    assert_eq!(
        buys().await,
        (1, 2),
        "it is turned off, and this waits for it"
    );
    admin
        .execute("update webhook_endpoints set status = 'gone'", &[])
        .await
        .unwrap();
    assert_eq!(buys().await, (0, 2), "it asked for nothing more");
}

#[tokio::test]
async fn events_of_one_object_are_numbered_without_gaps() {
    let app = start().await;
    let organizer = app.organizer("north").await;
    let event = organizer.event(&EventSetup::default()).await;
    let receiver = Receiver::start().await;
    let types = json!([
        "registration.held",
        "registration.confirmed",
        "registration.cancelled"
    ]);
    let wanted = json!({ "eventTypes": types });
    endpoint(&organizer.caller, wanted, &receiver.url).await;
    let registration = buy(&app, &event).await;
    let cancel =
        json!({ "registrationId": registration["id"], "idempotencyKey": crate::harness::key() });
    organizer
        .caller
        .does("cancelRegistration", "", cancel)
        .await;
    // They may come in any order.
    let mut received = vec![];
    for one in receiver.received(3).await {
        let body = one.json();
        assert_eq!(body["object"]["id"], registration["id"]);
        received.push((body["sequence"].clone(), body["type"].clone()));
    }
    received.sort_by_key(|(sequence, _)| sequence.as_i64());
    let told = types.as_array().unwrap().iter().cloned();
    let expected: Vec<_> = (1..=3).map(|number| json!(number)).zip(told).collect();
    assert_eq!(received, expected);
}
