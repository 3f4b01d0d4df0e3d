use super::{ConfigError, Settings};

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
}

impl HttpConfig {
    pub fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let bind = settings.get("BIND").unwrap_or("127.0.0.1:8080").to_owned();
        let port = bind
            .rsplit_once(':')
            .map(|(host, port)| (host.is_empty(), port.parse::<u16>()));
        if !matches!(port, Some((false, Ok(_)))) {
            return Err(ConfigError::new(
                "BIND",
                format!("{bind:?} is not host:port, such as 127.0.0.1:8080 or [::]:8080"),
            ));
        }
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
        })
    }
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
