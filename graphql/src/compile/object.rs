//! One row as an object: columns, money, computed fields, and what its relations lead to.

use async_graphql::parser::types::SelectionSet;

use super::{CompileError, Compiler, Priced, Result, connection};
use crate::{
    catalog::{Cardinality, Entity, Field, Money, Relation, Scalar},
    collect::Selected,
    cost,
    rows::{Kind, Shape},
};

/// Where a row stands: the level, and the alias in it.
#[derive(Clone, Copy)]
pub(super) struct Row<'r> {
    pub level: usize,
    pub alias: &'r str,
}

impl<'a> Compiler<'a> {
    /// The object of the row.
    pub(super) fn object(
        &mut self,
        entity: &'a Entity,
        row: Row<'_>,
        sets: &[&'a SelectionSet],
    ) -> Result<Priced> {
        let mut fields = vec![];
        let mut cost = cost::OBJECT;
        for selected in self.operation.collect(sets, &entity.name, true)? {
            let value = self.field(entity, row, &selected)?;
            cost += value.cost;
            fields.push((selected.key.to_owned(), value.shape));
        }
        Ok(Priced {
            shape: Shape::object(fields),
            cost,
        })
    }

    fn field(
        &mut self,
        entity: &'a Entity,
        row: Row<'_>,
        selected: &Selected<'a>,
    ) -> Result<Priced> {
        let free = |shape: Shape| Ok(Priced { shape, cost: 0 });
        if selected.name == "__typename" {
            return free(name_of(&entity.name));
        }
        let field = entity.fields.get(selected.name).ok_or_else(|| {
            CompileError::Broken(format!("no field {} on {}", selected.name, entity.name))
        })?;
        let alias = row.alias;
        match field {
            Field::Key => {
                let column = self.shown(row.level, format!("{alias}.{}", entity.key))?;
                free(Shape::Value(column, Kind::Id(entity.tag)))
            }
            Field::Column(index) => {
                let column = &entity.columns[*index];
                free(self.value(row, &column.scalar, format!("{alias}.{}", column.name))?)
            }
            Field::Money(money) => self.below(selected, money.function.is_some(), |compiler| {
                if money.function.is_some() {
                    compiler.suspect(selected)?;
                    compiler.of_now = true;
                }
                Ok(Priced {
                    shape: compiler.money(money, &entity.key, row, selected)?,
                    cost: money.function.as_ref().map_or(0, |_| cost::CALL),
                })
            }),
            Field::Computed(computed) => self.below(selected, computed.nullable, |compiler| {
                compiler.computed(computed, entity, row, selected)
            }),
            Field::Rows(rows) => self.below(selected, false, |compiler| {
                compiler.rows_field(rows, entity, row, selected)
            }),
            Field::Relation(relation) => {
                let many = relation.cardinality == Cardinality::ToMany;
                self.below(selected, !many && !relation.required, |compiler| {
                    compiler.relation(relation, row, selected)
                })
            }
        }
    }

    pub(super) fn value(
        &mut self,
        row: Row<'_>,
        scalar: &Scalar,
        expression: String,
    ) -> Result<Shape> {
        let (expression, kind) = Kind::of(scalar, expression, self.catalog);
        Ok(Shape::Value(self.shown(row.level, expression)?, kind))
    }

    fn money(
        &mut self,
        money: &Money,
        key: &str,
        row: Row<'_>,
        selected: &Selected<'a>,
    ) -> Result<Shape> {
        let minor = match &money.function {
            None => format!("{}.{}", row.alias, money.minor_column),
            Some(function) => format!("{function}({}.{key})", row.alias),
        };
        let currency = format!("{}.{}", row.alias, money.currency_column);
        let present = Some(self.shown(row.level, minor.clone())?);
        let mut fields = vec![];
        for part in self.operation.collect(&selected.sets, "Money", false)? {
            let (expression, kind) = match part.name {
                "__typename" => {
                    fields.push((part.key.to_owned(), name_of("Money")));
                    continue;
                }
                "minorUnits" => (minor.clone(), Kind::Digits),
                "currencyCode" => (currency.clone(), Kind::Text),
                "amount" => (format!("es.money_text({minor}, {currency})"), Kind::Text),
                other => return Err(CompileError::Broken(format!("no field {other} on Money"))),
            };
            let column = self.shown(row.level, expression)?;
            fields.push((part.key.to_owned(), Shape::Value(column, kind)));
        }
        Ok(Shape::Object { present, fields })
    }

    fn relation(
        &mut self,
        relation: &'a Relation,
        row: Row<'_>,
        selected: &Selected<'a>,
    ) -> Result<Priced> {
        let target = self.target(relation)?;
        self.admit_reached(target)?;
        if relation.cardinality != Cardinality::ToMany {
            let from = &relation.from_column;
            return self.beside(from, relation, target, row, selected);
        }
        let theirs = self.alias();
        let ours = format!("{}.{}", row.alias, relation.from_column);
        let source = match &relation.through {
            None => connection::Source {
                from: format!("{} {theirs}", target.table),
                condition: None,
                tie: connection::Tie::between(format!("{theirs}.{}", relation.to_column), ours),
                calls: false,
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
                    condition: None,
                    tie: connection::Tie::between(format!("{between}.{our_key}"), ours),
                    calls: false,
                    fan_out: relation.fan_out,
                    best_first: None,
                }
            }
        };
        self.connection(target, &theirs, row.level, &source, selected)
    }

    /// The other row stands beside ours, in the same level. `from` is the column of ours that holds its key.
    pub(super) fn beside(
        &mut self,
        from: &str,
        relation: &'a Relation,
        target: &'a Entity,
        row: Row<'_>,
        selected: &Selected<'a>,
    ) -> Result<Priced> {
        let level = row.level;
        let theirs = self.joined(
            level,
            (row.alias, from),
            (&target.table, &relation.to_column),
        );
        let there = Row {
            level,
            alias: &theirs,
        };
        let present = Some(self.shown(level, format!("{theirs}.{}", target.key))?);
        let Priced { shape, cost } = self.object(target, there, &selected.sets)?;
        let shape = match shape {
            Shape::Object { fields, .. } => Shape::Object { present, fields },
            other => other,
        };
        Ok(Priced { shape, cost })
    }
}

/// The name of a type as JSON; it needs no escaping.
pub(super) fn name_of(type_name: &str) -> Shape {
    Shape::Text(format!("\"{type_name}\""))
}
