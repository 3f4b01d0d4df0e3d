//! The mailbox as pages: what was sent, as its reader sees it, as text and as source; nothing in it runs or leads away.

use serde_json::json;

use super::{mailbox, registered};
use crate::harness::{EventSetup, TestApp};

/// Status, content security policy, body.
async fn get(app: &TestApp, path: &str) -> (u16, String, String) {
    let url = format!("{}{path}", app.url);
    let answer = app.http().get(url).send().await.expect("an answer");
    let policy = answer.headers().get("content-security-policy");
    let policy = policy.map_or("", |policy| policy.to_str().expect("text"));
    let (status, policy) = (answer.status().as_u16(), policy.to_owned());
    (status, policy, answer.text().await.expect("text"))
}

#[tokio::test]
async fn the_mailbox_is_a_page_that_shows_each_letter_in_three_ways() {
    let app = TestApp::start().await;
    let north = app.organizer("north").await;
    let event = north.event(&EventSetup::default()).await;
    let named = json!({ "eventId": event["id"], "title": "Rust <script>alert(1)</script> Day" });
    north.caller.does("updateEvent", "", named).await;
    registered(&app, &event).await;
    let worker = crate::jobs::Worker::start(&app);
    crate::jobs::until("it is written", async || {
        mailbox(&app, "vera@example.org").await.len() == 1
    })
    .await;
    worker.stop().await;
    let letter = mailbox(&app, "vera@example.org").await[0].clone();
    let path = format!("/dev/mailbox/{}", letter["id"].as_str().expect("an id"));

    let (status, policy, page) = get(&app, "/dev/mailbox").await;
    assert_eq!(status, 200);
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    for part in [
        "vera@example.org",
        "owner@north.example",
        &path,
        "You are registered",
    ] {
        assert!(page.contains(part), "{part} is missing in\n{page}");
    }
    let (_, _, page) = get(&app, "/dev/mailbox?to=owner@north.example").await;
    assert!(!page.contains(&path), "only what went to that address");
    let (_, _, page) = get(&app, "/dev/mailbox?to=nobody@example.org").await;
    assert!(page.contains("Nothing for this address"), "{page}");

    // As its reader sees it: in a frame that may nothing.
    let (_, _, page) = get(&app, &path).await;
    assert!(page.contains(&format!("{path}/html")), "{page}");
    assert!(page.contains(&format!("{path}/event.ics")), "{page}");
    let (_, policy, framed) = get(&app, &format!("{path}/html")).await;
    assert!(policy.starts_with("sandbox"), "{policy}");
    assert!(
        framed.contains("Vera Visitor") && !framed.contains("<script"),
        "{framed}"
    );
    for (view, part) in [("text", "Hello Vera Visitor"), ("source", "Message-ID:")] {
        let (_, _, page) = get(&app, &format!("{path}?view={view}")).await;
        assert!(page.contains(part), "{view}\n{page}");
        assert!(!page.contains("<script"), "{view}\n{page}");
    }
    let (status, _, file) = get(&app, &format!("{path}/event.ics")).await;
    assert_eq!(status, 200);
    assert!(file.starts_with("BEGIN:VCALENDAR"), "{file}");
    let (status, ..) = get(&app, "/dev/mailbox/01890000-0000-7000-8000-000000000000").await;
    assert_eq!(status, 404);
}
