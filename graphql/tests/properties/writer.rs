//! Writes random documents that are valid for a world.

use eventsphere_graphql::{
    aggregates::Grouping,
    catalog::{Cardinality, Field as Shown},
    declare::camel_case,
};

use crate::{
    choices::Choices,
    document::{Directive, Document, Field, Lit, Sel, Variable},
    ground::Ground,
    offers::Taken,
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
    Aggregation(usize),
    Aggregate(usize),
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
            Self::Aggregation(index) => format!("{}Aggregation", world.entities[index].name),
            Self::Aggregate(index) => format!("{}Aggregate", world.entities[index].name),
        }
    }
}

/// A field that a type offers: its name, what is below, how it is asked.
pub struct Offer {
    name: String,
    below: Option<Ty>,
    pub asked: Asked,
}

#[derive(Clone)]
pub enum Asked {
    Plain,
    ById,
    ByIds,
    /// A connection, or anything that takes arguments of its own.
    Taking {
        takes: Vec<Taken>,
        page: Option<Paged>,
        /// The function whose prelude it runs.
        opens: Option<String>,
    },
    /// Aggregates of the entity.
    Groups(usize),
}

/// A page of an entity's rows.
#[derive(Clone, Copy)]
pub struct Paged {
    pub entity: usize,
    /// Whether the rows were found, and come best first.
    pub found: bool,
}

impl Asked {
    fn page(entity: usize) -> Self {
        Self::taking(
            vec![],
            Some(Paged {
                entity,
                found: false,
            }),
        )
    }

    fn taking(takes: Vec<Taken>, page: Option<Paged>) -> Self {
        match takes.is_empty() && page.is_none() {
            true => Self::Plain,
            false => Self::Taking {
                takes,
                page,
                opens: None,
            },
        }
    }

    /// Whether what is below it multiplies.
    fn is_many(&self) -> bool {
        match self {
            Self::Plain | Self::ById => false,
            Self::Taking { page, .. } => page.is_some(),
            Self::ByIds | Self::Groups(_) => true,
        }
    }
}

pub struct Writer<'a, 'b> {
    pub ground: &'a Ground<'a>,
    pub choices: Choices<'b>,
    pub document: Document,
    /// Names of fields with arguments that were written without an alias.
    bare: Vec<String>,
    /// Functions whose prelude the document has: a second one would take the first one's place.
    pub opened: Vec<String>,
    aliases: usize,
    pub predicates: usize,
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

    pub fn world(&self) -> &'a World {
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
            Ty::Connection(index) => {
                out.extend([
                    plain("nodes", Some(Ty::Entity(index))),
                    plain("edges", Some(Ty::Edge(index))),
                    plain("pageInfo", Some(Ty::PageInfo)),
                    plain("totalCount", None),
                ]);
                if self.world().entities[index].aggregates.is_some() {
                    out.push(Offer {
                        name: "aggregates".to_owned(),
                        below: Some(Ty::Aggregation(index)),
                        asked: Asked::Groups(index),
                    });
                }
            }
            Ty::Aggregation(index) => out.extend([
                plain("groups", Some(Ty::Aggregate(index))),
                plain("truncated", None),
            ]),
            Ty::Aggregate(index) => self.measures(index, &mut out),
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

    /// What a group of an entity's rows tells.
    fn measures(&self, index: usize, out: &mut Vec<Offer>) {
        let entity = &self.world().entities[index];
        let Some(aggregates) = &entity.aggregates else {
            return;
        };
        let mut tell = |name: String, below| {
            out.push(Offer {
                name,
                below,
                asked: Asked::Plain,
            });
        };
        tell("count".to_owned(), None);
        for grouping in &aggregates.groupings {
            let below = match grouping {
                Grouping::Relation(name) => entity
                    .key_relation(name)
                    .map(|relation| Ty::Entity(self.world().by_table(&relation.target_table))),
                _ => None,
            };
            tell(grouping.field(), below);
        }
        for money in &aggregates.money {
            tell(format!("{money}Sum"), Some(Ty::Money));
        }
        for column in &aggregates.numbers {
            tell(format!("{}Sum", camel_case(column)), None);
        }
        for column in &aggregates.extremes {
            tell(format!("{}Min", camel_case(column)), None);
            tell(format!("{}Max", camel_case(column)), None);
        }
    }

    fn shown(&self, field: &Shown) -> (Option<Ty>, Asked) {
        let takes = |name: &str| self.world().takes[name].clone();
        match field {
            Shown::Money(_) => (Some(Ty::Money), Asked::Plain),
            Shown::Relation(relation) => {
                let target = self.world().by_table(&relation.target_table);
                match relation.cardinality {
                    Cardinality::ToMany => (Some(Ty::Connection(target)), Asked::page(target)),
                    _ => (Some(Ty::Entity(target)), Asked::Plain),
                }
            }
            Shown::Computed(computed) => (None, Asked::taking(takes(&computed.field), None)),
            Shown::Rows(rows) => {
                let entity = self.world().by_name(&rows.entity);
                let found = rows.source.rank.is_some();
                let page = Some(Paged { entity, found });
                let asked = Asked::taking(takes(&rows.field), page);
                (Some(Ty::Connection(entity)), asked)
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
                    asked: Asked::page(index),
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
        for function in &self.world().functions {
            if function.prelude.is_some() && self.opened.contains(&function.field) {
                continue;
            }
            let entity = self.world().by_name(&function.entity);
            let found = function.source.as_ref();
            let found = found.is_some_and(|source| source.rank.is_some());
            out.push(Offer {
                name: function.field.clone(),
                below: Some(match function.many {
                    true => Ty::Connection(entity),
                    false => Ty::Entity(entity),
                }),
                asked: Asked::Taking {
                    takes: self.world().takes[&function.field].clone(),
                    page: function.many.then_some(Paged { entity, found }),
                    opens: function.prelude.is_some().then(|| function.field.clone()),
                },
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
        let arguments = self.arguments(&offer.asked);
        let page = offer.asked.is_many();
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
        let page = offer.asked.is_many();
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
    pub fn perhaps_variable(&mut self, of: &str, value: Lit) -> Lit {
        self.perhaps_variable_or(of, value, None)
    }

    /// The same; another request may give the other value for it.
    pub fn perhaps_variable_or(&mut self, of: &str, value: Lit, instead: Option<Lit>) -> Lit {
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
}
