use super::{ConfigError, Settings};

/// What is written to standard error while running.
#[derive(Clone, Debug)]
pub struct LogConfig {
    /// `LOG_FORMAT`: `text` (default) for people, `json` for collectors.
    pub format: LogFormat,
    /// `RUST_LOG`: what to log, such as `info,eventsphere=debug`; default `info`, with
    /// warnings only from the database drivers.
    pub filter: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

impl LogConfig {
    pub fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let format = match settings.get("LOG_FORMAT") {
            None | Some("text") => LogFormat::Text,
            Some("json") => LogFormat::Json,
            Some(other) => {
                return Err(ConfigError::new(
                    "LOG_FORMAT",
                    format!("{other:?} is neither text nor json"),
                ));
            }
        };
        let filter = settings
            .get("RUST_LOG")
            .unwrap_or("info,sqlx=warn,tokio_postgres=warn,sea_orm_migration=warn")
            .to_owned();
        tracing_subscriber::EnvFilter::try_new(&filter)
            .map_err(|error| ConfigError::new("RUST_LOG", error))?;
        Ok(Self { format, filter })
    }

    /// Starts logging; from the second call on it does nothing.
    pub fn install(&self) {
        let builder = tracing_subscriber::fmt()
            .with_env_filter(tracing_subscriber::EnvFilter::new(&self.filter))
            .with_writer(std::io::stderr);
        let installed = match self.format {
            LogFormat::Text => builder
                .with_target(false)
                .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
                .try_init(),
            LogFormat::Json => builder.json().try_init(),
        };
        if let Err(error) = installed {
            tracing::debug!(%error, "logging was set up before");
        }
    }
}
