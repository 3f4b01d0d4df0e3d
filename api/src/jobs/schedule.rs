//! When something runs by the clock: each so many seconds, or by the words of a crontab on the clocks of a time zone.
//! The instant is always the database's, so it does not matter whose of the processes has a wrong clock.

use std::time::Duration;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use croner::{
    Cron,
    parser::{CronParser, Seconds, Year},
};
use serde_json::{Value as Json, json};

/// When something runs by the clock: once a slot, over all processes.
#[derive(Clone, Debug)]
pub struct Schedule(When);

#[derive(Clone, Debug)]
enum When {
    Every { every: Duration, offset: Duration },
    Crontab(Box<Crontab>),
}

impl Schedule {
    /// Each time the seconds since 1970 are a multiple of it.
    pub const fn every(every: Duration) -> Self {
        let offset = Duration::ZERO;
        Self(When::Every { every, offset })
    }

    /// So often.
    pub const fn seconds(seconds: u64) -> Self {
        Self::every(Duration::from_secs(seconds))
    }

    /// So often.
    pub const fn minutes(minutes: u64) -> Self {
        Self::seconds(minutes * 60)
    }

    /// Each day at that time in UTC.
    pub const fn daily(hour: u64, minute: u64) -> Self {
        Self(When::Every {
            every: Duration::from_secs(24 * 3600),
            offset: Duration::from_secs((hour * 60 + minute) * 60),
        })
    }

    /// By a line such as `0 3 * * * Europe/Berlin`: minute, hour, day of the month, month and day of the week as crontabs
    /// have them, or `@daily` and its like, and the time zone whose clocks are meant; UTC when it names none. What
    /// falls into the hour that a clock leaves out runs at its end; what falls into one that it repeats runs once, unless it
    /// runs each hour anyway. The error says what is wrong with the line.
    pub fn crontab(line: &str) -> Result<Self, String> {
        Ok(Self(When::Crontab(Box::new(Crontab::parse(line)?))))
    }

    /// As `run_job_schedules` takes it, when the database's clock says that.
    pub(super) fn asked(&self, kind: &str, now: DateTime<Utc>) -> Json {
        match &self.0 {
            When::Every { every, offset } => json!({
                "kind": kind, "every_seconds": every.as_secs(), "offset_seconds": offset.as_secs(),
            }),
            When::Crontab(crontab) => {
                let (slot, until) = crontab.slot(now).unwrap_or((now, now));
                json!({ "kind": kind, "slot": slot, "until": until })
            }
        }
    }
}

#[derive(Clone, Debug)]
struct Crontab {
    cron: Cron,
    zone: Tz,
}

impl Crontab {
    fn parse(line: &str) -> Result<Self, String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let fields = match words.first() {
            Some(word) if word.starts_with('@') => 1,
            _ => 5,
        };
        let zone = match words.get(fields..) {
            Some([]) => Tz::UTC,
            Some([zone]) => zone
                .parse()
                .map_err(|_| format!("{line:?}: there is no time zone {zone:?}"))?,
            _ => {
                return Err(format!(
                    "{line:?} is not five words of a crontab and a time zone, such as 0 3 * * * Europe/Berlin"
                ));
            }
        };
        let parser = CronParser::builder()
            .seconds(Seconds::Disallowed)
            .year(Year::Disallowed)
            .build();
        let cron = parser
            .parse(&words[..fields].join(" "))
            .map_err(|error| format!("{line:?}: {error}"))?;
        let crontab = Self { cron, zone };
        // The 30th of February is well written and never comes.
        match crontab.slot(DateTime::UNIX_EPOCH) {
            Some(_) => Ok(crontab),
            None => Err(format!("{line:?} names a time that never comes")),
        }
    }

    /// The last time that it named by now, and the next one.
    fn slot(&self, now: DateTime<Utc>) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let local = now.with_timezone(&self.zone);
        let last = self.cron.find_previous_occurrence(&local, true).ok()?;
        let next = self.cron.find_next_occurrence(&local, false).ok()?;
        Some((last.with_timezone(&Utc), next.with_timezone(&Utc)))
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// The times that begin a slot between two instants, looked at every eight minutes.
    fn slots(line: &str, from: &str, until: &str) -> Vec<String> {
        let crontab = Crontab::parse(line).unwrap();
        let mut now = at(from);
        let mut found = vec![];
        let mut next = None;
        while now < at(until) {
            let (slot, after) = crontab.slot(now).unwrap();
            assert!(slot <= now && now < after, "{slot} {now} {after}");
            if found.last() != Some(&slot) {
                // The slot that comes is the one that was announced: none is left out, none runs twice.
                assert!(next.is_none_or(|next| next == slot), "{slot}: {next:?}");
                found.push(slot);
            }
            next = Some(after);
            now += TimeDelta::milliseconds(487_300);
        }
        let named = found.into_iter().filter(|slot| *slot >= at(from));
        named
            .map(|slot| slot.format("%d %H:%M").to_string())
            .collect()
    }

    #[test]
    fn it_runs_by_the_clocks_of_the_zone() {
        let week = slots(
            "30 9 * * mon-fri Asia/Kolkata",
            "2026-11-20T00:00:00Z",
            "2026-11-25T00:00:00Z",
        );
        assert_eq!(week, ["20 04:00", "23 04:00", "24 04:00"]);
        let utc = slots(
            "*/20 3 21 * *",
            "2026-11-20T00:00:00Z",
            "2026-11-23T00:00:00Z",
        );
        assert_eq!(utc, ["21 03:00", "21 03:20", "21 03:40"]);
        let named = slots(
            "@daily America/New_York",
            "2026-11-20T00:00:00Z",
            "2026-11-22T00:00:00Z",
        );
        assert_eq!(named, ["20 05:00", "21 05:00"]);
    }

    #[test]
    fn a_day_that_has_no_such_hour_runs_it_after_the_gap_and_one_that_has_it_twice_runs_it_once() {
        // Clocks in Berlin go from 2 to 3 on 29 March 2026 (01:00 UTC), and from 3 to 2 on 25 October (01:00 UTC).
        let spring = slots(
            "30 2 * * * Europe/Berlin",
            "2026-03-28T00:00:00Z",
            "2026-03-31T00:00:00Z",
        );
        assert_eq!(spring, ["28 01:30", "29 01:00", "30 00:30"]);
        let autumn = slots(
            "30 2 * * * Europe/Berlin",
            "2026-10-24T00:00:00Z",
            "2026-10-27T00:00:00Z",
        );
        assert_eq!(autumn, ["24 00:30", "25 00:30", "26 01:30"]);
        let hourly = slots(
            "15 * * * * Europe/Berlin",
            "2026-10-24T23:00:00Z",
            "2026-10-25T03:00:00Z",
        );
        assert_eq!(hourly, ["24 23:15", "25 00:15", "25 01:15", "25 02:15"]);
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for line in [
            "",
            "* * * *",
            "* * * * * * *",
            "61 * * * *",
            "* 24 * * *",
            "0 0 30 2 *",
            "0 3 * * * Europe/Atlantis",
            "0 0 3 * * * UTC",
            "every day",
            "@sometimes",
        ] {
            assert!(Schedule::crontab(line).is_err(), "{line:?}");
        }
        for line in [
            "0 3 * * *",
            "0 3 * * * Europe/Berlin",
            "@hourly",
            "0 0 29 2 * UTC",
        ] {
            assert!(Schedule::crontab(line).is_ok(), "{line:?}");
        }
    }
}
