//! Addresses beyond ASCII, and servers that are silent.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::{io::AsyncWriteExt, net::TcpListener};

use super::{log, server::MailServer};
use crate::{
    harness::TestApp,
    jobs::{Worker, until},
};

async fn app_with(port: u64, more: &[(&'static str, &'static str)]) -> TestApp {
    let url = format!("smtp://127.0.0.1:{port}?tls=none");
    let mut settings = vec![
        ("SMTP_URL", url.as_str()),
        ("MAIL_FROM", "tickets@events.example"),
    ];
    settings.extend_from_slice(more);
    TestApp::start_with(&settings).await
}

#[tokio::test]
async fn an_address_beyond_ascii_goes_where_servers_take_it_and_else_fails_for_good() {
    for (mode, state) in [("plain", "SENT"), ("ascii", "FAILED")] {
        let mut server = MailServer::start(mode).await;
        let app = app_with(server.port, &[]).await;
        let north = app.organizer("north").await;
        let worker = Worker::start(&app);
        assert_eq!(server.next().await["to"], json!([north.email]));
        for to in ["jürgen@bücher.example", "ada@bücher.example"] {
            let test = json!({ "kind": "REMINDER", "channel": "EMAIL", "to": to });
            north.caller.does("sendTestMessage", "", test).await;
        }
        // Where the part before the @ is ASCII the whole address is, as servers write it.
        until("the second is sent", async || {
            log(&north.caller, "ada@bücher.example").await[0]["state"] == "SENT"
        })
        .await;
        until(state, async || {
            log(&north.caller, "jürgen@bücher.example").await[0]["state"] == state
        })
        .await;
        let entry = log(&north.caller, "jürgen@bücher.example").await[0].clone();
        assert_eq!(entry["attempts"], 1);
        // The server of these tests tells domains as people write them; the mail has what it was told.
        let mut expected = vec!["To: ada@xn--bcher-kva.example"];
        match state {
            "SENT" => expected.push("To: jürgen@xn--bcher-kva.example"),
            _ => assert!(
                entry["failure"].as_str().expect("why").contains("SMTPUTF8"),
                "{entry:#}"
            ),
        }
        let mut came = vec![];
        for _ in &expected {
            let mail = server.next().await["data"]
                .as_str()
                .expect("a mail")
                .to_owned();
            let to = mail.lines().find(|line| line.starts_with("To:"));
            came.push(to.expect("a recipient").to_owned());
        }
        came.sort();
        assert_eq!(came, expected);
        worker.stop().await;
    }
}

#[tokio::test]
async fn a_mail_server_that_falls_silent_is_waited_for_as_long_as_is_set_and_no_longer() {
    // It greets, and says nothing more.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        let mut open = vec![];
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"220 silence ESMTP\r\n").await;
            open.push(stream);
        }
    });
    let app = app_with(port.into(), &[("PROVIDER_TIMEOUT_MS", "700")]).await;
    let north = app.organizer("north").await;
    let test = json!({ "kind": "REMINDER", "channel": "EMAIL", "to": "ann@example.org" });
    north.caller.does("sendTestMessage", "", test).await;
    let worker = Worker::start(&app);
    let begun = Instant::now();
    until("the attempt is over", async || {
        log(&north.caller, "ann@example.org").await[0]["attempts"] == 1
    })
    .await;
    assert!(begun.elapsed() >= Duration::from_millis(700));
    let entry = log(&north.caller, "ann@example.org").await[0].clone();
    assert_eq!(entry["state"], "QUEUED", "it is tried again");
    assert_eq!(entry["failure"], "the mail server did not answer in time");
    worker.stop().await;
}

#[tokio::test]
async fn a_mail_server_that_stops_in_the_middle_gets_the_next_mail_over_another_connection() {
    let mut server = MailServer::start("plain").await;
    let app = app_with(server.port, &[("PROVIDER_TIMEOUT_MS", "1500")]).await;
    let north = app.organizer("north").await;
    let worker = Worker::start(&app);
    server.next().await;
    // The first answer to `slow` comes after we have given up: nobody else may read it.
    for to in ["slow@example.org", "ann@example.org", "nobody@example.org"] {
        let test = json!({ "kind": "REMINDER", "channel": "EMAIL", "to": to });
        north.caller.does("sendTestMessage", "", test).await;
        until("it was tried", async || {
            log(&north.caller, to).await[0]["attempts"] == 1
        })
        .await;
    }
    let state = async |to: &str| log(&north.caller, to).await[0]["state"].clone();
    assert_eq!(state("slow@example.org").await, "QUEUED");
    assert_eq!(state("ann@example.org").await, "SENT");
    assert_eq!(state("nobody@example.org").await, "BOUNCED");
    assert_eq!(server.next().await["to"], json!(["ann@example.org"]));
    worker.stop().await;
}
