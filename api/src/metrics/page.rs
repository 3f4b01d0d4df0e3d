//! `/metrics`, on a listener of its own.

use std::{fmt::Write as _, sync::atomic::Ordering};

use axum::{Router, extract::State, http::header, response::IntoResponse, routing::get};

use super::{ENDED, THROTTLED};
use crate::{jobs, state::App, throttle::Keeper};

/// The page, for the operator's listener only.
pub fn routes(app: App) -> Router {
    Router::new().route("/metrics", get(page)).with_state(app)
}

async fn page(State(app): State<App>) -> impl IntoResponse {
    let kind = (
        header::CONTENT_TYPE,
        "text/plain; version=0.0.4; charset=utf-8",
    );
    ([kind], text(&app).await)
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

async fn text(app: &App) -> String {
    let mut out = String::with_capacity(4096);
    requests(app, &mut out);
    limits(app, &mut out);
    pools(app, &mut out);
    live(app, &mut out);
    jobs::write_figures(app, &mut out).await;
    out
}

fn requests(app: &App, out: &mut String) {
    let metrics = &app.metrics;
    let name = "eventsphere_graphql_requests_total";
    head(out, name, "counter", "GraphQL requests by how they ended.");
    for ((_, label), count) in ENDED.iter().zip(&metrics.ended) {
        let count = count.load(Ordering::Relaxed);
        let _ = writeln!(out, "{name}{{outcome=\"{label}\"}} {count}");
    }
    let name = "eventsphere_graphql_request_duration_seconds";
    head(
        out,
        name,
        "histogram",
        "From the head of a GraphQL request to its answer.",
    );
    metrics.durations.write(name, out);
    let name = "eventsphere_cost_points_total";
    head(
        out,
        name,
        "counter",
        "Points that operations asked for, and came to cost.",
    );
    for (label, count) in [
        ("requested", &metrics.points_requested),
        ("actual", &metrics.points_actual),
    ] {
        let count = count.load(Ordering::Relaxed);
        let _ = writeln!(out, "{name}{{kind=\"{label}\"}} {count}");
    }
}

fn limits(app: &App, out: &mut String) {
    let name = "eventsphere_throttled_total";
    head(
        out,
        name,
        "counter",
        "What was held back, by the limit that did it.",
    );
    for ((_, label), count) in THROTTLED.iter().zip(&app.metrics.throttled) {
        let count = count.load(Ordering::Relaxed);
        let _ = writeln!(out, "{name}{{by=\"{label}\"}} {count}");
    }
    let name = "eventsphere_forged_webhooks_total";
    head(
        out,
        name,
        "counter",
        "Webhooks that were refused because their provider had not signed them.",
    );
    let forged = app.metrics.forged_webhooks.load(Ordering::Relaxed);
    let _ = writeln!(out, "{name} {forged}");
    let name = "eventsphere_limiter_shared";
    head(
        out,
        name,
        "gauge",
        "1 while limits are counted in Redis, 0 while this process counts by itself.",
    );
    let limiter = app.throttle.limiter();
    let shared = u8::from(limiter.keeper() == Keeper::Redis);
    let _ = writeln!(out, "{name} {shared}");
    let name = "eventsphere_redis_losses_total";
    head(out, name, "counter", "How often Redis stopped answering.");
    let _ = writeln!(out, "{name} {}", limiter.losses());
    let name = "eventsphere_operations_inside";
    head(
        out,
        name,
        "gauge",
        "Operations that run or wait for their turn.",
    );
    let _ = writeln!(out, "{name} {}", app.throttle.inside());
}

fn live(app: &App, out: &mut String) {
    let (groups, watching) = app.live.figures();
    for (name, what, count) in [
        (
            "eventsphere_subscriptions",
            "Subscriptions that are being told of what happens.",
            watching,
        ),
        (
            "eventsphere_subscription_groups",
            "Groups of those who watch the same; what happens is read once for each.",
            groups,
        ),
    ] {
        head(out, name, "gauge", what);
        let _ = writeln!(out, "{name} {count}");
    }
}

fn pools(app: &App, out: &mut String) {
    let name = "eventsphere_database_connections";
    head(
        out,
        name,
        "gauge",
        "Connections to the database, by pool and state.",
    );
    for pool in app.door.pools() {
        for (state, count) in [
            ("open", pool.open),
            ("idle", pool.idle),
            ("most", pool.most),
        ] {
            let _ = writeln!(
                out,
                "{name}{{pool=\"{}\",state=\"{state}\"}} {count}",
                pool.name
            );
        }
    }
    let name = "eventsphere_database_waiting";
    head(
        out,
        name,
        "gauge",
        "Requests that wait for a connection to read.",
    );
    for pool in app.door.pools() {
        if let Some(waiting) = pool.waiting {
            let _ = writeln!(out, "{name}{{pool=\"{}\"}} {waiting}", pool.name);
        }
    }
    let (flights, requests) = app.door.shared().counts();
    for (name, what, count) in [
        (
            "eventsphere_shared_flights_total",
            "Flights to the database that several visitors' requests shared.",
            flights,
        ),
        (
            "eventsphere_shared_requests_total",
            "Visitors' requests that shared a flight.",
            requests,
        ),
    ] {
        head(out, name, "counter", what);
        let _ = writeln!(out, "{name} {count}");
    }
}
