//! The REST face of errors: problem+json (RFC 9457).

use axum::{
    Json,
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::RequestId;
use crate::fault::Fault;

/// A fault as the answer of a REST route.
#[derive(Debug)]
pub struct Problem(pub Fault);

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        Self(fault)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = match &self.0 {
            Fault::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
            Fault::Forbidden(_) => StatusCode::FORBIDDEN,
            Fault::BadInput(_) => StatusCode::BAD_REQUEST,
            Fault::NotFound(_) => StatusCode::NOT_FOUND,
            Fault::Conflict(_) => StatusCode::CONFLICT,
            Fault::Throttled { .. } => StatusCode::TOO_MANY_REQUESTS,
            Fault::Timeout => StatusCode::GATEWAY_TIMEOUT,
            Fault::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Fault::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        if let Fault::Internal(cause) | Fault::Unavailable(cause) = &self.0 {
            tracing::error!(%cause, "a request failed");
        }
        let mut response = problem(status, &self.0.to_string(), self.0.code());
        if let Some(seconds) = self.0.retry_after_seconds() {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

fn problem(status: StatusCode, detail: &str, code: &str) -> Response {
    let body = Json(json!({
        "type": "about:blank",
        "title": status.canonical_reason().unwrap_or_default(),
        "status": status.as_u16(),
        "detail": detail,
        "code": code,
    }));
    let mut response = (status, body).into_response();
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    response
}

/// No route.
pub(super) async fn not_found(request: Request) -> Response {
    let id = request
        .extensions()
        .get::<RequestId>()
        .map_or("", |id| id.0.as_str())
        .to_owned();
    tracing::debug!(request_id = id, "no route");
    problem(
        StatusCode::NOT_FOUND,
        "there is nothing here; the API is at /graphql",
        "NOT_FOUND",
    )
}

/// A panic in a handler: the process lives, the client learns nothing of it.
pub(super) fn panicked(cause: Box<dyn std::any::Any + Send + 'static>) -> Response {
    let text = cause
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| cause.downcast_ref::<&str>().copied())
        .unwrap_or("unknown");
    tracing::error!(cause = text, "a handler panicked");
    problem(
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal error",
        "INTERNAL",
    )
}
