//! How failed sign-ins lock an account.
//!
//! An attempt is counted before its password is verified, under the lock of the row: a thousand guesses sent at once
//! count one after the other and the sixth is refused, however fast they come. While locked nothing is verified for
//! good: the right password is refused like a wrong one (`INVALID_CREDENTIALS`), for an answer that differs would tell
//! a guesser that the guess was right. The lock is therefore never told; the owner gets a mail when it begins.

use chrono::{DateTime, TimeDelta, Utc};

/// Failures that are forgiven.
const FORGIVEN: i32 = 4;
/// The first lock; each further failure doubles it.
const FIRST: TimeDelta = TimeDelta::seconds(30);
/// The longest lock.
const LONGEST: TimeDelta = TimeDelta::minutes(15);

/// How long the account is locked after that many failures in a row.
pub fn lock_after(failures: i32) -> Option<TimeDelta> {
    let doublings = failures - FORGIVEN - 1;
    if doublings < 0 {
        return None;
    }
    let doublings = u32::try_from(doublings).unwrap_or(0).min(16);
    Some((FIRST * 2i32.pow(doublings)).min(LONGEST))
}

/// Whether the account is locked at this instant.
pub fn is_locked(locked_until: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    locked_until.is_some_and(|until| until > now)
}

/// Whether the owner is told: at the first lock in a row, not at each.
pub fn is_first_lock(failures: i32) -> bool {
    failures == FORGIVEN + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_failures_are_forgiven_then_it_doubles_up_to_a_quarter_of_an_hour() {
        let seconds: Vec<i64> = (0..=12)
            .map(|failures| lock_after(failures).map_or(0, |lock| lock.num_seconds()))
            .collect();
        let expected = [0, 0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900];
        assert_eq!(seconds, expected);
        assert_eq!(lock_after(i32::MAX), Some(LONGEST));
        assert_eq!(lock_after(-1), None);
    }

    #[test]
    fn a_lock_ends_at_its_instant() {
        let now = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        assert!(!is_locked(None, now));
        assert!(!is_locked(Some(now), now));
        assert!(is_locked(Some(now + TimeDelta::seconds(1)), now));
    }

    #[test]
    fn the_owner_is_told_once() {
        let told: Vec<i32> = (0..20)
            .filter(|failures| is_first_lock(*failures))
            .collect();
        assert_eq!(told, [5]);
    }
}
