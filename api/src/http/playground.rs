//! The playground: files in the binary, nothing from any other host.

use axum::{
    Router,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};

use crate::state::App;

/// An operation that is ready to run.
struct Example {
    /// What it is part of: "Buy".
    task: &'static str,
    name: &'static str,
    /// Who asks it: `visitor`, `attendee` or `organizer`.
    who: &'static str,
    query: &'static str,
    /// JSON, or nothing. `{{a.0.b}}` in it is a value of the answer to `fill`.
    variables: &'static str,
    /// A query that finds what the variables need; or nothing.
    fill: &'static str,
}

include!(concat!(env!("OUT_DIR"), "/playground_files.rs"));

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; \
     base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route(
            "/",
            get(async || axum::response::Redirect::temporary("/playground")),
        )
        .route("/playground", get(async || file("index.html")))
        .route("/playground/examples.json", get(async || examples()))
        .route("/playground/sign-ins.json", get(sign_ins))
        .route(
            "/playground/assets/{*path}",
            get(async |Path(path): Path<String>| file(&path)),
        )
}

fn file(path: &str) -> Response {
    let Some((_, bytes)) = FILES.iter().find(|(name, _)| *name == path) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let content_type = match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("ttf") => "font/ttf",
        Some("json") => "application/json; charset=utf-8",
        _ => "text/plain; charset=utf-8",
    };
    // Only chunks carry a hash in their name; everything else is asked for again after an update.
    let cache = match path.contains("chunk-") {
        true => "public, max-age=31536000, immutable",
        false => "no-cache",
    };
    (
        [
            (header::CONTENT_TYPE, content_type),
            (header::CACHE_CONTROL, cache),
            (header::CONTENT_SECURITY_POLICY, POLICY),
        ],
        *bytes,
    )
        .into_response()
}

/// The sign-ins of demo data, for a button each; none where there is no demo.
async fn sign_ins(State(app): State<App>) -> Response {
    axum::Json(&*app.posture.demo_sign_ins).into_response()
}

fn examples() -> Response {
    let some = |text: &'static str| Some(text).filter(|text| !text.is_empty());
    let list: Vec<serde_json::Value> = EXAMPLES
        .iter()
        .map(|example| {
            serde_json::json!({
                "task": example.task,
                "name": example.name,
                "who": example.who,
                "query": example.query,
                "variables": serde_json::from_str::<serde_json::Value>(example.variables).ok(),
                "fill": some(example.fill),
            })
        })
        .collect();
    axum::Json(list).into_response()
}
