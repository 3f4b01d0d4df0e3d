//! Postgres functions that return rows: as fields of an entity and as root fields. What they give is a connection like
//! any other, filtered, ordered, paged and counted.

use crate::catalog::{Argument, Catalog, CatalogError, Column, Entity, Scalar};

/// Arguments that every connection has already.
const OF_CONNECTIONS: [&str; 6] = ["first", "after", "last", "before", "filter", "orderBy"];

/// A stable set-returning Postgres function. The live database is asked at start whether it is as described here.
#[derive(Clone, Debug)]
pub struct RowSource {
    /// Function, schema-qualified.
    pub function: String,
    /// Of a function that finds rather than lists: it returns (id uuid, rank integer), the rows are those of the table
    /// with these keys *that the caller may see*, and they come best first unless the client orders otherwise.
    pub rank: Option<Column>,
    /// Points of a call.
    pub cost: u32,
}

/// A field of an entity answered by a [`RowSource`] of the row's key.
#[derive(Clone, Debug)]
pub struct RowsField {
    /// Name in the API.
    pub field: String,
    /// Public description.
    pub description: String,
    /// Arguments of the field, in the order of the function's, which takes the key of the row before them.
    pub arguments: Vec<Argument>,
    /// Entity of the rows.
    pub entity: String,
    /// The function.
    pub source: RowSource,
    /// How many rows it usually gives at most; bounds the cost of the field.
    pub fan_out: u32,
}

impl RowSource {
    /// A function that returns rows of the entity's table (`returns setof`). It runs as the caller, so that what it
    /// reads is what the caller may see.
    pub fn listing(function: &str, cost: u32) -> Self {
        Self {
            function: function.to_owned(),
            rank: None,
            cost,
        }
    }

    /// A function that returns keys and ranks.
    pub fn finding(function: &str, cost: u32) -> Self {
        Self {
            rank: Some(Column {
                name: "es_found_rank".to_owned(),
                field: "rank".to_owned(),
                description: String::new(),
                scalar: Scalar::Int,
                nullable: false,
                defaulted: false,
                exposed: false,
                filterable: false,
                orderable: false,
                filled_where_seen: false,
            }),
            ..Self::listing(function, cost)
        }
    }

    /// The from clause for a call of it, with the rows at `alias`.
    pub fn from(&self, entity: &Entity, call: &str, alias: &str) -> String {
        match &self.rank {
            None => format!("{call} {alias}"),
            Some(rank) => format!(
                "(select x.*, f.rank as {} from {call} f join {} x on x.{} = f.id) {alias}",
                rank.name, entity.table, entity.key
            ),
        }
    }
}

impl Argument {
    /// An argument that must be given.
    pub fn needed(name: &str, scalar: Scalar, description: &str) -> Self {
        Self {
            name: name.to_owned(),
            description: description.to_owned(),
            scalar,
            required: true,
            longest: None,
        }
    }

    /// A text of at most so many characters.
    pub fn at_most(mut self, longest: usize) -> Self {
        self.longest = Some(longest);
        self
    }
}

impl Catalog {
    pub(crate) fn check_rows(&self, rows: &RowsField, whose: &str) -> Result<(), CatalogError> {
        if !self.entities.contains_key(&rows.entity) {
            return Err(CatalogError::Unknown(format!(
                "{whose} returns {}, which is not declared",
                rows.entity
            )));
        }
        self.check_arguments(&rows.arguments, true, whose)
    }

    pub(crate) fn check_arguments(
        &self,
        arguments: &[Argument],
        many: bool,
        whose: &str,
    ) -> Result<(), CatalogError> {
        for argument in arguments {
            let taken = many && OF_CONNECTIONS.contains(&argument.name.as_str());
            if taken {
                let name = &argument.name;
                return Err(CatalogError::Twice(format!(
                    "the argument {name} of {whose}"
                )));
            }
            self.check_scalar(&argument.scalar, whose)?;
            if argument.longest.is_some() && argument.scalar != Scalar::String {
                let name = &argument.name;
                return Err(CatalogError::Unknown(format!(
                    "the argument {name} of {whose} is no text and cannot be too long"
                )));
            }
        }
        Ok(())
    }
}
