//! GraphQL over server-sent events, in the mode of distinct connections: a request is one operation, its answer a stream
//! of `next` and a `complete`. The mode with a single connection would hang on one process of several, and has no place
//! here.

use std::{convert::Infallible, time::Duration};

use axum::{
    Extension,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use futures_util::stream;
use tokio::{
    sync::mpsc,
    task::AbortHandle,
    time::{Interval, MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use super::{
    super::{
        super::{RequestId, accept::MediaType},
        Refused, refuse, refused,
        request::read,
    },
    operate::operate,
    origin,
    who::{Somebody, Turned, become_known, enter, info},
};
use crate::{
    fault::Fault,
    live::{End, Ending, MOST_WAITING, Out, Outlet, Subscribed},
    metrics::Ended,
    state::App,
};

/// How often something is sent where nothing happens: proxies take what is silent for dead.
const BEAT: Duration = Duration::from_secs(15);
/// The one operation of a stream.
const NAME: &str = "stream";

/// Answers an operation with a stream.
pub(in crate::http::graphql) async fn stream(
    State(app): State<App>,
    Extension(request_id): Extension<RequestId>,
    request: Request,
) -> Response {
    match open(app, &request_id.0, request).await {
        Ok(response) => response,
        Err(refusal) => {
            let mut response = refuse(&refusal, MediaType::Json, &request_id.0);
            if refusal.status == StatusCode::TOO_MANY_REQUESTS {
                let headers = response.headers_mut();
                headers.insert(header::RETRY_AFTER, HeaderValue::from(5));
            }
            response
        }
    }
}

async fn open(app: App, request_id: &str, request: Request) -> Result<Response, Refused> {
    if !origin::may_connect(request.headers(), &app.posture) {
        let message = "pages of this origin may not connect";
        return Err(refused(StatusCode::FORBIDDEN, message));
    }
    if !takes_events(request.headers()) {
        let message = "a stream is text/event-stream; say so in Accept";
        return Err(refused(StatusCode::NOT_ACCEPTABLE, message));
    }
    let headers = request.headers().clone();
    let by_get = request.method() == axum::http::Method::GET;
    let info = info(&app, request_id.to_owned(), &headers, request.extensions());
    let places = enter(&app, &info).ok_or_else(too_many)?;
    let decoded = read(request).await?;
    let ending = Ending::default();
    let known = become_known(&app, info, &headers, places, &ending);
    let somebody = Box::pin(known).await.map_err(|turned| match turned {
        Turned::TooMany => too_many(),
        Turned::Away(fault) => turned_away(&fault),
    })?;
    let (queue, out) = mpsc::channel(MOST_WAITING);
    let outlet = Outlet::new(NAME, queue, ending.clone());
    let host = somebody.host.clone();
    let stopping = app.live.stopping().clone();
    let task = tokio::spawn(Box::pin(operate(host, decoded, outlet, by_get)));
    let mut beat = interval(BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let streaming = Streaming {
        out,
        ending,
        stopping,
        beat,
        task: task.abort_handle(),
        over: false,
        subscribed: None,
        _somebody: somebody,
    };
    let frames = stream::unfold(streaming, |mut streaming| async move {
        let frame = streaming.next().await?;
        Some((Ok::<_, Infallible>(frame), streaming))
    });
    let mut response = Response::new(Body::from_stream(frames));
    response.extensions_mut().insert(Ended::Executed);
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/event-stream; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

fn takes_events(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT);
    let mut named = values
        .iter()
        .filter_map(|value| value.to_str().ok())
        .peekable();
    if named.peek().is_none() {
        return true;
    }
    named.flat_map(|value| value.split(',')).any(|range| {
        let name = range.split(';').next().unwrap_or_default().trim();
        ["text/event-stream", "text/*", "*/*"]
            .iter()
            .any(|ours| name.eq_ignore_ascii_case(ours))
    })
}

fn too_many() -> Refused {
    turned_away(&Fault::Throttled {
        retry_after_seconds: 5,
    })
}

fn turned_away(fault: &Fault) -> Refused {
    Refused {
        status: match fault {
            Fault::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
            Fault::BadInput(_) => StatusCode::BAD_REQUEST,
            Fault::Throttled { .. } => StatusCode::TOO_MANY_REQUESTS,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        },
        code: fault.code(),
        message: fault.to_string(),
    }
}

/// A stream under way.
struct Streaming {
    out: mpsc::Receiver<Out>,
    ending: Ending,
    stopping: CancellationToken,
    beat: Interval,
    task: AbortHandle,
    over: bool,
    subscribed: Option<Subscribed>,
    _somebody: Somebody,
}

impl Drop for Streaming {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Streaming {
    /// What is sent next; nothing when it is over.
    async fn next(&mut self) -> Option<Bytes> {
        if self.over {
            return None;
        }
        loop {
            tokio::select! {
                biased;
                why = self.ending.ended() => return Some(self.end(why)),
                () = self.stopping.cancelled() => return Some(self.end(End::TryAgain)),
                out = self.out.recv() => match out? {
                    Out::Began(_, subscribed) => self.subscribed = Some(subscribed),
                    Out::Next(_, body) => return Some(next(&body)),
                    Out::Error(_, errors) => {
                        self.over = true;
                        let both = [next(&format!("{{\"errors\":{errors}}}")), complete()];
                        return Some(both.concat().into());
                    }
                    Out::Complete(_) => {
                        self.over = true;
                        return Some(complete());
                    }
                },
                _ = self.beat.tick() => return Some(Bytes::from_static(b":\n\n")),
            }
        }
    }

    /// Cut off without a `complete`: clients then come back.
    fn end(&mut self, why: End) -> Bytes {
        self.over = true;
        let why = match why {
            End::Slow => "too slow",
            End::Forbidden => "forbidden",
            End::TryAgain => "try again",
        };
        format!(": {why}\n\n").into()
    }
}

fn next(body: &str) -> Bytes {
    format!("event: next\ndata: {body}\n\n").into()
}

fn complete() -> Bytes {
    Bytes::from_static(b"event: complete\ndata: \n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_what_was_asked_for() {
        let takes = |accept: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, accept.parse().unwrap());
            takes_events(&headers)
        };
        assert!(takes_events(&HeaderMap::new()));
        assert!(
            takes("text/event-stream")
                && takes("application/json, text/event-stream;q=0.5")
                && takes("*/*")
        );
        assert!(!takes("application/json") && !takes("text/html"));
    }
}
