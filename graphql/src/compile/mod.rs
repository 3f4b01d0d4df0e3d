//! From a validated operation to ONE SQL statement and the shape of its answer. The statement reads level by level
//! ([`level`]); filter, order and limit stand in the innermost select. What it gives is made JSON by [`crate::rows`].

mod aggregate;
mod connection;
mod denied;
mod filter;
mod functions;
mod joint;
mod keyset;
mod level;
mod object;
mod related;
mod root;

pub(crate) use aggregate::{extreme_names, sum_name};
pub use keyset::Cursor;

use denied::Suspects;
use joint::Placed;
use level::{Level, Output};

use std::sync::Arc;

use crate::{
    answer::Denial,
    catalog::{Catalog, Entity, Relation},
    collect::Operation,
    engine::Gate,
    given::Variables,
    joint::Joint,
    plan::{Flight, Slot, Statement, Template, Unfit},
    rows::Shape,
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
    /// The caller may not ask this: the field is null, or what is around it; the others are answered.
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

/// The shape of a piece of the answer and the points that it costs.
struct Priced {
    shape: Shape,
    cost: u64,
}

/// Compiles the fields of one operation into one flight.
pub struct Compiler<'a> {
    catalog: &'a Catalog,
    operation: Operation<'a>,
    gate: &'a dyn Gate,
    slots: Vec<Slot>,
    /// Parameters that the slots stand for.
    placed: Vec<Placed>,
    preludes: Vec<Template>,
    levels: Vec<Level>,
    /// The columns of the statement.
    outputs: Vec<Output>,
    next_alias: u32,
    predicates: usize,
    denials: Vec<Denial>,
    suspects: Suspects,
    /// Points of everything compiled so far.
    pub cost: u64,
    /// Whether a function of a row was called: what it gives holds for now.
    pub of_now: bool,
}

impl<'a> Compiler<'a> {
    /// A compiler with nothing in it yet.
    pub fn new(catalog: &'a Catalog, operation: Operation<'a>, gate: &'a dyn Gate) -> Self {
        Self {
            catalog,
            operation,
            gate,
            slots: vec![],
            placed: vec![],
            preludes: vec![],
            levels: vec![Level::answer()],
            outputs: vec![],
            next_alias: 0,
            predicates: 0,
            denials: vec![],
            suspects: Suspects::default(),
            cost: 0,
            of_now: false,
        }
    }

    /// The statement, whole, and what is to be run before it; `None` when nothing needs the database. With `joint`, also
    /// what several requests may share.
    pub fn finish(mut self, joint: bool) -> Result<Option<Statement>> {
        if self.levels.len() == 1 && self.outputs.is_empty() {
            return Ok(None);
        }
        let (sql, layout) = self.statement()?;
        let joint = joint.then(|| Arc::new(Joint::new(self.many(), self.cost)));
        Ok(Some(Statement {
            joint,
            template: Template {
                sql: sql.into(),
                slots: self.slots,
            },
            preludes: self.preludes,
            layout,
        }))
    }

    /// The statement with its flight for the values of this request, for what is compiled for one request only.
    pub fn flight(self) -> Result<Option<(Statement, Flight)>> {
        let (catalog, variables) = (self.catalog, self.variables());
        let Some(statement) = self.finish(false)? else {
            return Ok(None);
        };
        let flight = statement.flight(catalog, variables)?;
        Ok(Some((statement, flight)))
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
        let fixed = slot.is_fixed();
        self.slots.push(slot);
        let places = params.iter().map(|param| {
            let of = param.pg_type();
            let list = param.list_type();
            self.placed.push(Placed { of, list, fixed });
            format!("${}::{of}", self.placed.len())
        });
        Ok(places.collect())
    }

    fn alias(&mut self) -> String {
        self.next_alias += 1;
        format!("t{}", self.next_alias)
    }

    /// What is denied below the fields that were compiled; the number of a denial is its place.
    pub fn denials(&mut self) -> Vec<Denial> {
        std::mem::take(&mut self.denials)
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

    /// The entity that the relation leads to.
    fn target(&self, relation: &Relation) -> Result<&'a Entity> {
        let table = &relation.target_table;
        self.catalog
            .entity_of_table(table)
            .ok_or_else(|| CompileError::Broken(format!("no entity for {table}")))
    }
}
