//! People and how they prove who they are. A person signs up, gets a code by mail, verifies the address, signs in on
//! a device and from then on holds two things: an access token (a JWT good for a quarter of an hour, which any of our
//! processes verifies without the database's secrets) and a refresh token (opaque, good for seven days, good once).
//! Each refresh gives a new pair; a refresh token that comes a second time means that two parties hold it, so the whole
//! device session ends. Nothing here tells whether an address has an account: signing up, asking for a reset and
//! signing in with a wrong password answer alike for known and unknown addresses and take about as long.
//! [`authenticate`] turns a bearer token into the [`crate::tenancy::Actor`] of the request. Letters are
//! written in the transaction that makes them true (`messages`).

mod access_token;
mod authenticate;
mod change_password;
mod codes;
pub mod input;
mod lockout;
mod pace;
mod passwords;
mod proof;
pub mod rates;
mod refresh_session;
mod request_password_reset;
mod resend_verification;
mod reset_password;
pub mod session;
mod sign_in;
mod sign_out;
mod sign_up;
mod signing_keys;
mod standing;
mod switch_organization;
mod verify_email;

use serde_json::Value;

pub use authenticate::{ByToken, authenticate};
pub use passwords::Passwords;
pub use standing::Standing;

use crate::{fault::Fault, state::App, verbs::Verbs};

/// What signing in needs. Cheap to clone; clones share keys and caches.
#[derive(Clone, Default)]
pub struct Accounts {
    /// Hashes and verifies passwords.
    pub passwords: Passwords,
    /// Who may do what, as last read from the database.
    pub standing: Standing,
    keys: signing_keys::SigningKeys,
}

/// Second part of opaque tokens: tells a leaked token of a test system from one that matters.
pub(crate) fn environment(app: &App) -> &'static str {
    match app.posture.development {
        true => "dev",
        false => "live",
    }
}

/// Reads the signing keys, or makes the first one. Called once at start, so that a wrong `SECRET_KEY` is told then.
pub async fn start(app: &App) -> Result<(), Fault> {
    app.accounts.keys.ring(app).await.map(drop)
}

/// The document for `/.well-known/jwks.json`.
pub async fn jwks(app: &App) -> Result<Value, Fault> {
    Ok(app.accounts.keys.ring(app).await?.jwks())
}

/// A new key signs access tokens from now on; tokens signed by the old one stay good until they expire.
pub async fn rotate_signing_keys(app: &App) -> Result<(), Fault> {
    app.accounts.keys.rotate(app).await
}

/// The mutations of this slice.
pub fn verbs(registry: &mut Verbs) {
    registry
        .add::<sign_up::SignUp>()
        .add::<verify_email::VerifyEmail>()
        .add::<resend_verification::ResendVerification>()
        .add::<sign_in::SignIn>()
        .add::<refresh_session::RefreshSession>()
        .add::<sign_out::SignOut>()
        .add::<request_password_reset::RequestPasswordReset>()
        .add::<reset_password::ResetPassword>()
        .add::<change_password::ChangePassword>()
        .add::<switch_organization::SwitchOrganization>();
}
