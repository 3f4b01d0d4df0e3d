//! `aggregates` of a connection: all rows that its filter means, grouped, counted and added up, beside the page.
//!
//! Rows are grouped in an inner select. Where money is added up, that select groups by currency too and a second one
//! gathers the currencies of each group, so that amounts of different currencies are never added.

use std::collections::BTreeSet;

use async_graphql::parser::types::SelectionSet;

use super::{
    CompileError, Compiler, Priced, Result,
    connection::Source,
    level::ANSWER,
    object::{Row, name_of},
};
use crate::{
    aggregates::{Aggregates, Grouping},
    catalog::{Entity, Field, Money, Scalar},
    collect::Selected,
    cost,
    declare::camel_case,
    rows::{Kind, Page, Shape},
};

/// What a client may group by at once.
const MOST_KEYS: usize = 3;
/// Groups when `first` is not given, and at most.
const DEFAULT_GROUPS: i64 = cost::DEFAULT_GROUPS as i64;
const MOST_GROUPS: i64 = cost::MOST_GROUPS as i64;

/// What one `aggregates` field asks for.
struct Asked<'a> {
    declared: &'a Aggregates,
    keys: Vec<&'a Grouping>,
    most: i64,
    order: &'static str,
}

/// What the selection needs of the inner selects.
#[derive(Default)]
struct Needed {
    /// Indexes of [`Aggregates::numbers`] and [`Aggregates::extremes`].
    numbers: BTreeSet<usize>,
    extremes: BTreeSet<usize>,
    /// Index of [`Aggregates::money`] and the SQL of one amount, over `i.s<index>` and `i.currency`.
    amounts: Vec<(usize, String)>,
}

impl<'a> Compiler<'a> {
    /// The aggregation of the rows of the source that meet the conditions, for each row of the level `above`.
    pub(super) fn aggregates(
        &mut self,
        entity: &'a Entity,
        alias: &str,
        above: usize,
        source: &Source<'a>,
        conditions: &[String],
        selected: &Selected<'a>,
    ) -> Result<Priced> {
        let asked = self.asked(entity, selected)?;
        self.suspect(selected)?;
        let mut needed = Needed::default();
        let mut cost = cost::AGGREGATES;
        let mut fields = vec![];
        let level = self.open_below(above, "")?;
        let page = Page {
            size: usize::try_from(asked.most).unwrap_or(0),
            backward: false,
        };
        let name = format!("{}Aggregation", entity.name);
        for field in self.operation.collect(&selected.sets, &name, false)? {
            let shape = match field.name {
                "__typename" => name_of(&name),
                "truncated" => Shape::More { level, page },
                "groups" => {
                    let group = self.group(entity, &asked, level, &field.sets, &mut needed)?;
                    let groups = match asked.keys.is_empty() {
                        true => 1,
                        false => asked.most.unsigned_abs(),
                    };
                    cost += groups * group.cost;
                    Shape::Rows {
                        level,
                        page,
                        row: Box::new(group.shape),
                    }
                }
                other => return Err(CompileError::Broken(format!("no field {other} on {name}"))),
            };
            fields.push((field.key.to_owned(), shape));
        }
        let (joined, zone) = self.zone(entity, alias, &asked)?;
        let ours = match (&source.tie, above) {
            (None, _) => None,
            (Some(tie), ANSWER) => Some(tie.ours.clone()),
            (Some(tie), _) => Some(format!("p.c{}", self.column(above, tie.ours.clone()))),
        };
        let rows = source.rows(ours.as_deref(), &joined, conditions);
        let grouped = grouped(entity, alias, &rows, &zone, &asked, &needed)?;
        let limit = asked.most + 1;
        // `none` is the key of what the rows are not grouped by.
        let groups = format!("(select q.*, null::uuid as none from ({grouped} limit {limit}) q) g");
        self.fill(level, &groups);
        Ok(Priced {
            shape: Shape::object(fields).paid(cost::AGGREGATES),
            cost,
        })
    }

    /// Who may ask, and what the arguments mean.
    fn asked(&self, entity: &'a Entity, selected: &Selected<'a>) -> Result<Asked<'a>> {
        let declared = entity
            .aggregates
            .as_ref()
            .ok_or_else(|| CompileError::Broken(format!("{} has no aggregates", entity.name)))?;
        self.gate
            .holds(&declared.scope)
            .map_err(|denied| CompileError::Denied {
                code: denied.code,
                message: denied.message,
            })?;
        let bad = |text: String| Err(CompileError::Bad(text));
        let mut keys: Vec<&Grouping> = vec![];
        let given = self.argument(selected, "groupBy");
        for item in given
            .map(|value| value.items(self.variables()))
            .unwrap_or_default()
        {
            let name = item.value(self.variables());
            let name = name.as_str().unwrap_or_default();
            match declared.groupings.iter().find(|one| one.shown() == name) {
                Some(key) if keys.contains(&key) => {
                    return bad(format!("`groupBy` names {name} twice"));
                }
                Some(key) => keys.push(key),
                None => {
                    return bad(format!(
                        "`groupBy` must be values of {}GroupBy",
                        entity.name
                    ));
                }
            }
        }
        if keys.len() > MOST_KEYS {
            return bad(format!("`groupBy` takes at most {MOST_KEYS} values"));
        }
        let most = match self.argument(selected, "first") {
            None => DEFAULT_GROUPS,
            Some(value) => match value.value(self.variables()).as_i64() {
                Some(most @ 1..=MOST_GROUPS) => most,
                _ => return bad(format!("`first` must be from 1 to {MOST_GROUPS}")),
            },
        };
        let order = self
            .argument(selected, "orderBy")
            .map(|value| value.value(self.variables()));
        let order = match order.as_ref().and_then(|value| value.as_str()) {
            None | Some("KEY_ASC") => "KEY_ASC",
            Some("KEY_DESC") => "KEY_DESC",
            Some("COUNT_ASC") => "COUNT_ASC",
            Some("COUNT_DESC") => "COUNT_DESC",
            Some(_) => return bad("`orderBy` must be a value of AggregateOrderBy".to_owned()),
        };
        Ok(Asked {
            declared,
            keys,
            most,
            order,
        })
    }

    /// One group as an object, over `g.k<n>`, `g.n` and what it notes in `needed`.
    fn group(
        &mut self,
        entity: &'a Entity,
        asked: &Asked<'a>,
        level: usize,
        sets: &[&'a SelectionSet],
        needed: &mut Needed,
    ) -> Result<Priced> {
        let name = format!("{}Aggregate", entity.name);
        let row = Row { level, alias: "g" };
        let mut fields = vec![];
        let mut cost = cost::OBJECT;
        for field in self.operation.collect(sets, &name, false)? {
            let shape = match field.name {
                "__typename" => name_of(&name),
                "count" => Shape::Value(self.shown(level, "g.n".to_owned())?, Kind::Number),
                other => match self.grouping(asked, other) {
                    Some(grouping) => {
                        // Every key can be null: rows may be grouped by others.
                        let key = self.below(&field, true, |compiler| {
                            compiler.key(entity, asked, row, grouping, &field)
                        })?;
                        cost += key.cost;
                        key.shape
                    }
                    None => self.measure(entity, asked.declared, row, &field, needed)?,
                },
            };
            fields.push((field.key.to_owned(), shape));
        }
        Ok(Priced {
            shape: Shape::object(fields),
            cost,
        })
    }

    /// What a field of that name says that the rows of a group have in common; `None` when it is no key at all.
    fn grouping(&self, asked: &Asked<'a>, name: &str) -> Option<&'a Grouping> {
        let mut groupings = asked.declared.groupings.iter();
        groupings.find(|one| one.field() == name)
    }

    /// What the rows of a group have in common; null when they are not grouped by it.
    fn key(
        &mut self,
        entity: &'a Entity,
        asked: &Asked<'a>,
        row: Row<'_>,
        grouping: &'a Grouping,
        field: &Selected<'a>,
    ) -> Result<Priced> {
        let place = asked.keys.iter().position(|key| *key == grouping);
        let shape = match (grouping, place) {
            (Grouping::Relation(relation), place) => {
                let relation = entity
                    .key_relation(relation)
                    .ok_or_else(|| CompileError::Broken(format!("no relation {relation}")))?;
                let target = self.target(relation)?;
                self.admit_reached(target)?;
                // Not grouped by it, it is null; its parameters stay used, so that they are checked all the same.
                let from = place.map_or_else(|| "none".to_owned(), |place| format!("k{place}"));
                return self.beside(&from, relation, target, row, field);
            }
            (_, None) => Shape::null(),
            (Grouping::Column(column), Some(place)) => {
                let scalar = entity.column(column).map(|column| &column.scalar);
                self.value(
                    row,
                    scalar.unwrap_or(&Scalar::String),
                    format!("g.k{place}"),
                )?
            }
            (Grouping::Time(..), Some(place)) => {
                self.value(row, &Scalar::Date, format!("g.k{place}"))?
            }
        };
        Ok(Priced { shape, cost: 0 })
    }

    /// A sum, or a first or last value.
    fn measure(
        &mut self,
        entity: &'a Entity,
        declared: &Aggregates,
        row: Row<'_>,
        field: &Selected<'a>,
        needed: &mut Needed,
    ) -> Result<Shape> {
        let name = field.name;
        for (index, money) in declared.money.iter().enumerate() {
            if name == sum_name(money) {
                let amount = self.amount(index, field)?;
                needed.amounts.push((index, amount));
                let amounts = format!("g.m{}::text", needed.amounts.len() - 1);
                return Ok(Shape::Value(self.shown(row.level, amounts)?, Kind::Json));
            }
        }
        for (index, column) in declared.numbers.iter().enumerate() {
            if name == sum_name(&camel_case(column)) {
                needed.numbers.insert(index);
                // Sums of large numbers are larger than these: digits, made by PostgreSQL.
                let sum = format!("coalesce(g.a{index}, 0)::text");
                return Ok(Shape::Value(self.shown(row.level, sum)?, Kind::Text));
            }
        }
        for (index, column) in declared.extremes.iter().enumerate() {
            let (least, most) = extreme_names(&camel_case(column));
            let side = match name {
                _ if name == least => "lo",
                _ if name == most => "hi",
                _ => continue,
            };
            needed.extremes.insert(index);
            let scalar = entity.column(column).map(|column| &column.scalar);
            let value = format!("g.{side}{index}");
            return self.value(row, scalar.unwrap_or(&Scalar::String), value);
        }
        Err(CompileError::Broken(format!(
            "no field {name} on {}Aggregate",
            entity.name
        )))
    }

    /// One amount of a sum, as `Money`: JSON that PostgreSQL makes, for the amounts of a group are a list in its row.
    fn amount(&self, index: usize, field: &Selected<'a>) -> Result<String> {
        let mut pairs = vec![];
        for part in self.operation.collect(&field.sets, "Money", false)? {
            let sql = match part.name {
                "__typename" => "'Money'".to_owned(),
                "minorUnits" => format!("i.s{index}::text"),
                "currencyCode" => "i.currency".to_owned(),
                // A sum of amounts may be larger than any amount.
                "amount" => format!("es.money_sum_text(i.s{index}, i.currency)"),
                other => return Err(CompileError::Broken(format!("no field {other} on Money"))),
            };
            // Names of GraphQL need no quoting, and no document has so many aliases that PostgreSQL would not take them.
            pairs.push(format!("'{}', {sql}", part.key));
        }
        Ok(format!("json_build_object({})", pairs.join(", ")))
    }

    /// The join that finds the zone of a row, and the zone.
    fn zone(
        &mut self,
        entity: &'a Entity,
        alias: &str,
        asked: &Asked<'a>,
    ) -> Result<(String, String)> {
        let by_time = asked
            .keys
            .iter()
            .any(|key| matches!(key, Grouping::Time(..)));
        let Some(zone) = asked.declared.zone.as_ref().filter(|_| by_time) else {
            return Ok((String::new(), "'UTC'".to_owned()));
        };
        let Some(name) = &zone.relation else {
            return Ok((String::new(), format!("{alias}.{}", zone.column)));
        };
        let relation = entity
            .key_relation(name)
            .ok_or_else(|| CompileError::Broken(format!("no relation {name}")))?;
        let target = self.target(relation)?;
        // Whoever may not read where the zone stands would get days of no zone.
        self.admit_reached(target)?;
        let theirs = self.alias();
        Ok((
            format!(
                " left join {} {theirs} on {theirs}.{} = {alias}.{}",
                target.table, relation.to_column, relation.from_column
            ),
            format!("{theirs}.{}", zone.column),
        ))
    }
}

/// The groups in their order: `k<n>` what they have in common, `n` how many rows, and what is needed beside.
fn grouped(
    entity: &Entity,
    alias: &str,
    rows: &str,
    zone: &str,
    asked: &Asked<'_>,
    needed: &Needed,
) -> Result<String> {
    let mut columns = vec![];
    for (place, key) in asked.keys.iter().enumerate() {
        let expression = match key {
            Grouping::Column(column) => format!("{alias}.{column}"),
            Grouping::Relation(name) => {
                let relation = entity.key_relation(name);
                let relation =
                    relation.ok_or_else(|| CompileError::Broken(format!("no relation {name}")))?;
                format!("{alias}.{}", relation.from_column)
            }
            Grouping::Time(column, step) => format!(
                "date_trunc('{}', {alias}.{column} at time zone {zone})::date",
                step.unit()
            ),
        };
        columns.push(format!("{expression} as k{place}"));
    }
    columns.push("count(*) as n".to_owned());
    for index in &needed.numbers {
        let column = &asked.declared.numbers[*index];
        columns.push(format!("sum({alias}.{column}) as a{index}"));
    }
    for index in &needed.extremes {
        let column = &asked.declared.extremes[*index];
        columns.push(format!(
            "min({alias}.{column}) as lo{index}, max({alias}.{column}) as hi{index}"
        ));
    }
    let keys: Vec<String> = (0..asked.keys.len())
        .map(|place| format!("k{place}"))
        .collect();
    let sql = match needed.amounts.is_empty() {
        true => format!(
            "select {} from {rows}{}",
            columns.join(", "),
            group_by(&places(keys.len()))
        ),
        false => per_currency(entity, alias, asked.declared, needed, columns, rows, &keys)?,
    };
    Ok(format!("{sql}{}", ordered(&keys, asked.order)))
}

/// The field that tells the sum of another: `totalSum`.
pub(crate) fn sum_name(field: &str) -> String {
    format!("{field}Sum")
}

/// The fields that tell the smallest and the largest value: `placedAtMin`, `placedAtMax`.
pub(crate) fn extreme_names(field: &str) -> (String, String) {
    (format!("{field}Min"), format!("{field}Max"))
}

/// Groups by the keys and the currency, then gathers the currencies of each group.
fn per_currency(
    entity: &Entity,
    alias: &str,
    declared: &Aggregates,
    needed: &Needed,
    mut inner: Vec<String>,
    rows: &str,
    keys: &[String],
) -> Result<String> {
    let money = |index: usize| -> Result<&Money> {
        match entity.fields.get(&declared.money[index]) {
            Some(Field::Money(money)) => Ok(money),
            _ => Err(CompileError::Broken(format!(
                "{} is no money",
                declared.money[index]
            ))),
        }
    };
    let summed: BTreeSet<usize> = needed.amounts.iter().map(|(index, _)| *index).collect();
    let mut currency = "";
    for index in &summed {
        let money = money(*index)?;
        currency = &money.currency_column;
        inner.push(format!("sum({alias}.{}) as s{index}", money.minor_column));
    }
    // Behind the keys, so that all that is grouped by stands at the first places.
    inner.insert(keys.len(), format!("{alias}.{currency} as currency"));
    let mut outer: Vec<String> = keys.to_vec();
    // Without keys there is a group even of no rows.
    outer.push("coalesce(sum(n), 0)::int8 as n".to_owned());
    for index in &needed.numbers {
        outer.push(format!("sum(a{index}) as a{index}"));
    }
    for index in &needed.extremes {
        outer.push(format!(
            "min(lo{index}) as lo{index}, max(hi{index}) as hi{index}"
        ));
    }
    for (place, (index, amount)) in needed.amounts.iter().enumerate() {
        outer.push(format!(
            "coalesce(json_agg({amount} order by i.currency) filter (where i.s{index} is not null), '[]'::json) as m{place}"
        ));
    }
    Ok(format!(
        "select {} from (select {} from {rows}{}) i{}",
        outer.join(", "),
        inner.join(", "),
        group_by(&places(keys.len() + 1)),
        group_by(keys)
    ))
}

/// The first places. What is grouped by is named by its place, for a name could be a column's.
fn places(many: usize) -> Vec<String> {
    (1..=many).map(|place| place.to_string()).collect()
}

fn group_by(keys: &[String]) -> String {
    match keys.is_empty() {
        true => String::new(),
        false => format!(" group by {}", keys.join(", ")),
    }
}

/// A total order: ties of counts are broken by the keys, which no two groups share.
fn ordered(keys: &[String], order: &str) -> String {
    if keys.is_empty() {
        return String::new();
    }
    let direction = if order == "KEY_DESC" { " desc" } else { "" };
    let mut terms: Vec<String> = keys
        .iter()
        .map(|key| format!("{key}{direction} nulls last"))
        .collect();
    match order {
        "COUNT_ASC" => terms.insert(0, "n".to_owned()),
        "COUNT_DESC" => terms.insert(0, "n desc".to_owned()),
        _ => {}
    }
    format!(" order by {}", terms.join(", "))
}
