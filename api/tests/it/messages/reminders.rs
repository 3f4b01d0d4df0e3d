//! Reminders: due by the clock of the event, moved with it, sent once, and not to who wants none.

use serde_json::{Value, json};

use super::{log, mailbox, registered};
use crate::{
    harness::{EventSetup, Organizer, TestApp},
    jobs::{Worker, until},
};

/// Moves the clock to that instant.
async fn go_to(app: &TestApp, instant: &str) {
    let admin = app.database.admin().await;
    admin
        .execute(
            "update es_test.clock set ahead = $1::text::timestamptz - clock_timestamp()",
            &[&instant],
        )
        .await
        .expect("a moved clock");
}

async fn reminded(app: &TestApp) -> Vec<Value> {
    let all = mailbox(app, "guest0@example.org").await;
    all.into_iter()
        .filter(|mail| mail["kind"] == "reminder" && mail["state"] == "sent")
        .collect()
}

/// Lets the sweep run, and waits until what it began is done.
async fn sweep(app: &TestApp) {
    let admin = app.database.admin().await;
    admin
        .execute(
            "select es.enqueue_jobs('[{\"kind\": \"messages.remind\"}]')",
            &[],
        )
        .await
        .expect("a job");
    let left = "select count(*) from jobs where kind in ('messages.remind', 'messages.remind_people', 'mail.deliver') \
                and status in ('ready', 'running')";
    until("it is done", async || app.database.count(left).await == 0).await;
}

async fn remind(north: &Organizer, event: &Value, when: Value) {
    let mut input = when;
    input["eventId"] = event["id"].clone();
    north
        .caller
        .does("createMessageReminder", "messageReminder { id }", input)
        .await;
}

#[tokio::test]
async fn a_reminder_is_due_by_the_events_clock_and_moves_with_its_date() {
    let app = TestApp::start().await;
    let north = app.organizer("north").await;
    let event = north.event(&EventSetup::default()).await;
    registered(&app, &event).await;
    // Three days before the fourth of May, at noon in Berlin: ten o'clock in London's winter time.
    remind(&north, &event, json!({ "daysBefore": 3, "atMinute": 720 })).await;
    let worker = Worker::start(&app);
    go_to(&app, "2027-05-01T09:59:00Z").await;
    sweep(&app).await;
    assert_eq!(reminded(&app).await.len(), 0);

    let input = json!({
        "eventId": event["id"], "startsAt": "2027-05-05T09:00:00+02:00", "endsAt": "2027-05-05T18:00:00+02:00",
    });
    north.caller.does("updateEvent", "", input).await;
    go_to(&app, "2027-05-01T10:01:00Z").await;
    sweep(&app).await;
    assert_eq!(reminded(&app).await.len(), 0, "it moved along");

    go_to(&app, "2027-05-02T10:01:00Z").await;
    sweep(&app).await;
    let letters = reminded(&app).await;
    assert_eq!(
        letters.len(),
        1,
        "two tickets, two addresses, a letter each"
    );
    assert!(
        letters[0]["body"]
            .as_str()
            .expect("a text")
            .contains("Wednesday, 5 May 2027, 09:00")
    );
    assert_eq!(mailbox(&app, "guest1@example.org").await.len(), 1);
    for _ in 0..2 {
        sweep(&app).await;
    }
    assert_eq!(reminded(&app).await.len(), 1, "once");
    worker.stop().await;
}

#[tokio::test]
async fn nobody_is_reminded_late_without_a_ticket_or_by_a_reminder_that_came_too_late() {
    let app = TestApp::start().await;
    let north = app.organizer("north").await;
    let event = north.event(&EventSetup::default()).await;
    let registration = registered(&app, &event).await;
    remind(&north, &event, json!({ "minutesBefore": 60 })).await;
    let input =
        json!({ "registrationId": registration["id"], "idempotencyKey": crate::harness::key() });
    north.caller.does("cancelRegistration", "", input).await;
    let worker = Worker::start(&app);
    go_to(&app, "2027-05-04T06:30:00Z").await;
    // It should have been sent half a day ago.
    remind(&north, &event, json!({ "minutesBefore": 720 })).await;
    sweep(&app).await;
    assert_eq!(reminded(&app).await.len(), 0);
    let begun = "select count(*) from message_reminder_runs";
    assert_eq!(app.database.count(begun).await, 1);

    // One that waits until the date has begun has lost its sense.
    worker.stop().await;
    let write = "select es.write_messages(jsonb_build_array(jsonb_build_object(
        'kind', 'reminder', 'org_id', o.org_id, 'recipient', 'late@example.org', 'event_id', o.event_id, 'about', o.id,
        'variables', jsonb_build_object('occurrence_id', o.id)))) from occurrences o";
    app.database
        .admin()
        .await
        .execute(write, &[])
        .await
        .expect("a letter");
    go_to(&app, "2027-05-04T07:00:00Z").await;
    let worker = Worker::start(&app);
    until("it is left", async || {
        log(&north.caller, "late@example.org").await[0]["state"] == "SUPPRESSED"
    })
    .await;
    worker.stop().await;
}

#[tokio::test]
async fn one_click_ends_reminders_and_nothing_that_belongs_to_a_purchase() {
    let app = TestApp::start().await;
    let north = app.organizer("north").await;
    let event = north
        .event(&EventSetup {
            places: 50,
            ..EventSetup::default()
        })
        .await;
    registered(&app, &event).await;
    remind(&north, &event, json!({ "minutesBefore": 600 })).await;
    remind(&north, &event, json!({ "minutesBefore": 60 })).await;
    let worker = Worker::start(&app);
    go_to(&app, "2027-05-03T21:30:00Z").await;
    sweep(&app).await;
    let first = reminded(&app).await;
    assert_eq!(first.len(), 1);
    let source = first[0]["source"]
        .as_str()
        .expect("a source")
        .replace("\r\n ", " ");
    assert!(
        source.contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click"),
        "{source}"
    );
    let from = source.find("List-Unsubscribe: <").expect("a link") + "List-Unsubscribe: <".len();
    let link = source[from..]
        .split('>')
        .next()
        .expect("a link")
        .replace(' ', "");
    assert!(
        link.starts_with(&format!("{}/unsubscribe/", app.url)),
        "{link}"
    );

    let suppressed = "select count(*) from message_suppressions";
    let page = app.http().get(&link).send().await.expect("a page");
    assert_eq!(page.status(), 200);
    assert!(
        page.text()
            .await
            .expect("a page")
            .contains("guest0@example.org")
    );
    assert_eq!(
        app.database.count(suppressed).await,
        0,
        "looking at it ends nothing"
    );
    let last = if link.ends_with('A') { "B" } else { "A" };
    let forged = format!("{}{last}", &link[..link.len() - 1]);
    for bad in [forged, format!("{}/unsubscribe/x", app.url)] {
        assert_eq!(
            app.http()
                .post(&bad)
                .send()
                .await
                .expect("an answer")
                .status(),
            404,
            "{bad}"
        );
    }
    for _ in 0..2 {
        let click = app
            .http()
            .post(&link)
            .form(&[("List-Unsubscribe", "One-Click")]);
        assert_eq!(click.send().await.expect("an answer").status(), 200);
    }
    assert_eq!(app.database.count(suppressed).await, 1);

    go_to(&app, "2027-05-04T06:30:00Z").await;
    sweep(&app).await;
    assert_eq!(reminded(&app).await.len(), 1, "no second one");
    let entries = log(&north.caller, "guest0@example.org").await;
    assert_eq!(
        (&entries[0]["state"], &entries[0]["failure"]),
        (&json!("SUPPRESSED"), &json!("unsubscribed"))
    );
    let others = mailbox(&app, "guest1@example.org").await;
    assert_eq!(
        others
            .iter()
            .filter(|mail| mail["kind"] == "reminder")
            .count(),
        2
    );
    let admin = app.database.admin().await;
    admin
        .execute(
            "update message_suppressions set address = 'vera@example.org'",
            &[],
        )
        .await
        .expect("an address");
    until("Vera has her confirmation", async || {
        mailbox(&app, "vera@example.org").await[0]["state"] == "sent"
    })
    .await;
    registered(&app, &event).await;
    until("and a second one", async || {
        let letters = mailbox(&app, "vera@example.org").await;
        letters
            .iter()
            .filter(|mail| mail["state"] == "sent")
            .count()
            == 2
    })
    .await;
    worker.stop().await;
}
