use std::{fmt, path::PathBuf, time::Duration};

use reqwest::Url;

use super::{ConfigError, Settings, number};

/// How messages leave.
#[derive(Clone, Debug)]
pub struct MessagesConfig {
    /// `SMTP_URL`: the mail server that mail of all organizations without an account of their own goes through. Without it
    /// mail lies in the mailbox (`/dev/mailbox`, in development).
    pub smtp: Option<SmtpConfig>,
    /// `MAIL_FROM`: the address that mails come from; required with `SMTP_URL`.
    pub from: String,
    /// Where providers are reached.
    pub urls: ProviderUrls,
    /// `PROVIDER_TIMEOUT_MS`: longest that sending one message may take, 100 to 50000; default 20000.
    pub timeout: Duration,
    /// For how long what was sent is remembered.
    pub kept: KeptFor,
}

/// For how long what was sent is remembered, in days after it was written.
#[derive(Clone, Copy, Debug)]
pub struct KeptFor {
    /// `MESSAGE_DAYS`: what a letter said, 1 to `MESSAGE_LOG_DAYS`; default 30.
    pub letter_days: u64,
    /// `MESSAGE_LOG_DAYS`: its line in the log of deliveries, 45 to 3650; default 90. What was removed there could be written
    /// again by an event or a dead job, which are kept for 30 days: so no less.
    pub log_days: u64,
}

/// Where providers are reached; others than theirs for tests and for proxies of one's own.
#[derive(Clone, Debug)]
pub struct ProviderUrls {
    /// `SENDGRID_URL`; default `https://api.sendgrid.com`.
    pub sendgrid: String,
    /// `TWILIO_URL`; default `https://api.twilio.com`.
    pub twilio: String,
    /// `AFRICAS_TALKING_URL`; default `https://api.africastalking.com`.
    pub africas_talking: String,
    /// `WHATSAPP_URL`; default `https://graph.facebook.com`.
    pub whatsapp: String,
}

/// A mail server.
#[derive(Clone, Debug)]
pub struct SmtpConfig {
    /// Its name, which its certificate must have.
    pub host: String,
    /// Its port: 465, or 587 unless the address says another.
    pub port: u16,
    /// How the way to it is encrypted.
    pub encryption: Encryption,
    /// What it asks for.
    pub login: Option<SmtpSecret>,
    /// `SMTP_CA_FILE`: a PEM file with a certificate to trust beside the public authorities.
    pub authority: Option<Vec<u8>>,
}

/// How the way to a mail server is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// From the first byte: `smtps://`.
    Always,
    /// By STARTTLS, and not at all without it: `smtp://...?tls=required`.
    StartTls,
    /// Not: `smtp://...?tls=none`, without a login or on this machine only.
    None,
}

/// A login; never printed.
#[derive(Clone)]
pub struct SmtpSecret {
    /// User.
    pub user: String,
    /// Password.
    pub password: String,
}

impl fmt::Debug for SmtpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SmtpSecret(..)")
    }
}

impl MessagesConfig {
    pub fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let authority = settings.get("SMTP_CA_FILE").map(pem).transpose()?;
        let smtp = settings
            .get("SMTP_URL")
            .map(|url| smtp(url, authority))
            .transpose()?;
        let from = match settings.get("MAIL_FROM") {
            Some(from) if is_address(from) => from.to_owned(),
            None if smtp.is_none() => "mailbox@eventsphere.invalid".to_owned(),
            None => {
                let problem =
                    "with SMTP_URL, say which address mails come from, such as tickets@example.org";
                return Err(ConfigError::new("MAIL_FROM", problem));
            }
            Some(from) => {
                let problem = format!("{from:?} is no address such as tickets@example.org");
                return Err(ConfigError::new("MAIL_FROM", problem));
            }
        };
        let url = |name, default| address(settings, name, default);
        let log_days = number(settings, "MESSAGE_LOG_DAYS", 90, 45..=3_650)?;
        let letter_days = number(settings, "MESSAGE_DAYS", 30, 1..=log_days)?;
        Ok(Self {
            smtp,
            from,
            urls: ProviderUrls {
                sendgrid: url("SENDGRID_URL", "https://api.sendgrid.com")?,
                twilio: url("TWILIO_URL", "https://api.twilio.com")?,
                africas_talking: url("AFRICAS_TALKING_URL", "https://api.africastalking.com")?,
                whatsapp: url("WHATSAPP_URL", "https://graph.facebook.com")?,
            },
            timeout: Duration::from_millis(number(
                settings,
                "PROVIDER_TIMEOUT_MS",
                20_000,
                100..=50_000,
            )?),
            kept: KeptFor {
                letter_days,
                log_days,
            },
        })
    }
}

fn is_address(text: &str) -> bool {
    text.split_once('@').is_some_and(|(user, host)| {
        !user.is_empty()
            && host.contains('.')
            && !text.contains(|c: char| c.is_whitespace() || "<>,;\"".contains(c))
    })
}

fn address(settings: &Settings, name: &'static str, default: &str) -> Result<String, ConfigError> {
    let text = settings.get(name).unwrap_or(default);
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => {
            Ok(text.trim_end_matches('/').to_owned())
        }
        _ => Err(ConfigError::new(
            name,
            format!("{text:?} is no address such as {default}"),
        )),
    }
}

fn pem(path: &str) -> Result<Vec<u8>, ConfigError> {
    std::fs::read(PathBuf::from(path)).map_err(|error| {
        ConfigError::new("SMTP_CA_FILE", format!("{path} cannot be read: {error}"))
    })
}

/// The address may have a password in it, so nothing of it is told.
fn smtp(text: &str, authority: Option<Vec<u8>>) -> Result<SmtpConfig, ConfigError> {
    let wrong = |problem: &str| ConfigError::new("SMTP_URL", problem);
    const SHAPE: &str = "write smtps://USER:PASSWORD@HOST:465, smtp://USER:PASSWORD@HOST:587?tls=required or smtp://HOST:25?tls=none";
    let url = Url::parse(text).map_err(|_| wrong(SHAPE))?;
    let host = url.host_str().ok_or_else(|| wrong(SHAPE))?.to_owned();
    let tls = url.query_pairs().find(|(name, _)| name == "tls");
    let encryption = match (url.scheme(), tls.as_ref().map(|(_, value)| value.as_ref())) {
        ("smtps", None | Some("required")) => Encryption::Always,
        ("smtp", Some("required")) => Encryption::StartTls,
        ("smtp", Some("none")) => Encryption::None,
        _ => return Err(wrong(SHAPE)),
    };
    let login = url
        .password()
        .map(|password| {
            Some(SmtpSecret {
                user: decoded(url.username())?,
                password: decoded(password)?,
            })
        })
        .map(|login| login.ok_or_else(|| wrong(SHAPE)))
        .transpose()?;
    let here = matches!(host.as_str(), "localhost" | "127.0.0.1" | "[::1]");
    if login.is_some() && encryption == Encryption::None && !here {
        return Err(wrong(
            "a password is sent over an encrypted connection only: say smtps:// or tls=required",
        ));
    }
    let port = url.port().unwrap_or(match encryption {
        Encryption::Always => 465,
        Encryption::StartTls => 587,
        Encryption::None => 25,
    });
    Ok(SmtpConfig {
        host,
        port,
        encryption,
        login,
        authority,
    })
}

/// Without its `%XX`.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = vec![];
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            plain => plain,
        });
    }
    String::from_utf8(bytes).ok()
}
