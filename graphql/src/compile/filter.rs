//! Filters. Only declared columns; lists travel as one array parameter, so that they do not multiply statements.

use super::{CompileError, Compiler, Result, related};
use crate::{
    catalog::{Column, Entity, Scalar},
    given::Given,
    plan::Slot,
};

const DEEPEST: usize = 3;
const MOST_PREDICATES: usize = 20;
const LONGEST_LIST: usize = 100;

impl<'a> Compiler<'a> {
    /// The condition that a filter says of the row at `alias`.
    pub(super) fn filter(
        &mut self,
        entity: &'a Entity,
        alias: &str,
        filter: &Given,
        depth: usize,
    ) -> Result<String> {
        if depth > DEEPEST {
            return Err(CompileError::Bad(format!(
                "`filter` nests more than {DEEPEST} deep"
            )));
        }
        let Some(fields) = filter.members(self.variables()) else {
            return Err(CompileError::Bad("`filter` must be an object".to_owned()));
        };
        let mut all = vec!["true".to_owned()];
        for (name, value) in &fields {
            if value.is_null(self.variables()) {
                continue;
            }
            match name.as_str() {
                "and" => all.push(self.several(entity, alias, value, depth, " and ", "true")?),
                "or" => all.push(self.several(entity, alias, value, depth, " or ", "false")?),
                "not" => {
                    let inner = self.filter(entity, alias, value, depth + 1)?;
                    // Absent values make a comparison unknown; "does not hold" is what remains.
                    all.push(format!("({inner}) is not true"));
                }
                _ if related::is_filterable(entity, name) => {
                    all.push(self.related_filter(entity, alias, name, value, depth)?);
                }
                _ => {
                    let column = entity
                        .column_by_field(name)
                        .filter(|column| column.filterable)
                        .ok_or_else(|| {
                            CompileError::Bad(format!(
                                "{}Filter has no field `{name}`",
                                entity.name
                            ))
                        })?;
                    self.column_filter(column, alias, value, &mut all)?;
                }
            }
        }
        if all.len() > 1 {
            all.remove(0);
        }
        Ok(all.join(" and "))
    }

    fn several(
        &mut self,
        entity: &'a Entity,
        alias: &str,
        value: &Given,
        depth: usize,
        glue: &str,
        empty: &str,
    ) -> Result<String> {
        let mut parts = vec![];
        for item in value.items(self.variables()) {
            parts.push(format!(
                "({})",
                self.filter(entity, alias, &item, depth + 1)?
            ));
        }
        Ok(match parts.is_empty() {
            true => empty.to_owned(),
            false => format!("({})", parts.join(glue)),
        })
    }

    fn column_filter(
        &mut self,
        column: &Column,
        alias: &str,
        value: &Given,
        all: &mut Vec<String>,
    ) -> Result<()> {
        let Some(operators) = value.members(self.variables()) else {
            return Err(CompileError::Bad(format!(
                "filter on `{}` must be an object",
                column.field
            )));
        };
        for (operator, operand) in &operators {
            self.one_more_predicate()?;
            if operand.is_null(self.variables()) {
                return Err(CompileError::Bad(format!(
                    "`{}.{operator}` must not be null; use isNull",
                    column.field
                )));
            }
            all.push(self.predicate(column, alias, operator, operand)?);
        }
        Ok(())
    }

    /// Counts a condition.
    pub(super) fn one_more_predicate(&mut self) -> Result<()> {
        self.predicates += 1;
        match self.predicates > MOST_PREDICATES {
            true => Err(CompileError::Bad(format!(
                "an operation filters by at most {MOST_PREDICATES} conditions"
            ))),
            false => Ok(()),
        }
    }

    fn predicate(
        &mut self,
        column: &Column,
        alias: &str,
        operator: &str,
        operand: &Given,
    ) -> Result<String> {
        let name = format!("{alias}.{}", column.name);
        let what = format!("{}.{operator}", column.field);
        if operator == "isNull" {
            return match operand.value(self.variables()).as_bool() {
                Some(true) => Ok(format!("{name} is null")),
                Some(false) => Ok(format!("{name} is not null")),
                None => Err(CompileError::Bad(format!("`{what}` must be true or false"))),
            };
        }
        if let "in" | "notIn" = operator {
            let slot = Slot::Many(operand.clone(), column.scalar.clone(), what, LONGEST_LIST);
            let array = self.bind(slot)?;
            return Ok(match operator {
                "in" => format!("{name} = any ({array})"),
                _ => format!("({name} = any ({array})) is not true"),
            });
        }
        let ordered = matches!(
            column.scalar,
            Scalar::Int | Scalar::BigInt | Scalar::DateTime | Scalar::Date | Scalar::String
        );
        let sql_operator = match operator {
            "eq" => "=",
            "ne" => "is distinct from",
            "lt" if ordered => "<",
            "lte" if ordered => "<=",
            "gt" if ordered => ">",
            "gte" if ordered => ">=",
            // `^@` is leakproof where `like` is not: under row level security only it may use an index.
            "startsWith" if column.scalar == Scalar::String => "^@",
            _ => {
                return Err(CompileError::Bad(format!(
                    "`{}` has no operator `{operator}`",
                    column.field
                )));
            }
        };
        let param = self.bind(Slot::One(operand.clone(), column.scalar.clone(), what))?;
        Ok(format!("{name} {sql_operator} {param}"))
    }
}
