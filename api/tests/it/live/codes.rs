//! The codes that connections are closed with, by raw frames.

use serde_json::json;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::{
    AVAILABILITY, Stage,
    socket::{PROTOCOL, Socket},
};
use crate::harness::{Database, TestApp};

#[tokio::test]
async fn what_is_no_message_is_4400() {
    let app = TestApp::start().await;
    for text in [
        "",
        "hello",
        "[]",
        "{}",
        r#"{"type":"start","id":"1","payload":{"query":"{ __typename }"}}"#,
        r#"{"type":"connection_init","payload":7}"#,
        r#"{"type":"subscribe","id":"1"}"#,
    ] {
        let mut socket = Socket::open(&app.url).await;
        socket.write(text).await;
        assert_eq!(socket.closed().await, 4400, "{text}");
    }
    let mut socket = Socket::open(&app.url).await;
    socket
        .frame(Message::Binary(b"{\"type\":\"ping\"}".to_vec().into()))
        .await;
    assert_eq!(socket.closed().await, 4400);
    let mut socket = Socket::visitor(&app.url).await;
    let long = "x".repeat(300);
    socket.begin(&long, "{ __typename }", json!({})).await;
    assert_eq!(socket.closed().await, 4400);
}

#[tokio::test]
async fn who_has_not_been_let_in_gets_4401_and_who_may_not_4403() {
    let app = TestApp::start().await;
    let mut early = Socket::open(&app.url).await;
    early.begin("1", "{ __typename }", json!({})).await;
    assert_eq!(early.closed().await, 4401);
    for said in [
        json!({ "Authorization": "Bearer nonsense" }),
        json!({ "authorization": "es_nonsense" }),
        json!({ "AUTHORIZATION": "Bearer \u{7}" }),
        json!({ "X-Guest-Secret": "a,b,c,d,e,f,g,h,i,j,k" }),
    ] {
        let mut socket = Socket::open(&app.url).await;
        socket
            .say(json!({ "type": "connection_init", "payload": said }))
            .await;
        assert_eq!(socket.closed().await, 4403, "{said}");
    }
    // A client that can send headers may say it there.
    let headers = [
        ("sec-websocket-protocol", PROTOCOL),
        ("authorization", "Bearer nonsense"),
    ];
    let mut socket = Socket::try_open(&app.url, &headers).await.expect("opened");
    socket.say(json!({ "type": "connection_init" })).await;
    assert_eq!(socket.closed().await, 4403);
}

#[tokio::test]
async fn another_protocol_is_4406() {
    let app = TestApp::start().await;
    for headers in [&[][..], &[("sec-websocket-protocol", "graphql-ws")]] {
        // Some clients close by themselves when none of their protocols was chosen.
        match Socket::try_open(&app.url, headers).await {
            Ok(mut socket) => assert_eq!(socket.closed().await, 4406),
            Err(error) => assert!(matches!(*error, Error::Protocol(_)), "{error}"),
        }
    }
    let both = [("sec-websocket-protocol", "graphql-ws, graphql-transport-ws")];
    let mut socket = Socket::try_open(&app.url, &both).await.expect("opened");
    socket
        .say(json!({ "type": "ping", "payload": { "n": 1 } }))
        .await;
    assert_eq!(
        socket.hear().await,
        json!({ "type": "pong", "payload": { "n": 1 } })
    );
}

#[tokio::test]
async fn who_says_nothing_gets_4408() {
    let app = TestApp::start().await;
    let mut socket = Socket::open(&app.url).await;
    assert_eq!(socket.closed().await, 4408);
}

#[tokio::test]
async fn a_name_that_is_taken_is_4409_and_a_second_init_4429() {
    let stage = Stage::set(&[]).await;
    let event = json!({ "eventId": stage.event["id"] });
    let mut socket = Socket::visitor(&stage.app.url).await;
    for _ in 0..2 {
        socket.begin("1", AVAILABILITY, event.clone()).await;
    }
    assert_eq!(socket.closed().await, 4409);
    let mut socket = Socket::visitor(&stage.app.url).await;
    // Completed, the name is free.
    for _ in 0..3 {
        socket.begin("1", AVAILABILITY, event.clone()).await;
        socket.data("1", "availabilityChanged").await;
        socket.say(json!({ "type": "complete", "id": "1" })).await;
    }
    socket.say(json!({ "type": "connection_init" })).await;
    assert_eq!(socket.closed().await, 4429);
    stage.end().await;
}

#[tokio::test]
async fn what_is_too_large_is_1009() {
    let app = TestApp::start().await;
    let mut socket = Socket::visitor(&app.url).await;
    socket
        .begin(
            "1",
            &format!("{{ __typename }} # {}", "x".repeat(300_000)),
            json!({}),
        )
        .await;
    assert_eq!(socket.closed().await, 1009);
}

#[tokio::test]
async fn when_it_cannot_be_found_out_who_it_is_the_code_is_4500_or_1013() {
    let app = TestApp::over(Database::fresh().await, &[("STATEMENT_TIMEOUT_MS", "500")]).await;
    let organizer = app.organizer("north").await;
    let input = json!({ "name": "Screen", "scopes": ["events:read"] });
    let made = organizer
        .caller
        .does("createApiToken", "token", input)
        .await;
    let token = format!("Bearer {}", made["token"].as_str().expect("a token"));
    let init = json!({ "type": "connection_init", "payload": { "Authorization": token } });
    let mut admin = app.database.admin().await;

    // Our mistake: what is looked in is not there.
    let away = "alter table api_token_secrets rename to api_token_secrets_away";
    admin.batch_execute(away).await.expect("renamed");
    let mut socket = Socket::open(&app.url).await;
    socket.say(init.clone()).await;
    assert_eq!(socket.closed().await, 4500);
    let here = "alter table api_token_secrets_away rename to api_token_secrets";
    admin.batch_execute(here).await.expect("renamed");

    // Nobody's mistake: it is there, and nobody may look right now.
    let held = admin.transaction().await.expect("a transaction");
    let lock = "lock table api_token_secrets in access exclusive mode";
    held.batch_execute(lock).await.expect("locked");
    let mut socket = Socket::open(&app.url).await;
    socket.say(init.clone()).await;
    assert_eq!(socket.closed().await, 1013);
    held.rollback().await.expect("free");

    let mut socket = Socket::open(&app.url).await;
    socket.say(init).await;
    assert_eq!(socket.hear().await, json!({ "type": "connection_ack" }));
}
