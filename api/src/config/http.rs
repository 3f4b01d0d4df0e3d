use std::time::Duration;

use ipnet::IpNet;

use super::{ConfigError, Settings, host_and_port, number};

/// Where we listen and how others reach us.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// `BIND` (`--bind`): host and port to listen on; default `127.0.0.1:8080`.
    pub bind: String,
    /// `PUBLIC_URL`: how people reach us, for links in mails and answers; without a slash at the end. Default
    /// `http://` and the address we listen on, see `Context::public_url`.
    pub public_url: Option<String>,
    /// `CORS_ORIGINS`: origins whose pages may call the API from a browser, comma-separated
    /// (`https://app.example.org`); default none.
    pub cors_origins: Vec<String>,
    /// `TRUSTED_PROXIES`: addresses and networks (`10.0.0.0/8`) of the load balancers in front of us, comma-separated;
    /// what they say in `X-Forwarded-For` is believed. Without them everybody behind a balancer is one client, and is
    /// limited as one. Default none.
    pub trusted_proxies: Vec<IpNet>,
    /// `REQUEST_TIMEOUT_MS`: longest that a request may take, 100 to 600000; default 30000.
    pub request_timeout: Duration,
}

impl HttpConfig {
    pub fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let bind = host_and_port("BIND", settings.get("BIND").unwrap_or("127.0.0.1:8080"))?;
        let public_url = settings.get("PUBLIC_URL").map(checked_url).transpose()?;
        let cors_origins = settings
            .get("CORS_ORIGINS")
            .unwrap_or_default()
            .split(',')
            .map(str::trim)
            .filter(|origin| !origin.is_empty())
            .map(checked_origin)
            .collect::<Result<_, _>>()?;
        Ok(Self {
            bind,
            public_url,
            cors_origins,
            trusted_proxies: trusted_proxies(settings)?,
            request_timeout: Duration::from_millis(number(
                settings,
                "REQUEST_TIMEOUT_MS",
                30_000,
                100..=600_000,
            )?),
        })
    }
}

fn trusted_proxies(settings: &Settings) -> Result<Vec<IpNet>, ConfigError> {
    let listed = settings.get("TRUSTED_PROXIES").unwrap_or_default();
    let texts = listed
        .split(',')
        .map(str::trim)
        .filter(|text| !text.is_empty());
    texts
        .map(|text| {
            let alone = || text.parse().map(|address: std::net::IpAddr| address.into());
            text.parse::<IpNet>().or_else(|_| alone()).map_err(|_| {
                ConfigError::new(
                    "TRUSTED_PROXIES",
                    format!("{text:?} is neither an address nor a network such as 10.0.0.0/8"),
                )
            })
        })
        .collect()
}

fn checked_origin(origin: &str) -> Result<String, ConfigError> {
    let rest = origin
        .strip_prefix("https://")
        .or_else(|| origin.strip_prefix("http://"));
    match rest {
        Some(host) if !host.is_empty() && !host.contains(['/', '?', '#', ' ', '@', '*']) => {
            Ok(origin.to_owned())
        }
        _ => Err(ConfigError::new(
            "CORS_ORIGINS",
            format!("{origin:?} is not an origin such as https://app.example.org"),
        )),
    }
}

fn checked_url(url: &str) -> Result<String, ConfigError> {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    match rest.map(|rest| rest.trim_end_matches('/')) {
        Some(rest) if !rest.is_empty() && !rest.contains(['?', '#', ' ', '@']) => {
            Ok(url.trim_end_matches('/').to_owned())
        }
        _ => Err(ConfigError::new(
            "PUBLIC_URL",
            format!("{url:?} is not an address such as https://events.example.org"),
        )),
    }
}
