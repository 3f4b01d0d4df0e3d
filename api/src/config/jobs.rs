use super::{ConfigError, Settings, number};
use crate::jobs::Schedule;

/// Who runs jobs, and with how many connections.
#[derive(Clone, Debug)]
pub struct JobsConfig {
    /// `WORKER`: whether `serve` runs jobs too, `on` or `off`; default `on`. With `off` somebody else must:
    /// `eventsphere worker`.
    pub beside_serving: bool,
    /// `WORKER_POOL_SIZE`: connections that each of the pools keeps at most that jobs use, apart from those of requests, 2
    /// to 1000; default 8.
    pub pool_size: usize,
    /// `JOB_SCHEDULES`: other times for what runs by the clock, `kind = minute hour day month weekday zone`, apart by `;`,
    /// such as `webhooks.prune = 0 3 * * * Europe/Berlin`.
    pub schedules: Vec<(String, Schedule)>,
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
            schedules: schedules(settings.get("JOB_SCHEDULES").unwrap_or_default())?,
        })
    }
}

fn schedules(text: &str) -> Result<Vec<(String, Schedule)>, ConfigError> {
    let refused = |problem: String| ConfigError::new("JOB_SCHEDULES", problem);
    let mut schedules = vec![];
    for part in text
        .split(';')
        .map(str::trim)
        .filter(|part| !part.is_empty())
    {
        let Some((kind, line)) = part.split_once('=') else {
            return Err(refused(format!(
                "{part:?} is not a kind of job, = and a line of a crontab"
            )));
        };
        let schedule = Schedule::crontab(line).map_err(refused)?;
        schedules.push((kind.trim().to_owned(), schedule));
    }
    Ok(schedules)
}
