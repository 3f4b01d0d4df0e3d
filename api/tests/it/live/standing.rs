//! Whoever may not watch any more is cut off within five seconds, at every process.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{REGISTRATIONS, Stage, socket::Socket};
use crate::harness::{PASSWORD, TestApp};

/// Longest that somebody may go on watching.
const PROMISED: Duration = Duration::from_secs(5);

async fn watching(url: &str, token: &str) -> Socket {
    let mut socket = Socket::with_token(url, token).await;
    socket.begin("1", REGISTRATIONS, json!({})).await;
    socket.data("1", "registrationChanged").await;
    socket
}

async fn is_cut_off(mut socket: Socket, since: Instant) {
    assert_eq!(socket.closed().await, 4403);
    assert!(since.elapsed() < PROMISED, "{:?}", since.elapsed());
}

#[tokio::test]
async fn a_token_that_is_revoked_watches_no_longer() {
    let stage = Stage::set(&[]).await;
    let other = TestApp::over(stage.app.database.again(), &[]).await;
    let organizer = &stage.organizer.caller;
    let made = json!({ "name": "Board", "scopes": ["registrations:read"] });
    let made = organizer
        .does("createApiToken", "token apiToken { id }", made)
        .await;
    let token = made["token"].as_str().expect("a token");
    let near = watching(&stage.app.url, token).await;
    let far = watching(&other.url, token).await;
    let mut kept = stage.member().await;
    let id = json!({ "apiTokenId": made["apiToken"]["id"] });
    let since = Instant::now();
    organizer
        .does("revokeApiToken", "apiToken { id }", id)
        .await;
    tokio::join!(is_cut_off(near, since), is_cut_off(far, since));
    kept.is_silent(Duration::from_millis(2500)).await;
    kept.say(json!({ "type": "ping" })).await;
    assert_eq!(kept.hear().await, json!({ "type": "pong" }));
    stage.end().await;
}

#[tokio::test]
async fn a_session_that_ended_watches_no_longer() {
    let stage = Stage::set(&[]).await;
    let url = &stage.app.url;
    let watching = watching(url, &stage.organizer.token).await;
    // The same person on another device goes on.
    let again = json!({ "email": stage.organizer.email, "password": PASSWORD, "organizationSlug": "north" });
    let session = stage
        .app
        .visitor()
        .does("signIn", "accessToken", again)
        .await;
    let mut other =
        Socket::with_token(url, session["accessToken"].as_str().expect("a token")).await;
    let since = Instant::now();
    stage.organizer.caller.does("signOut", "", json!({})).await;
    is_cut_off(watching, since).await;
    other.say(json!({ "type": "ping" })).await;
    assert_eq!(other.hear().await, json!({ "type": "pong" }));
    stage.end().await;
}

#[tokio::test]
async fn a_role_that_may_less_comes_back_and_is_judged_anew() {
    let stage = Stage::set(&[]).await;
    let watching = watching(&stage.app.url, &stage.organizer.token).await;
    let admin = stage.app.database.admin().await;
    let since = Instant::now();
    let less = "update roles set permissions = array_remove(permissions, 'registrations:read')";
    admin.execute(less, &[]).await.expect("less");
    is_cut_off(watching, since).await;
    // What this process believed of the role is forgotten after five seconds.
    tokio::time::sleep(PROMISED).await;
    let mut again = stage.member().await;
    again.begin("1", REGISTRATIONS, json!({})).await;
    assert_eq!(again.refused("1").await, "FORBIDDEN");
    stage.end().await;
}

#[tokio::test]
async fn an_access_token_that_runs_out_watches_no_longer() {
    let stage = Stage::set(&[]).await;
    let mut watching = watching(&stage.app.url, &stage.organizer.token).await;
    watching.is_silent(Duration::from_millis(100)).await;
    // A quarter of an hour later.
    stage.app.app.clock.advance(chrono::TimeDelta::minutes(16));
    is_cut_off(watching, Instant::now()).await;
    stage.end().await;
}
