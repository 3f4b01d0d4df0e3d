//! The wire: GraphQL over HTTP to the letter of its standard, the playground, and what every route shares (request
//! ids, limits, time-outs, panics turned into answers). Slices bring their own narrow routes.

mod accept;
mod deadline;
mod deprecation;
mod graphql;
mod host;
mod identify;
mod playground;
mod problem;
mod request_id;
mod toll;

pub use graphql::{DocumentKey, Remembered, TrustedDocuments, is_name, sha256};
pub use host::RequestHost;
pub use identify::{DemoSignIn, Identify, Posture, identify};
pub use problem::Problem;
pub use request_id::RequestId;

use std::time::Duration;

use axum::{Router, extract::DefaultBodyLimit, http::HeaderValue, middleware};
use tower::ServiceBuilder;
use tower_http::{
    catch_panic::CatchPanicLayer, cors::CorsLayer, set_header::SetResponseHeaderLayer,
};

use crate::state::App;

/// Largest body of a request, bytes.
const LARGEST_BODY: usize = 256 * 1024;

/// All routes, with what they share around them. Those of `known` are for callers who prove who they are; they pay no
/// toll.
pub fn router(app: App, slices: Router<App>, known: Router<App>) -> Router {
    // One stack: each layer that a router is given on its own is boxed and cloned for every request.
    let around = ServiceBuilder::new()
        .layer(middleware::from_fn(request_id::attach))
        .layer(SetResponseHeaderLayer::if_not_present(
            axum::http::header::REFERRER_POLICY,
            HeaderValue::from_static("no-referrer"),
        ))
        .layer(SetResponseHeaderLayer::if_not_present(
            axum::http::header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ))
        .layer(cors(&app.posture.cors_origins))
        .layer(middleware::from_fn_with_state(app.clone(), deadline::bound))
        .layer(CatchPanicLayer::custom(problem::panicked))
        .layer(DefaultBodyLimit::max(LARGEST_BODY));
    let narrow = Router::new()
        .merge(graphql::narrow_routes())
        .merge(playground::routes())
        .merge(slices)
        .route_layer(middleware::from_fn_with_state(app.clone(), toll::take));
    Router::new()
        .merge(graphql::routes())
        .merge(narrow)
        .merge(known)
        .fallback(problem::not_found)
        .layer(around)
        .with_state(app)
}

/// Other origins may call the API only when they are listed; tokens travel in a header, never in a cookie.
fn cors(origins: &[String]) -> CorsLayer {
    use axum::http::{Method, header};
    let origins: Vec<HeaderValue> = origins
        .iter()
        .filter_map(|origin| HeaderValue::from_str(origin).ok())
        .collect();
    CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([
            header::CONTENT_TYPE,
            header::AUTHORIZATION,
            header::ACCEPT,
            header::HeaderName::from_static("x-guest-secret"),
        ])
        .expose_headers(deprecation::HEADERS)
        .max_age(Duration::from_secs(600))
}
