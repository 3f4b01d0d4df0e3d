//! Documents of nothing but mistakes. The validator looks for a like name for each field that does not exist, which is
//! kind to people and dear to us: a document with so many of them is refused before that.

use async_graphql::{
    Pos, Positioned,
    parser::types::{ExecutableDocument, OperationType, Selection, SelectionSet},
};

use crate::types::Types;

/// Fields that do not exist, in one document; beyond them nobody needs each named.
pub const MOST_UNKNOWN: usize = 20;

/// Where the first field too many stands, if there are too many. Each fragment is walked once, however often it is
/// spread.
pub fn too_many(document: &ExecutableDocument, types: &Types) -> Option<Pos> {
    let mut walk = Walk { types, found: 0 };
    let operations = document.operations.iter().map(|(_, operation)| {
        let root = match operation.node.ty {
            OperationType::Query => "Query",
            OperationType::Mutation => "Mutation",
            OperationType::Subscription => "Subscription",
        };
        (root, &operation.node.selection_set)
    });
    let fragments = document.fragments.values().map(|fragment| {
        let on = fragment.node.type_condition.node.on.node.as_str();
        (on, &fragment.node.selection_set)
    });
    operations
        .chain(fragments)
        .find_map(|(type_name, set)| walk.set(type_name, set))
}

struct Walk<'a> {
    types: &'a Types,
    found: usize,
}

impl Walk<'_> {
    fn set(&mut self, type_name: &str, set: &Positioned<SelectionSet>) -> Option<Pos> {
        set.node.items.iter().find_map(|item| match &item.node {
            Selection::Field(field) => {
                let name = field.node.name.node.as_str();
                // What begins so is introspection: of types that are not ours to know.
                if name.starts_with("__") {
                    return None;
                }
                match self.types.leads_to(type_name, name) {
                    Some(inner) => self.set(inner, &field.node.selection_set),
                    None if self.types.has_fields(type_name) => {
                        self.found += 1;
                        (self.found > MOST_UNKNOWN).then_some(field.pos)
                    }
                    None => None,
                }
            }
            Selection::FragmentSpread(_) => None,
            Selection::InlineFragment(inline) => {
                let condition = inline.node.type_condition.as_ref();
                let on = condition.map_or(type_name, |on| on.node.on.node.as_str());
                self.set(on, &inline.node.selection_set)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    const SDL: &str =
        "type Query { events: Events __typename: String } type Events { title: String }";

    fn refused(text: &str) -> bool {
        let types = Types::read(SDL).expect("a schema");
        too_many(&parse_query(text).expect("a document"), &types).is_some()
    }

    #[test]
    fn a_few_mistakes_are_named_many_are_not() {
        let fields = |many: usize| (0..many).map(|n| format!("f{n} ")).collect::<String>();
        assert!(!refused(&format!("{{ {} }}", fields(20))));
        assert!(refused(&format!("{{ {} }}", fields(21))));
        let nested = |many| format!("{{ events {{ ... on Events {{ {} }} }} f0 }}", fields(many));
        assert!(!refused(&nested(19)));
        assert!(refused(&nested(20)));
        let fragment = |many| {
            format!(
                "{{ ...a ...a }} fragment a on Events {{ {} }}",
                fields(many)
            )
        };
        assert!(!refused(&fragment(20)));
        assert!(refused(&fragment(21)));
    }

    #[test]
    fn what_exists_and_what_is_introspection_is_no_mistake() {
        let titles = (0..50).map(|n| format!("t{n}: title ")).collect::<String>();
        assert!(!refused(&format!("{{ events {{ {titles} }} }}")));
        let introspected = "kind ".repeat(30);
        assert!(!refused(&format!(
            "{{ __schema {{ types {{ {introspected} }} }} }}"
        )));
        assert!(!refused(&format!(
            "{{ ...a }} fragment a on __Type {{ {introspected} }}"
        )));
    }
}
