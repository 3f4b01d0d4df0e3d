use std::fmt;
use std::time::Duration;

use deadpool_redis::redis::IntoConnectionInfo;

use super::{ConfigError, Settings, number};

/// Where processes share what they count.
#[derive(Clone, Debug)]
pub struct RedisConfig {
    /// `REDIS_URL`: `redis://`, `rediss://` (TLS, verified against the system's authorities) or `unix://`, with user,
    /// password and database number where needed.
    pub url: RedisUrl,
    /// `REDIS_PREFIX`: what all keys begin with, so that installations may share a Redis; 1 to 64 characters of ASCII
    /// without spaces. Default `eventsphere:`.
    pub prefix: String,
    /// `REDIS_POOL_SIZE`: connections of a process, 1 to 64; each carries many calls at once. Default 2.
    pub pool_size: usize,
    /// `REDIS_TIMEOUT_MS`: longest wait for a connection and for an answer, 10 to 5000; default 250.
    pub patience: Duration,
}

/// An address that may have a password in it, so it is never printed.
#[derive(Clone)]
pub struct RedisUrl(String);

impl RedisUrl {
    /// The whole address.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedisUrl(..)")
    }
}

impl RedisConfig {
    /// `None` without `REDIS_URL`: then each process counts for itself.
    pub fn read(settings: &Settings) -> Result<Option<Self>, ConfigError> {
        let pool_size = number(settings, "REDIS_POOL_SIZE", 2, 1..=64)?;
        let patience = number(settings, "REDIS_TIMEOUT_MS", 250, 10..=5_000)?;
        let Some(url) = settings.get("REDIS_URL") else {
            return Ok(None);
        };
        // What the parser says may repeat the address, and with it the password.
        if url.into_connection_info().is_err() {
            return Err(ConfigError::new(
                "REDIS_URL",
                "it is no address of a Redis; write redis://HOST:PORT/0, rediss://USER:PASSWORD@HOST:PORT/0 or unix:///PATH/OF/SOCKET",
            ));
        }
        let prefix = settings.get("REDIS_PREFIX").unwrap_or("eventsphere:");
        if !(1..=64).contains(&prefix.len()) || !prefix.bytes().all(|byte| byte.is_ascii_graphic())
        {
            return Err(ConfigError::new(
                "REDIS_PREFIX",
                "it must be 1 to 64 characters of ASCII without spaces",
            ));
        }
        Ok(Some(Self {
            prefix: prefix.to_owned(),
            url: RedisUrl(url.to_owned()),
            pool_size: usize::try_from(pool_size).unwrap_or(usize::MAX),
            patience: Duration::from_millis(patience),
        }))
    }
}
