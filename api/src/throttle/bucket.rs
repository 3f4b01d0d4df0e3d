//! The arithmetic of a leaky bucket, the same here and in `buckets.lua`. A bucket is kept as one number, its debt: the
//! time that it needs until it is full again. What is full is not kept at all.

use std::time::Duration;

/// How much a bucket holds and how fast it fills up again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Size {
    /// Points of a full bucket.
    pub points: u64,
    /// Microseconds after which one point more is there.
    pub micros_per_point: f64,
}

impl Size {
    /// `points` at once, then `restored` every second.
    pub fn per_second(points: u64, restored: u64) -> Self {
        Self {
            points,
            micros_per_point: 1e6 / restored.max(1) as f64,
        }
    }

    /// `points` at once, then one every `millis`.
    pub fn one_every(points: u32, millis: u32) -> Self {
        Self {
            points: u64::from(points),
            micros_per_point: f64::from(millis) * 1e3,
        }
    }

    /// Points that come back in a second.
    pub fn restore_rate(&self) -> f64 {
        1e6 / self.micros_per_point
    }

    /// Debt of an empty bucket, microseconds.
    pub fn capacity(&self) -> i64 {
        self.cost(self.points)
    }

    /// What that many points add to the debt, microseconds; rounded so that nobody is given more than the rate.
    pub fn cost(&self, points: u64) -> i64 {
        (points as f64 * self.micros_per_point).ceil() as i64
    }

    /// Whole points that are left at this debt.
    pub fn left(&self, debt: i64) -> u64 {
        let free = (self.capacity() - debt).max(0) as f64;
        ((free / self.micros_per_point) as u64).min(self.points)
    }
}

/// So many points of one bucket.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// Which bucket; the same text in every process.
    pub key: String,
    /// Its size.
    pub size: Size,
    /// How many points.
    pub points: u64,
}

/// What came of taking points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// They are taken: the debt of each bucket after that, microseconds.
    Granted(Vec<i64>),
    /// Nothing is taken.
    Refused {
        /// The bucket that lacks most, by its place among the drafts.
        bucket: usize,
        /// After that time there would be enough.
        wait: Duration,
    },
}

/// The debt after a further `cost`; else how long to wait, microseconds.
pub fn owe(debt: i64, cost: i64, capacity: i64) -> Result<i64, i64> {
    let after = debt + cost;
    match after <= capacity {
        true => Ok(after),
        false => Err(after - capacity),
    }
}

/// A time in microseconds that is never negative.
pub fn micros(wait: i64) -> Duration {
    Duration::from_micros(u64::try_from(wait).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_and_time_are_the_same_thing() {
        let size = Size::per_second(100, 10);
        assert_eq!((size.capacity(), size.cost(1)), (10_000_000, 100_000));
        assert_eq!(size.left(0), 100);
        assert_eq!(size.left(size.cost(40)), 60);
        assert_eq!(size.left(size.capacity()), 0);
        assert_eq!(Size::one_every(3, 10_000).capacity(), 30_000_000);
        assert!((size.restore_rate() - 10.0).abs() < 1e-9);
    }

    #[test]
    fn what_does_not_fit_says_how_long_to_wait() {
        let size = Size::per_second(100, 10);
        assert_eq!(owe(0, size.cost(100), size.capacity()), Ok(10_000_000));
        assert_eq!(
            owe(size.cost(90), size.cost(15), size.capacity()),
            Err(500_000)
        );
    }

    #[test]
    fn large_rates_keep_their_meaning() {
        let size = Size::per_second(1_000_000_000, 1_000_000_000);
        assert_eq!(size.cost(217), 1);
        assert_eq!(size.capacity(), 1_000_000);
    }
}
