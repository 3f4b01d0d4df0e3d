//! Values of rows, and how PostgreSQL and the API show them.

use chrono::{DateTime, NaiveDate, TimeDelta, TimeZone, Utc};
use eventsphere_graphql::{Scalar, catalog::Entity, global_id};
use serde_json::{Value, json};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::choices::Choices;

/// A value of a column. They are ordered as PostgreSQL orders them: text by its bytes (the tables are collated so),
/// null after everything.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Val {
    Bool(bool),
    Int(i32),
    Big(i64),
    Text(String),
    Time(DateTime<Utc>),
    Day(NaiveDate),
    Texts(Vec<String>),
    Key(Uuid),
    Null,
}

/// Enums of every world: GraphQL name, stored values.
pub const ENUMS: [(&str, &[&str]); 2] = [
    ("Colour", &["red", "dark_green", "blue"]),
    ("Only", &["one"]),
];

/// Texts that have given trouble to one layer or another: quotes, escapes, controls, wide and combining letters.
pub const TEXTS: [&str; 24] = [
    "",
    "a",
    "A",
    "ab",
    "b",
    "Z",
    " a ",
    "a\"b",
    "a\\b",
    "a'b''c",
    "$1 {1} {t}",
    "%_",
    "\u{1}\u{8}\u{b}\u{1f}\u{7f}",
    "line\nline\r\n\ttab",
    "ä",
    "a\u{308}",
    "😀",
    "ﷺ\u{202e}x",
    "\u{2028}\u{2029}",
    "\u{feff}\u{fffd}\u{ffff}",
    "null",
    "{\"k\": [1]}",
    "-- ; /* ",
    "\u{10ffff}",
];

impl Val {
    /// A value that a column of that type may hold. Few are likely, so that there are ties.
    pub fn random(scalar: &Scalar, choices: &mut Choices<'_>) -> Self {
        match scalar {
            Scalar::String => Self::Text(text(choices)),
            Scalar::Int => Self::Int(*choices.of(&[0, 1, 2, 3, -1, 7, i32::MIN, i32::MAX])),
            Scalar::BigInt => {
                Self::Big(*choices.of(&[0, 1, -1, 1250, 9_007_199_254_740_993, i64::MIN, i64::MAX]))
            }
            Scalar::Boolean => Self::Bool(choices.one_in(2)),
            Scalar::DateTime => Self::Time(instant(choices)),
            Scalar::Date => Self::Day(instant(choices).date_naive()),
            Scalar::Enum(name) => {
                let values = ENUMS.iter().find(|(known, _)| known == name);
                let values = values.map_or(&["red"] as &[&str], |(_, values)| values);
                Self::Text((*choices.of(values)).to_owned())
            }
            Scalar::StringList => {
                let many = choices.pick(4);
                Self::Texts((0..many).map(|_| text(choices)).collect())
            }
            Scalar::Id(_) => Self::Key(key(choices)),
        }
    }

    /// As the API shows it.
    pub fn shown(&self, scalar: &Scalar, entities: &[Entity]) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => json!(value),
            Self::Int(value) => json!(value),
            Self::Big(value) => json!(value.to_string()),
            Self::Text(value) if matches!(scalar, Scalar::Enum(_)) => {
                json!(value.to_ascii_uppercase())
            }
            Self::Text(value) => json!(value),
            Self::Time(value) => json!(value.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()),
            Self::Day(value) => json!(value.to_string()),
            Self::Texts(values) => json!(values),
            Self::Key(key) => json!(global_id::encode(tag_of(scalar, entities), *key)),
        }
    }

    /// As a parameter of a column of that type.
    pub fn to_sql(&self, scalar: &Scalar) -> Box<dyn ToSql + Sync + Send> {
        match self {
            Self::Bool(value) => Box::new(*value),
            Self::Int(value) => Box::new(*value),
            Self::Big(value) => Box::new(*value),
            Self::Text(value) => Box::new(value.clone()),
            Self::Time(value) => Box::new(*value),
            Self::Day(value) => Box::new(*value),
            Self::Texts(values) => Box::new(values.clone()),
            Self::Key(key) => Box::new(*key),
            Self::Null => match scalar {
                Scalar::String | Scalar::Enum(_) => Box::new(None::<String>),
                Scalar::Int => Box::new(None::<i32>),
                Scalar::BigInt => Box::new(None::<i64>),
                Scalar::Boolean => Box::new(None::<bool>),
                Scalar::DateTime => Box::new(None::<DateTime<Utc>>),
                Scalar::Date => Box::new(None::<NaiveDate>),
                Scalar::StringList => Box::new(None::<Vec<String>>),
                Scalar::Id(_) => Box::new(None::<Uuid>),
            },
        }
    }
}

/// The number in ids of what that scalar points to.
pub fn tag_of(scalar: &Scalar, entities: &[Entity]) -> u8 {
    let Scalar::Id(name) = scalar else { return 0 };
    entities
        .iter()
        .find(|entity| &entity.name == name)
        .map_or(0, |entity| entity.tag)
}

pub fn key(choices: &mut Choices<'_>) -> Uuid {
    let mut bytes = [0u8; 16];
    for byte in &mut bytes {
        *byte = u8::try_from(choices.pick(256) % 256).unwrap_or(0);
    }
    Uuid::from_bytes(bytes)
}

fn text(choices: &mut Choices<'_>) -> String {
    let text = *choices.of(&TEXTS);
    match choices.one_in(25) {
        // Longer than an index entry of a page, and each character six bytes in JSON.
        true => "\u{1}".repeat(900) + text,
        false => text.to_owned(),
    }
}

fn instant(choices: &mut Choices<'_>) -> DateTime<Utc> {
    let base = Utc
        .with_ymd_and_hms(2027, 5, 4, 18, 0, 0)
        .single()
        .unwrap_or_default();
    // Where days, weeks and summer times begin and end in the zones of the worlds.
    let edges = [
        (2027, 3, 14, 6, 59),
        (2027, 3, 28, 1, 0),
        (2027, 11, 7, 5, 30),
        (2027, 12, 31, 15, 0),
        (2028, 2, 29, 18, 15),
    ];
    match choices.pick(14) {
        at @ 9.. => {
            let (year, month, day, hour, minute) = edges[at - 9];
            Utc.with_ymd_and_hms(year, month, day, hour, minute, 0)
                .single()
                .unwrap_or(base)
        }
        0 => base,
        1 => base + TimeDelta::microseconds(1),
        2 => base + TimeDelta::milliseconds(500),
        3 => Utc
            .with_ymd_and_hms(1, 1, 1, 0, 0, 0)
            .single()
            .unwrap_or(base),
        4 => Utc
            .with_ymd_and_hms(9999, 12, 31, 23, 59, 59)
            .single()
            .map_or(base, |last| last + TimeDelta::microseconds(999_999)),
        5 => DateTime::UNIX_EPOCH,
        6 => DateTime::UNIX_EPOCH - TimeDelta::microseconds(1),
        7 => base + TimeDelta::days(180),
        _ => base - TimeDelta::days(365 * 900),
    }
}
