//! From a validated operation to ONE SQL statement: each root field a column, each column a JSON text that PostgreSQL
//! builds. Filter, order and limit stand in the innermost select, JSON is built outside it.

mod aggregate;
mod connection;
mod filter;
mod functions;
mod keyset;
mod object;
mod related;
mod root;

pub(crate) use aggregate::{extreme_names, sum_name};
pub use keyset::Cursor;
pub use root::RootColumn;

use crate::{
    catalog::{Catalog, Entity, Relation, Scalar},
    collect::Operation,
    engine::Gate,
    given::Variables,
    plan::{Flight, Slot, Template, Unfit},
    values::BadValue,
};

/// Why an operation cannot be compiled.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// A value that cannot be meant: the whole request is refused.
    #[error("{0}")]
    Bad(String),
    /// A cursor of another order, or none of ours.
    #[error("{0}")]
    BadCursor(String),
    /// The caller may not ask this: the root field is null, the others are answered.
    #[error("{message}")]
    Denied {
        /// `UNAUTHENTICATED` or `FORBIDDEN`.
        code: &'static str,
        /// For the client.
        message: String,
    },
    /// A declaration that the catalog's check should have refused.
    #[error("{0}")]
    Broken(String),
}

impl From<BadValue> for CompileError {
    fn from(error: BadValue) -> Self {
        Self::Bad(error.0)
    }
}

impl CompileError {
    fn foreign_cursor() -> Self {
        Self::BadCursor("the cursor is none of this connection and order".to_owned())
    }
}

impl From<Unfit> for CompileError {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::Value(error) => error.into(),
            Unfit::Cursor => Self::foreign_cursor(),
        }
    }
}

type Result<T> = std::result::Result<T, CompileError>;

/// SQL of one value and the points that it costs.
struct Priced {
    sql: String,
    cost: u64,
}

/// Compiles the fields of one operation into one flight.
pub struct Compiler<'a> {
    catalog: &'a Catalog,
    operation: Operation<'a>,
    gate: &'a dyn Gate,
    slots: Vec<Slot>,
    /// Parameters that the slots stand for.
    placed: usize,
    preludes: Vec<Template>,
    columns: Vec<String>,
    next_alias: u32,
    predicates: usize,
    /// Points of everything compiled so far.
    pub cost: u64,
}

impl<'a> Compiler<'a> {
    /// A compiler with nothing in it yet.
    pub fn new(catalog: &'a Catalog, operation: Operation<'a>, gate: &'a dyn Gate) -> Self {
        Self {
            catalog,
            operation,
            gate,
            slots: vec![],
            placed: 0,
            preludes: vec![],
            columns: vec![],
            next_alias: 0,
            predicates: 0,
            cost: 0,
        }
    }

    /// Whether anything needs the database.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// The statement, whole, and what is to be run before it.
    pub fn finish(self) -> (Template, Vec<Template>) {
        let columns: Vec<String> = self
            .columns
            .iter()
            .enumerate()
            .map(|(index, sql)| format!("({sql})::text as r{index}"))
            .collect();
        let statement = Template {
            sql: format!("select {}", columns.join(", ")).into(),
            slots: self.slots,
        };
        (statement, self.preludes)
    }

    /// The flight for the values of this request, for what is compiled for one request only.
    pub fn flight(self) -> Result<Flight> {
        let (catalog, variables) = (self.catalog, self.variables());
        let (statement, preludes) = self.finish();
        Ok(Flight::new(&statement, &preludes, catalog, variables)?)
    }

    fn variables(&self) -> &'a Variables {
        self.operation.variables
    }

    /// Keeps the parameter and gives its place in the text, with its type.
    fn bind(&mut self, slot: Slot) -> Result<String> {
        Ok(self.bind_all(slot)?.join(", "))
    }

    /// Keeps the parameters of the slot and gives their places in the text.
    fn bind_all(&mut self, slot: Slot) -> Result<Vec<String>> {
        let mut params = vec![];
        slot.fill(self.catalog, self.variables(), &mut params)?;
        self.slots.push(slot);
        let places = params.iter().map(|param| {
            self.placed += 1;
            format!("${}::{}", self.placed, param.pg_type())
        });
        Ok(places.collect())
    }

    fn alias(&mut self) -> String {
        self.next_alias += 1;
        format!("t{}", self.next_alias)
    }

    /// Refuses what the caller may not read at all.
    fn admit(&self, entity: &Entity) -> Result<()> {
        self.gate
            .admit(entity)
            .map_err(|denied| CompileError::Denied {
                code: denied.code,
                message: denied.message,
            })
    }

    /// The same for what is reached from elsewhere, where rows of one's own need no scope.
    fn admit_reached(&self, entity: &Entity) -> Result<()> {
        match entity.own_rows && self.gate.reaches(entity) {
            true => Ok(()),
            false => self.admit(entity),
        }
    }

    fn entity(&self, name: &str) -> Result<&'a Entity> {
        self.catalog
            .entities
            .get(name)
            .ok_or_else(|| CompileError::Broken(format!("no entity {name}")))
    }
}

impl<'a> Compiler<'a> {
    /// The entity that the relation leads to.
    fn target(&self, relation: &Relation) -> Result<&'a Entity> {
        let table = &relation.target_table;
        self.catalog
            .entity_of_table(table)
            .ok_or_else(|| CompileError::Broken(format!("no entity for {table}")))
    }
}

/// SQL that shows a column of that type as JSON.
fn shown(scalar: &Scalar, expression: &str, catalog: &Catalog) -> String {
    match scalar {
        Scalar::Id(name) => {
            let tag = catalog.entities.get(name).map_or(0, |entity| entity.tag);
            crate::global_id::sql(tag, expression)
        }
        Scalar::BigInt => format!("{expression}::text"),
        Scalar::DateTime => {
            format!("to_char({expression} at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
        }
        Scalar::Enum(_) => format!("upper({expression})"),
        // JSON made by PostgreSQL writes days in ISO 8601, whatever `DateStyle` says.
        Scalar::String | Scalar::Int | Scalar::Boolean | Scalar::Date | Scalar::StringList => {
            expression.to_owned()
        }
    }
}

/// A text as an SQL literal. For names of the catalog and response keys, never for values of a request.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// PostgreSQL takes at most 100 arguments, so a wide object is glued from several.
const PAIRS_PER_CALL: usize = 50;

/// `json_build_object` of these pairs, however many.
fn build_object(pairs: &[(String, String)]) -> String {
    let call = |pairs: &[(String, String)]| {
        let arguments: Vec<String> = pairs
            .iter()
            .map(|(key, sql)| format!("{}, {sql}", literal(key)))
            .collect();
        format!("json_build_object({})", arguments.join(", "))
    };
    if pairs.len() <= PAIRS_PER_CALL {
        return call(pairs);
    }
    let parts: Vec<String> = pairs
        .chunks(PAIRS_PER_CALL)
        .map(|chunk| {
            let object = call(chunk);
            format!("(select substr(o, 2, length(o) - 2) from (select {object}::text as o) g)")
        })
        .collect();
    format!("('{{' || {} || '}}')::json", parts.join(" || ', ' || "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_object_is_glued_from_calls_that_postgres_takes() {
        let pairs: Vec<_> = (0..120).map(|n| (format!("k{n}"), n.to_string())).collect();
        assert_eq!(build_object(&pairs).matches("json_build_object").count(), 3);
    }
}
