//! How deliveries end: encrypted ways, refusals for now and for good, addresses that are not written to.

use serde_json::json;

use super::{log, mailbox, server::MailServer};
use crate::{
    harness::{Database, EventSetup, TestApp, key},
    jobs::{Worker, until},
};

/// Somebody with that address registers.
async fn register(app: &TestApp, event: &serde_json::Value, email: &str) {
    let visitor = app.visitor();
    let input = json!({
        "eventId": event["id"], "buyer": { "name": "Somebody", "email": email },
        "lines": [{ "ticketTypeId": event["types"][0], "quantity": 1 }], "idempotencyKey": key(),
    });
    let placed = visitor
        .does(
            "placeRegistration",
            "guestSecret registration { id }",
            input,
        )
        .await;
    let guest = visitor.with_guest(placed["guestSecret"].as_str().expect("a secret"));
    let item = "query($id: ID!) { registration(id: $id) { items { nodes { id } } } }";
    let item = guest
        .ask(item, json!({ "id": placed["registration"]["id"] }))
        .await;
    let input = json!({
        "registrationId": placed["registration"]["id"], "idempotencyKey": key(),
        "attendees": [{ "itemId": item["registration"]["items"]["nodes"][0]["id"], "name": "Somebody", "email": email }],
    });
    guest.does("confirmRegistration", "", input).await;
}

#[tokio::test]
async fn a_bounce_is_remembered_a_refusal_is_not_and_what_is_put_off_is_tried_again() {
    let mut server = MailServer::start("plain").await;
    let url = format!("smtp://127.0.0.1:{}?tls=none", server.port);
    let settings = [
        ("SMTP_URL", url.as_str()),
        ("MAIL_FROM", "tickets@events.example"),
    ];
    let app = TestApp::over(Database::fresh().await, &settings).await;
    let north = app.organizer("north").await;
    let event = north
        .event(&EventSetup {
            places: 50,
            ..EventSetup::default()
        })
        .await;
    for name in ["nobody", "blocked", "later"] {
        register(&app, &event, &format!("{name}@example.org")).await;
    }
    let worker = Worker::start(&app);
    let state = async |name: &str, index: usize| {
        let entries = log(&north.caller, &format!("{name}@example.org")).await;
        entries
            .get(index)
            .map(|entry| entry["state"].as_str().expect("a state").to_owned())
    };
    for (name, wanted) in [("nobody", "BOUNCED"), ("blocked", "FAILED")] {
        until(wanted, async || {
            state(name, 0).await.as_deref() == Some(wanted)
        })
        .await;
    }
    let bounced = &log(&north.caller, "nobody@example.org").await[0];
    assert!(
        bounced["failure"]
            .as_str()
            .expect("why")
            .contains("nobody of that name"),
        "{bounced:#}"
    );
    until("it waits", async || {
        log(&north.caller, "later@example.org").await[0]["attempts"] == 1
    })
    .await;
    assert_eq!(state("later", 0).await.as_deref(), Some("QUEUED"));
    // What is to be tried later is tried now.
    app.database.advance(3600).await;
    until("it arrives", async || {
        state("later", 0).await.as_deref() == Some("SENT")
    })
    .await;
    assert_eq!(
        log(&north.caller, "later@example.org").await[0]["attempts"],
        2
    );

    // To the first nothing is sent any more, to the second something may.
    for name in ["nobody", "blocked"] {
        register(&app, &event, &format!("{name}@example.org")).await;
    }
    until("suppressed", async || {
        state("nobody", 0).await.as_deref() == Some("SUPPRESSED")
    })
    .await;
    until("tried", async || {
        log(&north.caller, "blocked@example.org").await.len() == 2
    })
    .await;
    until("refused", async || {
        state("blocked", 0).await.as_deref() == Some("FAILED")
    })
    .await;
    let listed = "{ messageSuppressions { nodes { id address reason channel } } }";
    let listed = north.caller.ask(listed, json!({})).await["messageSuppressions"]["nodes"].clone();
    assert_eq!(listed.as_array().expect("a list").len(), 1);
    assert_eq!(listed[0]["address"], "nobody@example.org");
    assert_eq!(listed[0]["reason"], "BOUNCE");
    north
        .caller
        .does(
            "deleteMessageSuppression",
            "",
            json!({ "id": listed[0]["id"] }),
        )
        .await;
    register(&app, &event, "nobody@example.org").await;
    until("it is written to again", async || {
        state("nobody", 0).await.as_deref() == Some("BOUNCED")
    })
    .await;
    let first = server.next().await;
    assert_eq!(first["to"], json!([north.email]));
    worker.stop().await;
}

#[tokio::test]
async fn passwords_and_letters_go_over_encrypted_connections() {
    for (mode, scheme, tail) in [("starttls", "smtp", "?tls=required"), ("tls", "smtps", "")] {
        let mut server = MailServer::start(mode).await;
        let file =
            std::env::temp_dir().join(format!("es-authority-{}-{mode}.pem", std::process::id()));
        std::fs::write(&file, server.authority.as_deref().expect("a certificate")).expect("a file");
        let url = format!(
            "{scheme}://ada%40north:pass%20word@localhost:{}{tail}",
            server.port
        );
        let settings = [
            ("SMTP_URL", url.as_str()),
            ("MAIL_FROM", "tickets@events.example"),
            ("SMTP_CA_FILE", file.to_str().expect("a path")),
        ];
        let app = TestApp::start_with(&settings).await;
        std::fs::remove_file(&file).expect("a file");
        let worker = Worker::start(&app);
        app.person("ann@example.org").await;
        let mail = server.next().await;
        assert_eq!(
            (mail["secure"].as_bool(), mail["user"].as_str()),
            (Some(true), Some("ada@north")),
            "{mode}"
        );
        worker.stop().await;
    }
}

#[tokio::test]
async fn a_server_whose_certificate_nobody_vouches_for_gets_nothing() {
    let mut server = MailServer::start("starttls").await;
    let url = format!(
        "smtp://ada:pass%20word@localhost:{}?tls=required",
        server.port
    );
    let settings = [
        ("SMTP_URL", url.as_str()),
        ("MAIL_FROM", "tickets@events.example"),
    ];
    let app = TestApp::start_with(&settings).await;
    let worker = Worker::start(&app);
    app.person("ann@example.org").await;
    let tried = "select count(*) from jobs where kind = 'mail.deliver' and attempts > 0 and status = 'scheduled'";
    until("it was tried", async || {
        app.database.count(tried).await == 1
    })
    .await;
    assert!(server.is_quiet().await);
    assert_eq!(mailbox(&app, "ann@example.org").await[0]["state"], "queued");
    worker.stop().await;
}
