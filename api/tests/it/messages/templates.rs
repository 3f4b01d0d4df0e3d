//! Words of organizations: which count, what is refused, what a preview shows.

use serde_json::{Value, json};

use super::{mailbox, registered};
use crate::{
    harness::{Caller, EventSetup, TestApp},
    jobs::{Worker, until},
};

fn mjml(words: &str) -> String {
    format!(
        "<mjml><mj-body><mj-section><mj-column>\n<mj-text>{words}</mj-text>\n</mj-column></mj-section></mj-body></mjml>"
    )
}

async fn save(caller: &Caller, input: Value) -> Value {
    let selection = "messageTemplate { id kind language text event { slug } }";
    caller.tries("saveMessageTemplate", selection, input).await
}

#[tokio::test]
async fn the_events_words_count_before_the_organizations_and_these_before_the_built_in() {
    let app = TestApp::start().await;
    let north = app.organizer("north").await;
    let event = north
        .event(&EventSetup {
            places: 50,
            ..EventSetup::default()
        })
        .await;
    let worker = Worker::start(&app);
    let newest = async |count: usize| {
        registered(&app, &event).await;
        let sent = async || mailbox(&app, "vera@example.org").await;
        until("it is there", async || {
            sent()
                .await
                .iter()
                .filter(|mail| mail["state"] == "sent")
                .count()
                == count
        })
        .await;
        sent().await[0].clone()
    };
    assert_eq!(newest(1).await["subject"], "You are registered: Rust Day");
    let words = |subject: &str| {
        json!({
            "kind": "REGISTRATION_CONFIRMED", "language": "en", "subject": subject,
            "mjml": mjml("Dear {{ recipient.name }}: {% for ticket in tickets %}[{{ ticket.type }}]{% endfor %}"),
        })
    };
    let of_all = save(&north.caller, words("All: {{ event.title }}")).await;
    assert_eq!(of_all["userErrors"], json!([]), "{of_all:#}");
    let mail = newest(2).await;
    assert_eq!(mail["subject"], "All: Rust Day");
    assert_eq!(mail["body"], "Dear Vera Visitor: [Standard][Standard]\n");
    let mut input = words("Event: {{ event.title }}");
    input["eventId"] = event["id"].clone();
    input["text"] = json!("Plainly {{ registration.number }}");
    let of_event = save(&north.caller, input).await;
    assert_eq!(of_event["messageTemplate"]["event"]["slug"], "rust-day");
    let mail = newest(3).await;
    assert_eq!(mail["subject"], "Event: Rust Day");
    assert!(
        mail["body"]
            .as_str()
            .expect("a text")
            .starts_with("Plainly REG-"),
        "{mail:#}"
    );
    let id = json!({ "id": of_event["messageTemplate"]["id"] });
    north
        .caller
        .does("deleteMessageTemplate", "deletedId", id)
        .await;
    assert_eq!(newest(4).await["subject"], "All: Rust Day");
    // In another language of the organization nobody wrote anything yet.
    let input = json!({ "id": north.organization["id"], "language": "de" });
    north.caller.does("updateOrganization", "", input).await;
    assert_eq!(newest(5).await["subject"], "Ihre Anmeldung: Rust Day");
    worker.stop().await;
}

/// Texts that cannot be sent: the code and the field of the error, and a part of its sentence.
fn flawed() -> Vec<(Value, &'static str, &'static str, &'static str)> {
    let with = |subject: &str, mjml: &str| json!({ "kind": "REMINDER", "language": "en", "subject": subject, "mjml": mjml });
    let fine = mjml("x");
    vec![
        (
            with("{{ registration.number }}", &fine),
            "UNKNOWN_VARIABLE",
            "subject",
            "line 1",
        ),
        (
            with("x", &mjml("\n{{ event.titel }}")),
            "UNKNOWN_VARIABLE",
            "mjml",
            "line 3",
        ),
        (
            with(
                "x",
                &mjml("{% for t in tickets %}{{ t.colour }}{% endfor %}"),
            ),
            "UNKNOWN_VARIABLE",
            "mjml",
            "line 2",
        ),
        (
            with(
                "x",
                "<mjml>\n<mj-body>\n<mj-sectoin></mj-sectoin></mj-body></mjml>",
            ),
            "TEMPLATE_BROKEN",
            "mjml",
            "line 3",
        ),
        (
            with("x", &mjml("{{ event.title ")),
            "TEMPLATE_BROKEN",
            "mjml",
            "line",
        ),
        (
            with("x", &mjml("{% set a = 1 %}")),
            "TEMPLATE_BROKEN",
            "mjml",
            "line 2",
        ),
        (
            with("x", &mjml("<script>alert(1)</script>")),
            "TEMPLATE_BROKEN",
            "mjml",
            "line 2",
        ),
        (with(" ", &fine), "INVALID", "subject", "subject"),
        (
            json!({ "kind": "REMINDER", "channel": "SMS", "language": "en", "mjml": fine }),
            "INVALID",
            "mjml",
            "MJML",
        ),
        (
            json!({ "kind": "REMINDER", "channel": "SMS", "language": "english", "text": "x" }),
            "INVALID",
            "language",
            "letters",
        ),
    ]
}

#[tokio::test]
async fn what_cannot_be_sent_is_not_saved_and_the_place_is_named() {
    let app = TestApp::start().await;
    let north = app.organizer("north").await;
    for (input, code, field, place) in flawed() {
        for verb in ["saveMessageTemplate", "previewMessageTemplate"] {
            let payload = north.caller.tries(verb, "", input.clone()).await;
            let error = &payload["userErrors"][0];
            assert_eq!(
                (&error["code"], &error["field"][0]),
                (&json!(code), &json!(field)),
                "{verb} {input}: {payload:#}"
            );
            assert!(
                error["message"]
                    .as_str()
                    .expect("a sentence")
                    .contains(place),
                "{verb} {input}: {error}"
            );
        }
    }
    assert_eq!(
        app.database
            .count("select count(*) from message_templates")
            .await,
        0
    );
}

#[tokio::test]
async fn a_text_for_phones_has_no_looks() {
    let app = TestApp::start().await;
    let north = app.organizer("north").await;
    let sms = json!({ "kind": "REMINDER", "channel": "SMS", "language": "pt-BR", "text": "{{ event.title }}" });
    assert_eq!(save(&north.caller, sms).await["userErrors"], json!([]));
}

#[tokio::test]
async fn a_preview_tells_of_a_registration_or_of_examples_and_sends_nothing() {
    let app = TestApp::start().await;
    let north = app.organizer("north").await;
    let event = north.event(&EventSetup::default()).await;
    let registration = registered(&app, &event).await;
    let preview = async |input: Value| {
        let selection = "preview { subject html text mjml variables }";
        north
            .caller
            .does("previewMessageTemplate", selection, input)
            .await["preview"]
            .clone()
    };
    let example = preview(json!({ "kind": "REGISTRATION_CONFIRMED", "language": "de" })).await;
    assert_eq!(example["subject"], "Ihre Anmeldung: An evening of examples");
    assert!(
        example["html"]
            .as_str()
            .expect("looks")
            .contains("The north")
    );
    assert!(
        example["mjml"]
            .as_str()
            .expect("a template")
            .contains("{{ event.title }}")
    );
    assert!(
        example["variables"]
            .as_str()
            .expect("names")
            .contains("registration.number")
    );
    let own = preview(json!({
        "kind": "REGISTRATION_CONFIRMED", "language": "en", "registrationId": registration["id"],
        "subject": "{{ registration.number }}", "mjml": mjml("{{ recipient.name }}, {{ tickets|length }}"),
    }))
    .await;
    assert_eq!(own["subject"], registration["confirmationNumber"]);
    assert_eq!(own["text"], "Vera Visitor, 2\n");
    assert_eq!(
        app.database
            .count("select count(*) from message_deliveries")
            .await,
        0
    );
}
