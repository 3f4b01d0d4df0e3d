//! What the connections of an entity count and add up: declared beside the entity, shown as
//! `aggregates(groupBy: ...)` on each of its connections, compiled by [`crate::compile`].

use crate::{
    catalog::{Cardinality, Catalog, CatalogError, Entity, Field, Relation, Scalar},
    declare::camel_case,
};
use sea_orm::IdenStatic;

/// How finely instants are grouped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// By calendar day.
    Day,
    /// By week, told by its Monday.
    Week,
    /// By month, told by its first day.
    Month,
}

impl Step {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Month];

    /// As PostgreSQL's `date_trunc` names it.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }
}

/// What a group of rows has in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grouping {
    /// The value of the column.
    Column(String),
    /// The row that a to-one relation of that name leads to.
    Relation(String),
    /// The day, week or month of an instant, in the zone of [`Aggregates::zone`].
    Time(String, Step),
}

impl Grouping {
    /// Field of the aggregate that tells it: `status`, `event`, `placedAtDay`.
    pub fn field(&self) -> String {
        match self {
            Self::Column(column) => camel_case(column),
            Self::Relation(relation) => relation.clone(),
            Self::Time(column, step) => camel_case(&format!("{column}_{}", step.unit())),
        }
    }

    /// Value of the enum that asks for it: `STATUS`, `EVENT`, `PLACED_AT_DAY`.
    pub fn shown(&self) -> String {
        let mut out = String::new();
        for character in self.field().chars() {
            if character.is_uppercase() {
                out.push('_');
            }
            out.extend(character.to_uppercase());
        }
        out
    }
}

/// Where the zone stands in which instants are grouped: what happened at half past eleven in Seoul belongs to that
/// evening, wherever the server or the caller is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// The to-one relation whose row holds it; `None`: our own row.
    pub relation: Option<String>,
    /// The column, an IANA name.
    pub column: String,
}

/// What the connections of an entity count and add up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aggregates {
    /// Scope that the actor needs in the organization acted in; everybody else is refused.
    pub scope: String,
    /// What rows can be grouped by, in the order in which it is shown.
    pub groupings: Vec<Grouping>,
    /// Fields of money that are added up, per currency.
    pub money: Vec<String>,
    /// Whole numbers that are added up, by column.
    pub numbers: Vec<String>,
    /// Columns whose smallest and largest value is told.
    pub extremes: Vec<String>,
    /// Zone of instants.
    pub zone: Option<Zone>,
}

impl Aggregates {
    /// Only counts, for whoever holds the scope.
    pub fn for_scope(scope: &str) -> Self {
        Self {
            scope: scope.to_owned(),
            groupings: vec![],
            money: vec![],
            numbers: vec![],
            extremes: vec![],
            zone: None,
        }
    }

    /// Rows can be grouped by the value of this column.
    pub fn by(mut self, column: impl IdenStatic) -> Self {
        let column = column.as_str().to_owned();
        self.groupings.push(Grouping::Column(column));
        self
    }

    /// Rows can be grouped by the row that this to-one relation leads to.
    pub fn by_relation(mut self, relation: &str) -> Self {
        self.groupings.push(Grouping::Relation(relation.to_owned()));
        self
    }

    /// Rows can be grouped by day, week and month of this instant, and its first and last are told.
    pub fn by_time(mut self, column: impl IdenStatic) -> Self {
        let column = column.as_str();
        for step in Step::ALL {
            self.groupings.push(Grouping::Time(column.to_owned(), step));
        }
        self.extremes.push(column.to_owned());
        self
    }

    /// Instants are grouped in the zone that this column of our own row names.
    pub fn in_zone(mut self, column: impl IdenStatic) -> Self {
        self.zone = Some(Zone {
            relation: None,
            column: column.as_str().to_owned(),
        });
        self
    }

    /// Instants are grouped in the zone that this column names in the row that the to-one relation leads to.
    pub fn in_zone_of(mut self, relation: &str, column: impl IdenStatic) -> Self {
        self.zone = Some(Zone {
            relation: Some(relation.to_owned()),
            column: column.as_str().to_owned(),
        });
        self
    }

    /// This field of money is added up, per currency.
    pub fn sum_money(mut self, field: &str) -> Self {
        self.money.push(field.to_owned());
        self
    }

    /// This whole number is added up.
    pub fn sum(mut self, column: impl IdenStatic) -> Self {
        self.numbers.push(column.as_str().to_owned());
        self
    }
}

impl Entity {
    /// The relation of that name that leads to at most one row by a key of ours.
    pub fn key_relation(&self, name: &str) -> Option<&Relation> {
        match self.fields.get(name) {
            Some(Field::Relation(relation)) if relation.cardinality == Cardinality::ToOne => {
                Some(relation)
            }
            _ => None,
        }
    }
}

impl Catalog {
    pub(crate) fn check_aggregates(&self, entity: &Entity) -> Result<(), CatalogError> {
        let Some(aggregates) = &entity.aggregates else {
            return Ok(());
        };
        let wrong = |what: &str| {
            let name = &entity.name;
            Err(CatalogError::Unknown(format!(
                "aggregates of {name}: {what}"
            )))
        };
        let is = |column: &str, scalars: &[Scalar]| {
            entity
                .column(column)
                .is_some_and(|column| scalars.contains(&column.scalar))
        };
        for grouping in &aggregates.groupings {
            match grouping {
                Grouping::Column(column) if entity.column(column).is_none() => {
                    return wrong(&format!("{column} is no column"));
                }
                Grouping::Relation(name) if entity.key_relation(name).is_none() => {
                    return wrong(&format!("{name} is no relation by a key of ours"));
                }
                Grouping::Time(column, _) if !is(column, &[Scalar::DateTime]) => {
                    return wrong(&format!("{column} is no instant"));
                }
                Grouping::Time(..) if aggregates.zone.is_none() => {
                    return wrong("instants are grouped in no zone");
                }
                _ => {}
            }
        }
        for column in &aggregates.numbers {
            if !is(column, &[Scalar::Int, Scalar::BigInt]) {
                return wrong(&format!("{column} is no whole number"));
            }
        }
        for column in &aggregates.extremes {
            if !is(column, &[Scalar::DateTime, Scalar::Int, Scalar::BigInt]) {
                return wrong(&format!("{column} has no smallest value"));
            }
        }
        let mut currencies: Vec<&str> = vec![];
        for name in &aggregates.money {
            match entity.fields.get(name) {
                Some(Field::Money(money)) => currencies.push(&money.currency_column),
                _ => return wrong(&format!("{name} is no money")),
            }
        }
        currencies.dedup();
        if currencies.len() > 1 {
            return wrong("amounts have different columns of currency");
        }
        self.check_zone(entity, aggregates, &wrong)
    }

    fn check_zone(
        &self,
        entity: &Entity,
        aggregates: &Aggregates,
        wrong: &dyn Fn(&str) -> Result<(), CatalogError>,
    ) -> Result<(), CatalogError> {
        let Some(zone) = &aggregates.zone else {
            return Ok(());
        };
        let holder = match &zone.relation {
            None => Some(entity),
            Some(name) => entity
                .key_relation(name)
                .and_then(|relation| self.entity_of_table(&relation.target_table)),
        };
        match holder.and_then(|holder| holder.column(&zone.column)) {
            Some(column) if column.scalar == Scalar::String => Ok(()),
            _ => wrong(&format!("{} is no column with a zone", zone.column)),
        }
    }
}
