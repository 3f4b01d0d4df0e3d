//! Deliveries judged by the JavaScript library of Standard Webhooks, as receivers run it (`tools/webhook-verifier`).

use std::{path::Path, process::Stdio};

use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

use super::{buy, delivery, endpoint, start};
use crate::harness::{EventSetup, TestApp};

struct Verifier {
    url: String,
    lines: Lines<BufReader<ChildStdout>>,
    _running: Child,
}

impl Verifier {
    async fn start() -> Self {
        let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tools");
        // Nothing to do when `make test` has installed it.
        let install = Command::new(tools.join("install.sh"))
            .arg("webhook-verifier")
            .status();
        assert!(install.await.expect("a shell").success());
        let mut running = Command::new("node")
            .arg(tools.join("webhook-verifier/receiver.mjs"))
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("node");
        let mut lines = BufReader::new(running.stdout.take().unwrap()).lines();
        let first = lines.next_line().await.unwrap().expect("a line");
        let url = first.strip_prefix("listening at ").expect("an address");
        Self {
            url: url.to_owned(),
            lines,
            _running: running,
        }
    }

    async fn verifies_with(&self, app: &TestApp, secrets: &[&str]) {
        let to = format!("{}secrets", self.url);
        let taken = app.http().post(to).body(secrets.join(" ")).send().await;
        assert!(taken.unwrap().status().is_success());
    }

    async fn says(&mut self) -> String {
        self.lines.next_line().await.unwrap().expect("a line")
    }
}

#[tokio::test]
async fn the_librarys_javascript_takes_what_is_sent_and_nothing_else() {
    let app = start().await;
    let organizer = app.organizer("north").await;
    let event = organizer.event(&EventSetup::default()).await;
    let mut verifier = Verifier::start().await;
    let wanted = json!({ "eventTypes": ["registration.confirmed"] });
    let (endpoint, first) = endpoint(&organizer.caller, wanted, &verifier.url).await;
    verifier.verifies_with(&app, &[&first]).await;
    buy(&app, &event).await;
    assert_eq!(verifier.says().await, "genuine registration.confirmed");
    let told = delivery(&organizer.caller, &endpoint, |one| {
        one["status"] == "DELIVERED"
    })
    .await;
    assert_eq!(told["responseStatus"], 204);

    // While the secret is being changed, either of them will do.
    let rotate = json!({ "id": endpoint["id"], "overlapHours": 1 });
    let rotated = organizer
        .caller
        .does("rotateWebhookSecret", "secret", rotate)
        .await;
    let second = rotated["secret"].as_str().unwrap();
    verifier.verifies_with(&app, &[&first, second]).await;
    let test = json!({ "id": endpoint["id"] });
    organizer
        .caller
        .does("sendTestEvent", "", test.clone())
        .await;
    for _ in 0..2 {
        assert_eq!(verifier.says().await, "genuine webhook.test");
    }
    app.database.advance(3601).await;
    organizer.caller.does("sendTestEvent", "", test).await;
    let refused = "refused No matching signature found";
    assert_eq!(verifier.says().await, refused);
    assert_eq!(verifier.says().await, "genuine webhook.test");

    // What was sent, changed or kept for later.
    let body = told["body"].as_str().unwrap();
    let now = app.app.clock.now().timestamp();
    verifier.verifies_with(&app, &[second]).await;
    let key = standardwebhooks::Webhook::new(second).unwrap();
    for (at, sent, expected) in [
        (now, body.to_owned(), "genuine registration.confirmed"),
        (now, body.replace("registration", "event"), refused),
        (
            now - 600,
            body.to_owned(),
            "refused Message timestamp too old",
        ),
    ] {
        let signature = key.sign("evt_1", at, body.as_bytes()).unwrap();
        let posting = app.http().post(&verifier.url).body(sent);
        let answered = posting
            .header("webhook-id", "evt_1")
            .header("webhook-timestamp", at.to_string())
            .header("webhook-signature", signature)
            .send();
        let status = answered.await.unwrap().status();
        assert_eq!(status == 204, expected.starts_with("genuine"), "{expected}");
        assert_eq!(verifier.says().await, expected);
    }
}
