//! How often the verbs about passwords, codes and mail may be tried, by client address and by e-mail address.
//! Known and unknown addresses are counted alike: being throttled tells nothing about who has an account.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use crate::{
    fault::Fault,
    throttle::{Size, client_key},
    verbs::Call,
};

/// What is counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Guessing passwords.
    SignIn,
    /// Making accounts.
    SignUp,
    /// Guessing codes and refresh tokens.
    Code,
    /// Having mail sent.
    Mail,
    /// Inviting others.
    Invitation,
}

impl Rule {
    fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::SignUp => "sign-up",
            Self::Code => "code",
            Self::Mail => "mail",
            Self::Invitation => "invitation",
        }
    }

    /// A whole office signs in from one address, so these are wide; what stops guessing is the rate by e-mail
    /// address and the lock of the account.
    fn by_client(self) -> Size {
        match self {
            Self::SignIn | Self::SignUp | Self::Code | Self::Invitation => {
                Size::one_every(300, 500)
            }
            Self::Mail => Size::one_every(60, 5_000),
        }
    }

    fn by_email(self) -> Size {
        match self {
            Self::SignIn => Size::one_every(20, 5_000),
            Self::SignUp | Self::Mail | Self::Invitation => Size::one_every(5, 300_000),
            Self::Code => Size::one_every(60, 5_000),
        }
    }
}

/// Counts this try by the client's address.
pub async fn count_client(call: Call<'_>, rule: Rule) -> Result<(), Fault> {
    let by = format!("client:{}", client_key(call.request.ip));
    let throttle = &call.app.throttle;
    throttle.count(rule.name(), &by, rule.by_client()).await
}

/// Counts this try by the e-mail address that it is about. The address itself stays here: counts may be kept in Redis.
pub async fn count_email(call: Call<'_>, rule: Rule, email: &str) -> Result<(), Fault> {
    let hash = URL_SAFE_NO_PAD.encode(&Sha256::digest(email.as_bytes())[..16]);
    let throttle = &call.app.throttle;
    throttle
        .count(rule.name(), &format!("email:{hash}"), rule.by_email())
        .await
}
