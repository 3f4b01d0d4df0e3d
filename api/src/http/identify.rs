//! Who asks: from the headers of a request to an actor. The floor knows no accounts; the slice that does is given.

use async_trait::async_trait;
use axum::http::{HeaderMap, header};
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use crate::{
    fault::Fault,
    state::App,
    tenancy::{Actor, Guest},
};

/// From a bearer token to an actor.
#[async_trait]
pub trait Identify: Send + Sync {
    /// The actor of the token; a fault when it is wrong, expired or revoked.
    async fn identify(&self, app: &App, bearer: &str) -> Result<Actor, Fault>;

    /// When a token that was found good ends by itself, where it says so: of an `Authorization` header, whole.
    fn until(&self, authorization: &str) -> Option<DateTime<Utc>>;
}

/// How open this instance is.
#[derive(Clone, Debug)]
pub struct Posture {
    /// Development: introspection for everybody, the mailbox page, demo sign-ins.
    pub development: bool,
    /// Origins that may call the API from a browser.
    pub cors_origins: Vec<String>,
    /// How people reach us, without a slash at the end.
    pub public_url: String,
    /// Proxies that are believed what they say of a client's address.
    pub trusted_proxies: Vec<ipnet::IpNet>,
    /// Longest that a request may take.
    pub request_timeout: std::time::Duration,
    /// For how long caches may keep what visitors get; zero: they ask us each time.
    pub public_max_age: std::time::Duration,
    /// Sign-ins of demo data, which the playground offers; none without a demo.
    pub demo_sign_ins: Vec<DemoSignIn>,
}

/// A sign-in that anybody may use: its data is made up.
#[derive(Clone, Debug, serde::Serialize)]
pub struct DemoSignIn {
    /// `organizer`, `staff` or `attendee`.
    pub who: &'static str,
    pub email: &'static str,
    pub password: &'static str,
    /// Slug of the organization to act in.
    pub organization: Option<&'static str>,
}

/// The header that carries guest secrets, comma-separated.
const GUEST_SECRET: &str = "x-guest-secret";
/// More secrets than this in one request are refused.
const MOST_SECRETS: usize = 10;

/// The actor of a request.
pub async fn identify(app: &App, headers: &HeaderMap) -> Result<Actor, Fault> {
    let actor = match bearer(headers)? {
        Some(token) => app.identify.identify(app, token).await?,
        None => Actor::anonymous(),
    };
    Ok(actor.with_guest(guest(headers)?))
}

fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Fault> {
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return Ok(None);
    };
    let malformed = || {
        Fault::Unauthenticated("the Authorization header must be `Bearer` and a token".to_owned())
    };
    let (scheme, token) = value
        .to_str()
        .map_err(|_| malformed())?
        .split_once(' ')
        .ok_or_else(malformed)?;
    match scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty() {
        true => Ok(Some(token.trim())),
        false => Err(malformed()),
    }
}

fn guest(headers: &HeaderMap) -> Result<Guest, Fault> {
    let mut guest = Guest::default();
    for value in headers.get_all(GUEST_SECRET) {
        let text = value
            .to_str()
            .map_err(|_| Fault::BadInput(format!("{GUEST_SECRET} is not plain text")))?;
        for secret in text.split(',').map(str::trim).filter(|s| !s.is_empty()) {
            if guest.secret_hashes.len() == MOST_SECRETS {
                return Err(Fault::BadInput(format!(
                    "{GUEST_SECRET} carries more than {MOST_SECRETS} secrets"
                )));
            }
            guest
                .secret_hashes
                .push(Sha256::digest(secret.as_bytes()).into());
        }
    }
    Ok(guest)
}
