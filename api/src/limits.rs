//! How often something may be tried: GCRA over keys such as (sign-in, address of the client), kept in this process.
//! A verb counts for itself, so that aliases and batches in one document do not help.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, Utc};

use crate::fault::Fault;

/// A rate: `burst` at once, then one every `every_millis`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many at once.
    pub burst: u32,
    /// Time after which one more is allowed.
    pub every_millis: u32,
}

/// What is counted: a name of the rule and what it is counted by.
type Key = (&'static str, String);

/// Counts of all rules. Cheap to clone; clones share their counts.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    counts: Arc<Mutex<Counts>>,
}

#[derive(Debug, Default)]
struct Counts {
    /// The theoretical arrival time of each key, in milliseconds since 1970.
    arrivals: HashMap<Key, i64>,
    /// Number of keys at which those that no longer hold anybody back are forgotten.
    purge_above: usize,
}

impl Counts {
    /// Doubling the mark keeps the cost of forgetting small even while everything kept is still needed.
    fn purge(&mut self, now: i64) {
        if self.arrivals.len() > self.purge_above {
            self.arrivals.retain(|_, arrival| *arrival > now);
            self.purge_above = (2 * self.arrivals.len()).max(10_000);
        }
    }
}

impl Limits {
    /// Counts one try of `rule` by `by`; too many are a fault that says when to come back.
    pub fn count(
        &self,
        rule: &'static str,
        by: impl Into<String>,
        rate: Rate,
        now: DateTime<Utc>,
    ) -> Result<(), Fault> {
        let now = now.timestamp_millis();
        let every = i64::from(rate.every_millis);
        let tolerance = every * (i64::from(rate.burst.max(1)) - 1);
        // A panic elsewhere while holding the lock leaves counts that are still good to use.
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.purge(now);
        let arrival = counts.arrivals.entry((rule, by.into())).or_insert(now);
        let due = (*arrival).max(now);
        let wait = due - tolerance - now;
        if wait > 0 {
            return Err(Fault::Throttled {
                retry_after_seconds: u64::try_from(wait.div_euclid(1000) + 1).unwrap_or(1),
            });
        }
        *arrival = due + every;
        Ok(())
    }
}

/// What a client's address is counted by: IPv4 whole, IPv6 by its /64, for one customer usually holds all of that.
pub fn client_key(ip: Option<IpAddr>) -> String {
    match ip {
        Some(IpAddr::V4(address)) => address.to_string(),
        Some(IpAddr::V6(address)) => match address.to_ipv4_mapped() {
            Some(mapped) => mapped.to_string(),
            None => {
                let [a, b, c, d, ..] = address.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}")
            }
        },
        None => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    const RATE: Rate = Rate {
        burst: 3,
        every_millis: 10_000,
    };

    fn start() -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000, 0).unwrap()
    }

    #[test]
    fn a_burst_passes_then_one_at_a_time() {
        let limits = Limits::default();
        for _ in 0..3 {
            assert!(limits.count("sign-in", "a", RATE, start()).is_ok());
        }
        match limits.count("sign-in", "a", RATE, start()) {
            Err(Fault::Throttled {
                retry_after_seconds,
            }) => assert!((10..=11).contains(&retry_after_seconds)),
            other => panic!("{other:?}"),
        }
        let later = start() + TimeDelta::seconds(10);
        assert!(limits.count("sign-in", "a", RATE, later).is_ok());
        assert!(limits.count("sign-in", "a", RATE, later).is_err());
    }

    #[test]
    fn refused_tries_do_not_push_the_time_back() {
        let limits = Limits::default();
        for _ in 0..50 {
            let _ = limits.count("sign-in", "a", RATE, start());
        }
        let later = start() + TimeDelta::seconds(11);
        assert!(limits.count("sign-in", "a", RATE, later).is_ok());
    }

    #[test]
    fn rules_and_keys_are_counted_apart() {
        let limits = Limits::default();
        for _ in 0..3 {
            assert!(limits.count("sign-in", "a", RATE, start()).is_ok());
        }
        assert!(limits.count("sign-in", "b", RATE, start()).is_ok());
        assert!(limits.count("reset", "a", RATE, start()).is_ok());
    }

    #[test]
    fn a_whole_ipv6_subnet_is_one_client() {
        let key = |text: &str| client_key(text.parse().ok());
        assert_eq!(key("2001:db8:1:2::1"), key("2001:db8:1:2:ffff::9"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        assert_eq!(key("::ffff:192.0.2.1"), key("192.0.2.1"));
    }
}
