//! Writes random documents that are valid for a world.

use eventsphere_graphql::{
    Scalar,
    catalog::{Cardinality, Column, Entity, Field as Shown},
};

use crate::{
    choices::Choices,
    document::{Directive, Document, Field, Lit, Sel, Variable},
    ground::Ground,
    values::Val,
    world::World,
};

/// A composite type of the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ty {
    Query,
    Node,
    Entity(usize),
    Connection(usize),
    Edge(usize),
    PageInfo,
    Money,
}

impl Ty {
    pub fn name(self, world: &World) -> String {
        match self {
            Self::Query => "Query".to_owned(),
            Self::Node => "Node".to_owned(),
            Self::PageInfo => "PageInfo".to_owned(),
            Self::Money => "Money".to_owned(),
            Self::Entity(index) => world.entities[index].name.clone(),
            Self::Connection(index) => format!("{}Connection", world.entities[index].name),
            Self::Edge(index) => format!("{}Edge", world.entities[index].name),
        }
    }
}

/// A field that a type offers: its name, what is below, how it is asked.
struct Offer {
    name: String,
    below: Option<Ty>,
    asked: Asked,
}

#[derive(Clone, Copy)]
enum Asked {
    Plain,
    Page(usize),
    ById,
    ByIds,
    By(usize),
}

pub struct Writer<'a, 'b> {
    ground: &'a Ground<'a>,
    choices: Choices<'b>,
    document: Document,
    /// Names of fields with arguments that were written without an alias.
    bare: Vec<String>,
    /// Functions whose prelude the document has: a second one would take the first one's place.
    opened: Vec<String>,
    aliases: usize,
    predicates: usize,
    /// Type and name of finished fragments.
    fragments: Vec<(Ty, String)>,
    /// Nesting of fields of the selection that is being written, and of connections.
    depth: usize,
    pages: usize,
}

/// Levels of fields that the guard lets pass, less what a connection needs at the bottom.
const DEEPEST: usize = 8;

impl<'a, 'b> Writer<'a, 'b> {
    pub fn write(ground: &'a Ground<'a>, bytes: &'b [u8]) -> Document {
        let mut writer = Self {
            ground,
            choices: Choices::new(bytes),
            document: Document::default(),
            bare: vec![],
            opened: vec![],
            aliases: 0,
            predicates: 0,
            fragments: vec![],
            depth: 0,
            pages: 0,
        };
        let selection = writer.selection(Ty::Query);
        writer.document.selection = selection;
        writer.document.drop_unused();
        writer.document
    }

    fn world(&self) -> &'a World {
        &self.ground.world
    }

    fn offers(&self, ty: Ty) -> Vec<Offer> {
        let plain = |name: &str, below| Offer {
            name: name.to_owned(),
            below,
            asked: Asked::Plain,
        };
        let mut out = vec![plain("__typename", None)];
        match ty {
            Ty::Query => self.roots(&mut out),
            Ty::Node => out.push(plain("id", None)),
            Ty::Entity(index) => {
                for (name, field) in &self.world().entities[index].fields {
                    let (below, asked) = self.shown(field);
                    out.push(Offer {
                        name: name.clone(),
                        below,
                        asked,
                    });
                }
            }
            Ty::Connection(index) => out.extend([
                plain("nodes", Some(Ty::Entity(index))),
                plain("edges", Some(Ty::Edge(index))),
                plain("pageInfo", Some(Ty::PageInfo)),
                plain("totalCount", None),
            ]),
            Ty::Edge(index) => out.extend([
                plain("node", Some(Ty::Entity(index))),
                plain("cursor", None),
            ]),
            Ty::PageInfo => {
                for name in ["hasNextPage", "hasPreviousPage", "startCursor", "endCursor"] {
                    out.push(plain(name, None));
                }
            }
            Ty::Money => {
                for name in ["minorUnits", "currencyCode", "amount"] {
                    out.push(plain(name, None));
                }
            }
        }
        out
    }

    fn shown(&self, field: &Shown) -> (Option<Ty>, Asked) {
        match field {
            Shown::Money(_) => (Some(Ty::Money), Asked::Plain),
            Shown::Relation(relation) => {
                let target = self.world().by_table(&relation.target_table);
                match relation.cardinality {
                    Cardinality::ToMany => (Some(Ty::Connection(target)), Asked::Page(target)),
                    _ => (Some(Ty::Entity(target)), Asked::Plain),
                }
            }
            _ => (None, Asked::Plain),
        }
    }

    fn roots(&self, out: &mut Vec<Offer>) {
        for (index, entity) in self.world().entities.iter().enumerate() {
            if let Some(name) = &entity.root_many {
                out.push(Offer {
                    name: name.clone(),
                    below: Some(Ty::Connection(index)),
                    asked: Asked::Page(index),
                });
            }
            if let Some(name) = &entity.root_one {
                out.push(Offer {
                    name: name.clone(),
                    below: Some(Ty::Entity(index)),
                    asked: Asked::ById,
                });
            }
        }
        for (number, function) in self.world().functions.iter().enumerate() {
            if function.prelude.is_some() && self.opened.contains(&function.field) {
                continue;
            }
            let entity = self.world().by_name(&function.entity);
            out.push(Offer {
                name: function.field.clone(),
                below: Some(match function.many {
                    true => Ty::Connection(entity),
                    false => Ty::Entity(entity),
                }),
                asked: Asked::By(number),
            });
        }
        for (name, asked) in [("node", Asked::ById), ("nodes", Asked::ByIds)] {
            out.push(Offer {
                name: name.to_owned(),
                below: Some(Ty::Node),
                asked,
            });
        }
    }

    fn selection(&mut self, ty: Ty) -> Vec<Sel> {
        let mut out = vec![];
        for _ in 0..=self.choices.pick(5) {
            let selected = match self.choices.pick(12) {
                10 => self.inline(ty),
                11 => self.spread(ty),
                9 => match self.again(ty, &out) {
                    Some(again) => again,
                    None => self.field(ty),
                },
                _ => self.field(ty),
            };
            out.push(selected);
        }
        out
    }

    fn field(&mut self, ty: Ty) -> Sel {
        let deep = self.depth >= DEEPEST || self.pages >= 3;
        let mut offers = self.offers(ty);
        if deep {
            offers.retain(|offer| offer.below.is_none() || matches!(ty, Ty::Connection(_)));
        }
        let at = self.choices.pick(offers.len());
        let offer = offers.swap_remove(at);
        let (arguments, page) = self.arguments(&offer);
        let plain = matches!(offer.asked, Asked::Plain);
        let free = plain || !self.bare.contains(&offer.name);
        let alias = match free && !self.choices.one_in(3) {
            true => None,
            false => {
                self.aliases += 1;
                Some(match self.choices.one_in(8) {
                    true => format!("{}_{}", "long".repeat(20), self.aliases),
                    false => format!("a{}", self.aliases),
                })
            }
        };
        if !plain && alias.is_none() {
            self.bare.push(offer.name.clone());
        }
        self.pages += usize::from(page);
        let below = self.below(offer.below);
        self.pages -= usize::from(page);
        Sel::Field(Field {
            alias,
            name: offer.name,
            arguments,
            directives: self.directives(),
            below,
        })
    }

    fn below(&mut self, ty: Option<Ty>) -> Vec<Sel> {
        let Some(ty) = ty else { return vec![] };
        self.depth += 1;
        let below = self.selection(ty);
        self.depth -= 1;
        below
    }

    /// A field once more, with something else below it: the answers are merged.
    fn again(&mut self, ty: Ty, before: &[Sel]) -> Option<Sel> {
        let fields: Vec<&Field> = before
            .iter()
            .filter_map(|sel| match sel {
                Sel::Field(field) => Some(field),
                _ => None,
            })
            .collect();
        if fields.is_empty() {
            return None;
        }
        let mut field = (*self.choices.of(&fields)).clone();
        let offers = self.offers(ty);
        // A function with a prelude is offered once only.
        let offer = offers.iter().find(|offer| offer.name == field.name)?;
        let page = matches!(offer.asked, Asked::Page(_) | Asked::By(_) | Asked::ByIds);
        self.pages += usize::from(page);
        field.below = self.below(offer.below);
        self.pages -= usize::from(page);
        field.directives = self.directives();
        Some(Sel::Field(field))
    }

    fn inline(&mut self, ty: Ty) -> Sel {
        let inner = self.condition(ty);
        let named = inner != ty || self.choices.one_in(2);
        let directives = self.directives();
        let below = self.selection(inner);
        let on = named.then(|| inner.name(self.world()));
        Sel::Inline(on, directives, below)
    }

    fn spread(&mut self, ty: Ty) -> Sel {
        let inner = self.condition(ty);
        let fitting: Vec<String> = self
            .fragments
            .iter()
            .filter(|(of, _)| *of == inner)
            .map(|(_, name)| name.clone())
            .collect();
        let directives = self.directives();
        if !fitting.is_empty() && self.depth + self.pages < 3 {
            return Sel::Spread(self.choices.of(&fitting).clone(), directives);
        }
        let selection = self.selection(inner);
        let name = format!("F{}", self.document.fragments.len());
        let on = inner.name(self.world());
        self.document.fragments.push((name.clone(), on, selection));
        // It may be spread again where there is at least as much room below.
        if self.depth == 0 || matches!(inner, Ty::Money | Ty::PageInfo) {
            self.fragments.push((inner, name.clone()));
        }
        Sel::Spread(name, directives)
    }

    /// A type condition that may stand in a selection of that type.
    fn condition(&mut self, ty: Ty) -> Ty {
        match ty {
            Ty::Node if !self.choices.one_in(6) => {
                Ty::Entity(self.choices.pick(self.world().entities.len()))
            }
            Ty::Entity(_) if self.choices.one_in(6) => Ty::Node,
            same => same,
        }
    }

    fn directives(&mut self) -> Vec<Directive> {
        let mut out = vec![];
        for skip in [false, true] {
            if !self.choices.one_in(16) {
                continue;
            }
            // Mostly so that the field stays.
            let stays = !self.choices.one_in(4);
            let other = Some(Lit::Bool(skip == stays));
            let condition = self.perhaps_variable_or("Boolean!", Lit::Bool(skip != stays), other);
            out.push(Directive { skip, condition });
        }
        out
    }

    /// The value, or a variable that holds it: given, or by default.
    fn perhaps_variable(&mut self, of: &str, value: Lit) -> Lit {
        self.perhaps_variable_or(of, value, None)
    }

    /// The same; another request may give the other value for it.
    fn perhaps_variable_or(&mut self, of: &str, value: Lit, instead: Option<Lit>) -> Lit {
        if !self.choices.one_in(3) {
            return value;
        }
        let name = format!("v{}", self.document.variables.len());
        let (mut of, mut default, mut given) = (of.to_owned(), None, Some(value.clone()));
        match self.choices.pick(4) {
            0 => {}
            1 if !of.ends_with('!') => of.push('!'),
            2 => {
                default = Some(value);
                given = None;
            }
            _ => default = Some(value),
        }
        let instead = instead.filter(|other| *other != Lit::Null || !of.ends_with('!'));
        self.document.variables.push(Variable {
            name: name.clone(),
            of,
            default,
            given,
            instead,
        });
        Lit::Var(name)
    }

    fn arguments(&mut self, offer: &Offer) -> (Vec<(String, Lit)>, bool) {
        match offer.asked {
            Asked::Plain => (vec![], false),
            Asked::Page(entity) => (self.page(entity), true),
            Asked::ById => {
                let (id, other) = (self.id(), self.id());
                let id = self.perhaps_variable_or("ID!", id, Some(other));
                (vec![("id".to_owned(), id)], false)
            }
            Asked::ByIds => {
                let many = self.choices.pick(5);
                let ids = (0..many)
                    .map(|_| {
                        let (id, other) = (self.id(), self.id());
                        self.perhaps_variable_or("ID!", id, Some(other))
                    })
                    .collect();
                (vec![("ids".to_owned(), Lit::List(ids))], true)
            }
            Asked::By(number) => {
                let function = &self.world().functions[number];
                let entity = self.world().by_name(&function.entity);
                let at = self.world().compares[&function.field];
                let column = &self.world().entities[entity].columns[at];
                let (value, other) = (self.operand(entity, column), self.operand(entity, column));
                let of = format!("{}!", type_of(&column.scalar));
                let value = self.perhaps_variable_or(&of, value, Some(other));
                let mut arguments = vec![("by".to_owned(), value)];
                if function.many {
                    arguments.extend(self.page(entity));
                }
                if function.prelude.is_some() {
                    self.opened.push(function.field.clone());
                }
                (arguments, function.many)
            }
        }
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

    fn page(&mut self, entity: usize) -> Vec<(String, Lit)> {
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
                let cursors = self.ground.cursors(entity, &order);
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
            let (name, value) = match self.choices.pick(7) {
                kind @ (3 | 4) if depth < 3 => {
                    let many = self.choices.pick(4);
                    let parts = (0..many).map(|_| self.filter(entity, depth + 1)).collect();
                    let name = if kind == 3 { "and" } else { "or" };
                    (name.to_owned(), Lit::List(parts))
                }
                5 if depth < 3 => ("not".to_owned(), self.filter(entity, depth + 1)),
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
        Scalar::Int | Scalar::BigInt | Scalar::DateTime | Scalar::String
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
        Scalar::Enum(name) => name,
    }
    .to_owned()
}
