//! Filters. Only declared columns; lists travel as one array parameter, so that they do not multiply statements.

use serde_json::Value as Json;

use super::{CompileError, Compiler, Result};
use crate::{
    catalog::{Column, Entity, Scalar},
    values,
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
        filter: &Json,
        depth: usize,
    ) -> Result<String> {
        if depth > DEEPEST {
            return Err(CompileError::Bad(format!(
                "`filter` nests more than {DEEPEST} deep"
            )));
        }
        let Some(fields) = filter.as_object() else {
            return Err(CompileError::Bad("`filter` must be an object".to_owned()));
        };
        let mut all = vec!["true".to_owned()];
        for (name, value) in fields {
            if value.is_null() {
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
        value: &Json,
        depth: usize,
        glue: &str,
        empty: &str,
    ) -> Result<String> {
        let mut parts = vec![];
        for item in values::items(value) {
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
        value: &Json,
        all: &mut Vec<String>,
    ) -> Result<()> {
        let Some(operators) = value.as_object() else {
            return Err(CompileError::Bad(format!(
                "filter on `{}` must be an object",
                column.field
            )));
        };
        for (operator, operand) in operators {
            self.predicates += 1;
            if self.predicates > MOST_PREDICATES {
                return Err(CompileError::Bad(format!(
                    "an operation filters by at most {MOST_PREDICATES} conditions"
                )));
            }
            if operand.is_null() {
                return Err(CompileError::Bad(format!(
                    "`{}.{operator}` must not be null; use isNull",
                    column.field
                )));
            }
            all.push(self.predicate(column, alias, operator, operand)?);
        }
        Ok(())
    }

    fn predicate(
        &mut self,
        column: &Column,
        alias: &str,
        operator: &str,
        operand: &Json,
    ) -> Result<String> {
        let name = format!("{alias}.{}", column.name);
        let what = format!("{}.{operator}", column.field);
        if operator == "isNull" {
            return match operand.as_bool() {
                Some(true) => Ok(format!("{name} is null")),
                Some(false) => Ok(format!("{name} is not null")),
                None => Err(CompileError::Bad(format!("`{what}` must be true or false"))),
            };
        }
        if let "in" | "notIn" = operator {
            let items = values::items(operand);
            if items.len() > LONGEST_LIST {
                return Err(CompileError::Bad(format!(
                    "`{what}` takes at most {LONGEST_LIST} values"
                )));
            }
            let array = values::array_param(self.catalog, &column.scalar, &items, &what)?;
            let array = self.bind(array);
            return Ok(match operator {
                "in" => format!("{name} = any ({array})"),
                _ => format!("({name} = any ({array})) is not true"),
            });
        }
        let ordered = matches!(
            column.scalar,
            Scalar::Int | Scalar::BigInt | Scalar::DateTime | Scalar::String
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
        let param = values::param(self.catalog, &column.scalar, operand, &what)?;
        let param = self.bind(param);
        Ok(format!("{name} {sql_operator} {param}"))
    }
}
