//! What narrow routes cost: pages and files are no operations, but whoever asks for very many of them is held back like
//! anybody else.

use std::net::SocketAddr;

use axum::{
    extract::{ConnectInfo, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::Problem;
use crate::{state::App, tenancy::Actor, throttle};

/// Takes the points of a small document from the bucket of the client's address.
pub async fn take(State(app): State<App>, request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let proxies = &app.posture.trusted_proxies;
    let client = peer.map(|info| throttle::client_address(info.0.ip(), request.headers(), proxies));
    match app.throttle.pass(&Actor::anonymous(), client).await {
        Ok(()) => next.run(request).await,
        Err(fault) => Problem(fault).into_response(),
    }
}
