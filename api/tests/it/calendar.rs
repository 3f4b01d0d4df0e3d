//! `.ics`: what a calendar library reads in it, and for whom it exists.

use icalendar::{
    Calendar,
    parser::{self, Component},
};
use serde_json::json;

use crate::harness::{EventSetup, TestApp};

/// Status, and the body when there is one.
async fn get(app: &TestApp, organization: &str, event: &str) -> (u16, String) {
    let url = format!("{}/calendar/{organization}/{event}.ics", app.url);
    let answer = app.http().get(url).send().await.expect("an answer");
    let kind = answer.headers()["content-type"]
        .to_str()
        .expect("text")
        .to_owned();
    let status = answer.status().as_u16();
    assert_eq!(kind.starts_with("text/calendar"), status == 200, "{kind}");
    (status, answer.text().await.expect("text"))
}

/// A property of the only date in the file, as the library reads it.
fn property(file: &str, name: &str) -> String {
    // The strict reader takes the whole file; the looser type of the same library takes it as well.
    file.parse::<Calendar>().expect("a calendar");
    let unfolded = parser::unfold(file);
    let read = parser::read_calendar(&unfolded).expect("a calendar");
    let dates: Vec<&Component<'_>> = read
        .components
        .iter()
        .filter(|component| component.name == "VEVENT")
        .collect();
    assert_eq!(dates.len(), 1, "{file}");
    dates[0]
        .find_prop(name)
        .unwrap_or_else(|| panic!("no {name} in {file}"))
        .val
        .to_string()
}

#[tokio::test]
async fn a_calendar_keeps_one_entry_through_changes_and_cancellation() {
    let app = TestApp::start().await;
    let organizer = app.organizer("almanac").await;
    let event = organizer.event(&EventSetup::default()).await;
    let (status, first) = get(&app, "almanac", "rust-day").await;
    assert_eq!(status, 200);
    assert!(first.lines().all(|line| line.len() <= 75), "{first}");
    assert!(first.contains("\r\n"));
    assert_eq!(property(&first, "SUMMARY"), "Rust Day");
    assert_eq!(property(&first, "DTSTART"), "20270504T070000Z");
    assert_eq!(property(&first, "DTEND"), "20270504T160000Z");
    assert_eq!(property(&first, "STATUS"), "CONFIRMED");

    organizer
        .caller
        .does(
            "updateEvent",
            "event { calendarSequence }",
            json!({
                "eventId": event["id"], "title": "Rust Day; twice, \\ and \"quoted\"",
                "startsAt": "2027-05-05T09:00:00+02:00", "endsAt": "2027-05-05T18:00:00+02:00",
            }),
        )
        .await;
    let (_, changed) = get(&app, "almanac", "rust-day").await;
    assert_eq!(property(&changed, "UID"), property(&first, "UID"));
    assert!(sequence(&changed) > sequence(&first), "{changed}");
    assert_eq!(property(&changed, "DTSTART"), "20270505T070000Z");
    assert!(
        changed.contains("SUMMARY:Rust Day\\; twice\\, \\\\ and \"quoted\""),
        "{changed}"
    );

    organizer
        .caller
        .does(
            "cancelEvent",
            "event { status }",
            json!({ "eventId": event["id"] }),
        )
        .await;
    let (status, cancelled) = get(&app, "almanac", "rust-day").await;
    assert_eq!(status, 200);
    assert_eq!(property(&cancelled, "UID"), property(&first, "UID"));
    assert_eq!(property(&cancelled, "STATUS"), "CANCELLED");
    assert!(sequence(&cancelled) > sequence(&changed), "{cancelled}");
}

fn sequence(file: &str) -> u32 {
    property(file, "SEQUENCE").parse().expect("a number")
}

#[tokio::test]
async fn only_what_anybody_may_see_by_its_address_has_a_file() {
    let app = TestApp::start().await;
    let organizer = app.organizer("almanac").await;
    app.organizer("elsewhere").await;
    for (slug, visibility, published) in [
        ("open", "PUBLIC", true),
        ("by-address", "UNLISTED", true),
        ("closed", "PRIVATE", true),
        ("draft", "PUBLIC", false),
    ] {
        let setup = EventSetup {
            slug: slug.to_owned(),
            visibility,
            published,
            ..EventSetup::default()
        };
        organizer.event(&setup).await;
    }
    for (organization, slug, expected) in [
        ("almanac", "open", 200),
        ("almanac", "by-address", 200),
        ("almanac", "closed", 404),
        ("almanac", "draft", 404),
        ("almanac", "never-made", 404),
        ("elsewhere", "open", 404),
        ("elsewhere", "by-address", 404),
        ("nowhere", "open", 404),
        ("almanac", "open%00", 404),
    ] {
        let (status, body) = get(&app, organization, slug).await;
        assert_eq!(status, expected, "{organization}/{slug}: {body}");
    }
    let bare = format!("{}/calendar/almanac/open", app.url);
    let bare = app.http().get(bare).send().await.expect("an answer");
    assert_eq!(bare.status().as_u16(), 404);
}
