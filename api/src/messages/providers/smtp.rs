//! Mail servers. A reply that names the address as wrong is a bounce; other refusals for good are the message's or ours.
//! Sending ends within the configured time, whatever the server does: looking up its name, connecting, encryption, login and
//! dialogue together.

use std::{error::Error as _, time::Duration};

use async_trait::async_trait;
use lettre::{
    Message,
    address::Envelope,
    transport::smtp::{
        Error,
        authentication::Credentials,
        client::{Certificate, CertificateStore, TlsParameters},
        extension::Extension,
    },
};
use tokio::time::timeout;

use super::{
    Capabilities, Outgoing, Provider, Receipt, Refused, reason,
    smtp_connections::{Connections, Secured},
};
use crate::{
    config::{Encryption, SmtpConfig},
    fault::Fault,
    messages::email,
};

/// A mail server.
pub struct Smtp {
    connections: Connections,
    timeout: Duration,
}

impl Smtp {
    /// The server; a mail is sent within that time, or later.
    pub fn new(config: &SmtpConfig, timeout: Duration) -> Result<Self, Fault> {
        let secured = match config.encryption {
            Encryption::Always => Secured::Always(parameters(config)?),
            Encryption::StartTls => Secured::StartTls(parameters(config)?),
            Encryption::None => Secured::No,
        };
        let login = config.login.as_ref();
        let login = login.map(|login| Credentials::new(login.user.clone(), login.password.clone()));
        Ok(Self {
            connections: Connections::new(config.host.clone(), config.port, secured, login),
            timeout,
        })
    }

    /// A connection whose dialogue was cut off by the end of the time is not used again: the next mail would read the
    /// answers to this one.
    async fn hand_over(&self, mail: &Message) -> Result<(), Refused> {
        let mut connection = self
            .connections
            .take()
            .await
            .map_err(|error| away(&error))?;
        let envelope = mail.envelope();
        if !is_ascii(envelope)
            && !connection
                .server_info()
                .supports_feature(Extension::SmtpUtfEight)
        {
            self.connections.give_back(connection);
            let reason = "the mail server takes no addresses with other letters than those of ASCII (SMTPUTF8)";
            return Err(Refused::Rejected(reason.to_owned()));
        }
        let sent = connection.send(envelope, &mail.formatted()).await;
        self.connections.give_back(connection);
        sent.map(drop).map_err(|error| refused(&error))
    }
}

fn is_ascii(envelope: &Envelope) -> bool {
    let text = |address: &lettre::Address| AsRef::<str>::as_ref(address).is_ascii();
    envelope.to().iter().chain(envelope.from()).all(text)
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
        match timeout(self.timeout, self.hand_over(&mail)).await {
            Ok(Ok(())) => Ok(Receipt {
                reference: Some(email::message_id(message)),
            }),
            Ok(Err(refused)) => Err(refused),
            Err(_) => {
                tracing::warn!("the mail server did not end a dialogue in time");
                let reason = "the mail server did not answer in time";
                Err(Refused::Later(reason.to_owned(), None))
            }
        }
    }
}

/// There is no dialogue yet, so nothing that is said is about the mail: a wrong password, a busy server, none at all.
fn away(error: &Error) -> Refused {
    tracing::warn!(%error, "the mail server could not be reached, or does not let us in");
    let reason = match error.status() {
        Some(code) => format!("the mail server does not let us in ({code})"),
        // What the network said is of no use to members.
        None => "the mail server could not be reached".to_owned(),
    };
    Refused::Later(reason, None)
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
        // The server cannot carry it, and said so before it was sent.
        false if error.is_client() => Refused::Rejected(reason(&said)),
        false => {
            tracing::warn!(%error, "the dialogue with the mail server broke off");
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
