use std::{collections::BTreeMap, time::Duration};

use reqwest::Url;

use super::{ConfigError, DatabaseConfig, DatabaseSource, Settings, number};

/// How payments are taken.
#[derive(Clone, Debug)]
pub struct PaymentsConfig {
    /// `PAYMENT_SANDBOX`: `on` or `off`. Whether organizations may make accounts at the sandbox, a payment provider inside
    /// the program that takes test money; the tickets are real. Default: on with the private database, off with
    /// `DATABASE_URL`.
    pub sandbox: bool,
    /// `PAYMENT_URLS`: where payment providers are reached, by name, if elsewhere than where they say: for tests and for
    /// proxies of one's own. `stripe=http://127.0.0.1:8420`, several apart by spaces.
    pub urls: BTreeMap<String, String>,
    /// `PAYMENT_TIMEOUT_MS`: longest that a question to a payment provider may take with all its repetitions, 100 to 25000;
    /// default 10000.
    pub timeout: Duration,
}

impl PaymentsConfig {
    pub fn read(settings: &Settings, database: &DatabaseConfig) -> Result<Self, ConfigError> {
        let sandbox = match settings.get("PAYMENT_SANDBOX") {
            None => matches!(database.source, DatabaseSource::Embedded { .. }),
            Some("on") => true,
            Some("off") => false,
            Some(other) => {
                let problem = format!("{other:?} is neither `on` nor `off`");
                return Err(ConfigError::new("PAYMENT_SANDBOX", problem));
            }
        };
        let timeout = number(settings, "PAYMENT_TIMEOUT_MS", 10_000, 100..=25_000)?;
        Ok(Self {
            sandbox,
            urls: urls(settings.get("PAYMENT_URLS").unwrap_or_default())?,
            timeout: Duration::from_millis(timeout),
        })
    }
}

fn urls(text: &str) -> Result<BTreeMap<String, String>, ConfigError> {
    text.split_whitespace()
        .map(|part| {
            let (name, url) = part.split_once('=').unwrap_or((part, ""));
            let is_address = url
                .parse::<Url>()
                .is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
            if name.is_empty() || !is_address {
                let problem =
                    format!("{part:?} is not a provider and its address, such as stripe=https://api.stripe.com");
                return Err(ConfigError::new("PAYMENT_URLS", problem));
            }
            Ok((name.to_owned(), url.trim_end_matches('/').to_owned()))
        })
        .collect()
}
