//! No request takes for ever. Who waited too long is told so in the words of the route: an error of GraphQL or a
//! problem document, never an empty answer.

use std::time::Instant;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use super::{
    Problem, RequestId,
    accept::{MediaType, negotiate},
    graphql,
};
use crate::{fault::Fault, metrics::Ended, state::App};

/// Bounds the time of a request, and counts those of GraphQL.
pub(super) async fn bound(State(app): State<App>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let is_graphql = request.uri().path() == "/graphql";
    let media_type = negotiate(request.headers()).unwrap_or(MediaType::Json);
    let id = request.extensions().get::<RequestId>();
    let id = id.map_or_else(String::new, |id| id.0.clone());
    let longest = app.posture.request_timeout;
    let response = match tokio::time::timeout(longest, next.run(request)).await {
        Ok(response) => response,
        Err(_) if is_graphql => graphql::timed_out(media_type, &id),
        Err(_) => Problem(Fault::Timeout).into_response(),
    };
    if is_graphql {
        // Whatever did not come from there is a panic that was caught on its way.
        let ended = response.extensions().get::<Ended>().copied();
        app.metrics
            .request(ended.unwrap_or(Ended::Failed), started.elapsed());
    }
    response
}
