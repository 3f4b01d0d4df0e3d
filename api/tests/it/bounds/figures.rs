//! `/metrics`: what operators see, where only they see it.

use eventsphere::metrics;
use tokio::net::TcpListener;

use super::{held_back, until};
use crate::harness::{Redis, TestApp};

/// The page, from a listener of its own.
async fn page(app: &TestApp) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let router = metrics::routes(app.app.clone());
    let serving = tokio::spawn(async move { axum::serve(listener, router).await });
    let url = format!("http://{address}/metrics");
    let response = app.http().get(url).send().await.expect("an answer");
    assert!(
        response.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/plain")
    );
    let text = response.text().await.expect("text");
    serving.abort();
    text
}

#[track_caller]
fn value(page: &str, name: &str) -> f64 {
    let line = page
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name} in\n{page}"))
        .parse()
        .expect("a number")
}

#[tokio::test]
async fn operators_see_how_requests_end() {
    let app = TestApp::start_with(&[("VISITOR_POINTS", "1000")]).await;
    let organizer = app.organizer("acme-of-nowhere").await;
    let before = page(&app).await;
    app.lives().await;
    app.reply("{ nothing }", serde_json::json!({})).await;
    app.by_token(&organizer.token, "{ events { totalCount } }")
        .await;
    let anonymous = eventsphere::tenancy::Actor::anonymous();
    let client = "127.0.0.1".parse().ok();
    let pending = app.app.throttle.admit(&anonymous, client, 990).await;
    let pending = pending.map_err(|_| "refused").expect("points");
    held_back(&app.reply(super::WIDE, serde_json::json!({})).await);
    let after = page(&app).await;
    drop(pending);

    let requests = "eventsphere_graphql_requests_total";
    for (name, more) in [
        (format!("{requests}{{outcome=\"executed\"}}"), 2.0),
        (format!("{requests}{{outcome=\"refused\"}}"), 1.0),
        (format!("{requests}{{outcome=\"throttled\"}}"), 1.0),
        (
            "eventsphere_throttled_total{by=\"visitor\"}".to_owned(),
            1.0,
        ),
        ("eventsphere_throttled_total{by=\"tenant\"}".to_owned(), 0.0),
        (
            "eventsphere_graphql_request_duration_seconds_count".to_owned(),
            4.0,
        ),
    ] {
        let difference = value(&after, &name) - value(&before, &name);
        assert!(
            (difference - more).abs() < 0.5,
            "{name}: {difference}\n{after}"
        );
    }
    assert!(value(&after, "eventsphere_operations_inside") > 0.5);
    assert!(
        value(
            &after,
            "eventsphere_database_connections{pool=\"visitors\",state=\"open\"}"
        ) > 0.5
    );
    assert!(
        value(
            &after,
            "eventsphere_database_connections{pool=\"write\",state=\"most\"}"
        ) > 7.5
    );
    assert!(value(&after, "eventsphere_limiter_shared") < 0.5);
    // Nobody is named.
    let org = organizer.organization["id"].as_str().expect("an id");
    for name in ["acme-of-nowhere", org, &organizer.email, "127.0.0.1"] {
        assert!(!after.contains(name), "{name}\n{after}");
    }
    // Nor is the page where everybody is.
    let public = app.http().get(format!("{}/metrics", app.url));
    assert_eq!(public.send().await.expect("an answer").status(), 404);
}

#[tokio::test]
async fn operators_see_that_redis_is_away() {
    let mut redis = Redis::start().await;
    let url = redis.url();
    let app = TestApp::start_with(&[("REDIS_URL", &url)]).await;
    let shared = "eventsphere_limiter_shared";
    assert!(value(&page(&app).await, shared) > 0.5);
    redis.kill();
    until("it is noticed", async || {
        app.lives().await;
        value(&page(&app).await, shared) < 0.5
    })
    .await;
    assert!(value(&page(&app).await, "eventsphere_redis_losses_total") > 0.5);
}
