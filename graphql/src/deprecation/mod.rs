//! What of the schema will be removed, when, and who still uses it.
//!
//! The catalog names what is deprecated by its schema coordinate (`Event.summary`, `Query.events(first:)`,
//! `EventFilter.summary`, `EventStatus.DRAFT`). The front shows it as `@deprecated`; [`used`] finds it in operations.

pub mod used;

use chrono::{Datelike, Months, NaiveDate};

use crate::catalog::CatalogError;

/// Months between the day on which something is deprecated and the day on which it may go.
const NOTICE_MONTHS: u32 = 6;

/// A promise to remove something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deprecation {
    since: String,
    removal: String,
    reason: String,
}

impl Deprecation {
    /// Deprecated since that day (`2026-11-21`), to be removed on that first day of a quarter (`2027-07-01`), at least
    /// six months later. The reason says what to use instead: a sentence with its full stop, without double quotes.
    pub fn new(since: &str, removal: &str, reason: &str) -> Self {
        Self {
            since: since.to_owned(),
            removal: removal.to_owned(),
            reason: reason.to_owned(),
        }
    }

    /// What clients read: the reason, and after it the day. The gate of the schema reads the day from there.
    pub fn notice(&self) -> String {
        format!("{} To be removed on {}.", self.reason, self.removal)
    }

    /// The day since which, and the day on which it is removed; an error when the promise is not one that we make.
    pub fn dates(&self, coordinate: &str) -> Result<(NaiveDate, NaiveDate), CatalogError> {
        let wrong = |what: String| Err(CatalogError::Deprecation(format!("{coordinate}: {what}")));
        let (Ok(since), Ok(removal)) = (self.since.parse(), self.removal.parse()) else {
            return wrong("dates are written as 2027-07-01".to_owned());
        };
        let (since, removal): (NaiveDate, NaiveDate) = (since, removal);
        if removal.day() != 1 || removal.month0() % 3 != 0 {
            return wrong(format!("{removal} is not the first day of a quarter"));
        }
        let earliest = since.checked_add_months(Months::new(NOTICE_MONTHS));
        if earliest.is_none_or(|earliest| removal < earliest) {
            return wrong(format!(
                "{removal} is less than {NOTICE_MONTHS} months after {since}"
            ));
        }
        // async-graphql escapes everything in a reason but this.
        if self.reason.trim().is_empty() || self.reason.contains('"') {
            return wrong("the reason must say what to use instead, without double quotes".into());
        }
        Ok((since, removal))
    }
}

/// The coordinate of an argument: `Query.events(first:)`.
pub fn argument_coordinate(type_name: &str, field: &str, argument: &str) -> String {
    format!("{type_name}.{field}({argument}:)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removal_is_announced_six_months_ahead_and_happens_on_a_quarters_first_day() {
        let dates = |since, removal| Deprecation::new(since, removal, "Use `b`.").dates("A.a");
        assert!(dates("2026-11-21", "2027-07-01").is_ok());
        assert!(dates("2026-10-01", "2027-04-01").is_ok());
        for (since, removal) in [
            ("2026-11-21", "2027-04-01"),
            ("2026-10-02", "2027-04-01"),
            ("2026-11-21", "2027-07-02"),
            ("2026-11-21", "2027-06-01"),
            ("2027-07-01", "2026-11-21"),
            ("21.11.2026", "2027-07-01"),
            ("2026-11-21", "soon"),
        ] {
            assert!(dates(since, removal).is_err(), "{since} {removal}");
        }
        for reason in ["", " ", "Use \"b\"."] {
            let deprecation = Deprecation::new("2026-11-21", "2027-07-01", reason);
            assert!(deprecation.dates("A.a").is_err(), "{reason:?}");
        }
    }
}
