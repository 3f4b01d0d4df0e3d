//! GraphQL over HTTP: POST with JSON, GET for queries, statuses as the standard says, nothing lenient.

use std::net::SocketAddr;

use axum::{
    Extension, Router,
    body::{Body, Bytes},
    extract::{ConnectInfo, FromRequest, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::Response,
    routing::any,
};
use eventsphere_graphql::{
    Incoming,
    answer::{self, Answer, Fail, Reached},
    document::Document,
};
use serde_json::{Map, Value};

use super::{
    RequestHost, RequestId,
    accept::{MediaType, negotiate},
    deprecation, identify,
};
use crate::{metrics::Ended, state::App, throttle, verbs::RequestInfo};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/graphql", any(graphql))
        .route("/schema.graphql", axum::routing::get(sdl))
}

/// The schema, to download; introspection is for those who are signed in.
async fn sdl(State(app): State<App>) -> ([(header::HeaderName, &'static str); 1], String) {
    (
        [(header::CONTENT_TYPE, "text/plain; charset=utf-8")],
        app.engine.sdl(),
    )
}

/// Why a request never became one.
struct Refused {
    status: StatusCode,
    code: &'static str,
    message: String,
}

fn refused(status: StatusCode, message: impl Into<String>) -> Refused {
    Refused {
        status,
        code: "BAD_USER_INPUT",
        message: message.into(),
    }
}

async fn graphql(
    State(app): State<App>,
    Extension(request_id): Extension<RequestId>,
    request: Request,
) -> Response {
    let headers = request.headers().clone();
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let ip = peer
        .map(|info| throttle::client_address(info.0.ip(), &headers, &app.posture.trusted_proxies));
    let Some(media_type) = negotiate(&headers) else {
        let refusal = refused(
            StatusCode::NOT_ACCEPTABLE,
            "answers are application/graphql-response+json or application/json",
        );
        return refuse(&refusal, MediaType::Json, &request_id.0);
    };
    let method = request.method().clone();
    let incoming = match read(request).await {
        Ok(incoming) => incoming,
        Err(refusal) => return refuse(&refusal, media_type, &request_id.0),
    };
    let actor = match identify(&app, &headers).await {
        Ok(actor) => actor,
        Err(fault) => {
            let status = match &fault {
                crate::fault::Fault::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
                crate::fault::Fault::BadInput(_) => StatusCode::BAD_REQUEST,
                _ => StatusCode::SERVICE_UNAVAILABLE,
            };
            let refusal = Refused {
                status,
                code: fault.code(),
                message: fault.to_string(),
            };
            return refuse(&refusal, media_type, &request_id.0);
        }
    };
    let host = RequestHost {
        actor,
        info: RequestInfo {
            request_id: request_id.0.clone(),
            ip,
            user_agent: user_agent(&headers),
        },
        app,
    };
    // In a task of its own: a client that goes away cancels nothing half-way through a verb, and whatever panics in
    // there is answered as GraphQL.
    let by_get = method == Method::GET;
    match tokio::spawn(run(host, incoming, by_get)).await {
        Ok(Ok(answer)) => respond(answer, media_type),
        Ok(Err(refusal)) => refuse(&refusal, media_type, &request_id.0),
        Err(error) => {
            tracing::error!(%error, "an operation panicked");
            let refusal = Refused {
                status: StatusCode::INTERNAL_SERVER_ERROR,
                code: "INTERNAL",
                message: "internal error".to_owned(),
            };
            refuse(&refusal, media_type, &request_id.0)
        }
    }
}

async fn run(host: RequestHost, incoming: Incoming, by_get: bool) -> Result<Answer, Refused> {
    let engine = &host.app.engine;
    let (throttle, client) = (&host.app.throttle, host.info.ip);
    if let Err(fault) = throttle.listens_to(&host.actor, client) {
        let fail = Fail::new(fault.code(), fault.to_string());
        let fail = fail.retry_after(fault.retry_after_seconds());
        return Ok(answer::refused(&[fail], &host.info.request_id));
    }
    let document = match engine.document(&incoming.query, &host).await {
        Ok(document) => document,
        Err(answer) => {
            throttle.count_refused(&host.actor, client).await;
            return Ok(answer);
        }
    };
    if by_get && !document.may_be_got(incoming.operation_name.as_deref()) {
        return Err(refused(
            StatusCode::METHOD_NOT_ALLOWED,
            "only queries come by GET; send this by POST",
        ));
    }
    let mut answer = execute(&document, &incoming, &host).await?;
    let deprecated = engine.deprecated(&document, &incoming);
    if answer.reached == Reached::Executed && !deprecated.is_empty() {
        let now = host.app.clock.now();
        host.app
            .deprecated_uses
            .count(&host.actor, &deprecated, now);
        answer.deprecated = deprecated;
    }
    Ok(answer)
}

async fn execute(
    document: &Document,
    incoming: &Incoming,
    host: &RequestHost,
) -> Result<Answer, Refused> {
    let execution = host.app.engine.execute(document, incoming, host);
    if !document.may_be_got(incoming.operation_name.as_deref()) {
        // A verb goes on to its end, whoever still waits for it.
        return Ok(execution.await);
    }
    let longest = host.app.posture.request_timeout;
    tokio::time::timeout(longest, execution)
        .await
        .map_err(|_| too_long())
}

fn too_long() -> Refused {
    Refused {
        status: StatusCode::GATEWAY_TIMEOUT,
        code: "TIMEOUT",
        message: "the request took longer than it may".to_owned(),
    }
}

/// The answer to a request that took too long, wherever it was stuck.
pub(super) fn timed_out(media_type: MediaType, request_id: &str) -> Response {
    refuse(&too_long(), media_type, request_id)
}

fn user_agent(headers: &HeaderMap) -> String {
    headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .chars()
        .take(400)
        .collect()
}

async fn read(request: Request) -> Result<Incoming, Refused> {
    match *request.method() {
        Method::POST => {
            check_content_type(request.headers())?;
            let body = body(request).await?;
            from_json(&body)
        }
        Method::GET => {
            let query = request.uri().query().unwrap_or_default().to_owned();
            from_query(&query)
        }
        _ => Err(refused(
            StatusCode::METHOD_NOT_ALLOWED,
            "send GraphQL by POST, queries also by GET",
        )),
    }
}

async fn body(request: Request) -> Result<Bytes, Refused> {
    Bytes::from_request(request, &())
        .await
        .map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => refused(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("a request is at most {} bytes", super::LARGEST_BODY),
            ),
            _ => refused(StatusCode::BAD_REQUEST, "the body could not be read"),
        })
}

/// Only `application/json`: a page of another origin cannot send that without asking first.
fn check_content_type(headers: &HeaderMap) -> Result<(), Refused> {
    let wrong = || {
        refused(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "send JSON with Content-Type: application/json",
        )
    };
    let plain = headers
        .get(header::CONTENT_ENCODING)
        .is_none_or(|value| value.as_bytes().eq_ignore_ascii_case(b"identity"));
    if !plain {
        return Err(refused(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "send the body without Content-Encoding",
        ));
    }
    let value = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .ok_or_else(wrong)?;
    let mut parts = value
        .split(';')
        .map(|part| part.trim().to_ascii_lowercase());
    if parts.next().as_deref() != Some("application/json") {
        return Err(wrong());
    }
    let foreign = parts.any(|part| {
        part.strip_prefix("charset=")
            .is_some_and(|charset| charset.trim_matches('"') != "utf-8")
    });
    match foreign {
        true => Err(wrong()),
        false => Ok(()),
    }
}

fn from_json(body: &[u8]) -> Result<Incoming, Refused> {
    let bad = |message: &str| refused(StatusCode::BAD_REQUEST, message);
    let value: Value = serde_json::from_slice(body)
        .map_err(|error| bad(&format!("the body is not JSON: {error}")))?;
    let mut fields = match value {
        Value::Object(fields) => fields,
        Value::Array(_) => return Err(bad("batches are not taken; send one operation a request")),
        _ => return Err(bad("the body must be a JSON object with a `query`")),
    };
    let query = match fields.remove("query") {
        Some(Value::String(query)) => query,
        Some(_) => return Err(bad("`query` must be a string")),
        None => return Err(bad("`query` is missing")),
    };
    let operation_name = match fields.remove("operationName") {
        None | Some(Value::Null) => None,
        Some(Value::String(name)) => Some(name),
        Some(_) => return Err(bad("`operationName` must be a string")),
    };
    let variables = object(fields.remove("variables"), "variables")?;
    object(fields.remove("extensions"), "extensions")?;
    Ok(Incoming {
        query,
        operation_name,
        variables,
    })
}

fn object(value: Option<Value>, name: &str) -> Result<Map<String, Value>, Refused> {
    match value {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(map)) => Ok(map),
        Some(_) => Err(refused(
            StatusCode::BAD_REQUEST,
            format!("`{name}` must be an object"),
        )),
    }
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct QueryString {
    query: Option<String>,
    operation_name: Option<String>,
    variables: Option<String>,
    extensions: Option<String>,
}

fn from_query(text: &str) -> Result<Incoming, Refused> {
    let bad = |message: String| refused(StatusCode::BAD_REQUEST, message);
    if !is_utf8_inside(text) {
        return Err(bad("the query string is not UTF-8".to_owned()));
    }
    let uri: axum::http::Uri = format!("/?{text}")
        .parse()
        .map_err(|_| bad("the query string cannot be read".to_owned()))?;
    let axum::extract::Query(given) = axum::extract::Query::<QueryString>::try_from_uri(&uri)
        .map_err(|error| bad(error.to_string()))?;
    let json = |text: Option<String>, name: &str| match text {
        None => Ok(Map::new()),
        Some(text) => {
            let value = serde_json::from_str(&text)
                .map_err(|error| bad(format!("`{name}` is not JSON: {error}")))?;
            object(Some(value), name)
        }
    };
    json(given.extensions, "extensions")?;
    Ok(Incoming {
        query: given
            .query
            .ok_or_else(|| bad("`query` is missing".to_owned()))?,
        operation_name: given.operation_name.filter(|name| !name.is_empty()),
        variables: json(given.variables, "variables")?,
    })
}

/// Whether the percent-escapes make UTF-8. The decoder itself would put replacement characters for what is broken.
fn is_utf8_inside(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digit = |at: usize| {
        let byte = bytes.get(at).copied()?;
        char::from(byte).to_digit(16)
    };
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%')
            .then(|| Some(digit(at + 1)? * 16 + digit(at + 2)?))
            .flatten()
            .and_then(|code| u8::try_from(code).ok());
        out.push(escaped.unwrap_or(bytes[at]));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    std::str::from_utf8(&out).is_ok()
}

fn refuse(refusal: &Refused, media_type: MediaType, request_id: &str) -> Response {
    let fail = Fail::new(refusal.code, refusal.message.clone());
    let answer = answer::refused(&[fail], request_id);
    let mut response = build(refusal.status, media_type, answer.body);
    let ended = match refusal.status {
        StatusCode::SERVICE_UNAVAILABLE => Ended::Unavailable,
        StatusCode::GATEWAY_TIMEOUT => Ended::TimedOut,
        status if status.is_server_error() => Ended::Failed,
        _ => Ended::Refused,
    };
    response.extensions_mut().insert(ended);
    let headers = response.headers_mut();
    match refusal.status {
        StatusCode::SERVICE_UNAVAILABLE => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(1));
        }
        StatusCode::METHOD_NOT_ALLOWED => {
            headers.insert(header::ALLOW, HeaderValue::from_static("GET, POST"));
        }
        StatusCode::UNAUTHORIZED => {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        _ => {}
    }
    response
}

fn respond(answer: Answer, media_type: MediaType) -> Response {
    let (status, ended) = match (answer.reached, media_type) {
        (Reached::Executed, _) => (StatusCode::OK, Ended::Executed),
        (Reached::Refused, MediaType::Json) => (StatusCode::OK, Ended::Refused),
        (Reached::Refused, MediaType::GraphqlResponse) => (StatusCode::BAD_REQUEST, Ended::Refused),
        (Reached::Throttled, _) => (StatusCode::TOO_MANY_REQUESTS, Ended::Throttled),
        (Reached::Unavailable, _) => (StatusCode::SERVICE_UNAVAILABLE, Ended::Unavailable),
    };
    let held_back = matches!(answer.reached, Reached::Throttled | Reached::Unavailable);
    let retry_after = answer.retry_after_seconds.filter(|_| held_back);
    let mut response = build(status, media_type, answer.body);
    deprecation::announce(response.headers_mut(), &answer.deprecated);
    response.extensions_mut().insert(ended);
    if let Some(seconds) = retry_after {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn build(status: StatusCode, media_type: MediaType, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(media_type.content_type()),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::VARY,
        HeaderValue::from_static("Accept, Authorization"),
    );
    response
}
