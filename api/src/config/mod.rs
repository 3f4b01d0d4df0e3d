//! Configuration: one struct per concern, read once at start from the environment (command-line flags win), checked
//! with messages that name the variable. Secrets are never printed.

mod caching;
mod database;
mod http;
mod jobs;
mod limits;
mod live;
mod log;
mod messages;
mod metrics;
mod payments;
mod redis;
mod secret;
mod webhooks;

pub use caching::CachingConfig;
pub use database::{DatabaseConfig, DatabaseSource, ExternalDatabase, pg_bin_dir};
pub use http::HttpConfig;
pub use jobs::JobsConfig;
pub use limits::{LimitsConfig, MEMBER_CEILING, VISITOR_CEILING};
pub use live::LiveConfig;
pub use log::{LogConfig, LogFormat};
pub use messages::{Encryption, KeptFor, MessagesConfig, ProviderUrls, SmtpConfig, SmtpSecret};
pub use metrics::MetricsConfig;
pub use payments::PaymentsConfig;
pub use redis::{RedisConfig, RedisUrl};
pub use secret::{SecretConfig, SecretError, SecretKey};
pub use webhooks::WebhooksConfig;

use std::collections::HashMap;
use std::ops::RangeInclusive;

/// A variable that cannot be used, with the way out.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{variable}: {problem}")]
pub struct ConfigError {
    variable: &'static str,
    problem: String,
}

impl ConfigError {
    fn new(variable: &'static str, problem: impl std::fmt::Display) -> Self {
        Self {
            variable,
            problem: problem.to_string(),
        }
    }
}

/// Everything the program is told at start.
#[derive(Clone, Debug)]
pub struct Config {
    pub http: HttpConfig,
    pub caching: CachingConfig,
    pub database: DatabaseConfig,
    pub secret: SecretConfig,
    pub limits: LimitsConfig,
    pub live: LiveConfig,
    pub redis: Option<RedisConfig>,
    pub metrics: MetricsConfig,
    pub jobs: JobsConfig,
    pub payments: PaymentsConfig,
    pub webhooks: WebhooksConfig,
    pub messages: MessagesConfig,
    /// `serve --demo`: demo data and demo sign-ins.
    pub demo: bool,
}

impl Config {
    pub fn read(settings: &Settings, demo: bool) -> Result<Self, ConfigError> {
        let database = DatabaseConfig::read(settings)?;
        if demo && matches!(database.source, DatabaseSource::External(_)) {
            return Err(ConfigError::new(
                "DATABASE_URL",
                "demo data and demo sign-ins never go into a configured database; unset it, or serve without --demo",
            ));
        }
        Ok(Self {
            http: HttpConfig::read(settings)?,
            caching: CachingConfig::read(settings)?,
            secret: SecretConfig::read(settings, &database)?,
            limits: LimitsConfig::read(settings, database.pool_size)?,
            live: LiveConfig::read(settings)?,
            redis: RedisConfig::read(settings)?,
            metrics: MetricsConfig::read(settings)?,
            jobs: JobsConfig::read(settings)?,
            payments: PaymentsConfig::read(settings, &database)?,
            webhooks: WebhooksConfig::read(settings)?,
            messages: MessagesConfig::read(settings)?,
            database,
            demo,
        })
    }
}

/// Where values come from: flags before the environment. An empty value counts as absent, as compose files and shells
/// write it.
#[derive(Clone, Default)]
pub struct Settings {
    values: HashMap<String, String>,
}

impl Settings {
    pub fn from_environment() -> Self {
        // A value that is not UTF-8 is kept readable, so that checking it names the variable.
        std::env::vars_os()
            .map(|(name, value)| {
                (
                    name.to_string_lossy().into_owned(),
                    value.to_string_lossy().into_owned(),
                )
            })
            .collect()
    }

    /// A flag given on the command line.
    #[must_use]
    pub fn with(mut self, name: &str, flag: Option<String>) -> Self {
        if let Some(value) = flag {
            self.values.insert(name.to_owned(), value);
        }
        self
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.values
            .get(name)
            .map(|value| value.trim())
            .filter(|value| !value.is_empty())
    }
}

impl FromIterator<(String, String)> for Settings {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(values: I) -> Self {
        Self {
            values: values.into_iter().collect(),
        }
    }
}

/// A whole number from that range.
fn number(
    settings: &Settings,
    name: &'static str,
    default: u64,
    range: RangeInclusive<u64>,
) -> Result<u64, ConfigError> {
    let Some(text) = settings.get(name) else {
        return Ok(default);
    };
    text.parse()
        .ok()
        .filter(|value| range.contains(value))
        .ok_or_else(|| {
            ConfigError::new(
                name,
                format!(
                    "{text:?} is not a number from {} to {}",
                    range.start(),
                    range.end()
                ),
            )
        })
}

/// What can be listened on.
fn host_and_port(name: &'static str, text: &str) -> Result<String, ConfigError> {
    let port = text
        .rsplit_once(':')
        .map(|(host, port)| (host.is_empty(), port.parse::<u16>()));
    match port {
        Some((false, Ok(_))) => Ok(text.to_owned()),
        _ => Err(ConfigError::new(
            name,
            format!("{text:?} is not host:port, such as 127.0.0.1:8080 or [::]:8080"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub fn settings(pairs: &[(&str, &str)]) -> Settings {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    #[test]
    fn nothing_configured_is_fine() {
        let config = Config::read(
            &settings(&[("HOME", "/home/ada"), ("DATABASE_URL", " ")]),
            true,
        )
        .expect("defaults");
        assert_eq!(config.http.bind, "127.0.0.1:8080");
        assert!(matches!(
            config.database.source,
            DatabaseSource::Embedded { .. }
        ));
    }

    #[test]
    fn every_complaint_names_its_variable() {
        let good = [
            ("DATABASE_URL", "postgres://app:x@db/events"),
            ("SECRET_KEY", KEY),
        ];
        Config::read(&settings(&good), false).expect("good");
        for (name, value) in [
            ("BIND", "8080"),
            ("BIND", "127.0.0.1:http"),
            ("PUBLIC_URL", "events.example.org"),
            ("PUBLIC_URL", "https://events.example.org/?a=b"),
            ("DATABASE_URL", "mysql://app@db/events"),
            ("DATABASE_ADMIN_URL", "postgres://db"),
            ("DATABASE_POOL_SIZE", "0"),
            ("DATABASE_POOL_SIZE", "many"),
            ("DATABASE_WAIT_MS", "0"),
            ("VISITOR_STATEMENT_TIMEOUT_MS", "3s"),
            ("STATEMENT_TIMEOUT_MS", "0"),
            ("REQUEST_TIMEOUT_MS", "5"),
            ("TRUSTED_PROXIES", "10.0.0.0/8, the balancer"),
            ("METRICS_BIND", "9090"),
            ("WORKER", "perhaps"),
            ("WORKER_POOL_SIZE", "1"),
            ("JOB_SCHEDULES", "jobs.clear"),
            ("JOB_SCHEDULES", "jobs.clear = at night"),
            ("WEBHOOKS_TO_LOOPBACK", "yes"),
            ("SMTP_URL", "http://mail.example"),
            ("SMTP_URL", "smtp://mail.example"),
            ("SMTP_URL", "smtp://ada:x@mail.example?tls=none"),
            ("SMTP_CA_FILE", "/nowhere/at/all.pem"),
            ("MAIL_FROM", "nobody"),
            ("PROVIDER_TIMEOUT_MS", "5"),
            ("MESSAGE_DAYS", "0"),
            ("MESSAGE_DAYS", "91"),
            ("MESSAGE_LOG_DAYS", "44"),
            ("TWILIO_URL", "ftp://twilio.example"),
            ("REDIS_URL", "http://cache:6379"),
            ("REDIS_TIMEOUT_MS", "0"),
            ("REDIS_POOL_SIZE", "0"),
            ("VISITOR_POINTS", "999"),
            ("USER_POINTS", "49999"),
            ("TOKEN_POINTS_PER_SECOND", "0"),
            ("TENANT_POINTS", "-1"),
            ("TENANT_CONCURRENCY", "0"),
            ("CONCURRENCY_WAIT_MS", "soon"),
            ("LIVE_CONNECTIONS", "0"),
            ("LIVE_SUBSCRIPTIONS", "many"),
            ("PUBLIC_MAX_AGE", "-1"),
            ("PUBLIC_MAX_AGE", "5s"),
            ("PERSISTED_DOCUMENTS_KIB", "0"),
            ("SECRET_KEY", "short"),
            ("SECRET_KEY", ""),
        ] {
            let mut pairs = good.to_vec();
            pairs.push((name, value));
            let error = Config::read(&settings(&pairs), false)
                .expect_err(name)
                .to_string();
            assert!(
                error.starts_with(&format!("{name}: ")),
                "{name}={value}: {error}"
            );
        }
    }

    #[test]
    fn demo_data_stays_out_of_a_configured_database() {
        let pairs = [
            ("DATABASE_URL", "postgres://app:x@db/events"),
            ("SECRET_KEY", KEY),
        ];
        let error = Config::read(&settings(&pairs), true)
            .expect_err("refused")
            .to_string();
        assert!(error.contains("--demo"), "{error}");
    }

    #[test]
    fn secrets_do_not_show() {
        let pairs = [
            ("DATABASE_URL", "postgres://app:s3cret@db/events"),
            ("REDIS_URL", "rediss://app:s3cret@cache:6380/1"),
            ("SMTP_URL", "smtps://app:s3cret@mail.example"),
            ("MAIL_FROM", "tickets@mail.example"),
            ("SECRET_KEY", KEY),
        ];
        let config = Config::read(&settings(&pairs), false).expect("good");
        let text = format!("{config:?}");
        assert!(
            !text.contains("s3cret") && !text.contains(KEY) && !text.contains("[0, 1, 2"),
            "{text}"
        );
    }
}
