//! Values of a request: variables checked against their definitions, literals with variables put in, and from there
//! to typed parameters.

use async_graphql::{Positioned, parser::types::VariableDefinition};
use async_graphql_value::ConstValue;
use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::{
    catalog::{Catalog, Scalar},
    engine::Param,
    global_id,
    types::Types,
};

/// A value that cannot be meant.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0}")]
pub struct BadValue(pub String);

fn bad(text: impl Into<String>) -> BadValue {
    BadValue(text.into())
}

/// The variables of an operation, defaults put in. Absent ones stay absent.
pub fn variables(
    types: &Types,
    definitions: &[Positioned<VariableDefinition>],
    given: &Map<String, Json>,
) -> Result<Map<String, Json>, BadValue> {
    let mut out = Map::new();
    for definition in definitions {
        let definition = &definition.node;
        let name = definition.name.node.as_str();
        let value = match (given.get(name), &definition.default_value) {
            (Some(value), _) => Some(value.clone()),
            (None, Some(default)) => Some(const_to_json(&default.node)),
            (None, None) => None,
        };
        match value {
            None if !definition.var_type.node.nullable => {
                return Err(bad(format!(
                    "variable ${name} of type {} is missing",
                    definition.var_type.node
                )));
            }
            None => {}
            Some(value) => {
                types.check_variable(name, &definition.var_type.node, &value)?;
                out.insert(name.to_owned(), value);
            }
        }
    }
    Ok(out)
}

fn const_to_json(value: &ConstValue) -> Json {
    match value {
        ConstValue::Enum(name) => Json::String(name.to_string()),
        ConstValue::List(items) => Json::Array(items.iter().map(const_to_json).collect()),
        ConstValue::Object(fields) => Json::Object(
            fields
                .iter()
                .map(|(name, value)| (name.to_string(), const_to_json(value)))
                .collect(),
        ),
        other => other.clone().into_json().unwrap_or(Json::Null),
    }
}

/// One value as a parameter of the scalar's type. `what` names it in the message.
pub fn param(
    catalog: &Catalog,
    scalar: &Scalar,
    value: &Json,
    what: &str,
) -> Result<Param, BadValue> {
    match scalar {
        Scalar::Id(type_name) => Ok(Param::Uuid(key(catalog, type_name, value))),
        Scalar::String => text(value, what).map(Param::Text),
        Scalar::Enum(name) => stored(catalog, name, value, what).map(Param::Text),
        Scalar::Int => value
            .as_i64()
            .and_then(|n| i32::try_from(n).ok())
            .map(Param::Int)
            .ok_or_else(|| bad(format!("{what} must be a 32-bit integer"))),
        Scalar::BigInt => integer(value).map(Param::BigInt).ok_or_else(|| {
            bad(format!(
                "{what} must be a 64-bit integer as a string of digits"
            ))
        }),
        Scalar::Boolean => value
            .as_bool()
            .map(Param::Bool)
            .ok_or_else(|| bad(format!("{what} must be true or false"))),
        Scalar::DateTime => instant(value, what).map(Param::Timestamp),
        Scalar::Date => day(value, what).map(Param::Date),
        Scalar::StringList => items(value)
            .iter()
            .map(|item| text(item, what))
            .collect::<Result<_, _>>()
            .map(Param::Texts),
    }
}

/// Several values as one array parameter.
pub fn array_param(
    catalog: &Catalog,
    scalar: &Scalar,
    values: &[Json],
    what: &str,
) -> Result<Param, BadValue> {
    let each = values
        .iter()
        .map(|value| param(catalog, scalar, value, what))
        .collect::<Result<Vec<_>, _>>()?;
    macro_rules! gather {
        ($one:ident, $many:ident) => {
            Param::$many(
                each.into_iter()
                    .filter_map(|param| match param {
                        Param::$one(value) => Some(value),
                        _ => None,
                    })
                    .collect(),
            )
        };
    }
    Ok(match scalar {
        Scalar::Id(_) => gather!(Uuid, Uuids),
        Scalar::String | Scalar::Enum(_) => gather!(Text, Texts),
        Scalar::Int => gather!(Int, Ints),
        Scalar::BigInt => gather!(BigInt, BigInts),
        Scalar::DateTime => gather!(Timestamp, Timestamps),
        Scalar::Date => gather!(Date, Dates),
        Scalar::Boolean | Scalar::StringList => {
            return Err(bad(format!("{what} takes no list")));
        }
    })
}

/// A list; a single value stands for a list of one, as the specification says.
pub fn items(value: &Json) -> Vec<Json> {
    match value {
        Json::Array(items) => items.clone(),
        Json::Null => vec![],
        other => vec![other.clone()],
    }
}

/// The key in a global id. An id of another type, or none of ours, leads to no row: it gives the nil UUID, which no
/// row has, so that a foreign id and a nonsense one are answered alike.
pub fn key(catalog: &Catalog, type_name: &str, value: &Json) -> Uuid {
    let decoded = value.as_str().and_then(global_id::decode);
    match (decoded, catalog.entities.get(type_name)) {
        (Some((tag, key)), Some(entity)) if entity.tag == tag => key,
        // A key whose type is not named takes any.
        (Some((_, key)), None) if type_name.is_empty() => key,
        _ => Uuid::nil(),
    }
}

/// Text that PostgreSQL can hold.
pub fn text(value: &Json, what: &str) -> Result<String, BadValue> {
    let text = value
        .as_str()
        .ok_or_else(|| bad(format!("{what} must be a string")))?;
    match text.contains('\0') {
        true => Err(bad(format!("{what} must not contain the character NUL"))),
        false => Ok(text.to_owned()),
    }
}

/// An instant with its offset.
pub fn instant(value: &Json, what: &str) -> Result<DateTime<Utc>, BadValue> {
    let text = text(value, what)?;
    let parsed = DateTime::parse_from_rfc3339(&text).map_err(|_| {
        bad(format!(
            "{what} must be an instant in RFC 3339 with its offset, like 2026-05-04T18:00:00+02:00"
        ))
    })?;
    let parsed = parsed.with_timezone(&Utc);
    // Beyond these years PostgreSQL or a client's date type gives up.
    let years = 1..=9999;
    match years.contains(&chrono::Datelike::year(&parsed)) {
        true => Ok(parsed),
        false => Err(bad(format!("{what} is too far away"))),
    }
}

/// A day of the calendar.
pub fn day(value: &Json, what: &str) -> Result<NaiveDate, BadValue> {
    let text = text(value, what)?;
    // `%Y` alone takes signs and any number of digits.
    (text.len() == 10 && text.as_bytes()[0].is_ascii_digit())
        .then(|| NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok())
        .flatten()
        .filter(|day| chrono::Datelike::year(day) > 0)
        .ok_or_else(|| bad(format!("{what} must be a day like 2026-05-04")))
}

fn integer(value: &Json) -> Option<i64> {
    match value {
        Json::Number(number) => number.as_i64(),
        Json::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn stored(catalog: &Catalog, name: &str, value: &Json, what: &str) -> Result<String, BadValue> {
    let shown = value.as_str().unwrap_or_default();
    catalog
        .enums
        .get(name)
        .and_then(|known| known.values.iter().find(|item| item.shown == shown))
        .map(|item| item.stored.clone())
        .ok_or_else(|| bad(format!("{what} must be a value of {name}")))
}
