//! What people are told: by a real mail server, in the words of organizations, once, and to nobody who must not be told.

mod addresses;
mod confirmation;
mod decisions;
mod delivery;
mod fairness;
mod keeping;
mod many;
mod pages;
mod providers;
mod reminders;
mod reports;
mod server;
mod templates;

use serde_json::{Value, json};

use crate::harness::{Caller, TestApp};

/// The newest letters as the mailbox shows them.
async fn mailbox(app: &TestApp, to: &str) -> Vec<Value> {
    let url = format!("{}/dev/mailbox.json?to={to}", app.url);
    let answer = app.http().get(url).send().await.expect("the mailbox");
    let mut answer: Value = answer.json().await.expect("JSON");
    serde_json::from_value(answer["messages"].take()).expect("letters")
}

/// The log as a member sees it.
async fn log(caller: &Caller, recipient: &str) -> Vec<Value> {
    let data = caller
        .ask(
            "query($to: String!) { messageDeliveries(filter: { recipient: { eq: $to } }) { nodes {
                kind channel recipient state subject provider providerReference failure attempts sentAt
                event { slug } registration { confirmationNumber }
            } } }",
            json!({ "to": recipient }),
        )
        .await;
    data["messageDeliveries"]["nodes"]
        .as_array()
        .expect("a log")
        .clone()
}

/// Places two tickets and confirms them, as Vera; the registration.
async fn registered(app: &TestApp, event: &Value) -> Value {
    let visitor = app.visitor();
    let placed = visitor.place(event, &event["types"][0], 2).await;
    let guest = visitor.with_guest(placed["guestSecret"].as_str().expect("a secret"));
    let confirmed = guest.confirm(&placed["registration"]["id"]).await;
    assert_eq!(confirmed["userErrors"], json!([]), "{confirmed:#}");
    confirmed["registration"].clone()
}
