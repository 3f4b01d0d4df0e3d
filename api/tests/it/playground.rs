//! The examples of the playground, as it runs them: with what their variables lack looked up first, as whoever each is for.

use std::collections::BTreeMap;

use eventsphere::jobs;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::{
    harness::{Caller, TestApp, key},
    live::stream::Stream,
};

/// The value at `a.0.b`.
fn at<'a>(value: &'a Value, path: &str) -> &'a Value {
    path.split('.')
        .fold(value, |inside, step| match step.parse::<usize>() {
            Ok(index) => &inside[index],
            Err(_) => &inside[step],
        })
}

/// The variables with what was found in place of `{{a.0.b}}`.
fn filled(value: &Value, found: &Value) -> Value {
    match value {
        Value::String(text) => {
            let mut text = text.clone();
            while let Some((before, rest)) = text.split_once("{{") {
                let (path, after) = rest.split_once("}}").expect("its end");
                let there = at(found, path).as_str();
                let there = there.unwrap_or_else(|| panic!("no {path} in {found:#}"));
                text = format!("{before}{there}{after}");
            }
            Value::String(text)
        }
        Value::Array(items) => items.iter().map(|item| filled(item, found)).collect(),
        Value::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(name, value)| (name.clone(), filled(value, found)));
            Value::Object(fields.collect())
        }
        other => other.clone(),
    }
}

async fn sign_in(app: &TestApp, email: &str, organization: Option<&str>) -> Caller {
    let session = app
        .visitor()
        .does(
            "signIn",
            "accessToken",
            json!({ "email": email, "password": eventsphere::demo::PASSWORD, "organizationSlug": organization }),
        )
        .await;
    app.with_token(session["accessToken"].as_str().expect("a token"))
}

async fn file(app: &TestApp, name: &str) -> Value {
    let url = format!("{}/playground/{name}", app.url);
    let answer = app.http().get(url).send().await.expect("an answer");
    answer.json().await.expect("JSON")
}

/// Pays as somebody would who presses the button of the page.
async fn pay(app: &TestApp, organizer: &Caller, page: &str) {
    let form = app.http().post(page).body("outcome=succeed");
    let form = form.header("content-type", "application/x-www-form-urlencoded");
    assert!(form.send().await.expect("an answer").status().is_success());
    for _ in 0..1500 {
        let found = organizer
            .ask("{ payments(first: 1) { nodes { status } } }", json!({}))
            .await;
        if found["payments"]["nodes"][0]["status"] == "SUCCEEDED" {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the payment never succeeded");
}

#[tokio::test]
async fn every_example_of_the_playground_has_an_answer_on_demo_data() {
    let app = TestApp::start_with(&[("PAYMENT_SANDBOX", "on")]).await;
    jobs::register(&app.app).await.expect("kinds");
    eventsphere::demo::fill(&app.app, 10)
        .await
        .expect("demo data");
    let stopping = CancellationToken::new();
    let worker = tokio::spawn(jobs::work(app.app.clone(), stopping.clone()));
    let callers = BTreeMap::from([
        ("visitor", app.visitor()),
        (
            "attendee",
            sign_in(&app, "attendee@guests.example", None).await,
        ),
        (
            "organizer",
            sign_in(&app, "organizer@larkspur.example", Some("larkspur")).await,
        ),
        (
            "organizer of tide-lantern",
            sign_in(&app, "organizer@tide-lantern.example", Some("tide-lantern")).await,
        ),
    ]);
    let examples = file(&app, "examples.json").await;
    let examples = examples.as_array().expect("a list");
    assert!(examples.len() > 20, "{}", examples.len());
    for example in examples {
        let text = |name: &str| example[name].as_str().expect("a text");
        let name = text("name");
        // Of the demo's organizations that one asks to be asked.
        let who = match name {
            "Approve" => "organizer of tide-lantern",
            _ => text("who"),
        };
        let caller = &callers[who];
        assert!(
            text("query").starts_with("# "),
            "{name}: says what it shows"
        );
        let mut found = match example["fill"].as_str() {
            Some(query) => caller.ask(query, json!({})).await,
            None => json!({}),
        };
        found["newKey"] = json!(key());
        found["newSuffix"] = json!("a1b2c3");
        let variables = match &example["variables"] {
            Value::Null => json!({}),
            given => filled(given, &found),
        };
        if text("query").contains("\nsubscription ") {
            let url = format!("{}/graphql/stream", app.url);
            let request = caller.posts_to(&url);
            let told = Stream::open(request, text("query"), variables)
                .await
                .told()
                .await;
            let data = told["data"].as_object();
            let first = data.and_then(|data| data.values().next()).cloned();
            let first = first.unwrap_or_else(|| panic!("{name}: {told:#}"));
            assert_eq!(first["type"], "subscription.started", "{name}: {told:#}");
            continue;
        }
        let data = caller.ask(text("query"), variables).await;
        // A job is a row until it is done.
        let may_be_empty = name == "Jobs";
        for (field, value) in data.as_object().expect("an object") {
            let nodes = value.get("nodes").and_then(Value::as_array);
            assert!(
                !value.is_null() && nodes.is_none_or(|nodes| may_be_empty || !nodes.is_empty()),
                "{name}: {field} is empty"
            );
            let wrong = value.get("userErrors").unwrap_or(&Value::Null);
            assert!(wrong.is_null() || *wrong == json!([]), "{name}: {wrong}");
        }
        if let Some(page) = data["createPayment"]["payment"]["checkoutUrl"].as_str() {
            pay(&app, caller, page).await;
        }
    }
    stopping.cancel();
    worker.await.expect("it ends");
    assert_eq!(app.database.stock_faults().await, 0);
    // Without a demo nobody's sign-ins are offered.
    assert_eq!(file(&app, "sign-ins.json").await, json!([]));
}
