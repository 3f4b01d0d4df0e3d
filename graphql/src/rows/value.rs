//! One value of PostgreSQL as JSON.

use std::io::Write as _;

use uuid::Uuid;

use super::{Malformed, wire};
use crate::{
    catalog::{Catalog, Scalar},
    global_id,
};

/// How a value is read and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `uuid`; the global id with this tag.
    Id(u8),
    /// `text`.
    Text,
    /// `text` in snake case; the name of an enum value.
    Enum,
    /// `int2`, `int4` or `int8`; a number.
    Number,
    /// `int2`, `int4` or `int8`; a string of digits.
    Digits,
    /// `bool`.
    Boolean,
    /// `timestamptz`; RFC 3339 in UTC with microseconds.
    DateTime,
    /// `date`; ISO 8601.
    Date,
    /// `text` that is JSON already.
    Json,
}

impl Kind {
    /// How values of that type travel, and what is selected of a column or expression for it.
    pub(crate) fn of(scalar: &Scalar, expression: String, catalog: &Catalog) -> (String, Self) {
        match scalar {
            Scalar::Id(name) => {
                let tag = catalog.entities.get(name).map_or(0, |entity| entity.tag);
                (expression, Self::Id(tag))
            }
            Scalar::String => (expression, Self::Text),
            Scalar::Enum(_) => (expression, Self::Enum),
            Scalar::Int => (expression, Self::Number),
            Scalar::BigInt => (expression, Self::Digits),
            Scalar::Boolean => (expression, Self::Boolean),
            Scalar::DateTime => (expression, Self::DateTime),
            Scalar::Date => (expression, Self::Date),
            // Lists of different lengths make no array.
            Scalar::StringList => (format!("array_to_json({expression})::text"), Self::Json),
        }
    }

    /// Writes the value.
    pub(super) fn write(self, raw: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
        match self {
            Self::Id(tag) => {
                out.push(b'"');
                global_id::write(tag, Uuid::from_bytes(wire::fixed(raw)?), out);
                out.push(b'"');
            }
            Self::Text => string(raw, out),
            Self::Enum => string(&raw.to_ascii_uppercase(), out),
            Self::Number => digits(wire::number(raw)?, out),
            Self::Digits => {
                out.push(b'"');
                digits(wire::number(raw)?, out);
                out.push(b'"');
            }
            Self::Boolean => out.extend_from_slice(match raw {
                [0] => b"false",
                [1] => b"true",
                _ => return Err(Malformed("a truth value of neither kind")),
            }),
            Self::DateTime => instant(i64::from_be_bytes(wire::fixed(raw)?), out),
            Self::Date => day(i32::from_be_bytes(wire::fixed(raw)?), out),
            Self::Json => out.extend_from_slice(raw),
        }
        Ok(())
    }
}

fn digits(number: i64, out: &mut Vec<u8>) {
    // Writing into memory does not fail.
    let _ = write!(out, "{number}");
}

fn string(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let mut written = 0;
    for (at, &byte) in text.iter().enumerate() {
        if byte >= b' ' && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&text[written..at]);
        written = at + 1;
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            other => {
                let _ = write!(out, "\\u{other:04x}");
            }
        }
    }
    out.extend_from_slice(&text[written..]);
    out.push(b'"');
}

const MICROS_A_DAY: i64 = 86_400_000_000;
/// Days from 0000-03-01, where the years of this reckoning begin, to 2000-01-01, where PostgreSQL's microseconds do.
const DAYS_TO_2000: i64 = 730_425;

/// Microseconds since the year 2000 as `2026-05-04T18:00:00.000000Z`; null for the ends of time.
fn instant(micros: i64, out: &mut Vec<u8>) {
    if let i64::MIN | i64::MAX = micros {
        return out.extend_from_slice(b"null");
    }
    let days = micros.div_euclid(MICROS_A_DAY) + DAYS_TO_2000;
    let micros = micros.rem_euclid(MICROS_A_DAY);
    out.push(b'"');
    calendar_day(days, out);
    for (mark, number, width) in [
        (b'T', micros / 3_600_000_000, 2),
        (b':', micros / 60_000_000 % 60, 2),
        (b':', micros / 1_000_000 % 60, 2),
        (b'.', micros % 1_000_000, 6),
    ] {
        out.push(mark);
        padded(number, width, out);
    }
    out.extend_from_slice(b"Z\"");
}

/// Days since 2000-01-01 as `2026-05-04`; null for the ends of time.
fn day(days: i32, out: &mut Vec<u8>) {
    if let i32::MIN | i32::MAX = days {
        return out.extend_from_slice(b"null");
    }
    out.push(b'"');
    calendar_day(i64::from(days) + DAYS_TO_2000, out);
    out.push(b'"');
}

/// The day as `2026-05-04`.
fn calendar_day(days: i64, out: &mut Vec<u8>) {
    let (year, month, day) = date(days);
    // As PostgreSQL prints years before the first: without a sign.
    let year = if year <= 0 { 1 - year } else { year };
    if year > 9999 {
        let _ = write!(out, "{year}");
    } else {
        padded(year, 4, out);
    }
    for number in [month, day] {
        out.push(b'-');
        padded(number, 2, out);
    }
}

/// Year, month and day of a number of days since 0000-03-01. Years begin in March, so that the leap day ends them.
fn date(days: i64) -> (i64, i64, i64) {
    const DAYS_IN_400_YEARS: i64 = 146_097;
    let era = days.div_euclid(DAYS_IN_400_YEARS);
    let day = days.rem_euclid(DAYS_IN_400_YEARS);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let year = year + era * 400;
    match month {
        0..=9 => (year, month + 3, day),
        _ => (year + 1, month - 9, day),
    }
}

fn padded(mut number: i64, width: usize, out: &mut Vec<u8>) {
    let at = out.len();
    out.resize(at + width, b'0');
    for place in out[at..].iter_mut().rev() {
        *place = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeZone as _, Utc};

    use super::*;

    fn written(kind: Kind, raw: &[u8]) -> Result<String, Malformed> {
        let mut out = vec![];
        kind.write(raw, &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn texts_are_read_back_as_they_were() {
        let every: String = (0..=0x2ff).filter_map(char::from_u32).collect();
        for text in [&every, "", "a\"b\\c\nd\u{7f}", "😀", "\u{1}\"", "\\"] {
            let json = written(Kind::Text, text.as_bytes()).unwrap();
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), *text);
        }
    }

    #[test]
    fn instants_are_those_of_the_calendar() {
        let zero = Utc.with_ymd_and_hms(2000, 1, 1, 0, 0, 0).unwrap();
        let check = |instant: DateTime<Utc>| {
            let micros = (instant - zero).num_microseconds().unwrap();
            let expected = instant.format("\"%Y-%m-%dT%H:%M:%S%.6fZ\"").to_string();
            assert_eq!(written(Kind::DateTime, &micros.to_be_bytes()), Ok(expected));
        };
        // Every day of 500 years, each at another time of the day.
        let first = Utc.with_ymd_and_hms(1600, 1, 1, 0, 0, 0).unwrap();
        for day in 0..182_700 {
            let second = chrono::TimeDelta::microseconds(day * 470_001_137 % MICROS_A_DAY);
            check(first + chrono::TimeDelta::days(day) + second);
        }
        check(Utc.with_ymd_and_hms(9999, 12, 31, 23, 59, 59).unwrap());
        check(Utc.with_ymd_and_hms(1, 1, 1, 0, 0, 0).unwrap());
        assert_eq!(
            written(Kind::DateTime, &i64::MAX.to_be_bytes()),
            Ok("null".to_owned())
        );
    }

    #[test]
    fn other_values_are_written_as_the_schema_says() {
        let ok = |text: &str| Ok(text.to_owned());
        let key = Uuid::from_u128(7);
        let id = format!("\"{}\"", global_id::encode(3, key));
        assert_eq!(written(Kind::Id(3), key.as_bytes()), ok(&id));
        assert_eq!(written(Kind::Enum, b"in_person"), ok("\"IN_PERSON\""));
        assert_eq!(written(Kind::Number, &5i32.to_be_bytes()), ok("5"));
        assert_eq!(written(Kind::Digits, &5i64.to_be_bytes()), ok("\"5\""));
        assert_eq!(written(Kind::Boolean, &[1]), ok("true"));
        assert_eq!(written(Kind::Json, b"[1]"), ok("[1]"));
        for kind in [Kind::Id(3), Kind::Boolean, Kind::DateTime, Kind::Digits] {
            assert!(written(kind, b"abc").is_err(), "{kind:?}");
        }
    }
}
