//! What providers tell later: by the formats that they document, signed as they sign.

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
};
use axum::{Router, routing::post};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::log;
use crate::{
    harness::{Organizer, TestApp},
    jobs::{Worker, until},
};

/// What SendGrid keeps; its half that verifies is what it shows.
struct Keys(EcdsaKeyPair);

impl Keys {
    fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key"))
    }

    fn shown(&self) -> String {
        // SubjectPublicKeyInfo: id-ecPublicKey, prime256v1.
        let mut der = vec![
            0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
            0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
        ];
        der.extend_from_slice(self.0.public_key().as_ref());
        STANDARD.encode(der)
    }

    fn sign(&self, timestamp: &str, body: &str) -> String {
        let signed = format!("{timestamp}{body}");
        let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes());
        STANDARD.encode(signature.expect("a signature"))
    }
}

/// Something that takes every message.
async fn provider() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let answer = |body: String| async move {
        let called =
            body.contains("StatusCallback=https%3A%2F%2Fevents.example%2Fwebhooks%2Ftwilio%2F");
        let sid = match called {
            true => "SM00000000000000000000000000000001",
            false => "SM0",
        };
        (
            axum::http::StatusCode::CREATED,
            axum::Json(json!({ "sid": sid })),
        )
    };
    let routes = Router::new().route("/{*path}", post(answer));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    url
}

/// Sends a test message, and waits until the provider has it; its key.
async fn sent(app: &TestApp, north: &Organizer, channel: &str, to: &str) -> String {
    let input = json!({ "kind": "REMINDER", "channel": channel, "to": to });
    north.caller.does("sendTestMessage", "", input).await;
    until("it is sent", async || {
        log(&north.caller, to).await[0]["state"] == "SENT"
    })
    .await;
    let admin = app.database.admin().await;
    const KEY: &str = "select id::text from message_deliveries where recipient = $1";
    admin.query_one(KEY, &[&to]).await.expect("a line").get(0)
}

async fn stopped(north: &Organizer) -> Vec<Value> {
    let listed = "{ messageSuppressions(first: 50) { nodes { address reason channel } } }";
    let mut listed = north.caller.ask(listed, json!({})).await;
    serde_json::from_value(listed["messageSuppressions"]["nodes"].take()).expect("a list")
}

#[tokio::test]
async fn sendgrids_events_move_the_log_and_stop_what_bounced_or_was_not_wanted() {
    let url = provider().await;
    let app = TestApp::start_with(&[("SENDGRID_URL", url.as_str())]).await;
    let north = app.organizer("north").await;
    let keys = Keys::new();
    let account = |key: &str| {
        json!({
            "provider": "SENDGRID", "name": "north", "sender": "hello@north.example", "secret": "s3cret",
            "webhookKey": key,
        })
    };
    let refused = north
        .caller
        .tries("saveMessageAccount", "", account("no key"))
        .await;
    assert_eq!(refused["userErrors"][0]["field"], json!(["webhookKey"]));
    let saved = north
        .caller
        .does("saveMessageAccount", "webhookUrl", account(&keys.shown()))
        .await;
    let hook = saved["webhookUrl"].as_str().expect("an address").to_owned();
    assert!(
        hook.starts_with(&format!("{}/webhooks/sendgrid/", app.url)),
        "{hook}"
    );
    let worker = Worker::start(&app);
    let mut events = vec![];
    for (to, event, kind) in [
        ("gone@example.org", "bounce", "bounce"),
        ("full@example.org", "bounce", "blocked"),
        ("cross@example.org", "spamreport", ""),
        ("fine@example.org", "delivered", ""),
    ] {
        let id = sent(&app, &north, "EMAIL", to).await;
        events.push(json!({
            "email": to, "timestamp": 1_513_299_569, "smtp-id": "<14c5d75ce93.dfd.64b469@ismtpd-555>",
            "event": event, "type": kind, "sg_event_id": format!("event of {to}"),
            "sg_message_id": "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0", "reason": "500 unknown recipient",
            "status": "5.0.0", "message_id": id,
        }));
    }
    let body = json!(events).to_string();
    let send = async |signature: &str, url: &str| {
        let request = app.http().post(url).body(body.clone());
        let request = request
            .header("content-type", "application/json")
            .header("x-twilio-email-event-webhook-timestamp", "1600112502")
            .header("x-twilio-email-event-webhook-signature", signature);
        request.send().await.expect("an answer").status().as_u16()
    };
    let forged = Keys::new().sign("1600112502", &body);
    assert_eq!(send(&forged, &hook).await, 400);
    let elsewhere = hook.replace("sendgrid", "twilio");
    let genuine = keys.sign("1600112502", &body);
    assert_eq!(send(&genuine, &elsewhere).await, 404);
    assert_eq!(stopped(&north).await.len(), 0);
    assert_eq!(send(&genuine, &hook).await, 200);
    for (to, state) in [
        ("gone@example.org", "BOUNCED"),
        ("full@example.org", "FAILED"),
        ("cross@example.org", "SENT"),
        ("fine@example.org", "SENT"),
    ] {
        until(state, async || {
            log(&north.caller, to).await[0]["state"] == state
        })
        .await;
    }
    const LEFT: &str =
        "select count(*) from jobs where kind = 'messages.report' and status <> 'done'";
    until("all is noted", async || app.database.count(LEFT).await == 0).await;
    let failure = &log(&north.caller, "gone@example.org").await[0]["failure"];
    assert_eq!(failure, "5.0.0 500 unknown recipient");
    let mut list = stopped(&north).await;
    list.sort_by_key(|one| one["address"].to_string());
    assert_eq!(
        list,
        [
            json!({ "address": "cross@example.org", "reason": "COMPLAINT", "channel": "EMAIL" }),
            json!({ "address": "gone@example.org", "reason": "BOUNCE", "channel": "EMAIL" }),
        ]
    );
    // Sent again it does nothing: whoever writes to the address again is believed.
    let admin = app.database.admin().await;
    admin
        .execute("delete from message_suppressions", &[])
        .await
        .expect("forgotten");
    assert_eq!(send(&genuine, &hook).await, 200);
    const NOTED: &str =
        "select count(*) from jobs where kind = 'messages.report' and status = 'done'";
    assert_eq!(app.database.count(NOTED).await, 3);
    assert_eq!(app.database.count(LEFT).await, 0);
    assert_eq!(stopped(&north).await.len(), 0);
    worker.stop().await;
}

#[tokio::test]
async fn twilios_callbacks_are_asked_for_and_only_this_accounts_token_makes_them_true() {
    let url = provider().await;
    let settings = [
        ("TWILIO_URL", url.as_str()),
        ("PUBLIC_URL", "https://events.example"),
    ];
    let app = TestApp::start_with(&settings).await;
    let (north, south) = (app.organizer("north").await, app.organizer("south").await);
    for (organizer, secret) in [(&north, "token of north"), (&south, "token of south")] {
        let account = json!({ "provider": "TWILIO", "name": "AC1", "sender": "+15005550006", "secret": secret });
        organizer
            .caller
            .does("saveMessageAccount", "", account)
            .await;
    }
    let worker = Worker::start(&app);
    sent(&app, &north, "SMS", "+254711000001").await;
    let admin = app.database.admin().await;
    const ACCOUNT: &str = "select a.id::text from message_accounts a join organizations o on o.id = a.org_id where o.slug = $1";
    let row = admin
        .query_one(ACCOUNT, &[&"north"])
        .await
        .expect("an account");
    let account: String = row.get(0);
    let fields = [
        ("AccountSid", "AC1"),
        ("ErrorCode", "30005"),
        ("MessageSid", "SM00000000000000000000000000000001"),
        ("MessageStatus", "undelivered"),
        ("To", "+254711000001"),
    ];
    let send = async |token: &str, status: &str| {
        let mut signed = format!("https://events.example/webhooks/twilio/{account}");
        let mut form = vec![];
        for (name, value) in fields {
            let value = if name == "MessageStatus" {
                status
            } else {
                value
            };
            signed.push_str(name);
            signed.push_str(value);
            form.push((name, value));
        }
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token.as_bytes());
        let signature = STANDARD.encode(hmac::sign(&key, signed.as_bytes()));
        let url = format!("{}/webhooks/twilio/{account}", app.url);
        let request = app.http().post(url).form(&form);
        let request = request.header("x-twilio-signature", signature);
        request.send().await.expect("an answer").status().as_u16()
    };
    assert_eq!(send("token of south", "undelivered").await, 400);
    assert_eq!(send("token of north", "delivered").await, 200);
    assert_eq!(
        log(&north.caller, "+254711000001").await[0]["state"],
        "SENT"
    );
    assert_eq!(send("token of north", "undelivered").await, 200);
    until("it is noted", async || {
        log(&north.caller, "+254711000001").await[0]["state"] == "BOUNCED"
    })
    .await;
    let list = stopped(&north).await;
    assert_eq!(
        list,
        [json!({ "address": "+254711000001", "reason": "BOUNCE", "channel": "SMS" })]
    );
    worker.stop().await;
}
