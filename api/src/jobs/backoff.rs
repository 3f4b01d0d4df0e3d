//! How long to wait before the next attempt.

use std::time::Duration;

use uuid::Uuid;

/// Twice as long each time, up to a bound; half of it by chance, so that what failed together does not come back
/// together.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    first: Duration,
    most: Duration,
}

impl Backoff {
    /// From `first` to `most`.
    pub const fn new(first: Duration, most: Duration) -> Self {
        Self { first, most }
    }

    /// After that attempt, counted from 1.
    pub(super) fn after(&self, attempt: u32) -> Duration {
        self.with_chance(attempt, chance())
    }

    /// `chance` is from 0 to 1.
    fn with_chance(&self, attempt: u32, chance: f64) -> Duration {
        let doubled = 2f64.powi(i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX));
        let seconds = (self.first.as_secs_f64() * doubled).min(self.most.as_secs_f64());
        Duration::from_secs_f64(seconds * (0.5 + chance / 2.0))
    }
}

fn chance() -> f64 {
    // 32 random bits; what they are for needs no more.
    f64::from(Uuid::new_v4().as_fields().0) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_up_to_its_bound_and_varies_by_half() {
        let backoff = Backoff::new(Duration::from_secs(4), Duration::from_secs(60));
        let seconds = |attempt, chance| backoff.with_chance(attempt, chance).as_secs_f64();
        assert_eq!(
            [seconds(1, 1.0), seconds(2, 1.0), seconds(3, 1.0)],
            [4.0, 8.0, 16.0]
        );
        assert_eq!(
            [
                seconds(1, 0.0),
                seconds(5, 1.0),
                seconds(4_000_000_000, 1.0)
            ],
            [2.0, 60.0, 60.0]
        );
        let some: Vec<Duration> = (0..20).map(|_| backoff.after(1)).collect();
        assert!(some.iter().any(|one| *one != some[0]), "no chance in it");
    }
}
