//! A call that is repeated under its key is answered as it was first, whatever became of its event meanwhile.

use serde_json::{Value, json};

use crate::harness::{Caller, EventSetup, TestApp, key};

const PLACED: &str = "guestSecret registration { id confirmationNumber }";
const JOINED: &str = "guestSecret waitlistEntry { id }";

/// What one person sent, and what was answered.
struct Asked {
    /// Nothing for a visitor.
    token: Option<String>,
    place: Value,
    placed: Value,
    join: Value,
    joined: Value,
}

fn caller(app: &TestApp, token: Option<&String>) -> Caller {
    match token {
        Some(token) => app.with_token(token),
        None => app.visitor(),
    }
}

/// A visitor and a signed-in person buy the two places, and then wait for one more each.
async fn ask(app: &TestApp, event: &Value) -> Vec<Asked> {
    let (_, session) = app.person("pat@example.org").await;
    let token = session["accessToken"].as_str().unwrap().to_owned();
    let input = |role: &str, email: &str| {
        json!({
            "eventId": event["id"], role: { "name": "Bo", "email": email },
            "lines": [{ "ticketTypeId": event["types"][0], "quantity": 1 }], "idempotencyKey": key(),
        })
    };
    let mut all = vec![];
    for (token, email) in [
        (None, "guest@example.org"),
        (Some(token), "pat@example.org"),
    ] {
        let (who, place) = (caller(app, token.as_ref()), input("buyer", email));
        let placed = who.does("placeRegistration", PLACED, place.clone()).await;
        all.push(Asked {
            token,
            place,
            placed,
            join: input("person", email),
            joined: Value::Null,
        });
    }
    for one in &mut all {
        let who = caller(app, one.token.as_ref());
        one.joined = who.does("joinWaitlist", JOINED, one.join.clone()).await;
    }
    all
}

#[tokio::test]
async fn a_call_under_its_key_is_answered_as_first_though_its_event_is_hidden() {
    let app = TestApp::start().await;
    let organizer = app.organizer("north").await;
    let setup = EventSetup {
        places: 2,
        ..EventSetup::default()
    };
    let event = organizer.event(&setup).await;
    let all = ask(&app, &event).await;
    let private = json!({ "eventId": event["id"], "visibility": "PRIVATE" });
    organizer.caller.does("updateEvent", "", private).await;

    // At a process that keeps nothing of it in mind.
    let settings = [("PUBLIC_URL", app.url.as_str())];
    let app = TestApp::over(app.database.again(), &settings).await;
    for one in &all {
        let who = caller(&app, one.token.as_ref());
        for (verb, selection, input, told) in [
            ("placeRegistration", PLACED, &one.place, &one.placed),
            ("joinWaitlist", JOINED, &one.join, &one.joined),
        ] {
            let again = who.tries(verb, selection, input.clone()).await;
            assert_eq!(again, *told, "{verb}");
            let mut new = input.clone();
            new["idempotencyKey"] = json!(key());
            let new = who.tries(verb, selection, new).await;
            assert_eq!(
                new["userErrors"][0]["code"], "EVENT_NOT_FOUND",
                "{verb}: {new}"
            );
        }
    }
    // The key of somebody with an account is theirs.
    let theirs = all[1].place.clone();
    let stranger = app
        .visitor()
        .tries("placeRegistration", PLACED, theirs)
        .await;
    assert_eq!(stranger["userErrors"][0]["code"], "EVENT_NOT_FOUND");
    let registrations = "select count(*) from registrations";
    assert_eq!(app.database.count(registrations).await, 2);
    assert_eq!(app.database.stock_faults().await, 0);
}
