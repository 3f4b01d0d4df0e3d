//! Order and cursors. A cursor is the order's values and the key of a row, with a fingerprint of the order, so that
//! it is refused under another order instead of giving a wrong page.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{CompileError, Compiler, Result};
use crate::{
    catalog::{Column, Entity, Scalar},
    engine::Param,
    given::Given,
    plan::Slot,
};

/// A cursor is as long as the texts that its order is by: each character of those may take six bytes in JSON.
const LONGEST_CURSOR: usize = 32 * 1024;

/// One term of an order.
pub(super) struct Term<'a> {
    pub column: &'a Column,
    pub descending: bool,
}

/// A total order of an entity's rows: the terms, then the key.
pub(super) struct Keyset<'a> {
    terms: Vec<Term<'a>>,
    fingerprint: String,
}

/// How the cursors of an order are read.
#[derive(Clone, Debug)]
pub struct Cursor {
    fingerprint: String,
    /// Type of each value, and whether it may be null.
    values: Vec<(Scalar, bool)>,
}

impl<'a> Keyset<'a> {
    pub(super) fn new(entity: &'a Entity, mut terms: Vec<Term<'a>>) -> Result<Self> {
        let column = |name: &str| {
            entity
                .column(name)
                .ok_or_else(|| CompileError::Broken(format!("no column {name} on {}", entity.name)))
        };
        if terms.is_empty() {
            for (name, descending) in &entity.default_order {
                terms.push(Term {
                    column: column(name)?,
                    descending: *descending,
                });
            }
        }
        if !terms.iter().any(|term| term.column.name == entity.key) {
            // The key follows the direction of the last term, so that an index on (term, key) serves it.
            let descending = terms.last().is_some_and(|term| term.descending);
            terms.push(Term {
                column: column(&entity.key)?,
                descending,
            });
        }
        let mut hash = Sha256::new();
        hash.update(&entity.name);
        for term in &terms {
            hash.update([u8::from(term.descending)]);
            hash.update(&term.column.name);
        }
        let fingerprint = URL_SAFE_NO_PAD.encode(&hash.finalize()[..6]);
        Ok(Self { terms, fingerprint })
    }

    pub(super) fn order_by(&self, alias: &str, backward: bool) -> String {
        let terms: Vec<String> = self
            .terms
            .iter()
            .map(|term| {
                let direction = if term.descending != backward {
                    " desc"
                } else {
                    ""
                };
                format!("{alias}.{}{direction}", term.column.name)
            })
            .collect();
        terms.join(", ")
    }

    /// SQL that gives the cursor of the row.
    pub(super) fn cursor(&self, alias: &str) -> String {
        let values: Vec<String> = self
            .terms
            .iter()
            .map(|term| format!("{alias}.{}::text", term.column.name))
            .collect();
        format!(
            "translate(encode(convert_to(json_build_array('{}', {})::text, 'UTF8'), 'base64'), E'+/=\\n', '-_')",
            self.fingerprint,
            values.join(", ")
        )
    }

    /// How its cursors are read.
    fn reader(&self) -> Cursor {
        Cursor {
            fingerprint: self.fingerprint.clone(),
            values: self
                .terms
                .iter()
                .map(|term| (term.column.scalar.clone(), term.column.nullable))
                .collect(),
        }
    }
}

impl Cursor {
    /// The values in a cursor, typed; `None` when it is none of this order.
    pub fn read(&self, cursor: &Json) -> Option<Vec<Option<Param>>> {
        let text = cursor
            .as_str()
            .filter(|text| text.len() <= LONGEST_CURSOR)?;
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let parts: Vec<Option<String>> = serde_json::from_slice(&bytes).ok()?;
        let (fingerprint, values) = parts.split_first()?;
        if fingerprint.as_deref() != Some(&self.fingerprint) || values.len() != self.values.len() {
            return None;
        }
        self.values
            .iter()
            .zip(values)
            .map(|((scalar, nullable), value)| match value {
                None => nullable.then_some(None),
                Some(text) => parse(scalar, text).map(Some),
            })
            .collect()
    }
}

/// A value as PostgreSQL printed it.
fn parse(scalar: &Scalar, text: &str) -> Option<Param> {
    match scalar {
        Scalar::Id(_) => text.parse::<Uuid>().ok().map(Param::Uuid),
        Scalar::Int => text.parse().ok().map(Param::Int),
        Scalar::BigInt => text.parse().ok().map(Param::BigInt),
        Scalar::Boolean => match text {
            "true" => Some(Param::Bool(true)),
            "false" => Some(Param::Bool(false)),
            _ => None,
        },
        Scalar::DateTime => DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f%#z")
            .ok()
            .map(|instant| instant.with_timezone(&Utc))
            // PostgreSQL made no cursor with another, and would refuse the whole statement for it.
            .filter(|instant| (1..=9999).contains(&chrono::Datelike::year(instant)))
            .map(Param::Timestamp),
        Scalar::String | Scalar::Enum(_) if !text.contains('\0') => {
            Some(Param::Text(text.to_owned()))
        }
        _ => None,
    }
}

impl<'a> Compiler<'a> {
    /// The condition of being after (or before) the row of the cursor in this order.
    pub(super) fn beyond(
        &mut self,
        keyset: &Keyset<'a>,
        alias: &str,
        cursor: &Given,
        after: bool,
    ) -> Result<String> {
        let reader = keyset.reader();
        let mask: Vec<bool> = reader
            .read(&cursor.resolve(self.variables()))
            .ok_or_else(CompileError::foreign_cursor)?
            .iter()
            .map(Option::is_some)
            .collect();
        let mut places = self
            .bind_all(Slot::Cursor(cursor.clone(), reader, mask.clone()))?
            .into_iter();
        let values: Vec<Option<String>> = mask
            .into_iter()
            .map(|given| given.then(|| places.next()).flatten())
            .collect();
        let uniform = keyset
            .terms
            .iter()
            .all(|term| !term.column.nullable && term.descending == keyset.terms[0].descending);
        if uniform {
            // A row comparison is what an index on these columns can answer.
            let columns: Vec<String> = keyset
                .terms
                .iter()
                .map(|term| format!("{alias}.{}", term.column.name))
                .collect();
            let operator = if after != keyset.terms[0].descending {
                ">"
            } else {
                "<"
            };
            let values: Vec<String> = values.into_iter().flatten().collect();
            return Ok(format!(
                "({}) {operator} ({})",
                columns.join(", "),
                values.join(", ")
            ));
        }
        let mut alternatives = vec![];
        for place in 0..keyset.terms.len() {
            let mut all = vec![];
            for (term, value) in keyset.terms.iter().zip(&values).take(place) {
                all.push(equal(alias, term, value.as_deref()));
            }
            let term = &keyset.terms[place];
            all.push(strictly(
                alias,
                term,
                values[place].as_deref(),
                after != term.descending,
            ));
            alternatives.push(format!("({})", all.join(" and ")));
        }
        Ok(format!("({})", alternatives.join(" or ")))
    }
}

fn equal(alias: &str, term: &Term<'_>, value: Option<&str>) -> String {
    let column = format!("{alias}.{}", term.column.name);
    match value {
        Some(value) => format!("{column} = {value}"),
        None => format!("{column} is null"),
    }
}

/// PostgreSQL sorts null as larger than everything, both ways.
fn strictly(alias: &str, term: &Term<'_>, value: Option<&str>, larger: bool) -> String {
    let column = format!("{alias}.{}", term.column.name);
    match (value, larger) {
        (Some(value), true) if term.column.nullable => {
            format!("({column} > {value} or {column} is null)")
        }
        (Some(value), true) => format!("{column} > {value}"),
        (Some(value), false) => format!("{column} < {value}"),
        (None, true) => "false".to_owned(),
        (None, false) => format!("{column} is not null"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_that_postgres_cannot_hold_is_no_cursor_of_ours() {
        let parsed = |text: &str| parse(&Scalar::DateTime, text).is_some();
        assert!(parsed("2027-05-04 18:00:00.000001+00"));
        for text in [
            "+262000-01-01 00:00:00+00",
            "0000-12-31 23:59:59+00",
            "infinity",
        ] {
            assert!(!parsed(text), "{text}");
        }
    }
}
