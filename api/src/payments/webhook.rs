//! `/webhooks/{provider}/{account}`: where providers tell what happened. The bytes are verified as they came, with the keys
//! of that account; then stored, once, and answered. What they mean is a job's business.

use std::net::SocketAddr;

use axum::{
    Router,
    body::Bytes,
    extract::{ConnectInfo, Path, State},
    http::{HeaderMap, StatusCode},
    routing::post,
};
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Forged, accounts, settle};
use crate::{
    fault::Fault,
    http::Problem,
    outcome,
    state::App,
    throttle::{self, Size},
    vault::hex,
};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/webhooks/{provider}/{account}", post(take))
}

async fn take(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path((provider_name, account)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let from = throttle::client_address(peer.ip(), &headers, &app.posture.trusted_proxies);
    let missing = || Fault::NotFound("there is no such account".to_owned());
    let found = match account.parse::<Uuid>() {
        Ok(id) => accounts::find(&app, id).await?,
        Err(_) => None,
    };
    let found = found.filter(|(_, provider)| provider.capabilities().name == provider_name);
    let Some((account, provider)) = found else {
        count(&app, from).await?;
        return Err(missing().into());
    };
    let now = app.clock.now();
    let verified = provider.verify(&app, &account, &headers, &body, now);
    let limit = app.payments.call_limit;
    let late = || {
        Err(Forged::Undecided(
            "the provider did not answer in time".to_owned(),
        ))
    };
    let heard = match tokio::time::timeout(limit, verified)
        .await
        .unwrap_or_else(|_| late())
    {
        Ok(heard) => heard,
        // The provider sends it again.
        Err(Forged::Undecided(reason)) => return Err(Fault::Unavailable(reason).into()),
        Err(forged) => {
            refused(&app, &provider_name, account.id, forged);
            count(&app, from).await?;
            return Err(Fault::BadInput("this was not sent by the provider".to_owned()).into());
        }
    };
    let event_key = heard
        .event_key
        .unwrap_or_else(|| format!("sha256:{}", hex(&Sha256::digest(&body))));
    let request = json!({ "account_id": account.id, "event_key": event_key, "body": hex(&body) });
    let answer = settle::decide(&app, account.org_id, "take_payment_event", &request).await?;
    if outcome::word(&answer) == "taken" {
        app.jobs.wake();
    }
    Ok(StatusCode::OK)
}

/// A security event: somebody sends what the provider did not. Nothing of what was sent is repeated.
fn refused(app: &App, provider: &str, account: Uuid, forged: Forged) {
    app.metrics.forged();
    tracing::warn!(
        target: "security",
        provider,
        %account,
        reason = ?forged,
        "a webhook was refused: it was not signed by the provider for this account"
    );
}

/// Who sends much that is refused is refused for a while.
async fn count(app: &App, from: std::net::IpAddr) -> Result<(), Fault> {
    let by = format!("client:{}", throttle::client_key(Some(from)));
    let size = Size::one_every(300, 2_000);
    app.throttle.count("forged-webhook", &by, size).await
}
