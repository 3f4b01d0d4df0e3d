//! What the answer must be: the document walked over the rows in memory, after the GraphQL specification and the
//! conventions of our connections. It shares nothing with the engine but the catalog.

use std::cmp::Ordering;

use eventsphere_graphql::{
    Scalar,
    catalog::{Cardinality, Computed, Field as Shown, Money, Relation},
    global_id,
};
use serde_json::{Map, Value, json};

use crate::{
    document::{Document, Field, Lit, Sel},
    ground::{BEST_FIRST, Ground},
    offers::{Call, rank},
    values::{Val, tag_of},
    world::{Row, World},
    writer::Ty,
};

pub struct Model<'a> {
    pub ground: &'a Ground<'a>,
    pub document: &'a Document,
}

/// Everything that was said of one response key.
pub struct Collected<'a> {
    pub field: &'a Field,
    pub below: Vec<&'a [Sel]>,
}

/// Stands in an order for how good a row is that was found.
const RANK: usize = usize::MAX;

/// An order as pairs of a column's place and whether it descends.
type Order = Vec<(usize, bool)>;

impl<'a> Model<'a> {
    pub fn world(&self) -> &'a World {
        &self.ground.world
    }

    /// The `data` of the answer.
    pub fn answer(&self) -> Value {
        let mut out = Map::new();
        for (key, one) in self.collect(&[&self.document.selection], "Query", false) {
            out.insert(key.to_owned(), self.root(&one));
        }
        Value::Object(out)
    }

    pub fn collect(
        &self,
        sets: &[&'a [Sel]],
        name: &str,
        is_node: bool,
    ) -> Vec<(&'a str, Collected<'a>)> {
        let mut found: Vec<(&str, Collected<'_>)> = vec![];
        for set in sets {
            self.gather(set, name, is_node, &mut found);
        }
        found
    }

    fn gather(
        &self,
        set: &'a [Sel],
        name: &str,
        is_node: bool,
        found: &mut Vec<(&'a str, Collected<'a>)>,
    ) {
        let applies = |on: &str| on == name || (is_node && on == "Node");
        for selected in set {
            match selected {
                Sel::Field(field) if self.kept(&field.directives) => {
                    match found.iter_mut().find(|(key, _)| *key == field.key()) {
                        Some((_, known)) => known.below.push(&field.below),
                        None => {
                            let below = vec![&field.below[..]];
                            found.push((field.key(), Collected { field, below }));
                        }
                    }
                }
                Sel::Inline(on, directives, below)
                    if self.kept(directives) && on.as_ref().is_none_or(|on| applies(on)) =>
                {
                    self.gather(below, name, is_node, found);
                }
                Sel::Spread(spread, directives) if self.kept(directives) => {
                    let fragments = &self.document.fragments;
                    let known = fragments.iter().find(|(known, ..)| known == spread);
                    let (_, on, below) = known.expect("a fragment of that name");
                    if applies(on) {
                        self.gather(below, name, is_node, found);
                    }
                }
                _ => {}
            }
        }
    }

    fn kept(&self, directives: &[crate::document::Directive]) -> bool {
        directives.iter().all(|directive| {
            let condition = self.document.resolve(&directive.condition) == Some(Lit::Bool(true));
            condition != directive.skip
        })
    }

    pub fn argument(&self, field: &Field, name: &str) -> Option<Lit> {
        let given = field.arguments.iter().find(|(known, _)| known == name)?;
        let value = self.document.resolve(&given.1)?;
        (value != Lit::Null).then_some(value)
    }

    fn root(&self, one: &Collected<'a>) -> Value {
        let world = self.world();
        let name = one.field.name.as_str();
        let by_id = |id: Option<Lit>, only: Option<usize>| -> Value {
            let decoded = id.as_ref().and_then(Lit::str).and_then(global_id::decode);
            let Some((tag, key)) = decoded else {
                return Value::Null;
            };
            for (index, entity) in world.entities.iter().enumerate() {
                if entity.tag == tag && only.is_none_or(|only| only == index) {
                    let row = world.rows[index].iter().find(|row| row[0] == Val::Key(key));
                    return row.map_or(Value::Null, |row| self.object(index, row, &one.below));
                }
            }
            Value::Null
        };
        match name {
            "__typename" => return json!("Query"),
            "node" => return by_id(self.argument(one.field, "id"), None),
            "nodes" => {
                let ids = self.argument(one.field, "ids").unwrap_or(Lit::Null);
                return ids
                    .items()
                    .into_iter()
                    .map(|id| by_id(Some(id), None))
                    .collect();
            }
            _ => {}
        }
        for (index, entity) in world.entities.iter().enumerate() {
            if entity.root_one.as_deref() == Some(name) {
                return by_id(self.argument(one.field, "id"), Some(index));
            }
            if entity.root_many.as_deref() == Some(name) {
                return self.connection(index, world.rows[index].iter().collect(), one, false);
            }
        }
        let function = world.functions.iter().find(|known| known.field == name);
        let function = function.expect("a root field");
        let entity = world.by_name(&function.entity);
        if let Some(source) = &function.source {
            return self.called(&world.calls[&source.function], None, one);
        }
        let at = world.compares[name];
        let by = self.argument(one.field, "by").expect("an argument");
        let by = self.value(&world.entities[entity].columns[at].scalar, &by);
        let met: Vec<&Row> = world.rows[entity]
            .iter()
            .filter(|row| row[at] == by && by != Val::Null)
            .collect();
        match function.many {
            true => self.connection(entity, met, one, false),
            false => met
                .first()
                .map_or(Value::Null, |row| self.object(entity, row, &one.below)),
        }
    }

    pub fn object(&self, entity: usize, row: &Row, below: &[&'a [Sel]]) -> Value {
        let described = &self.world().entities[entity];
        let mut out = Map::new();
        for (key, one) in self.collect(below, &described.name, true) {
            let value = match one.field.name.as_str() {
                "__typename" => json!(described.name),
                name => self.field(entity, row, &described.fields[name], &one),
            };
            out.insert(key.to_owned(), value);
        }
        Value::Object(out)
    }

    fn field(&self, entity: usize, row: &Row, shown: &Shown, one: &Collected<'a>) -> Value {
        let world = self.world();
        let columns = &world.entities[entity].columns;
        let show = |at: usize| row[at].shown(&columns[at].scalar, &world.entities);
        match shown {
            Shown::Key => show(0),
            Shown::Column(at) => show(*at),
            Shown::Computed(computed) => self.computed(row, computed, one),
            Shown::Money(money) => self.money(entity, row, money, one),
            Shown::Relation(relation) => self.relation(entity, row, relation, one),
            Shown::Rows(rows) => {
                let call = &world.calls[&rows.source.function];
                self.called(call, Some(row), one)
            }
        }
    }

    /// What a field shows of a column, or of what it is given.
    fn computed(&self, row: &Row, computed: &Computed, one: &Collected<'a>) -> Value {
        let world = self.world();
        let at = world.shows[&computed.function].1;
        let given = self.argument(one.field, "value");
        let value = match computed.arguments.first() {
            Some(argument) if argument.name == "value" => {
                given.map_or(Val::Null, |given| self.value(&argument.scalar, &given))
            }
            _ if self.argument(one.field, "when") == Some(Lit::Bool(false)) => Val::Null,
            _ => row[at].clone(),
        };
        value.shown(&computed.scalar, &world.entities)
    }

    /// The rows that a function gives.
    fn called(&self, call: &Call, of: Option<&Row>, one: &Collected<'a>) -> Value {
        let world = self.world();
        let scalar = &world.entities[call.target].columns[call.at].scalar;
        let by = self.argument(one.field, "by");
        let by = by.map(|by| self.value(scalar, &by));
        let shift = match self.argument(one.field, "shift") {
            Some(Lit::Int(shift)) => shift,
            _ => 0,
        };
        let rows = world.rows[call.target].iter();
        let rows = rows.filter(|row| call.gives(row, by.as_ref(), of, shift));
        self.connection(call.target, rows.collect(), one, call.ranks)
    }

    pub fn money_shown(&self, minor: i128, currency: &str, below: &[&'a [Sel]]) -> Value {
        let mut out = Map::new();
        for (key, part) in self.collect(below, "Money", false) {
            let value = match part.field.name.as_str() {
                "__typename" => json!("Money"),
                "minorUnits" => json!(minor.to_string()),
                "currencyCode" => json!(currency),
                // As the function of the test's database makes it.
                _ => json!(format!("{currency} {minor}")),
            };
            out.insert(key.to_owned(), value);
        }
        Value::Object(out)
    }

    fn money(&self, entity: usize, row: &Row, money: &Money, one: &Collected<'a>) -> Value {
        let minor = &row[self.world().at(entity, &money.minor_column)];
        let currency = &row[self.world().at(entity, &money.currency_column)];
        let (Val::Big(minor), Val::Text(currency)) = (minor, currency) else {
            return Value::Null;
        };
        self.money_shown(i128::from(*minor), currency, &one.below)
    }

    /// The rows that a relation leads to from that row.
    fn related(&self, entity: usize, row: &Row, relation: &Relation) -> (usize, Vec<&'a Row>) {
        let world = self.world();
        let target = world.by_table(&relation.target_table);
        let ours = &row[world.at(entity, &relation.from_column)];
        let at = world.at(target, &relation.to_column);
        let meets = |theirs: &Row| match &relation.through {
            None => theirs[at] == *ours && *ours != Val::Null,
            Some((table, own, _)) => world.links[table].iter().any(|(a, b)| {
                let (from, to) = if own == "a" { (a, b) } else { (b, a) };
                Val::Key(*from) == *ours && Val::Key(*to) == theirs[at]
            }),
        };
        let found = world.rows[target].iter().filter(|row| meets(row));
        (target, found.collect())
    }

    fn relation(
        &self,
        entity: usize,
        row: &Row,
        relation: &Relation,
        one: &Collected<'a>,
    ) -> Value {
        let (target, found) = self.related(entity, row, relation);
        match relation.cardinality {
            Cardinality::ToMany => self.connection(target, found, one, false),
            _ => found
                .first()
                .map_or(Value::Null, |row| self.object(target, row, &one.below)),
        }
    }

    /// `best_first`: the rows were found, and come in that order when no other is named.
    fn connection(
        &self,
        entity: usize,
        rows: Vec<&'a Row>,
        one: &Collected<'a>,
        best_first: bool,
    ) -> Value {
        let filter = self.argument(one.field, "filter");
        let mut rows: Vec<&Row> = rows
            .into_iter()
            .filter(|row| {
                filter
                    .as_ref()
                    .is_none_or(|filter| self.holds(entity, row, filter))
            })
            .collect();
        let all_met = rows.clone();
        let mut names = self.order_names(one.field);
        if names.is_empty() && best_first {
            names.push(BEST_FIRST.to_owned());
        }
        let order = order(self.world(), entity, &names);
        rows.sort_by(|a, b| compare(a, b, &order));
        let cursors = self.ground.cursors(entity, &names);
        let all = sorted(self.world(), entity, &order);
        let place = |cursor: &Lit| {
            let at = cursors
                .iter()
                .position(|known| Some(known.as_str()) == cursor.str());
            all[at.expect("a cursor of this order")]
        };
        let after = self.argument(one.field, "after");
        let before = self.argument(one.field, "before");
        if let Some(after) = &after {
            rows.retain(|row| compare(row, place(after), &order) == Ordering::Greater);
        }
        if let Some(before) = &before {
            rows.retain(|row| compare(row, place(before), &order) == Ordering::Less);
        }
        let size = |name: &str| match self.argument(one.field, name) {
            Some(Lit::Int(size)) => usize::try_from(size).ok(),
            _ => None,
        };
        let (first, last) = (size("first"), size("last"));
        let more = rows.len() > first.or(last).unwrap_or(20);
        if let Some(last) = last {
            rows.drain(..rows.len().saturating_sub(last));
        } else {
            rows.truncate(first.unwrap_or(20));
        }
        let (next, previous) = match last.is_some() {
            true => (before.is_some(), more),
            false => (more, after.is_some()),
        };
        let cursor = |row: Option<&&Row>| {
            let at = row.and_then(|row| all.iter().position(|known| known[0] == row[0]));
            at.map_or(Value::Null, |at| match cursors.get(at) {
                Some(cursor) => json!(cursor),
                // The entity has no root connection to compare with.
                None => json!(UNKNOWN),
            })
        };
        let named = &self.world().entities[entity].name;
        let mut out = Map::new();
        for (key, part) in self.collect(&one.below, &format!("{named}Connection"), false) {
            let value = match part.field.name.as_str() {
                "__typename" => json!(format!("{named}Connection")),
                "totalCount" => json!(all_met.len()),
                "aggregates" => self.aggregates(entity, &all_met, &part),
                "nodes" => rows
                    .iter()
                    .map(|row| self.object(entity, row, &part.below))
                    .collect(),
                "edges" => rows
                    .iter()
                    .map(|row| self.edge(entity, row, &part, cursor(Some(row))))
                    .collect(),
                _ => self.page_info(
                    &part,
                    next,
                    previous,
                    cursor(rows.first()),
                    cursor(rows.last()),
                ),
            };
            out.insert(key.to_owned(), value);
        }
        Value::Object(out)
    }

    fn edge(&self, entity: usize, row: &Row, part: &Collected<'a>, cursor: Value) -> Value {
        let named = format!("{}Edge", self.world().entities[entity].name);
        let mut out = Map::new();
        for (key, inner) in self.collect(&part.below, &named, false) {
            let value = match inner.field.name.as_str() {
                "__typename" => json!(named),
                "cursor" => cursor.clone(),
                _ => self.object(entity, row, &inner.below),
            };
            out.insert(key.to_owned(), value);
        }
        Value::Object(out)
    }

    fn page_info(
        &self,
        part: &Collected<'a>,
        next: bool,
        previous: bool,
        start: Value,
        end: Value,
    ) -> Value {
        let mut out = Map::new();
        for (key, inner) in self.collect(&part.below, "PageInfo", false) {
            let value = match inner.field.name.as_str() {
                "hasNextPage" => json!(next),
                "hasPreviousPage" => json!(previous),
                "startCursor" => start.clone(),
                "endCursor" => end.clone(),
                _ => json!(Ty::PageInfo.name(self.world())),
            };
            out.insert(key.to_owned(), value);
        }
        Value::Object(out)
    }

    fn order_names(&self, field: &Field) -> Vec<String> {
        self.argument(field, "orderBy")
            .map_or(vec![], |terms| terms.items())
            .iter()
            .filter_map(|term| term.str().map(str::to_owned))
            .collect()
    }

    fn holds(&self, entity: usize, row: &Row, filter: &Lit) -> bool {
        let Lit::Obj(fields) = filter else {
            return true;
        };
        fields
            .iter()
            .all(|(name, value)| match (name.as_str(), value) {
                (_, Lit::Null) => true,
                ("and", value) => value
                    .items()
                    .iter()
                    .all(|part| self.holds(entity, row, part)),
                ("or", value) => value
                    .items()
                    .iter()
                    .any(|part| self.holds(entity, row, part)),
                ("not", value) => !self.holds(entity, row, value),
                (field, value) if self.relation_of(entity, field).is_some() => {
                    let relation = self.relation_of(entity, field);
                    relation.is_some_and(|relation| self.leads(entity, row, relation, value))
                }
                (field, Lit::Obj(operators)) => {
                    let columns = &self.world().entities[entity].columns;
                    let at = columns.iter().position(|column| column.field == field);
                    let at = at.expect("a column of that field");
                    operators.iter().all(|(operator, operand)| {
                        self.meets(&columns[at].scalar, &row[at], operator, operand)
                    })
                }
                _ => true,
            })
    }

    fn relation_of(&self, entity: usize, field: &str) -> Option<&'a Relation> {
        match self.world().entities[entity].fields.get(field) {
            Some(Shown::Relation(relation)) => Some(relation),
            _ => None,
        }
    }

    /// Whether what the row is related to meets the condition.
    fn leads(&self, entity: usize, row: &Row, relation: &Relation, value: &Lit) -> bool {
        let (target, found) = self.related(entity, row, relation);
        let any = |filter: &Lit| found.iter().any(|row| self.holds(target, row, filter));
        match (relation.cardinality, value) {
            (Cardinality::ToMany, Lit::Obj(quantifiers)) => {
                quantifiers
                    .iter()
                    .all(|(name, filter)| match name.as_str() {
                        _ if *filter == Lit::Null => true,
                        "some" => any(filter),
                        _ => !any(filter),
                    })
            }
            _ => any(value),
        }
    }

    /// A comparison with what is absent is not met, and neither is its opposite; only `ne` and `notIn` say otherwise.
    fn meets(&self, scalar: &Scalar, value: &Val, operator: &str, operand: &Lit) -> bool {
        let absent = *value == Val::Null;
        let one = || self.value(scalar, operand);
        let among = || {
            operand
                .items()
                .iter()
                .any(|item| self.value(scalar, item) == *value)
        };
        match operator {
            "isNull" => absent == (*operand == Lit::Bool(true)),
            "eq" => !absent && *value == one(),
            "ne" => *value != one(),
            "in" => !absent && among(),
            "notIn" => absent || !among(),
            "lt" => !absent && *value < one(),
            "lte" => !absent && *value <= one(),
            "gt" => !absent && *value > one(),
            "gte" => !absent && *value >= one(),
            _ => match (value, one()) {
                (Val::Text(value), Val::Text(start)) => value.starts_with(&start),
                _ => false,
            },
        }
    }

    /// What an operand means for a column of that type.
    pub fn value(&self, scalar: &Scalar, operand: &Lit) -> Val {
        let text = operand.str().unwrap_or_default();
        match (scalar, operand) {
            (Scalar::Id(_), _) => match global_id::decode(text) {
                Some((tag, key)) if tag == tag_of(scalar, &self.world().entities) => Val::Key(key),
                _ => Val::Key(uuid::Uuid::nil()),
            },
            (Scalar::BigInt, Lit::Int(value)) => Val::Big(*value),
            (Scalar::BigInt, _) => Val::Big(text.parse().expect("digits")),
            (Scalar::Enum(_), _) => Val::Text(text.to_ascii_lowercase()),
            (Scalar::StringList, _) => Val::Texts(vec![text.to_owned()]),
            (Scalar::DateTime, _) => Val::Time(text.parse().expect("an instant")),
            (Scalar::Date, _) => Val::Day(text.parse().expect("a day")),
            (_, Lit::Bool(value)) => Val::Bool(*value),
            (_, Lit::Int(value)) => Val::Int(i32::try_from(*value).expect("an Int")),
            _ => Val::Text(text.to_owned()),
        }
    }
}

/// Stands for a cursor that cannot be foretold.
pub const UNKNOWN: &str = "some cursor";

/// The order that these terms of the API mean: the entity's own without any, and the key at the end.
pub fn order(world: &World, entity: usize, names: &[String]) -> Order {
    let described = &world.entities[entity];
    let mut order: Order = names
        .iter()
        .map(|name| {
            if name == BEST_FIRST {
                return (RANK, true);
            }
            let (stem, word) = name.rsplit_once('_').expect("a direction");
            (world.at(entity, &stem.to_lowercase()), word == "DESC")
        })
        .collect();
    if order.is_empty() {
        for (column, descending) in &described.default_order {
            order.push((world.at(entity, column), *descending));
        }
    }
    if !order.iter().any(|(at, _)| *at == 0) {
        let descending = order.last().is_some_and(|(_, descending)| *descending);
        order.push((0, descending));
    }
    order
}

pub fn compare(one: &Row, other: &Row, order: &Order) -> Ordering {
    for (at, descending) in order {
        let ordering = match *at {
            RANK => rank(one).cmp(&rank(other)),
            at => one[at].cmp(&other[at]),
        };
        let ordering = if *descending {
            ordering.reverse()
        } else {
            ordering
        };
        if ordering != Ordering::Equal {
            return ordering;
        }
    }
    Ordering::Equal
}

/// All rows of an entity in that order.
pub fn sorted<'a>(world: &'a World, entity: usize, order: &Order) -> Vec<&'a Row> {
    let mut rows: Vec<&Row> = world.rows[entity].iter().collect();
    rows.sort_by(|a, b| compare(a, b, order));
    rows
}
