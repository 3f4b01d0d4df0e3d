//! Who is at the other end, and the places that their connection takes.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    extract::ConnectInfo,
    http::{Extensions, HeaderMap, HeaderName, HeaderValue, header},
};
use serde_json::{Map, Value};

use super::super::{super::identify, user_agent};
use crate::{
    fault::Fault,
    http::RequestHost,
    live::{Ending, Place, Watched},
    state::App,
    tenancy::{Actor, ActorKind},
    throttle,
    verbs::RequestInfo,
};

/// From where a connection comes.
pub(super) fn info(
    app: &App,
    request_id: String,
    headers: &HeaderMap,
    extensions: &Extensions,
) -> RequestInfo {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>();
    let proxies = &app.posture.trusted_proxies;
    RequestInfo {
        request_id,
        ip: peer.map(|info| throttle::client_address(info.0.ip(), headers, proxies)),
        user_agent: user_agent(headers),
    }
}

/// Places that a connection takes before it is known whose it is: one of all, one of its address.
pub(super) fn enter(app: &App, info: &RequestInfo) -> Option<Vec<Place>> {
    let (places, limits) = (app.live.places(), app.live.limits());
    let visitor = format!("visitor {}", throttle::client_key(info.ip));
    Some(vec![
        places.take("all", limits.connections)?,
        places.take(&visitor, limits.visitor_connections)?,
    ])
}

/// Somebody, for as long as their connection lasts.
pub(super) struct Somebody {
    pub host: RequestHost,
    _places: Vec<Place>,
    _watched: Option<Watched>,
}

/// Why a connection is not taken.
pub(super) enum Turned {
    /// By what was said of who it is.
    Away(Fault),
    /// There are too many of its organization, or of its person.
    TooMany,
}

/// Finds out whose connection it is; `places` are those that it has.
pub(super) async fn become_known(
    app: &App,
    info: RequestInfo,
    headers: &HeaderMap,
    mut places: Vec<Place>,
    ending: &Ending,
) -> Result<Somebody, Turned> {
    let anybody = Actor::anonymous();
    let listened = app.throttle.listens_to(&anybody, info.ip);
    if headers.contains_key(header::AUTHORIZATION) {
        listened.map_err(Turned::Away)?;
    }
    let actor = match identify(app, headers).await {
        Ok(actor) => actor,
        Err(fault) => {
            if matches!(fault, Fault::Unauthenticated(_)) {
                app.throttle.count_refused(&anybody, info.ip).await;
            }
            return Err(Turned::Away(fault));
        }
    };
    let own = match &actor.kind {
        ActorKind::Anonymous => None,
        ActorKind::Attendee { user_id, .. } | ActorKind::Member { user_id, .. } => {
            Some(format!("user {user_id}"))
        }
        ActorKind::Token { token_id, .. } => Some(format!("token {token_id}")),
    };
    let limits = app.live.limits();
    let take = |key: &str, most| app.live.places().take(key, most).ok_or(Turned::TooMany);
    if let Some(own) = own {
        // Whoever is known takes no place of their address any more.
        places.truncate(1);
        places.push(take(&own, limits.user_connections)?);
        if let Some(org) = actor.org_id() {
            places.push(take(&format!("org {org}"), limits.tenant_connections)?);
        }
    }
    let watched = (actor.kind != ActorKind::Anonymous).then(|| {
        let bearer = headers.get(header::AUTHORIZATION);
        let until = bearer.and_then(|bearer| app.identify.until(bearer.to_str().ok()?));
        Watched::new(app, &actor, until, ending)
    });
    Ok(Somebody {
        host: RequestHost {
            app: app.clone(),
            actor,
            info,
        },
        _places: places,
        _watched: watched,
    })
}

/// The headers of the request, with what the first message says in their place: browsers can send none.
pub(super) fn told(headers: &Arc<HeaderMap>, said: &Map<String, Value>) -> HeaderMap {
    const TOLD: [&str; 2] = ["authorization", "x-guest-secret"];
    let mut told = HeaderMap::new();
    for name in TOLD {
        let given = said.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        let given = given.and_then(|(_, value)| value.as_str());
        let name = HeaderName::from_static(name);
        match given {
            // What is no header is no token either.
            Some(text) => {
                let value = HeaderValue::from_str(text);
                told.insert(name, value.unwrap_or(HeaderValue::from_static("?")));
            }
            None => {
                for value in headers.get_all(&name) {
                    told.append(name.clone(), value.clone());
                }
            }
        }
    }
    told
}
