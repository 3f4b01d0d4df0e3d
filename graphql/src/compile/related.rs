//! Filters by what a row is related to: `exists` over the rows that the relation leads to, under the same policies and
//! after the same question whether they may be read at all.

use super::{CompileError, Compiler, Result};
use crate::{
    catalog::{Cardinality, Entity, Field, Relation},
    given::Given,
};

/// Points of a condition on related rows.
const COST: u64 = 2;

/// Whether that field of the filter is a relation.
pub(super) fn is_filterable(entity: &Entity, name: &str) -> bool {
    matches!(entity.fields.get(name), Some(Field::Relation(relation)) if relation.filterable)
}

impl<'a> Compiler<'a> {
    /// The condition that a filter by that relation says of the row at `alias`.
    pub(super) fn related_filter(
        &mut self,
        entity: &'a Entity,
        alias: &str,
        name: &str,
        value: &Given,
        depth: usize,
    ) -> Result<String> {
        let Some(Field::Relation(relation)) = entity.fields.get(name) else {
            return Err(CompileError::Broken(format!("no relation {name}")));
        };
        let target = self.target(relation)?;
        self.admit_reached(target)?;
        if relation.cardinality != Cardinality::ToMany {
            let exists = self.exists(relation, target, alias, value, depth)?;
            return Ok(exists);
        }
        let Some(quantifiers) = value.members(self.variables()) else {
            return Err(CompileError::Bad(format!(
                "filter on `{name}` must be an object"
            )));
        };
        let mut all = vec![];
        for (quantifier, inner) in &quantifiers {
            if inner.is_null(self.variables()) {
                continue;
            }
            let exists = self.exists(relation, target, alias, inner, depth)?;
            all.push(match quantifier.as_str() {
                "some" => exists,
                "none" => format!("not {exists}"),
                other => {
                    return Err(CompileError::Bad(format!(
                        "`{name}` has no field `{other}`"
                    )));
                }
            });
        }
        Ok(match all.is_empty() {
            true => "true".to_owned(),
            false => all.join(" and "),
        })
    }

    fn exists(
        &mut self,
        relation: &Relation,
        target: &'a Entity,
        alias: &str,
        filter: &Given,
        depth: usize,
    ) -> Result<String> {
        self.one_more_predicate()?;
        self.cost += COST;
        let theirs = self.alias();
        let condition = self.filter(target, &theirs, filter, depth + 1)?;
        let table = &target.table;
        let (from, tie) = match &relation.through {
            None => (
                format!("{table} {theirs}"),
                format!(
                    "{theirs}.{} = {alias}.{}",
                    relation.to_column, relation.from_column
                ),
            ),
            Some((link, our_key, their_key)) => {
                let between = self.alias();
                (
                    format!(
                        "{link} {between} join {table} {theirs} on {theirs}.{} = {between}.{their_key}",
                        relation.to_column
                    ),
                    format!("{between}.{our_key} = {alias}.{}", relation.from_column),
                )
            }
        };
        Ok(format!(
            "exists (select 1 from {from} where {tie} and {condition})"
        ))
    }
}
