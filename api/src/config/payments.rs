use super::{ConfigError, DatabaseConfig, DatabaseSource, Settings};

/// How payments are taken.
#[derive(Clone, Copy, Debug)]
pub struct PaymentsConfig {
    /// `PAYMENT_SANDBOX`: `on` or `off`. Whether organizations may make accounts at the sandbox, a payment provider inside
    /// the program that takes test money; the tickets are real. Default: on with the private database, off with
    /// `DATABASE_URL`.
    pub sandbox: bool,
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
        Ok(Self { sandbox })
    }
}
