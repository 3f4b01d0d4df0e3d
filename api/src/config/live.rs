use super::{ConfigError, Settings, number};

/// How much may be watched, in one process.
#[derive(Clone, Debug)]
pub struct LiveConfig {
    /// `LIVE_CONNECTIONS`: connections that watch, of all callers, 1 to 1000000; default 20000. Each takes some 25 KB.
    pub connections: usize,
    /// `LIVE_VISITOR_CONNECTIONS`: those of a client's address that came without a token, 1 to 1000000; default 200.
    pub visitor_connections: usize,
    /// `LIVE_TENANT_CONNECTIONS`: those of an organization's members and tokens, 1 to 1000000; default 2000.
    pub tenant_connections: usize,
    /// `LIVE_USER_CONNECTIONS`: those of one person or API token, 1 to 1000000; default 200.
    pub user_connections: usize,
    /// `LIVE_SUBSCRIPTIONS`: operations under way on one connection, 1 to 10000; default 100.
    pub subscriptions: usize,
}

impl LiveConfig {
    pub fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let count = |name: &'static str, default: u64, most: u64| {
            let value = number(settings, name, default, 1..=most)?;
            Ok(usize::try_from(value).unwrap_or(usize::MAX))
        };
        Ok(Self {
            connections: count("LIVE_CONNECTIONS", 20_000, 1_000_000)?,
            visitor_connections: count("LIVE_VISITOR_CONNECTIONS", 200, 1_000_000)?,
            tenant_connections: count("LIVE_TENANT_CONNECTIONS", 2_000, 1_000_000)?,
            user_connections: count("LIVE_USER_CONNECTIONS", 200, 1_000_000)?,
            subscriptions: count("LIVE_SUBSCRIPTIONS", 100, 10_000)?,
        })
    }
}
