//! The clients that others wrote for the two protocols (`tools/live-clients`): what they make of our answers.

use std::{path::Path, process::Stdio, time::Duration};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

use super::Stage;

/// Longest wait for what must be said.
const PATIENCE: Duration = Duration::from_secs(60);

struct Clients {
    lines: Lines<BufReader<ChildStdout>>,
    running: Child,
}

impl Clients {
    async fn start(program: &str, url: &str, token: &str) -> Self {
        let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tools");
        // Nothing to do when `make test` has installed it.
        let install = Command::new(tools.join("install.sh"))
            .arg("live-clients")
            .status();
        assert!(install.await.expect("a shell").success());
        let mut running = Command::new("node")
            .arg(tools.join("live-clients").join(program))
            .args([url, token])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("node");
        let lines = BufReader::new(running.stdout.take().expect("its words")).lines();
        Self { lines, running }
    }

    /// What is said next, but for answers to pings.
    async fn says(&mut self) -> Value {
        loop {
            let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await;
            let line = line
                .expect("nothing is said")
                .expect("a line")
                .expect("more");
            let said: Value = serde_json::from_str(&line).expect("JSON");
            if said.get("pong").is_none() {
                return said;
            }
        }
    }

    /// The next of both for which something is said of that kind.
    async fn both_say(&mut self) -> [Value; 2] {
        let mut said = [self.says().await, self.says().await];
        said.sort_by_key(|one| one["who"].to_string());
        assert_eq!([&said[0]["who"], &said[1]["who"]], ["sse", "ws"]);
        said
    }
}

#[tokio::test]
async fn the_usual_clients_watch() {
    let stage = Stage::set(&[]).await;
    let mut clients = Clients::start("clients.mjs", &stage.app.url, &stage.organizer.token).await;
    assert_eq!(
        clients.says().await,
        json!({ "who": "ws", "connected": true })
    );
    for who in ["ws", "sse"] {
        let answer = clients.says().await;
        assert_eq!(
            (&answer["who"], &answer["next"]["data"]),
            (&json!(who), &json!({ "__typename": "Query" }))
        );
        assert_eq!(
            clients.says().await,
            json!({ "who": who, "complete": true })
        );
        let refused = clients.says().await.to_string();
        assert!(refused.contains("GRAPHQL_VALIDATION_FAILED"), "{refused}");
        if who == "sse" {
            // There it is an answer like any other, and then the stream is over.
            assert_eq!(
                clients.says().await,
                json!({ "who": who, "complete": true })
            );
        }
    }
    let kind = |said: &Value| said["next"]["data"]["registrationChanged"]["type"].clone();
    for said in clients.both_say().await {
        assert_eq!(kind(&said), "subscription.started", "{said:#}");
    }
    let (secret, id) = stage.place().await;
    for said in clients.both_say().await {
        assert_eq!(kind(&said), "registration.held");
    }
    stage.app.visitor().with_guest(&secret).confirm(&id).await;
    for said in clients.both_say().await {
        assert_eq!(kind(&said), "registration.confirmed");
    }
    // Its own pings are answered all the while.
    let pong = async {
        loop {
            let line = clients
                .lines
                .next_line()
                .await
                .expect("a line")
                .expect("more");
            if line.contains("pong") {
                return;
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), pong)
        .await
        .expect("a pong");
    let mut stdin = clients.running.stdin.take().expect("its ear");
    stdin.write_all(b"enough\n").await.expect("heard");
    let mut left = String::new();
    while !left.contains("left") {
        left = clients.says().await.to_string();
    }
    crate::jobs::until("nobody is left", async || {
        stage.app.app.live.figures() == (0, 0)
    })
    .await;
    stage.end().await;
}

#[tokio::test]
async fn the_program_that_the_page_prints_loses_nothing_when_it_is_cut_off() {
    let stage = Stage::set(&[]).await;
    let token = &stage.organizer.token;
    let mut guide = Clients::start("guide.mjs", &stage.app.url, token).await;
    assert_eq!(guide.says().await["type"], "subscription.started");
    let (_, first) = stage.place().await;
    let told = guide.says().await;
    assert_eq!(
        (&told["type"], &told["registration"]["id"]),
        (&json!("registration.held"), &first)
    );
    let mut cut = guide.running.stdin.take().expect("its ear");
    cut.write_all(b"cut\n").await.expect("heard");
    assert_eq!(guide.says().await["type"], "cut");
    let (_, missed) = stage.place().await;
    let mut told = guide.says().await;
    if told["type"] == "subscription.started" {
        told = guide.says().await;
    }
    assert_eq!(
        (&told["type"], &told["registration"]["id"]),
        (&json!("registration.held"), &missed)
    );
    drop(guide);
    stage.end().await;
}
