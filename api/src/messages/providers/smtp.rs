//! Mail servers. A reply that names the address as wrong is a bounce; other refusals for good are the message's or ours.

use std::error::Error as _;

use async_trait::async_trait;
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Tokio1Executor,
    transport::smtp::{
        Error, PoolConfig,
        authentication::Credentials,
        client::{Certificate, CertificateStore, Tls, TlsParameters},
    },
};

use super::{Capabilities, Outgoing, Provider, Receipt, Refused, reason};
use crate::{
    config::{Encryption, SmtpConfig},
    fault::Fault,
    messages::email,
};

/// Connections that are kept.
const CONNECTIONS: u32 = 16;

/// A mail server. Cheap to clone; clones share connections.
#[derive(Clone, Debug)]
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
}

impl Smtp {
    /// The server, reached within that time.
    pub fn new(config: &SmtpConfig, timeout: std::time::Duration) -> Result<Self, Fault> {
        let mut builder =
            AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(config.host.clone())
                .port(config.port)
                .timeout(Some(timeout))
                .pool_config(PoolConfig::new().max_size(CONNECTIONS))
                .tls(match config.encryption {
                    Encryption::Always => Tls::Wrapper(parameters(config)?),
                    Encryption::StartTls => Tls::Required(parameters(config)?),
                    Encryption::None => Tls::None,
                });
        if let Some(login) = &config.login {
            builder =
                builder.credentials(Credentials::new(login.user.clone(), login.password.clone()));
        }
        Ok(Self {
            transport: builder.build(),
        })
    }
}

fn parameters(config: &SmtpConfig) -> Result<TlsParameters, Fault> {
    let unfit = |error: Error| Fault::Internal(format!("SMTP_CA_FILE or SMTP_URL: {error}"));
    let mut builder = TlsParameters::builder(config.host.clone())
        .certificate_store(CertificateStore::WebpkiRoots);
    if let Some(authority) = &config.authority {
        builder = builder.add_root_certificate(Certificate::from_pem(authority).map_err(unfit)?);
    }
    builder.build_rustls().map_err(unfit)
}

#[async_trait]
impl Provider for Smtp {
    fn name(&self) -> &'static str {
        "smtp"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            channel: "email",
            rich: true,
            longest_text: usize::MAX,
        }
    }

    async fn send(&self, message: &Outgoing) -> Result<Receipt, Refused> {
        let mail = email::of(message).map_err(Refused::Rejected)?;
        match self.transport.send(mail).await {
            Ok(_) => Ok(Receipt {
                reference: Some(email::message_id(message)),
            }),
            Err(error) => Err(refused(&error)),
        }
    }
}

fn refused(error: &Error) -> Refused {
    let said = error
        .source()
        .map_or_else(|| error.to_string(), |source| source.to_string());
    let code = error.status().map(u16::from).unwrap_or_default();
    match error.is_permanent() {
        true if is_about_recipient(code, &said) => {
            Refused::NoSuchRecipient(reason(&format!("{code} {said}")))
        }
        true => Refused::Rejected(reason(&format!("{code} {said}"))),
        false if code > 0 => Refused::Later(reason(&format!("{code} {said}")), None),
        // What the network said is of no use to members.
        false => {
            tracing::warn!(%error, "the mail server could not be reached");
            Refused::Later("the mail server could not be reached".to_owned(), None)
        }
    }
}

/// 550, 551 and 553 answer an address; a status of RFC 3463 beside them says whether it is that one (5.1.x, 5.2.1) or
/// something else (5.7.x: what we may send).
fn is_about_recipient(code: u16, said: &str) -> bool {
    let status = said.split_whitespace().next().unwrap_or("");
    let detailed = status.starts_with("5.") && status.split('.').count() == 3;
    matches!(code, 550 | 551 | 553)
        && (!detailed || status.starts_with("5.1.") || status == "5.2.1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_bounces_is_told_from_what_is_refused() {
        assert!(is_about_recipient(550, "5.1.1 no such user"));
        assert!(is_about_recipient(550, "No such user here"));
        assert!(is_about_recipient(553, "5.1.3 bad address"));
        assert!(!is_about_recipient(550, "5.7.1 blocked for spam"));
        assert!(!is_about_recipient(552, "5.2.2 mailbox full"));
        assert!(!is_about_recipient(535, "5.7.8 wrong password"));
        assert!(!is_about_recipient(554, "5.1.1 transaction failed"));
    }
}
