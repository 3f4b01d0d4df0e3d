//! GraphQL over HTTP: POST with JSON, GET for queries, statuses as the standard says, nothing lenient.

mod documents;
mod live;
mod public;
mod remembered;
mod request;

pub use documents::{DocumentKey, TrustedDocuments, is_name, sha256};
pub use remembered::Remembered;

use std::{net::SocketAddr, panic::AssertUnwindSafe, sync::Arc};

use axum::{
    Extension, Router,
    body::Body,
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::Response,
    routing::any,
};
use eventsphere_graphql::{
    Incoming,
    answer::{self, Answer, Fail, Reached},
    document::Document,
};
use futures_util::FutureExt as _;

use self::{
    documents::{Missing, resolve},
    request::{Decoded, read},
};
use super::{
    RequestHost, RequestId,
    accept::{MediaType, negotiate},
    deprecation, identify,
};
use crate::{
    fault::Fault, metrics::Ended, state::App, tenancy::Actor, throttle, vault::hex,
    verbs::RequestInfo,
};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/graphql", any(graphql))
        .route("/graphql/stream", any(live::stream))
}

/// What is no operation.
pub(super) fn narrow_routes() -> Router<App> {
    Router::new().route("/schema.graphql", axum::routing::get(sdl))
}

/// The schema, to download; introspection is for those who are signed in. It changes with the program only.
async fn sdl(State(app): State<App>, asked: HeaderMap) -> Response {
    let tag = format!("\"{}\"", hex(&app.engine.sdl_hash()[..16]));
    let mut response = match public::already_there(&asked, &tag) {
        true => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response
        }
        false => Response::new(Body::from(app.engine.sdl())),
    };
    let headers = response.headers_mut();
    set(headers, header::CONTENT_TYPE, "text/plain; charset=utf-8");
    set(headers, header::CACHE_CONTROL, "public, max-age=300");
    set(headers, header::ETAG, &tag);
    response
}

/// What an answer depends on besides the address.
const VARY: &str = "Accept, Authorization, X-Guest-Secret";

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
    if live::is_upgrade(request.headers()) {
        return live::upgrade(app, request_id.0, request).await;
    }
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
    let decoded = match read(request).await {
        Ok(decoded) => decoded,
        Err(refusal) => return refuse(&refusal, media_type, &request_id.0),
    };
    // A token costs a look-up, whoever made it up: where too many were wrong, none is looked at for a while.
    let anybody = Actor::anonymous();
    if headers.contains_key(header::AUTHORIZATION)
        && let Err(fault) = app.throttle.listens_to(&anybody, ip)
    {
        return respond(held_back(&fault, &request_id.0), media_type);
    }
    let actor = match identify(&app, &headers).await {
        Ok(actor) => actor,
        Err(fault) => {
            if matches!(fault, Fault::Unauthenticated(_)) {
                app.throttle.count_refused(&anybody, ip).await;
            }
            let status = match &fault {
                Fault::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
                Fault::BadInput(_) => StatusCode::BAD_REQUEST,
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
    let by_get = matches!(method, Method::GET | Method::HEAD);
    let max_age = host.app.posture.public_max_age;
    let for_caches = by_get && public::is_anybody(&host.actor);
    // Whatever panics in there is answered as GraphQL.
    let run = AssertUnwindSafe(run(Arc::new(host), decoded, by_get));
    match run.catch_unwind().await {
        Ok(Ok(answer)) => for_caches
            .then(|| public::respond(&answer, media_type, &headers, max_age))
            .flatten()
            .unwrap_or_else(|| respond(answer, media_type)),
        Ok(Err(refusal)) => refuse(&refusal, media_type, &request_id.0),
        Err(_) => {
            tracing::error!("an operation panicked");
            let refusal = Refused {
                status: StatusCode::INTERNAL_SERVER_ERROR,
                code: "INTERNAL",
                message: "internal error".to_owned(),
            };
            refuse(&refusal, media_type, &request_id.0)
        }
    }
}

/// The answer to somebody who is not listened to now.
fn held_back(fault: &Fault, request_id: &str) -> Answer {
    let fail = Fail::new(fault.code(), fault.to_string());
    let fail = fail.retry_after(fault.retry_after_seconds());
    answer::refused(&[fail], request_id)
}

async fn run(host: Arc<RequestHost>, decoded: Decoded, by_get: bool) -> Result<Answer, Refused> {
    if let Err(fault) = host.app.throttle.listens_to(&host.actor, host.info.ip) {
        return Ok(held_back(&fault, &host.info.request_id));
    }
    let Decoded { wanted, incoming } = decoded;
    let document = match resolve(&host, wanted).await {
        Ok(document) => document,
        Err(Missing::Answered(answer)) => return Ok(answer),
        Err(Missing::Refused(refusal)) => return Err(refusal),
    };
    if by_get && !document.may_be_got(incoming.operation_name.as_deref()) {
        return Err(refused(
            StatusCode::METHOD_NOT_ALLOWED,
            "only queries come by GET; send this by POST",
        ));
    }
    let incoming = Arc::new(incoming);
    let mut answer = execute(&document, &incoming, &host).await?;
    if answer.reached == Reached::Refused {
        // Checking values and compiling take time too.
        let throttle = &host.app.throttle;
        throttle.count_refused(&host.actor, host.info.ip).await;
    }
    let deprecated = host.app.engine.deprecated(&document, &incoming);
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
    document: &Arc<Document>,
    incoming: &Arc<Incoming>,
    host: &Arc<RequestHost>,
) -> Result<Answer, Refused> {
    if !document.may_be_got(incoming.operation_name.as_deref()) {
        // In a task of its own: a verb goes on to its end, whoever still waits for it.
        let (document, incoming, host) = (document.clone(), incoming.clone(), host.clone());
        let verb = async move {
            let engine = &host.app.engine;
            engine.execute(&document, &incoming, &*host).await
        };
        return match tokio::spawn(verb).await {
            Ok(answer) => Ok(answer),
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(too_long()),
            },
        };
    }
    let longest = host.app.posture.request_timeout;
    let execution = host.app.engine.execute(document, incoming, &**host);
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
            headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
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
    headers.insert(header::VARY, HeaderValue::from_static(VARY));
    response
}

/// A header of plain text that we made.
fn set(headers: &mut HeaderMap, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
