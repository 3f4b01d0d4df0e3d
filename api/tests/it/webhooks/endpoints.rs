//! What members make of endpoints: what is refused, whose scopes a document runs under, and secrets.

use std::{path::Path, process::Stdio};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Command,
};
use tokio_util::sync::CancellationToken;

use super::{delivery, endpoint, receiver::Receiver, start};
use crate::harness::{Caller, TestApp};

async fn code(caller: &Caller, input: Value) -> Value {
    let mut tried = caller.tries("createWebhookEndpoint", "", input).await;
    tried["userErrors"][0]["code"].take()
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused_when_it_is_saved() {
    let app = TestApp::start().await;
    let organizer = app.organizer("north").await;
    let url = "https://hooks.example.org/";
    for (input, expected) in [
        (json!({ "url": "http://hooks.example.org/" }), "URL_INVALID"),
        (json!({ "url": "https://127.0.0.1/" }), "URL_INVALID"),
        (
            json!({ "url": "https://[::ffff:169.254.169.254]/" }),
            "URL_INVALID",
        ),
        (
            json!({ "url": url, "eventTypes": ["registration.*"] }),
            "EVENT_TYPE_UNKNOWN",
        ),
        (
            json!({ "url": url, "apiVersion": "2020-01-01" }),
            "API_VERSION_UNKNOWN",
        ),
        (
            json!({ "url": url, "scopes": ["everything"] }),
            "PERMISSION_UNKNOWN",
        ),
        (
            json!({ "url": url, "document": "{ nothing }" }),
            "DOCUMENT_INVALID",
        ),
        (
            json!({ "url": url, "document": "mutation { signOut(input: {}) { userErrors { code } } }" }),
            "DOCUMENT_INVALID",
        ),
        (
            json!({ "url": url, "document": "query A { __typename } query B { __typename }" }),
            "DOCUMENT_INVALID",
        ),
        (
            json!({ "url": url, "document": "query($x: ID!) { node(id: $x) { id } }" }),
            "DOCUMENT_INVALID",
        ),
        // It may be asked, but not under these scopes.
        (
            json!({ "url": url, "document": "query($id: ID!) { registration(id: $id) { id } }", "scopes": ["events:read"],
                    "eventTypes": ["registration.held"] }),
            "DOCUMENT_INVALID",
        ),
    ] {
        assert_eq!(
            code(&organizer.caller, input.clone()).await,
            expected,
            "{input}"
        );
    }
    let made = organizer
        .caller
        .ask("{ webhookEndpoints { totalCount } }", json!({}))
        .await;
    assert_eq!(made["webhookEndpoints"]["totalCount"], 0);
}

#[tokio::test]
async fn nobody_has_more_sent_than_they_may_see() {
    let app = TestApp::start().await;
    let organizer = app.organizer("north").await;
    let token = organizer
        .caller
        .does(
            "createApiToken",
            "token",
            json!({ "name": "hooks", "scopes": ["webhooks:read", "webhooks:write", "events:read"] }),
        )
        .await;
    let token = app.with_token(token["token"].as_str().unwrap());
    let url = "https://hooks.example.org/";
    let more = json!({ "url": url, "scopes": ["attendees:read"] });
    assert_eq!(code(&token, more).await, "EXCEEDS_OWN_PERMISSIONS");
    let (mine, _) = endpoint(&token, json!({ "scopes": ["events:read"] }), url).await;
    // Nor by sending elsewhere what another may see.
    let (theirs, _) = endpoint(
        &organizer.caller,
        json!({ "scopes": ["attendees:read"] }),
        url,
    )
    .await;
    for (endpoint, expected) in [(mine, None), (theirs, Some("EXCEEDS_OWN_PERMISSIONS"))] {
        let moved = json!({ "id": endpoint["id"], "url": "https://elsewhere.example.org/" });
        let tried = token.tries("updateWebhookEndpoint", "", moved).await;
        assert_eq!(
            tried["userErrors"][0]["code"].as_str(),
            expected,
            "{tried:#}"
        );
    }
}

#[tokio::test]
async fn a_secret_is_changed_while_both_sign() {
    let app = start().await;
    let organizer = app.organizer("north").await;
    let receiver = Receiver::start().await;
    let (endpoint, first) = endpoint(&organizer.caller, json!({}), &receiver.url).await;
    let rotate = async |hours: i64| {
        let input = json!({ "id": endpoint["id"], "overlapHours": hours });
        let rotated = organizer
            .caller
            .does("rotateWebhookSecret", "secret previousSignsUntil", input)
            .await;
        let until = &rotated["previousSignsUntil"];
        assert_eq!(until.is_string(), hours > 0);
        // As all instants of the API are written.
        assert!(
            until
                .as_str()
                .is_none_or(|until| until.ends_with('Z') && until.len() == 27),
            "{until}"
        );
        rotated["secret"].as_str().unwrap().to_owned()
    };
    let test = async |many: usize| {
        let input = json!({ "id": endpoint["id"] });
        organizer.caller.does("sendTestEvent", "", input).await;
        receiver.received(many).await[many - 1].clone()
    };
    let second = rotate(1).await;
    assert_ne!(first, second);
    let both = test(1).await;
    assert_eq!(both.json()["type"], "webhook.test");
    assert!(both.is_genuine(&first) && both.is_genuine(&second));
    app.database.advance(3601).await;
    let later = test(2).await;
    assert!(!later.is_genuine(&first) && later.is_genuine(&second));
    let third = rotate(0).await;
    let last = test(3).await;
    assert!(!last.is_genuine(&second) && last.is_genuine(&third));

    let plain = "select count(*) from webhook_endpoint_secrets where encode(sealed, 'base64') like '%' || $1 || '%'";
    let shown = third.trim_start_matches("whsec_").to_owned();
    let row = app
        .database
        .admin()
        .await
        .query_one(plain, &[&shown])
        .await
        .unwrap();
    assert_eq!(row.get::<_, i64>(0), 0);
}

#[tokio::test]
async fn a_name_that_leads_inside_is_never_connected() {
    let app = TestApp::start().await;
    tokio::spawn(eventsphere::jobs::work(
        app.app.clone(),
        CancellationToken::new(),
    ));
    let organizer = app.organizer("north").await;
    let receiver = Receiver::start().await;
    let url = receiver
        .url
        .replace("http://127.0.0.1", "https://localhost");
    let (endpoint, _) = endpoint(&organizer.caller, json!({}), &url).await;
    let test = json!({ "id": endpoint["id"] });
    organizer.caller.does("sendTestEvent", "", test).await;
    let failed = delivery(&organizer.caller, &endpoint, |one| one["attempts"] == 1).await;
    assert_eq!(
        failed["failure"],
        "the host's name leads to no public address"
    );
    assert_eq!(receiver.so_far().len(), 0);
}

#[tokio::test]
async fn the_example_takes_what_is_genuine_and_nothing_else() {
    let app = start().await;
    let organizer = app.organizer("north").await;
    let (endpoint, secret) = endpoint(&organizer.caller, json!({}), "http://127.0.0.1:9/").await;
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/webhook-receiver.mjs");
    let mut running = Command::new("node")
        .arg(example)
        .arg("0")
        .env("WEBHOOK_SECRET", &secret)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("node");
    let mut lines = BufReader::new(running.stdout.take().unwrap()).lines();
    let first = lines.next_line().await.unwrap().unwrap();
    let url = first.strip_prefix("listening at ").expect("an address");
    let moved = json!({ "id": endpoint["id"], "url": url });
    organizer
        .caller
        .does("updateWebhookEndpoint", "", moved)
        .await;
    let test = json!({ "id": endpoint["id"] });
    organizer.caller.does("sendTestEvent", "", test).await;
    let line = lines.next_line().await.unwrap().unwrap();
    assert!(line.starts_with("webhook.test "), "{line}");
    let told = delivery(&organizer.caller, &endpoint, |one| {
        one["status"] == "DELIVERED"
    })
    .await;

    let body = told["body"].as_str().unwrap().to_owned();
    let now = app.app.clock.now().timestamp().to_string();
    for signature in [
        "v1,AAAA",
        "",
        "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    ] {
        let forged = app
            .http()
            .post(url)
            .header("webhook-id", "evt_1")
            .header("webhook-timestamp", &now)
            .header("webhook-signature", signature)
            .body(body.clone())
            .send()
            .await
            .unwrap();
        assert_eq!(forged.status(), 401, "{signature}");
    }
}
