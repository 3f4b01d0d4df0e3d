//! Questions, written from the catalog.

use eventsphere_graphql::catalog::{
    Argument, Cardinality, Catalog, Entity, Field, Relation, RootFunction, Scalar,
};
use eventsphere_graphql::functions::RowsField;
use serde_json::Value;

/// The entity that a relation leads to.
pub fn target<'a>(catalog: &'a Catalog, relation: &Relation) -> &'a Entity {
    catalog
        .entity_of_table(&relation.target_table)
        .unwrap_or_else(|| panic!("no entity of {}", relation.target_table))
}

/// All relations of an entity.
pub fn relations(entity: &Entity) -> impl Iterator<Item = &Relation> {
    entity.fields.values().filter_map(|field| match field {
        Field::Relation(relation) => Some(relation),
        _ => None,
    })
}

/// Everything in an entity that is no relation.
pub fn scalars(entity: &Entity) -> String {
    let mut out = String::new();
    for (name, field) in &entity.fields {
        match field {
            Field::Relation(_) => continue,
            Field::Money(_) => out += &format!("{name} {{ minorUnits currencyCode amount }} "),
            Field::Computed(computed) if !computed.arguments.is_empty() => {
                out += &format!("{name}({}) ", samples(&computed.arguments));
            }
            Field::Rows(rows) => {
                let given = samples(&rows.arguments);
                out += &format!("{name}({given} first: 2) {{ nodes {{ __typename id }} }} ");
            }
            _ => out += &format!("{name} "),
        }
    }
    out
}

/// Arguments of a function, of values for which the world has something to show.
fn samples(arguments: &[Argument]) -> String {
    let sample = |argument: &Argument| match &argument.scalar {
        // A day on which each side has an event.
        Scalar::Date => "\"2027-05-04\"",
        Scalar::DateTime => "\"2027-05-04T12:00:00Z\"",
        Scalar::Id(_) | Scalar::String => "\"day\"",
        Scalar::Int => "1",
        Scalar::BigInt => "\"1\"",
        Scalar::Boolean => "true",
        Scalar::StringList => "[]",
        Scalar::Enum(name) => panic!("say which {name} the argument {} takes", argument.name),
    };
    let each = arguments
        .iter()
        .map(|one| format!("{}: {}", one.name, sample(one)));
    each.collect::<Vec<_>>().join(", ")
}

/// A relation with `inner` asked of each row.
pub fn related(relation: &Relation, first: u32, inner: &str) -> String {
    match relation.cardinality {
        Cardinality::ToMany => format!(
            "{}(first: {first}) {{ totalCount nodes {{ {inner} }} }} ",
            relation.field
        ),
        _ => format!("{} {{ {inner} }} ", relation.field),
    }
}

/// Everything of the rows behind a relation, and the keys of whatever these lead to.
pub fn two_steps(catalog: &Catalog, relation: &Relation, first: u32, further: bool) -> String {
    let entity = target(catalog, relation);
    let mut inner = scalars(entity);
    if further {
        for next in relations(entity) {
            inner += &related(next, 3, "__typename id");
        }
    }
    related(relation, first, &inner)
}

/// Names with the type of a filter: what a connection of that entity can be asked by.
pub fn is_filterable(entity: &Entity) -> bool {
    entity.columns.iter().any(|column| column.filterable)
}

/// How a connection of an entity can be reached.
#[derive(Clone, Debug)]
pub enum Path<'a> {
    /// A root field.
    Root(&'a str),
    /// A relation of another entity.
    Of(&'a Entity, &'a Relation),
    /// A function at the root.
    Function(&'a RootFunction),
    /// A function of a row of another entity.
    Rows(&'a Entity, &'a RowsField),
}

impl<'a> Path<'a> {
    /// As a test names it.
    pub fn name(&self) -> String {
        format!(
            "{}.{}",
            self.parent().map_or("Query", |parent| &parent.name),
            self.field()
        )
    }

    fn field(&self) -> &'a str {
        match self {
            Self::Root(field) => field,
            Self::Of(_, relation) => &relation.field,
            Self::Function(function) => &function.field,
            Self::Rows(_, rows) => &rows.field,
        }
    }

    /// The entity that it is a field of; `None` at the root.
    pub fn parent(&self) -> Option<&'a Entity> {
        match self {
            Self::Root(_) | Self::Function(_) => None,
            Self::Of(parent, _) | Self::Rows(parent, _) => Some(parent),
        }
    }

    /// Whether a function says which rows there are.
    pub fn is_function(&self) -> bool {
        matches!(self, Self::Function(_) | Self::Rows(..))
    }

    /// Asks the connection, with arguments, under an alias. `$<alias>_parent` is the id of the parent.
    pub fn ask(&self, alias: &str, arguments: &str, inner: &str) -> String {
        let given = match self {
            Self::Function(function) => asking_for(&function.field, "bilbao", ""),
            Self::Rows(_, rows) => samples(&rows.arguments),
            _ => String::new(),
        };
        let glue = if given.is_empty() { "" } else { ", " };
        let asked = format!("{}({given}{glue}{arguments}) {{ {inner} }}", self.field());
        match self.parent() {
            None => format!("{alias}: {asked} "),
            Some(parent) => {
                let name = &parent.name;
                format!("{alias}: node(id: ${alias}_parent) {{ ... on {name} {{ {asked} }} }} ")
            }
        }
    }

    /// The variable that `ask` uses.
    pub fn variable(&self, alias: &str) -> String {
        match self.parent() {
            None => String::new(),
            Some(_) => format!("${alias}_parent: ID! "),
        }
    }

    /// The connection in the data of what was asked under that alias.
    pub fn connection<'v>(&self, data: &'v Value, alias: &str) -> &'v Value {
        match self.parent() {
            None => &data[alias],
            Some(_) => &data[alias][self.field()],
        }
    }
}

/// Arguments of a root function, by which it shows something of that side; what is not here takes none.
pub fn asking_for(function: &str, tag: &str, event: &str) -> String {
    match function {
        "eventBySlug" => {
            format!("organizationSlug: \"{tag}-society\", slug: \"{tag}-{event}-day\"")
        }
        "searchEvents" => format!("text: \"{tag} {event} day\""),
        _ => String::new(),
    }
}

/// Every way to a connection of that entity, the root first.
pub fn paths<'a>(catalog: &'a Catalog, entity: &'a Entity) -> Vec<Path<'a>> {
    let root = entity.root_many.as_deref().map(Path::Root);
    let through = catalog.entities.values().flat_map(|parent| {
        relations(parent)
            .filter(|relation| {
                relation.cardinality == Cardinality::ToMany && relation.target_table == entity.table
            })
            .map(move |relation| Path::Of(parent, relation))
    });
    root.into_iter().chain(through).collect()
}

/// The same, and through functions.
pub fn all_paths<'a>(catalog: &'a Catalog, entity: &'a Entity) -> Vec<Path<'a>> {
    let roots = catalog.functions.values();
    let roots = roots.filter(|function| function.many && function.entity == entity.name);
    let fields = catalog.entities.values().flat_map(|parent| {
        parent.fields.values().filter_map(move |field| match field {
            Field::Rows(rows) if rows.entity == entity.name => Some(Path::Rows(parent, rows)),
            _ => None,
        })
    });
    let through = roots.map(Path::Function).chain(fields);
    paths(catalog, entity).into_iter().chain(through).collect()
}
