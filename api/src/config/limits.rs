use std::time::Duration;

use super::{ConfigError, Settings, number};
use crate::throttle::{Size, Width};

/// Points that one operation of a visitor, or of somebody who acts for themselves, may cost.
pub const VISITOR_CEILING: u64 = 1_000;
/// The same for members and API tokens.
pub const MEMBER_CEILING: u64 = 50_000;

/// Largest number of points, and of points a second: beyond it the arithmetic of buckets loses its meaning.
const MOST_POINTS: u64 = 1_000_000_000;

/// What callers may use, in points of cost (see `extensions.cost` of answers), and how much at the same time.
#[derive(Clone, Debug)]
pub struct LimitsConfig {
    /// `VISITOR_POINTS`, `VISITOR_POINTS_PER_SECOND`: the bucket of a client's address; a whole office, or all of a
    /// mobile carrier's cell, may be behind one. Default 50000, 5000.
    pub visitor: Size,
    /// `USER_POINTS`, `USER_POINTS_PER_SECOND`: the bucket of a signed-in person. Default 200000, 10000.
    pub user: Size,
    /// `TOKEN_POINTS`, `TOKEN_POINTS_PER_SECOND`: the bucket of an API token. Default 400000, 20000.
    pub token: Size,
    /// `TENANT_POINTS`, `TENANT_POINTS_PER_SECOND`: the bucket of an organization, which its members and tokens draw
    /// from as well. Default 2000000, 100000.
    pub tenant: Size,
    /// `VISITOR_CONCURRENCY`: operations of a client's address, or of a person acting for themselves, that one process
    /// runs at the same time, 1 to 100000; default three quarters of `DATABASE_POOL_SIZE`.
    pub visitor_places: usize,
    /// `TENANT_CONCURRENCY`: the same of an organization; default three quarters of `DATABASE_POOL_SIZE`.
    pub tenant_places: usize,
    /// `CALLER_CONCURRENCY`: the same of one member or API token inside its organization, so that others of it are served
    /// too; default three quarters of `TENANT_CONCURRENCY`.
    pub caller_places: usize,
    /// `CONCURRENCY_LINE`: operations of each that may wait for their turn, 0 to 100000; default 200.
    pub line: usize,
    /// `CONCURRENCY_WAIT_MS`: longest wait for one's turn, 0 to 30000; default 2000.
    pub patience: Duration,
}

impl LimitsConfig {
    /// `pool_size` is that of the database: nobody alone may hold all its connections.
    pub fn read(settings: &Settings, pool_size: usize) -> Result<Self, ConfigError> {
        let size = |points: &'static str, rate: &'static str, default: (u64, u64), least: u64| {
            Ok(Size::per_second(
                number(settings, points, default.0, least..=MOST_POINTS)?,
                number(settings, rate, default.1, 1..=MOST_POINTS)?,
            ))
        };
        let count = |name: &'static str, default: usize, least: u64| {
            let value = number(settings, name, default as u64, least..=100_000)?;
            Ok(usize::try_from(value).unwrap_or(usize::MAX))
        };
        let share = |whole: usize| (whole * 3 / 4).max(1);
        let tenant_places = count("TENANT_CONCURRENCY", share(pool_size), 1)?;
        // A full bucket must hold the dearest operation, else that would never be let through.
        Ok(Self {
            visitor: size(
                "VISITOR_POINTS",
                "VISITOR_POINTS_PER_SECOND",
                (50_000, 5_000),
                VISITOR_CEILING,
            )?,
            user: size(
                "USER_POINTS",
                "USER_POINTS_PER_SECOND",
                (200_000, 10_000),
                MEMBER_CEILING,
            )?,
            token: size(
                "TOKEN_POINTS",
                "TOKEN_POINTS_PER_SECOND",
                (400_000, 20_000),
                MEMBER_CEILING,
            )?,
            tenant: size(
                "TENANT_POINTS",
                "TENANT_POINTS_PER_SECOND",
                (2_000_000, 100_000),
                MEMBER_CEILING,
            )?,
            visitor_places: count("VISITOR_CONCURRENCY", share(pool_size), 1)?,
            tenant_places,
            caller_places: count("CALLER_CONCURRENCY", share(tenant_places), 1)?,
            line: count("CONCURRENCY_LINE", 200, 0)?,
            patience: Duration::from_millis(number(
                settings,
                "CONCURRENCY_WAIT_MS",
                2_000,
                0..=30_000,
            )?),
        })
    }

    /// A lane of so many places.
    pub fn width(&self, places: usize) -> Width {
        Width {
            places,
            line: self.line,
            patience: self.patience,
        }
    }
}
