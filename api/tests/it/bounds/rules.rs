//! Verbs that guess or send something are counted one by one: aliases in one document do not help.

use serde_json::json;

use super::held_back;
use crate::{harness::TestApp, protocol::reply::Reply};

const PROXY: [(&str, &str); 1] = [("TRUSTED_PROXIES", "127.0.0.1")];

fn guess(number: usize, email: &str) -> String {
    format!(
        "g{number}: signIn(input: {{ email: \"{email}\", password: \"guess {number}\" }}) {{ userErrors {{ code }} }}"
    )
}

fn guesses(many: usize, email: &str) -> String {
    let each: Vec<String> = (0..many).map(|number| guess(number, email)).collect();
    format!("mutation {{ {} }}", each.join(" "))
}

/// The codes of the errors of an answer.
fn codes(reply: &Reply) -> Vec<String> {
    let body = reply.json();
    let errors = body["errors"].as_array().cloned().unwrap_or_default();
    errors
        .iter()
        .map(|error| {
            error["extensions"]["code"]
                .as_str()
                .unwrap_or("?")
                .to_owned()
        })
        .collect()
}

#[tokio::test]
async fn twenty_guesses_in_one_document_are_twenty_guesses() {
    let app = TestApp::start_with(&PROXY).await;
    let email = "ada@example.org";
    let first = app.at_address("192.0.2.1", &guesses(20, email)).await;
    assert_eq!((first.status, codes(&first)), (200, vec![]), "{first:?}");
    // An account allows twenty at once and one more every five seconds, wherever they come from.
    let second = app.at_address("192.0.2.2", &guesses(20, email)).await;
    assert_eq!(second.status, 429, "{second:?}");
    let refused = codes(&second);
    assert!(
        refused.iter().all(|code| code == "THROTTLED"),
        "{refused:?}"
    );
    assert!(refused.len() >= 10, "{second:?}");
    assert_eq!(second.json()["data"]["g19"], json!(null));
    let wait = second.headers["retry-after"].to_str().expect("ASCII");
    let wait: i64 = wait.parse().expect("seconds");
    assert!((1..=5).contains(&wait), "{wait}");
    // Another account is counted by itself.
    let other = app
        .at_address("192.0.2.1", &guesses(1, "bob@example.org"))
        .await;
    assert_eq!((other.status, codes(&other)), (200, vec![]), "{other:?}");
    app.app.clock.advance(chrono::TimeDelta::seconds(6));
    let later = app.at_address("192.0.2.1", &guesses(1, email)).await;
    assert_eq!((later.status, codes(&later)), (200, vec![]), "{later:?}");
}

#[tokio::test]
async fn a_client_is_who_the_balancer_says_and_nobody_else() {
    // Time hardly fills them, however long this takes.
    let small = [
        ("VISITOR_POINTS", "1000"),
        ("VISITOR_POINTS_PER_SECOND", "1"),
    ];
    let trusting = TestApp::start_with(&[PROXY[0], small[0], small[1]]).await;
    let client = "192.0.2.1".parse().ok();
    let anonymous = eventsphere::tenancy::Actor::anonymous();
    let pending = trusting.app.throttle.admit(&anonymous, client, 1000).await;
    let _pending = pending.map_err(|_| "refused").expect("points");
    let query =
        "{ events(first: 100) { nodes { venue { id } sessions(first: 3) { nodes { id } } } } }";
    held_back(&trusting.at_address("192.0.2.1", query).await);
    // What the client put there itself stands further left.
    held_back(&trusting.at_address("203.0.113.7, 192.0.2.1", query).await);
    assert_eq!(trusting.at_address("192.0.2.7", query).await.status, 200);

    let direct = TestApp::start_with(&small).await;
    let client = "127.0.0.1".parse().ok();
    let pending = direct.app.throttle.admit(&anonymous, client, 1000).await;
    let _pending = pending.map_err(|_| "refused").expect("points");
    held_back(&direct.at_address("192.0.2.7", query).await);
}
