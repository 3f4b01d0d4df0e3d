//! One row as a JSON object: columns, money, computed fields, and what its relations lead to.

use async_graphql::parser::types::SelectionSet;

use super::{CompileError, Compiler, Priced, Result, build_object, connection, literal, shown};
use crate::{
    catalog::{Cardinality, Entity, Field, Money, Relation},
    collect::Selected,
    cost,
};

impl<'a> Compiler<'a> {
    /// The object of the row at `alias`.
    pub(super) fn object(
        &mut self,
        entity: &'a Entity,
        alias: &str,
        sets: &[&'a SelectionSet],
    ) -> Result<Priced> {
        let mut pairs = vec![];
        let mut cost = cost::OBJECT;
        for selected in self.operation.collect(sets, &entity.name, true)? {
            let value = self.field(entity, alias, &selected)?;
            cost += value.cost;
            pairs.push((selected.key.to_owned(), value.sql));
        }
        Ok(Priced {
            sql: build_object(&pairs),
            cost,
        })
    }

    fn field(
        &mut self,
        entity: &'a Entity,
        alias: &str,
        selected: &Selected<'a>,
    ) -> Result<Priced> {
        let free = |sql: String| Ok(Priced { sql, cost: 0 });
        if selected.name == "__typename" {
            return free(literal(&entity.name));
        }
        let field = entity.fields.get(selected.name).ok_or_else(|| {
            CompileError::Broken(format!("no field {} on {}", selected.name, entity.name))
        })?;
        match field {
            Field::Key => free(crate::global_id::sql(
                entity.tag,
                &format!("{alias}.{}", entity.key),
            )),
            Field::Column(index) => {
                let column = &entity.columns[*index];
                free(shown(
                    &column.scalar,
                    &format!("{alias}.{}", column.name),
                    self.catalog,
                ))
            }
            Field::Money(money) => self.money(money, alias, selected),
            Field::Computed(computed) => self.computed(computed, entity, alias, selected),
            Field::Rows(rows) => self.rows_field(rows, entity, alias, selected),
            Field::Relation(relation) => self.relation(relation, alias, selected),
        }
    }

    fn money(&mut self, money: &Money, alias: &str, selected: &Selected<'a>) -> Result<Priced> {
        let minor = format!("{alias}.{}", money.minor_column);
        let currency = format!("{alias}.{}", money.currency_column);
        let mut pairs = vec![];
        for part in self.operation.collect(&selected.sets, "Money", false)? {
            let sql = match part.name {
                "__typename" => literal("Money"),
                "minorUnits" => format!("{minor}::text"),
                "currencyCode" => currency.clone(),
                "amount" => format!("es.money_text({minor}, {currency})"),
                other => return Err(CompileError::Broken(format!("no field {other} on Money"))),
            };
            pairs.push((part.key.to_owned(), sql));
        }
        Ok(Priced {
            sql: format!(
                "case when {minor} is null then null else {} end",
                build_object(&pairs)
            ),
            cost: 0,
        })
    }

    fn relation(
        &mut self,
        relation: &'a Relation,
        alias: &str,
        selected: &Selected<'a>,
    ) -> Result<Priced> {
        let target = self.target(relation)?;
        self.admit_reached(target)?;
        let theirs = self.alias();
        if relation.cardinality != Cardinality::ToMany {
            let object = self.object(target, &theirs, &selected.sets)?;
            return Ok(Priced {
                sql: format!(
                    "(select {} from {} {theirs} where {theirs}.{} = {alias}.{})",
                    object.sql, target.table, relation.to_column, relation.from_column
                ),
                cost: object.cost,
            });
        }
        let source = match &relation.through {
            None => connection::Source {
                from: format!("{} {theirs}", target.table),
                condition: Some(format!(
                    "{theirs}.{} = {alias}.{}",
                    relation.to_column, relation.from_column
                )),
                fan_out: relation.fan_out,
                best_first: None,
            },
            Some((link, our_key, their_key)) => {
                let between = self.alias();
                connection::Source {
                    from: format!(
                        "{link} {between} join {} {theirs} on {theirs}.{} = {between}.{their_key}",
                        target.table, relation.to_column
                    ),
                    condition: Some(format!(
                        "{between}.{our_key} = {alias}.{}",
                        relation.from_column
                    )),
                    fan_out: relation.fan_out,
                    best_first: None,
                }
            }
        };
        self.connection(target, &theirs, &source, selected)
    }
}
