//! How often the verbs about passwords, codes and mail may be tried, by client address and by e-mail address.
//! Known and unknown addresses are counted alike: being throttled tells nothing about who has an account.

use crate::{
    fault::Fault,
    limits::{Rate, client_key},
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
    fn by_client(self) -> Rate {
        match self {
            Self::SignIn | Self::SignUp | Self::Code | Self::Invitation => rate(300, 500),
            Self::Mail => rate(60, 5_000),
        }
    }

    fn by_email(self) -> Rate {
        match self {
            Self::SignIn => rate(20, 5_000),
            Self::SignUp | Self::Mail | Self::Invitation => rate(5, 300_000),
            Self::Code => rate(60, 5_000),
        }
    }
}

fn rate(burst: u32, every_millis: u32) -> Rate {
    Rate {
        burst,
        every_millis,
    }
}

/// Counts this try by the client's address.
pub fn count_client(call: Call<'_>, rule: Rule) -> Result<(), Fault> {
    let by = format!("client {}", client_key(call.request.ip));
    let limits = &call.app.accounts.limits;
    limits.count(rule.name(), by, rule.by_client(), call.app.clock.now())
}

/// Counts this try by the e-mail address that it is about.
pub fn count_email(call: Call<'_>, rule: Rule, email: &str) -> Result<(), Fault> {
    let by = format!("email {email}");
    let limits = &call.app.accounts.limits;
    limits.count(rule.name(), by, rule.by_email(), call.app.clock.now())
}
