//! Questions, written from the catalog.

use eventsphere_graphql::catalog::{
    Argument, Cardinality, Catalog, Entity, Field, Relation, Scalar,
};

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
}

impl Path<'_> {
    /// As a test names it.
    pub fn name(&self) -> String {
        match self {
            Self::Root(field) => format!("Query.{field}"),
            Self::Of(parent, relation) => format!("{}.{}", parent.name, relation.field),
        }
    }

    /// Asks the connection, with arguments, under an alias. `$<alias>_parent` is the id of the parent.
    pub fn ask(&self, alias: &str, arguments: &str, inner: &str) -> String {
        match self {
            Self::Root(field) => format!("{alias}: {field}({arguments}) {{ {inner} }} "),
            Self::Of(parent, relation) => format!(
                "{alias}: node(id: ${alias}_parent) {{ ... on {} {{ {}({arguments}) {{ {inner} }} }} }} ",
                parent.name, relation.field
            ),
        }
    }

    /// The variable that `ask` uses.
    pub fn variable(&self, alias: &str) -> String {
        match self {
            Self::Root(_) => String::new(),
            Self::Of(..) => format!("${alias}_parent: ID! "),
        }
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
