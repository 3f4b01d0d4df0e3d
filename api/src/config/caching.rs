use std::time::Duration;

use super::{ConfigError, Settings};

/// What may be kept, by caches of others and by us, instead of being asked or sent again.
#[derive(Clone, Debug)]
pub struct CachingConfig {
    /// `PUBLIC_MAX_AGE`: for how many seconds caches may keep what visitors get by GET, 0 to 86400; default 5. As long
    /// again they may show it while they ask for news. With 0 they ask each time.
    pub public_max_age: Duration,
    /// `PERSISTED_DOCUMENTS_KIB`: how much text of documents is remembered so that clients can send its hash instead,
    /// in KiB, 1 to 1048576; default 4096. That much for organizations, and again for visitors.
    pub remembered_bytes: u64,
}

impl CachingConfig {
    pub fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let number = |name: &'static str, default: u64, least: u64, most: u64| {
            let Some(text) = settings.get(name) else {
                return Ok(default);
            };
            let read = text.parse().ok();
            read.filter(|number| (least..=most).contains(number))
                .ok_or_else(|| {
                    let problem = format!("{text:?} is no whole number from {least} to {most}");
                    ConfigError::new(name, problem)
                })
        };
        let max_age = number("PUBLIC_MAX_AGE", 5, 0, 86_400)?;
        let kib = number("PERSISTED_DOCUMENTS_KIB", 4096, 1, 1024 * 1024)?;
        Ok(Self {
            public_max_age: Duration::from_secs(max_age),
            remembered_bytes: kib * 1024,
        })
    }
}
