//! The codes that connections are closed with, by raw frames.

use serde_json::json;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::{
    AVAILABILITY, Stage,
    socket::{PROTOCOL, Socket},
};
use crate::harness::TestApp;

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
