use super::{ConfigError, Settings, number};

/// Who runs jobs, and with how many connections.
#[derive(Clone, Debug)]
pub struct JobsConfig {
    /// `WORKER`: whether `serve` runs jobs too, `on` or `off`; default `on`. With `off` somebody else must:
    /// `eventsphere worker`.
    pub beside_serving: bool,
    /// `WORKER_POOL_SIZE`: connections that each of the pools keeps at most that jobs use, apart from those of requests, 2
    /// to 1000; default 8.
    pub pool_size: usize,
}

impl JobsConfig {
    pub fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let beside_serving = match settings.get("WORKER") {
            None | Some("on") => true,
            Some("off") => false,
            Some(text) => {
                return Err(ConfigError::new(
                    "WORKER",
                    format!("{text:?} is neither on nor off"),
                ));
            }
        };
        let pool_size = number(settings, "WORKER_POOL_SIZE", 8, 2..=1_000)?;
        Ok(Self {
            beside_serving,
            pool_size: usize::try_from(pool_size).unwrap_or(usize::MAX),
        })
    }
}
