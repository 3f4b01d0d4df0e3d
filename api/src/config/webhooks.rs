use super::{ConfigError, Settings};

/// Where webhooks may be sent.
#[derive(Clone, Copy, Debug)]
pub struct WebhooksConfig {
    /// `WEBHOOKS_TO_LOOPBACK`: whether this machine's own addresses may be sent to, also without TLS, `on` or `off`;
    /// default `off`. For development and tests only: with it, members reach whatever listens beside the program.
    pub to_loopback: bool,
}

impl WebhooksConfig {
    pub fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let to_loopback = match settings.get("WEBHOOKS_TO_LOOPBACK") {
            None | Some("off") => false,
            Some("on") => true,
            Some(text) => {
                return Err(ConfigError::new(
                    "WEBHOOKS_TO_LOOPBACK",
                    format!("{text:?} is neither on nor off"),
                ));
            }
        };
        Ok(Self { to_loopback })
    }
}
