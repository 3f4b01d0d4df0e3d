use super::{ConfigError, Settings, host_and_port};

/// Figures for operators.
#[derive(Clone, Debug)]
pub struct MetricsConfig {
    /// `METRICS_BIND`: host and port of a listener of its own for `/metrics`; without it there is none. It asks nobody
    /// who they are, so it belongs on an address that only the operator reaches.
    pub bind: Option<String>,
}

impl MetricsConfig {
    pub fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let bind = settings
            .get("METRICS_BIND")
            .map(|text| host_and_port("METRICS_BIND", text))
            .transpose()?;
        Ok(Self { bind })
    }
}
