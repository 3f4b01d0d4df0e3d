//! Arguments of the documents that [`Writer`] writes: pages, orders, filters, groups, values for functions.

use eventsphere_graphql::{
    Scalar,
    catalog::{Cardinality, Column, Entity, Field as Shown, Relation},
};

use crate::{
    choices::Choices,
    document::{Lit, Variable},
    ground::BEST_FIRST,
    offers::{Source, Taken},
    values::Val,
    writer::{Asked, Paged, Writer},
};

impl Writer<'_, '_> {
    pub fn arguments(&mut self, asked: &Asked) -> Vec<(String, Lit)> {
        match asked {
            Asked::Plain => vec![],
            Asked::ById => {
                let (id, other) = (self.id(), self.id());
                let id = self.perhaps_variable_or("ID!", id, Some(other));
                vec![("id".to_owned(), id)]
            }
            Asked::ByIds => {
                let many = self.choices.pick(5);
                let ids = (0..many)
                    .map(|_| {
                        let (id, other) = (self.id(), self.id());
                        self.perhaps_variable_or("ID!", id, Some(other))
                    })
                    .collect();
                vec![("ids".to_owned(), Lit::List(ids))]
            }
            Asked::Taking { takes, page, opens } => {
                let mut out: Vec<(String, Lit)> = vec![];
                for taken in takes {
                    out.extend(self.taken(taken));
                }
                if let Some(page) = page {
                    out.extend(self.page(*page));
                }
                self.opened.extend(opens.clone());
                out
            }
            Asked::Groups(entity) => self.groups(*entity),
        }
    }

    /// A value for an argument of a function; perhaps none, where none is needed.
    fn taken(&mut self, taken: &Taken) -> Option<(String, Lit)> {
        if !taken.required && self.choices.one_in(3) {
            // Null is none either.
            let null = self.choices.one_in(2);
            return null.then(|| (taken.name.to_owned(), Lit::Null));
        }
        let (of, value, other) = match taken.of {
            Source::Flag => ("Boolean".to_owned(), Lit::Bool(true), Lit::Bool(false)),
            Source::Small => {
                let mut small = || Lit::Int(i64::try_from(self.choices.pick(4)).unwrap_or(0));
                ("Int".to_owned(), small(), small())
            }
            Source::Column(entity, at) => {
                let column = &self.world().entities[entity].columns[at];
                let of = match column.scalar {
                    Scalar::StringList => "[String!]".to_owned(),
                    _ => type_of(&column.scalar),
                };
                (
                    of,
                    self.operand(entity, column),
                    self.operand(entity, column),
                )
            }
        };
        let of = if taken.required { format!("{of}!") } else { of };
        let swapped = self.choices.one_in(2);
        let (value, other) = if swapped {
            (other, value)
        } else {
            (value, other)
        };
        let value = self.perhaps_variable_or(&of, value, Some(other));
        Some((taken.name.to_owned(), value))
    }

    /// By what, how many, and in which order.
    fn groups(&mut self, entity: usize) -> Vec<(String, Lit)> {
        let described = &self.world().entities[entity];
        let mut out = vec![];
        let mut keys: Vec<String> = described.aggregates.as_ref().map_or(vec![], |aggregates| {
            aggregates.groupings.iter().map(|key| key.shown()).collect()
        });
        if !keys.is_empty() && !self.choices.one_in(5) {
            let of = format!("[{}GroupBy!]", described.name);
            let mut chosen = vec![];
            for _ in 0..=self.choices.pick(3) {
                if chosen.len() < 3 && !keys.is_empty() {
                    let at = self.choices.pick(keys.len());
                    chosen.push(Lit::Enum(keys.swap_remove(at)));
                }
            }
            let other = chosen.first().cloned().into_iter().collect();
            let value = match chosen.len() == 1 && self.choices.one_in(2) {
                true => chosen.remove(0),
                false => Lit::List(chosen),
            };
            let value = self.perhaps_variable_or(&of, value, Some(Lit::List(other)));
            out.push(("groupBy".to_owned(), value));
        }
        if self.choices.one_in(3) {
            let first = *self.choices.of(&[1, 2, 3, 1000]);
            let first = self.perhaps_variable_or("Int", Lit::Int(first), Some(Lit::Int(2)));
            out.push(("first".to_owned(), first));
        }
        if self.choices.one_in(2) {
            let names = ["KEY_ASC", "KEY_DESC", "COUNT_ASC", "COUNT_DESC"];
            let mut name = || Lit::Enum((*self.choices.of(&names)).to_owned());
            let (order, other) = (name(), name());
            let order = self.perhaps_variable_or("AggregateOrderBy", order, Some(other));
            out.push(("orderBy".to_owned(), order));
        }
        out
    }

    /// An id: of a row, or of none.
    fn id(&mut self) -> Lit {
        let world = self.world();
        let entity = self.choices.pick(world.entities.len());
        let rows = &world.rows[entity];
        let (Some(tag), false) = (
            Some(world.entities[entity].tag),
            rows.is_empty() || self.choices.one_in(10),
        ) else {
            return Lit::Str(self.choices.of(&["", "nonsense", "AQEAAAAA"]).to_string());
        };
        match &self.choices.of(rows)[0] {
            Val::Key(key) => Lit::Str(eventsphere_graphql::global_id::encode(tag, *key)),
            _ => Lit::Null,
        }
    }

    fn page(&mut self, paged: Paged) -> Vec<(String, Lit)> {
        let entity = paged.entity;
        let mut out = vec![];
        let size = match self.choices.pick(7) {
            0 => Some(("first", 2)),
            1 => Some(("last", 2)),
            2 => Some(("first", self.choices.pick(5))),
            3 => Some(("last", self.choices.pick(5))),
            4 => Some((*self.choices.of(&["first", "last"]), 100)),
            _ => None,
        };
        if let Some((name, size)) = size {
            let size = i64::try_from(size).unwrap_or(0);
            let other = Lit::Int(i64::try_from(self.choices.pick(4)).unwrap_or(0));
            let size = self.perhaps_variable_or("Int", Lit::Int(size), Some(other));
            out.push((name.to_owned(), size));
        } else if self.choices.one_in(6) {
            // A variable that is not given is an argument that is not given; null is none either.
            let given = self.choices.one_in(2).then_some(Lit::Null);
            let name = format!("v{}", self.document.variables.len());
            self.document.variables.push(Variable {
                name: name.clone(),
                of: "Int".to_owned(),
                default: None,
                given,
                instead: Some(Lit::Int(2)),
            });
            out.push(("first".to_owned(), Lit::Var(name)));
        }
        let mut order = vec![];
        if self.choices.one_in(2) {
            order = self.order(entity);
        }
        for name in ["after", "before"] {
            if self.choices.one_in(3) {
                let best_first = vec![BEST_FIRST.to_owned()];
                let meant = match order.is_empty() && paged.found {
                    true => &best_first,
                    false => &order,
                };
                let cursors = self.ground.cursors(entity, meant);
                if !cursors.is_empty() {
                    let cursor = Lit::Str(self.choices.of(&cursors).clone());
                    let other = match self.choices.one_in(4) {
                        true => Lit::Null,
                        false => Lit::Str(self.choices.of(&cursors).clone()),
                    };
                    let cursor = self.perhaps_variable_or("String", cursor, Some(other));
                    out.push((name.to_owned(), cursor));
                }
            }
        }
        if !order.is_empty() {
            let of = format!("{}OrderBy!", self.world().entities[entity].name);
            let mut terms: Vec<Lit> = order.into_iter().map(Lit::Enum).collect();
            let value = match terms.len() == 1 && self.choices.one_in(2) {
                true => terms.remove(0),
                false => Lit::List(terms),
            };
            // Not another order: a cursor beside it would be none of it.
            let value = self.perhaps_variable(&format!("[{of}]"), value);
            out.push(("orderBy".to_owned(), value));
        }
        let columns = &self.world().entities[entity].columns;
        let filterable = columns.iter().any(|column| column.filterable);
        if filterable && self.predicates < 14 && self.choices.one_in(2) {
            let filter = self.filter(entity, 0);
            let of = format!("{}Filter", self.world().entities[entity].name);
            // A variable holds no variables.
            let filter = match has_variable(&filter) {
                true => filter,
                false => {
                    let other = Some(self.filter(entity, 2)).filter(|other| !has_variable(other));
                    self.perhaps_variable_or(&of, filter, other)
                }
            };
            out.push(("filter".to_owned(), filter));
        }
        out
    }

    pub fn order(&mut self, entity: usize) -> Vec<String> {
        orders(&self.world().entities[entity], &mut self.choices)
    }

    fn filter(&mut self, entity: usize, depth: usize) -> Lit {
        let mut fields: Vec<(String, Lit)> = vec![];
        for _ in 0..=self.choices.pick(3) {
            let (name, value) = match self.choices.pick(9) {
                kind @ (3 | 4) if depth < 3 => {
                    let many = self.choices.pick(4);
                    let parts = (0..many).map(|_| self.filter(entity, depth + 1)).collect();
                    let name = if kind == 3 { "and" } else { "or" };
                    (name.to_owned(), Lit::List(parts))
                }
                5 if depth < 3 => ("not".to_owned(), self.filter(entity, depth + 1)),
                7.. if depth < 3 && self.predicates < 16 => match self.related(entity, depth) {
                    Some(related) => related,
                    None => continue,
                },
                _ => {
                    let columns = &self.world().entities[entity].columns;
                    let columns: Vec<&Column> =
                        columns.iter().filter(|column| column.filterable).collect();
                    let column = *self.choices.of(&columns);
                    (column.field.clone(), self.operators(entity, column))
                }
            };
            if !fields.iter().any(|(known, _)| *known == name) {
                fields.push((name, value));
            }
        }
        Lit::Obj(fields)
    }

    /// A condition on what a row is related to.
    fn related(&mut self, entity: usize, depth: usize) -> Option<(String, Lit)> {
        let fields = self.world().entities[entity].fields.values();
        let relations: Vec<&Relation> = fields
            .filter_map(|field| match field {
                Shown::Relation(relation) if relation.filterable => Some(relation),
                _ => None,
            })
            .collect();
        if relations.is_empty() {
            return None;
        }
        let relation = *self.choices.of(&relations);
        let target = self.world().by_table(&relation.target_table);
        let one = |writer: &mut Self| {
            writer.predicates += 1;
            match writer.choices.one_in(4) {
                true => Lit::Obj(vec![]),
                false => writer.filter(target, depth + 1),
            }
        };
        let name = relation.field.clone();
        if relation.cardinality != Cardinality::ToMany {
            return Some((name, one(self)));
        }
        let mut all = vec![];
        for quantifier in ["some", "none"] {
            match self.choices.pick(5) {
                0 | 1 if self.predicates < 20 => all.push((quantifier.to_owned(), one(self))),
                2 => all.push((quantifier.to_owned(), Lit::Null)),
                _ => {}
            }
        }
        Some((name, Lit::Obj(all)))
    }

    fn operators(&mut self, entity: usize, column: &Column) -> Lit {
        if self.choices.one_in(25) {
            return Lit::Null;
        }
        let mut known = vec!["eq", "ne", "isNull"];
        let listed = !matches!(column.scalar, Scalar::Boolean | Scalar::StringList);
        if listed {
            known.extend(["in", "notIn"]);
        }
        if is_ranged(&column.scalar) {
            known.extend(["lt", "lte", "gt", "gte"]);
        }
        if column.scalar == Scalar::String {
            known.push("startsWith");
        }
        let mut out: Vec<(String, Lit)> = vec![];
        for _ in 0..=self.choices.pick(2) {
            if self.predicates >= 20 {
                break;
            }
            let name = *self.choices.of(&known);
            if out.iter().any(|(known, _)| known == name) {
                continue;
            }
            self.predicates += 1;
            let of = type_of(&column.scalar);
            let value = match name {
                "isNull" => {
                    let is = self.choices.one_in(2);
                    self.perhaps_variable_or("Boolean", Lit::Bool(is), Some(Lit::Bool(!is)))
                }
                "in" | "notIn" => {
                    let many = self.choices.pick(4);
                    let items = (0..many).map(|_| self.operand(entity, column)).collect();
                    let other = Some(Lit::List(vec![self.operand(entity, column)]));
                    self.perhaps_variable_or(&format!("[{of}!]"), Lit::List(items), other)
                }
                _ => {
                    let (value, other) =
                        (self.operand(entity, column), self.operand(entity, column));
                    self.perhaps_variable_or(&of, value, Some(other))
                }
            };
            out.push((name.to_owned(), value));
        }
        Lit::Obj(out)
    }

    /// A value to compare that column with: mostly one that some row has.
    fn operand(&mut self, entity: usize, column: &Column) -> Lit {
        let world = self.world();
        let at = world.at(entity, &column.name);
        let rows = &world.rows[entity];
        let value = match rows.is_empty() || self.choices.one_in(4) {
            true => Val::random(&column.scalar, &mut self.choices),
            false => self.choices.of(rows)[at].clone(),
        };
        let value = match value {
            Val::Null => Val::random(&column.scalar, &mut self.choices),
            value => value,
        };
        match value {
            Val::Null => Lit::Null,
            Val::Bool(value) => Lit::Bool(value),
            Val::Int(value) => Lit::Int(i64::from(value)),
            Val::Big(value) if self.choices.one_in(3) => Lit::Int(value),
            Val::Big(value) => Lit::Str(value.to_string()),
            Val::Text(value) if matches!(column.scalar, Scalar::Enum(_)) => {
                Lit::Enum(value.to_ascii_uppercase())
            }
            Val::Text(value) => Lit::Str(value),
            Val::Texts(values) => Lit::Str(values.first().cloned().unwrap_or_default()),
            Val::Time(value) => Lit::Str(value.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()),
            Val::Day(value) => Lit::Str(value.to_string()),
            Val::Key(_) if self.choices.one_in(12) => Lit::Str("nonsense".to_owned()),
            Val::Key(key) => {
                let tag = crate::values::tag_of(&column.scalar, &world.entities);
                Lit::Str(eventsphere_graphql::global_id::encode(tag, key))
            }
        }
    }
}

/// Terms of an order, at most three.
pub fn orders(entity: &Entity, choices: &mut Choices<'_>) -> Vec<String> {
    let columns: Vec<&Column> = entity
        .columns
        .iter()
        .filter(|column| column.orderable)
        .collect();
    let mut out = vec![];
    if !columns.is_empty() {
        for _ in 0..=choices.pick(3) {
            let name = choices.of(&columns).name.to_uppercase();
            let word = if choices.one_in(2) { "DESC" } else { "ASC" };
            out.push(format!("{name}_{word}"));
        }
        out.truncate(3);
    }
    out
}

fn has_variable(lit: &Lit) -> bool {
    match lit {
        Lit::Var(_) => true,
        Lit::List(items) => items.iter().any(has_variable),
        Lit::Obj(fields) => fields.iter().any(|(_, value)| has_variable(value)),
        _ => false,
    }
}

pub fn is_ranged(scalar: &Scalar) -> bool {
    matches!(
        scalar,
        Scalar::Int | Scalar::BigInt | Scalar::DateTime | Scalar::Date | Scalar::String
    )
}

/// The name of a scalar in documents.
fn type_of(scalar: &Scalar) -> String {
    match scalar {
        Scalar::Id(_) => "ID",
        Scalar::String | Scalar::StringList => "String",
        Scalar::Int => "Int",
        Scalar::BigInt => "BigInt",
        Scalar::Boolean => "Boolean",
        Scalar::DateTime => "DateTime",
        Scalar::Date => "Date",
        Scalar::Enum(name) => name,
    }
    .to_owned()
}
