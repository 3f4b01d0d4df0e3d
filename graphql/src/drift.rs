//! The catalog against the live database: whoever starts with another schema than it was built for stops at once.
//! Columns are compared here, functions in [`functions`].

mod functions;

pub use functions::{FUNCTIONS_SQL, LiveFunction};

use crate::catalog::{Cardinality, Catalog, Field, Scalar};

/// Gives the live columns as rows of (table, column, type, nullable).
pub const LIVE_SQL: &str = "
select c.relname::text, a.attname::text, format_type(a.atttypid, null)::text, not a.attnotnull
from pg_attribute a
join pg_class c on c.oid = a.attrelid
join pg_namespace n on n.oid = c.relnamespace
where n.nspname = 'public'
  and c.relkind in ('r', 'p', 'v')
  and a.attnum > 0
  and not a.attisdropped";

/// A live column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    /// Table.
    pub object: String,
    /// Column.
    pub column: String,
    /// As `format_type` says it.
    pub pg_type: String,
    /// Whether it may be null.
    pub nullable: bool,
}

/// Where catalog and database differ, one sentence each; empty when they agree.
pub fn differences(catalog: &Catalog, live: &[Live], functions: &[LiveFunction]) -> Vec<String> {
    let mut out = functions::differences(catalog, functions);
    for entity in catalog.entities.values() {
        for column in &entity.columns {
            let place = format!("{}.{}", entity.table, column.name);
            let Some(row) = live
                .iter()
                .find(|row| row.object == entity.table && row.column == column.name)
            else {
                out.push(format!("{place} is declared but not in the database"));
                continue;
            };
            // Columns of types that the API never shows are nobody's business here.
            if column.exposed && row.pg_type != expected(&column.scalar) {
                out.push(format!(
                    "{place} is declared as {} but is {}",
                    expected(&column.scalar),
                    row.pg_type
                ));
            }
            if row.nullable && !column.nullable && !column.filled_where_seen {
                out.push(format!("{place} is declared never null but may be null"));
            }
        }
        for (name, field) in &entity.fields {
            match field {
                Field::Relation(relation)
                    if relation.required && relation.cardinality == Cardinality::ToOne =>
                {
                    let nullable = entity
                        .column(&relation.from_column)
                        .is_some_and(|column| column.nullable);
                    if nullable {
                        out.push(format!(
                            "{}.{name} is never null but its key may be",
                            entity.name
                        ));
                    }
                }
                _ => {}
            }
        }
    }
    out
}

fn expected(scalar: &Scalar) -> &'static str {
    match scalar {
        Scalar::Id(_) => "uuid",
        Scalar::String | Scalar::Enum(_) => "text",
        Scalar::Int => "integer",
        Scalar::BigInt => "bigint",
        Scalar::Boolean => "boolean",
        Scalar::DateTime => "timestamp with time zone",
        Scalar::Date => "date",
        Scalar::StringList => "text[]",
    }
}
