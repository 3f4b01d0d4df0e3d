//! Whether fields of one response name can be merged. async-graphql looks at this within one selection of one type
//! only; what is selected twice and differs further down, and what differs in form between types, it lets pass.
//!
//! Each field of the expanded document is looked at once for its form and, where no interface multiplies it, once for
//! its name and arguments: the guard has bounded how many there are.

use std::collections::{HashMap, HashSet};

use async_graphql::{
    Pos, Positioned,
    parser::types::{
        BaseType, ExecutableDocument, Field, OperationType, Selection, SelectionSet, Type,
    },
};
use indexmap::IndexMap;

use crate::types::Types;

/// A conflict: where, and what is said of it.
pub type Conflict = (Pos, String);

/// A selection with the type that it is of; the types of introspection are in no definition and have no name here.
type Set<'a> = (&'a str, &'a SelectionSet);

struct One<'a> {
    parent: &'a str,
    field: &'a Positioned<Field>,
    /// What it gives, where the definition tells it.
    of: Option<&'a Type>,
}

struct Merging<'a> {
    document: &'a ExecutableDocument,
    types: &'a Types,
}

/// The first conflict of a document that the validator has let pass.
pub fn conflict(document: &ExecutableDocument, types: &Types) -> Option<Conflict> {
    let merging = Merging { document, types };
    document.operations.iter().find_map(|(_, operation)| {
        let root = match operation.node.ty {
            OperationType::Query => "Query",
            OperationType::Mutation => "Mutation",
            OperationType::Subscription => "Subscription",
        };
        let sets = [(root, &operation.node.selection_set.node)];
        merging.forms(&sets).or_else(|| merging.names(&sets))
    })
}

impl<'a> Merging<'a> {
    /// Fields by response name, fragments opened.
    fn collect(&self, sets: &[Set<'a>]) -> IndexMap<&'a str, Vec<One<'a>>> {
        let (mut found, mut opened) = (IndexMap::new(), HashSet::new());
        for (parent, set) in sets {
            self.gather(parent, set, &mut found, &mut opened);
        }
        found
    }

    fn gather(
        &self,
        parent: &'a str,
        set: &'a SelectionSet,
        found: &mut IndexMap<&'a str, Vec<One<'a>>>,
        opened: &mut HashSet<&'a str>,
    ) {
        for item in &set.items {
            match &item.node {
                Selection::Field(field) => {
                    let of = self.types.gives(parent, field.node.name.node.as_str());
                    let key = field.node.response_key().node.as_str();
                    found
                        .entry(key)
                        .or_default()
                        .push(One { parent, field, of });
                }
                Selection::InlineFragment(inline) => {
                    let on = inline.node.type_condition.as_ref();
                    let on = on.map_or(parent, |on| on.node.on.node.as_str());
                    self.gather(on, &inline.node.selection_set.node, found, opened);
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    if let (Some(fragment), true) = (
                        self.document.fragments.get(name),
                        opened.insert(name.as_str()),
                    ) {
                        let on = fragment.node.type_condition.node.on.node.as_str();
                        self.gather(on, &fragment.node.selection_set.node, found, opened);
                    }
                }
            }
        }
    }

    /// Whatever the types, values of one name must have one form: clients read them alike.
    fn forms(&self, sets: &[Set<'a>]) -> Option<Conflict> {
        self.collect(sets).into_iter().find_map(|(key, all)| {
            let first = all.iter().find_map(|one| one.of);
            let other = all.iter().find(|one| match (first, one.of) {
                (Some(first), Some(of)) => !self.alike(first, of),
                _ => false,
            });
            if let Some(other) = other {
                let message =
                    format!("Fields \"{key}\" conflict because they give different types.");
                return Some((other.field.pos, message));
            }
            let below: Vec<Set<'_>> = all.iter().map(|one| self.below(one)).collect();
            match below.iter().all(|(_, set)| set.items.is_empty()) {
                true => None,
                false => self.forms(&below),
            }
        })
    }

    /// What may be the same field of the same object must be that very field.
    fn names(&self, sets: &[Set<'a>]) -> Option<Conflict> {
        self.collect(sets).into_iter().find_map(|(key, all)| {
            let of_any: Vec<&One<'_>> = all
                .iter()
                .filter(|one| !self.types.is_object(one.parent))
                .collect();
            let mut of_objects: IndexMap<&str, Vec<&One<'_>>> = IndexMap::new();
            for one in all.iter().filter(|one| self.types.is_object(one.parent)) {
                of_objects.entry(one.parent).or_default().push(one);
            }
            if of_objects.is_empty() {
                of_objects.insert("", vec![]);
            }
            of_objects.into_values().find_map(|own| {
                let same: Vec<&One<'_>> = of_any.iter().copied().chain(own).collect();
                let (first, others) = same.split_first()?;
                if let Some((other, what)) = others
                    .iter()
                    .find_map(|other| Some((other, differs(&first.field.node, &other.field.node)?)))
                {
                    let message = format!("Fields \"{key}\" conflict because {what}.");
                    return Some((other.field.pos, message));
                }
                let below: Vec<Set<'_>> = same.iter().map(|one| self.below(one)).collect();
                match below.iter().all(|(_, set)| set.items.is_empty()) {
                    true => None,
                    false => self.names(&below),
                }
            })
        })
    }

    fn below(&self, one: &One<'a>) -> Set<'a> {
        let type_name = one.of.map_or("", named);
        (type_name, &one.field.node.selection_set.node)
    }

    /// Whether values of these types have one form: the same lists, the same absences, and at the end the same leaf or
    /// any two objects.
    fn alike(&self, one: &Type, other: &Type) -> bool {
        let bases = match (&one.base, &other.base) {
            (BaseType::Named(one), BaseType::Named(other)) => {
                one == other || (self.types.has_fields(one) && self.types.has_fields(other))
            }
            (BaseType::List(one), BaseType::List(other)) => self.alike(one, other),
            _ => false,
        };
        bases && one.nullable == other.nullable
    }
}

fn differs(one: &Field, other: &Field) -> Option<&'static str> {
    if one.name.node != other.name.node {
        return Some("they are different fields");
    }
    let arguments = |field: &'_ Field| -> HashMap<String, async_graphql_value::Value> {
        let given = field.arguments.iter();
        given
            .map(|(name, value)| (name.node.to_string(), value.node.clone()))
            .collect()
    };
    let both_plain = one.arguments.is_empty() && other.arguments.is_empty();
    (!both_plain && arguments(one) != arguments(other)).then_some("they have differing arguments")
}

fn named(value_type: &Type) -> &str {
    match &value_type.base {
        BaseType::Named(name) => name.as_str(),
        BaseType::List(item) => named(item),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SDL: &str = "
        interface Node { id: ID! }
        type A implements Node { id: ID! name: String! maybe: String many: [String!]! b: B c(x: Int): C! }
        type B implements Node { id: ID! name: String! maybe: String count: Int! c(x: Int): C! }
        type C { x: Int! y: Int! z: String! }
        type Query { node: Node a(id: ID): A b: B __typename: String! }
        schema { query: Query }
    ";

    fn merges(text: &str) -> bool {
        let document = async_graphql::parser::parse_query(text).unwrap();
        conflict(&document, &Types::read(SDL).unwrap()).is_none()
    }

    #[test]
    fn what_differs_between_types_must_have_one_form() {
        assert!(merges(
            "{ node { ... on A { s: name } ... on B { s: name } } }"
        ));
        assert!(merges(
            "{ node { ... on A { c(x: 1) { x } } ... on B { c(x: 2) { x } } } }"
        ));
        for wrong in [
            "{ node { ... on A { s: name } ... on B { s: maybe } } }",
            "{ node { ... on A { s: many } ... on B { s: name } } }",
            "{ node { ... on A { s: name } ... on B { s: count } } }",
            "{ node { ... on A { s: b { id } } ... on B { s: name } } }",
            "{ node { ... on A { c { s: x } } ... on B { c { s: z } } } }",
            "{ node { ...F ... on B { s: count } } } fragment F on A { s: name }",
        ] {
            assert!(!merges(wrong), "{wrong}");
        }
    }

    #[test]
    fn what_is_selected_twice_is_compared_all_the_way_down() {
        assert!(merges("{ a { b { id } } a { b { name } } }"));
        assert!(merges(
            "{ a(id: 1) { c { x } } ... on Query { a(id: 1) { c { x y } } } }"
        ));
        for wrong in [
            "{ a { s: name } a { s: id } }",
            "{ a { b { s: name } } a { b { s: id } } }",
            "{ a { c { s: x } } a { c { s: y } } }",
            "{ a { c(x: 1) { x } } ... { a { c(x: 2) { x } } } }",
            "{ a { id ... on A { id: name } } }",
            "{ a { ...F ...G } } fragment F on A { c { s: x } } fragment G on A { c { s: y } }",
            "{ node { s: id ... on A { s: name } } }",
        ] {
            assert!(!merges(wrong), "{wrong}");
        }
    }
}
