//! The whole way: somebody registers, and their mail server has a letter with the date in it.

use serde_json::{Value, json};

use super::{log, mailbox, registered, server::MailServer};
use crate::{
    harness::{Database, EventSetup, TestApp},
    jobs::{Worker, until},
};

/// Without the `=` of quoted-printable, as far as these tests look.
fn readable(mail: &str) -> String {
    mail.replace("=\r\n", "")
        .replace("\r\n ", " ")
        .replace("=3D", "=")
}

#[tokio::test]
async fn a_confirmation_goes_out_by_smtp_with_the_date_to_enter() {
    let mut server = MailServer::start("plain").await;
    let url = format!("smtp://127.0.0.1:{}?tls=none", server.port);
    let settings = [
        ("SMTP_URL", url.as_str()),
        ("MAIL_FROM", "tickets@events.example"),
    ];
    let app = TestApp::start_with(&settings).await;
    let north = app.organizer("north").await;
    let event = north.event(&EventSetup::default()).await;
    let registration = registered(&app, &event).await;

    // Before anybody delivers it, the mailbox shows what it will be.
    let worker = Worker::start(&app);
    let first = server.next().await;
    assert_eq!(
        first["to"],
        json!([north.email]),
        "the code of the account went first"
    );
    let mail = server.next().await;
    assert_eq!(mail["from"], "tickets@events.example");
    assert_eq!(mail["to"], json!(["vera@example.org"]));
    let text = readable(mail["data"].as_str().expect("a mail"));
    for part in [
        "From: \"The north\" <tickets@events.example>",
        "Subject: You are registered: Rust Day",
        "Auto-Submitted: auto-generated",
        "multipart/mixed",
        "multipart/alternative",
        "Hello Vera Visitor, your registration is confirmed.",
        "Tuesday, 4 May 2027, 09:00 (Europe/Berlin) to 18:00",
        registration["confirmationNumber"]
            .as_str()
            .expect("a number"),
        "filename=\"event.ics\"",
        "method=PUBLISH",
        "DTSTART:20270504T070000Z",
        "DTEND:20270504T160000Z",
        "SUMMARY:Rust Day",
        "@eventsphere",
    ] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
    assert!(
        !text.contains("List-Unsubscribe"),
        "what belongs to a purchase cannot be ended"
    );

    until("the log says so", async || {
        log(&north.caller, "vera@example.org").await[0]["state"] == "SENT"
    })
    .await;
    let entry = log(&north.caller, "vera@example.org").await;
    assert_eq!(entry.len(), 1);
    let id = entry[0]["providerReference"].as_str().expect("a reference");
    assert!(text.contains(&format!("Message-ID: {id}")), "{id}\n{text}");
    assert_eq!(
        entry[0],
        json!({
            "kind": "REGISTRATION_CONFIRMED", "channel": "EMAIL", "recipient": "vera@example.org", "state": "SENT",
            "subject": "You are registered: Rust Day", "provider": "smtp", "providerReference": id, "failure": null,
            "attempts": 1, "sentAt": entry[0]["sentAt"], "event": { "slug": "rust-day" },
            "registration": { "confirmationNumber": registration["confirmationNumber"] },
        })
    );
    worker.stop().await;
}

#[tokio::test]
async fn the_same_event_told_twice_writes_one_letter() {
    let app = TestApp::start().await;
    let north = app.organizer("north").await;
    let event = north.event(&EventSetup::default()).await;
    registered(&app, &event).await;
    let worker = Worker::start(&app);
    until("it is delivered", async || {
        mailbox(&app, "vera@example.org")
            .await
            .iter()
            .any(|mail| mail["state"] == "sent")
    })
    .await;
    // As if the relay had died before it noted what it had sent on, and the jobs' keys were long gone.
    let admin = app.database.admin().await;
    admin
        .batch_execute("delete from jobs; update outbox set sent_at = null")
        .await
        .expect("told again");
    let told = "select count(*) from outbox where sent_at is null";
    until("all is told again", async || {
        app.database.count(told).await == 0
    })
    .await;
    let waiting = "select count(*) from jobs where kind in ('messages.follow', 'mail.deliver') and status <> 'done'";
    until("all is done again", async || {
        app.database.count(waiting).await == 0
    })
    .await;
    assert_eq!(mailbox(&app, "vera@example.org").await.len(), 1);
    worker.stop().await;
}

#[tokio::test]
async fn a_cancellation_takes_the_date_out_again_and_a_hold_tells_nobody() {
    let app = TestApp::start().await;
    let north = app.organizer("north").await;
    let event = north.event(&EventSetup::default()).await;
    let registration = registered(&app, &event).await;
    let held = app.visitor().place(&event, &event["types"][0], 1).await;
    for id in [&registration["id"], &held["registration"]["id"]] {
        let input = json!({ "registrationId": id, "reason": "rain", "idempotencyKey": crate::harness::key() });
        north.caller.does("cancelRegistration", "", input).await;
    }
    let worker = Worker::start(&app);
    until("both are written", async || {
        mailbox(&app, "vera@example.org").await.len() == 2
    })
    .await;
    let told = "select count(*) from outbox where sent_at is null";
    until("all is told", async || app.database.count(told).await == 0).await;
    let letters = mailbox(&app, "vera@example.org").await;
    let of = |kind: &str| -> Value {
        letters
            .iter()
            .find(|mail| mail["kind"] == kind)
            .expect(kind)
            .clone()
    };
    let (entered, out) = (of("registration_confirmed"), of("registration_cancelled"));
    let line = |mail: &Value, name: &str| {
        let file = mail["calendar"].as_str().expect("a file").to_owned();
        file.lines()
            .find(|line| line.starts_with(name))
            .unwrap_or_else(|| panic!("{name}: {file}"))
            .to_owned()
    };
    assert_eq!(line(&entered, "UID:"), line(&out, "UID:"));
    assert_eq!(
        (line(&entered, "METHOD:"), line(&out, "METHOD:")),
        ("METHOD:PUBLISH".to_owned(), "METHOD:CANCEL".to_owned())
    );
    assert_eq!(line(&out, "STATUS:"), "STATUS:CANCELLED");
    let sequence = |mail: &Value| -> u32 {
        let line = line(mail, "SEQUENCE:");
        line.trim_start_matches("SEQUENCE:")
            .parse()
            .expect("a number")
    };
    assert!(
        sequence(&out) > sequence(&entered),
        "what comes later counts"
    );
    for mail in [&entered, &out] {
        // Both must say whose event it is (RFC 5546).
        let organizer = line(mail, "ORGANIZER");
        assert!(
            organizer.contains("CN=\"The north\"") && organizer.contains(":mailto:"),
            "{organizer}"
        );
    }

    // Whoever registers again finds the date in their calendar again: it is another entry, for another registration.
    registered(&app, &event).await;
    until("the third is written", async || {
        mailbox(&app, "vera@example.org").await.len() == 3
    })
    .await;
    let letters = mailbox(&app, "vera@example.org").await;
    let again = &letters[0];
    assert_eq!(again["kind"], "registration_confirmed");
    assert_ne!(line(again, "UID:"), line(&entered, "UID:"));
    let date = |mail: &Value| line(mail, "UID:").split('.').next().map(str::to_owned);
    assert_eq!(date(again), date(&entered), "of the same date");
    let feed = format!("{}/calendar/north/rust-day.ics", app.url);
    let feed = app.http().get(feed).send().await.expect("an answer");
    let feed = feed.text().await.expect("text");
    let date = date(again).expect("a date");
    assert!(
        feed.contains(&format!("{date}@eventsphere")),
        "the feed's entry is everybody's: {feed}"
    );
    assert!(
        out["body"]
            .as_str()
            .expect("a text")
            .contains("Reason: rain"),
        "{out:#}"
    );
    worker.stop().await;
}

#[tokio::test]
async fn everybody_hears_that_an_event_is_called_off_and_nobody_twice() {
    let app = TestApp::over(Database::fresh().await, &[]).await;
    let north = app.organizer("north").await;
    let event = north
        .event(&EventSetup {
            places: 20,
            ..EventSetup::default()
        })
        .await;
    let first = registered(&app, &event).await;
    registered(&app, &event).await;
    registered(&app, &event).await;
    let input = json!({ "registrationId": first["id"], "idempotencyKey": crate::harness::key() });
    north.caller.does("cancelRegistration", "", input).await;
    north
        .caller
        .does("cancelEvent", "", json!({ "eventId": event["id"] }))
        .await;
    let worker = Worker::start(&app);
    let count = async |kind: &str| {
        let letters = mailbox(&app, "vera@example.org").await;
        letters.iter().filter(|mail| mail["kind"] == kind).count()
    };
    until("they are told", async || {
        count("event_cancelled").await == 2
    })
    .await;
    let told = "select count(*) from outbox where sent_at is null";
    until("all is told", async || app.database.count(told).await == 0).await;
    let waiting = "select count(*) from jobs where kind = 'messages.follow' and status <> 'done'";
    until("all is done", async || {
        app.database.count(waiting).await == 0
    })
    .await;
    assert_eq!(count("event_cancelled").await, 2);
    assert_eq!(count("registration_cancelled").await, 1);
    worker.stop().await;
}
