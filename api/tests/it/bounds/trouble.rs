//! Time that runs out and connections that are not there: always an answer in the words of the API.

use super::until;
use crate::harness::TestApp;

const EVENTS: &str = "{ events { totalCount } }";
const LOCK: &str = "begin; lock table events in access exclusive mode";

#[tokio::test]
async fn a_request_that_takes_too_long_is_told_so() {
    let app = TestApp::start_with(&[("REQUEST_TIMEOUT_MS", "2000")]).await;
    app.lives().await;
    let admin = app.database.admin().await;
    admin.batch_execute(LOCK).await.expect("a lock");
    app.reply(EVENTS, serde_json::json!({}))
        .await
        .refuses(504, "TIMEOUT");
    // Routes that speak no GraphQL have their own words.
    let url = format!("{}/calendar/acme/day.ics", app.url);
    let response = app.http().get(url).send().await.expect("an answer");
    assert_eq!(response.status(), 504);
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
    let problem: serde_json::Value = response.json().await.expect("JSON");
    assert_eq!(problem["code"], "TIMEOUT");
    // Nobody holds on to its place.
    until("all are out", async || app.app.throttle.inside() == 0).await;
    admin.batch_execute("rollback").await.expect("let go");
    app.lives().await;
}

#[tokio::test]
async fn visitors_questions_are_cut_off_sooner_than_members() {
    let app = TestApp::start_with(&[
        ("VISITOR_STATEMENT_TIMEOUT_MS", "200"),
        ("STATEMENT_TIMEOUT_MS", "60000"),
    ])
    .await;
    let organizer = app.organizer("acme").await;
    assert_eq!(app.by_token(&organizer.token, EVENTS).await.status, 200);
    let admin = app.database.admin().await;
    admin.batch_execute(LOCK).await.expect("a lock");
    let member = async { app.by_token(&organizer.token, EVENTS).await };
    let (member, ()) = tokio::join!(member, async {
        let visitor = app.reply(EVENTS, serde_json::json!({})).await;
        let body = visitor.is_sound().json();
        assert_eq!(body["errors"][0]["extensions"]["code"], "TIMEOUT", "{body}");
        admin.batch_execute("rollback").await.expect("let go");
    });
    assert_eq!(
        member.json()["data"]["events"]["totalCount"],
        0,
        "{member:?}"
    );
}

#[tokio::test]
async fn an_exhausted_pool_is_told_as_such() {
    let app = TestApp::start_with(&[
        ("DATABASE_POOL_SIZE", "1"),
        ("DATABASE_WAIT_MS", "1000"),
        ("VISITOR_CONCURRENCY", "10"),
        ("VISITOR_STATEMENT_TIMEOUT_MS", "10000"),
    ])
    .await;
    app.lives().await;
    let admin = app.database.admin().await;
    admin.batch_execute(LOCK).await.expect("a lock");
    let ask = async || app.reply(EVENTS, serde_json::json!({})).await;
    let (first, ()) = tokio::join!(ask(), async {
        let waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
        until("it is stuck", async || {
            app.database.count(waiting).await == 1
        })
        .await;
        let second = ask().await;
        second.refuses(503, "UNAVAILABLE");
        assert_eq!(second.headers["retry-after"], "1");
        // In the other media type as well: a proxy understands the status.
        let plain = app
            .http()
            .get(format!(
                "{}/graphql?query=%7Bevents%7BtotalCount%7D%7D",
                app.url
            ))
            .send()
            .await
            .expect("an answer");
        assert_eq!(plain.status(), 503);
        admin.batch_execute("rollback").await.expect("let go");
    });
    assert_eq!(first.json()["data"]["events"]["totalCount"], 0, "{first:?}");
}

#[tokio::test]
async fn a_verb_without_a_connection_has_done_nothing_and_says_so() {
    let app =
        TestApp::start_with(&[("DATABASE_POOL_SIZE", "1"), ("DATABASE_WAIT_MS", "1000")]).await;
    app.lives().await;
    // Somebody has the only connection that writes.
    let held = app
        .app
        .door
        .system(eventsphere::tenancy::SystemReason::Operator);
    let held = held.await.expect("a transaction");
    let verb = "mutation { requestPasswordReset(input: { email: \"ada@example.org\" }) { userErrors { code } } }";
    let reply = app.reply(verb, serde_json::json!({})).await;
    let body = reply.is_sound().json();
    assert_eq!(reply.status, 503, "{reply:?}");
    assert_eq!(body["errors"][0]["extensions"]["code"], "UNAVAILABLE");
    assert_eq!(reply.headers["retry-after"], "1");
    held.rollback().await.expect("let go");
    assert_eq!(app.reply(verb, serde_json::json!({})).await.status, 200);
}
