//! What the aggregates of a connection must be.

use std::{
    cmp::{Ordering, Reverse},
    collections::BTreeMap,
};

use chrono::{DateTime, Datelike, Days, NaiveDate, TimeZone, Utc};
use chrono_tz::Tz;
use eventsphere_graphql::{
    aggregates::{Aggregates, Grouping, Step},
    catalog::Field as Shown,
    declare::camel_case,
};
use serde_json::{Map, Value, json};

use crate::{
    document::Lit,
    model::{Collected, Model},
    values::Val,
    world::Row,
};

/// What the rows of a group have in common, and the rows.
type Group<'a> = (Vec<Val>, Vec<&'a Row>);

impl<'a> Model<'a> {
    /// `rows`: all that the connection means, on its page or not.
    pub fn aggregates(&self, entity: usize, rows: &[&'a Row], one: &Collected<'a>) -> Value {
        let described = &self.world().entities[entity];
        let declared = described.aggregates.as_ref().expect("aggregates");
        let keys: Vec<&Grouping> = self
            .argument(one.field, "groupBy")
            .map_or(vec![], |keys| keys.items())
            .iter()
            .map(|key| {
                let named = |grouping: &&Grouping| Some(grouping.shown().as_str()) == key.str();
                declared.groupings.iter().find(named).expect("a grouping")
            })
            .collect();
        let mut groups = self.groups(entity, declared, &keys, rows);
        let order = self.argument(one.field, "orderBy");
        sort(&mut groups, order.as_ref().and_then(Lit::str));
        let most = match self.argument(one.field, "first") {
            Some(Lit::Int(most)) => usize::try_from(most).expect("a size"),
            _ => 100,
        };
        let truncated = groups.len() > most;
        groups.truncate(most);
        let named = format!("{}Aggregation", described.name);
        let mut out = Map::new();
        for (key, part) in self.collect(&one.below, &named, false) {
            let value = match part.field.name.as_str() {
                "__typename" => json!(named),
                "truncated" => json!(truncated),
                _ => groups
                    .iter()
                    .map(|group| self.group(entity, declared, &keys, group, &part))
                    .collect(),
            };
            out.insert(key.to_owned(), value);
        }
        Value::Object(out)
    }

    fn groups(
        &self,
        entity: usize,
        declared: &Aggregates,
        keys: &[&Grouping],
        rows: &[&'a Row],
    ) -> Vec<Group<'a>> {
        let mut groups: BTreeMap<Vec<Val>, Vec<&Row>> = BTreeMap::new();
        if keys.is_empty() {
            groups.insert(vec![], vec![]);
        }
        for row in rows {
            let common = keys
                .iter()
                .map(|key| self.common(entity, declared, key, row));
            groups.entry(common.collect()).or_default().push(row);
        }
        groups.into_iter().collect()
    }

    /// What a row has of what rows are grouped by.
    fn common(&self, entity: usize, declared: &Aggregates, key: &Grouping, row: &'a Row) -> Val {
        let world = self.world();
        let entities = &world.entities;
        match key {
            Grouping::Column(column) => row[world.at(entity, column)].clone(),
            Grouping::Relation(name) => {
                let relation = entities[entity].key_relation(name).expect("a relation");
                row[world.at(entity, &relation.from_column)].clone()
            }
            Grouping::Time(column, step) => {
                let zone = declared.zone.as_ref().expect("a zone");
                let zone = match &zone.relation {
                    None => Some(&row[world.at(entity, &zone.column)]),
                    Some(name) => {
                        let relation = entities[entity].key_relation(name).expect("a relation");
                        let target = world.by_table(&relation.target_table);
                        match row[world.at(entity, &relation.from_column)] {
                            Val::Key(key) => world
                                .row(target, key)
                                .map(|theirs| &theirs[world.at(target, &zone.column)]),
                            _ => None,
                        }
                    }
                };
                match (&row[world.at(entity, column)], zone) {
                    (Val::Time(instant), Some(Val::Text(zone))) => {
                        Val::Day(day(*instant, zone, *step))
                    }
                    _ => Val::Null,
                }
            }
        }
    }

    fn group(
        &self,
        entity: usize,
        declared: &Aggregates,
        keys: &[&Grouping],
        (common, rows): &Group<'a>,
        one: &Collected<'a>,
    ) -> Value {
        let world = self.world();
        let described = &world.entities[entity];
        let named = format!("{}Aggregate", described.name);
        let mut out = Map::new();
        for (key, part) in self.collect(&one.below, &named, false) {
            let name = part.field.name.as_str();
            let grouping = declared.groupings.iter().find(|one| one.field() == name);
            let place = keys.iter().position(|key| Some(*key) == grouping);
            let value = match (name, grouping, place) {
                ("__typename", ..) => json!(named),
                ("count", ..) => json!(rows.len()),
                (_, Some(_), None) => Value::Null,
                (_, Some(grouping), Some(place)) => {
                    self.key_shown(entity, grouping, &common[place], &part)
                }
                _ => self.measure(entity, declared, rows, &part),
            };
            out.insert(key.to_owned(), value);
        }
        Value::Object(out)
    }

    fn key_shown(
        &self,
        entity: usize,
        grouping: &Grouping,
        common: &Val,
        part: &Collected<'a>,
    ) -> Value {
        let world = self.world();
        let described = &world.entities[entity];
        match (grouping, common) {
            (_, Val::Null) => Value::Null,
            (Grouping::Column(column), common) => {
                let scalar = &described.columns[world.at(entity, column)].scalar;
                common.shown(scalar, &world.entities)
            }
            (Grouping::Relation(name), Val::Key(key)) => {
                let relation = described.key_relation(name).expect("a relation");
                let target = world.by_table(&relation.target_table);
                let row = world.row(target, *key);
                row.map_or(Value::Null, |row| self.object(target, row, &part.below))
            }
            (_, Val::Day(day)) => json!(day_shown(*day)),
            _ => unreachable!("a key of another kind"),
        }
    }

    fn measure(
        &self,
        entity: usize,
        declared: &Aggregates,
        rows: &[&'a Row],
        part: &Collected<'a>,
    ) -> Value {
        let world = self.world();
        let described = &world.entities[entity];
        let name = part.field.name.as_str();
        let money = |money: &&String| name == format!("{money}Sum");
        if let Some(money) = declared.money.iter().find(money) {
            return self.amounts(entity, &described.fields[money], rows, part);
        }
        let summed = |column: &str| {
            let at = world.at(entity, column);
            rows.iter().filter_map(move |row| whole(&row[at]))
        };
        for column in &declared.numbers {
            if name == format!("{}Sum", camel_case(column)) {
                let sum: i128 = summed(column).sum();
                return json!(sum.to_string());
            }
        }
        for column in &declared.extremes {
            let at = world.at(entity, column);
            let known = || {
                rows.iter()
                    .map(|row| &row[at])
                    .filter(|value| **value != Val::Null)
            };
            let extreme = match name.strip_prefix(&camel_case(column)) {
                Some("Min") => known().min(),
                Some("Max") => known().max(),
                _ => continue,
            };
            let scalar = &described.columns[at].scalar;
            return extreme.map_or(Value::Null, |value| value.shown(scalar, &world.entities));
        }
        unreachable!("no field {name}")
    }

    /// Sums of money, one amount a currency.
    fn amounts(
        &self,
        entity: usize,
        field: &Shown,
        rows: &[&'a Row],
        part: &Collected<'a>,
    ) -> Value {
        let Shown::Money(money) = field else {
            unreachable!("money that is none");
        };
        let (minor, currency) = (
            self.world().at(entity, &money.minor_column),
            self.world().at(entity, &money.currency_column),
        );
        let mut amounts: BTreeMap<&Val, i128> = BTreeMap::new();
        for row in rows {
            if let Some(value) = whole(&row[minor]) {
                *amounts.entry(&row[currency]).or_default() += value;
            }
        }
        let shown = amounts.into_iter().map(|(currency, sum)| match currency {
            Val::Text(currency) => self.money_shown(sum, currency, &part.below),
            _ => unreachable!("a currency that is none"),
        });
        shown.collect()
    }
}

fn whole(value: &Val) -> Option<i128> {
    match value {
        Val::Int(value) => Some(i128::from(*value)),
        Val::Big(value) => Some(i128::from(*value)),
        _ => None,
    }
}

/// Absent keys come last both ways; groups that count alike come by their keys.
fn sort(groups: &mut [Group<'_>], order: Option<&str>) {
    match order {
        // As they were gathered.
        None | Some("KEY_ASC") => {}
        Some("COUNT_ASC") => groups.sort_by_key(|(_, rows)| rows.len()),
        Some("COUNT_DESC") => groups.sort_by_key(|(_, rows)| Reverse(rows.len())),
        _ => groups.sort_by(|(one, _), (other, _)| {
            let each = one
                .iter()
                .zip(other)
                .map(|(one, other)| match (one, other) {
                    (Val::Null, _) | (_, Val::Null) => one.cmp(other),
                    _ => other.cmp(one),
                });
            each.fold(Ordering::Equal, Ordering::then)
        }),
    }
}

/// The first day of the day, week or month of an instant, there.
fn day(instant: DateTime<Utc>, zone: &str, step: Step) -> NaiveDate {
    let zone: Tz = zone.parse().expect("a zone");
    let day = zone.from_utc_datetime(&instant.naive_utc()).date_naive();
    match step {
        Step::Day => day,
        Step::Week => {
            let since = u64::from(day.weekday().num_days_from_monday());
            day.checked_sub_days(Days::new(since)).expect("a day")
        }
        Step::Month => day.with_day(1).expect("a day"),
    }
}

/// Years before the first have no sign, as PostgreSQL prints them.
fn day_shown(day: NaiveDate) -> String {
    let year = if day.year() <= 0 {
        1 - day.year()
    } else {
        day.year()
    };
    format!("{year:04}-{:02}-{:02}", day.month(), day.day())
}
