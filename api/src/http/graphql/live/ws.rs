//! GraphQL over WebSocket: the upgrade.

use async_graphql_axum::GraphQLProtocol;
use axum::{
    extract::{FromRequestParts as _, Request, WebSocketUpgrade},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};

use super::{
    super::super::accept::MediaType,
    origin,
    session::{Arrival, serve},
    who,
};
use crate::{fault::Fault, http::graphql, metrics::Ended, state::App};

/// The protocol that is spoken.
const PROTOCOL: &str = "graphql-transport-ws";
/// Largest message of a client, bytes: what a request by POST may be.
const LARGEST: usize = crate::http::LARGEST_BODY;
/// Bytes read at a time. The default is thirty times that, for every connection.
const READ_AT_ONCE: usize = 4096;

/// Whether the request wants to become a WebSocket.
pub(in crate::http::graphql) fn is_upgrade(headers: &HeaderMap) -> bool {
    let upgrade = headers.get(header::UPGRADE);
    upgrade.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Makes it one.
pub(in crate::http::graphql) async fn upgrade(
    app: App,
    request_id: String,
    request: Request,
) -> Response {
    let refuse = |status, fault: &Fault| {
        let refusal = graphql::Refused {
            status,
            code: fault.code(),
            message: fault.to_string(),
        };
        graphql::refuse(&refusal, MediaType::Json, &request_id)
    };
    if !origin::may_connect(request.headers(), &app.posture) {
        let fault = Fault::Forbidden("pages of this origin may not connect".to_owned());
        return refuse(StatusCode::FORBIDDEN, &fault);
    }
    let info = who::info(
        &app,
        request_id.clone(),
        request.headers(),
        request.extensions(),
    );
    let Some(places) = who::enter(&app, &info) else {
        let fault = Fault::Throttled {
            retry_after_seconds: 5,
        };
        let mut response = refuse(StatusCode::TOO_MANY_REQUESTS, &fault);
        let headers = response.headers_mut();
        headers.insert(header::RETRY_AFTER, HeaderValue::from(5));
        return response;
    };
    let (mut parts, _) = request.into_parts();
    // Whether a protocol of GraphQL is offered at all; that it is the one of today is seen when one is chosen.
    let speaks = GraphQLProtocol::from_request_parts(&mut parts, &()).await;
    let upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(upgrade) => upgrade.protocols([PROTOCOL]),
        Err(rejection) => return rejection.into_response(),
    };
    let arrival = Arrival {
        speaks: speaks.is_ok() && upgrade.selected_protocol().is_some(),
        info,
        headers: parts.headers.into(),
        places,
    };
    let sessions = app.live.sessions().clone();
    let mut response = upgrade
        .max_message_size(LARGEST)
        .max_frame_size(LARGEST)
        .read_buffer_size(READ_AT_ONCE)
        .write_buffer_size(0)
        .on_upgrade(move |socket| sessions.track_future(serve(app, socket, arrival)));
    response.extensions_mut().insert(Ended::Executed);
    response
}
