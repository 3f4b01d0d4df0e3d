//! A subscription has one root field, and it is none of introspection: the rule that async-graphql's validator lacks.

use std::collections::BTreeSet;

use async_graphql::{
    Pos,
    parser::types::{ExecutableDocument, OperationType, Selection, SelectionSet},
};

/// Root fields of one operation, by their keys in the answer.
#[derive(Default)]
struct Roots<'a> {
    keys: BTreeSet<&'a str>,
    introspection: bool,
    conditional: bool,
    walked: BTreeSet<&'a str>,
}

/// What is wrong with a subscription of the document, and where.
pub fn fault(document: &ExecutableDocument) -> Option<(Pos, String)> {
    document.operations.iter().find_map(|(name, operation)| {
        if operation.node.ty != OperationType::Subscription {
            return None;
        }
        let mut roots = Roots::default();
        roots.set(document, &operation.node.selection_set.node);
        let whose = match name {
            Some(name) => format!("the subscription \"{name}\""),
            None => "an anonymous subscription".to_owned(),
        };
        let wrong = match roots {
            Roots { keys, .. } if keys.len() > 1 => "must select only one top level field",
            Roots {
                introspection: true,
                ..
            } => "must not select an introspection top level field",
            Roots {
                conditional: true, ..
            } => "must not put `@skip` or `@include` on its top level field",
            _ => return None,
        };
        Some((operation.pos, format!("{whose} {wrong}")))
    })
}

impl<'a> Roots<'a> {
    fn set(&mut self, document: &'a ExecutableDocument, set: &'a SelectionSet) {
        for item in &set.items {
            let directives = match &item.node {
                Selection::Field(field) => &field.node.directives,
                Selection::FragmentSpread(spread) => &spread.node.directives,
                Selection::InlineFragment(inline) => &inline.node.directives,
            };
            self.conditional |= directives
                .iter()
                .any(|directive| ["skip", "include"].contains(&directive.node.name.node.as_str()));
            match &item.node {
                Selection::Field(field) => {
                    self.introspection |= field.node.name.node.starts_with("__");
                    self.keys.insert(field.node.response_key().node.as_str());
                }
                Selection::FragmentSpread(spread) => {
                    let name = spread.node.fragment_name.node.as_str();
                    let known = document.fragments.get(name);
                    if let Some(fragment) = known.filter(|_| self.walked.insert(name)) {
                        self.set(document, &fragment.node.selection_set.node);
                    }
                }
                Selection::InlineFragment(inline) => {
                    self.set(document, &inline.node.selection_set.node);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    fn refused(text: &str) -> bool {
        fault(&parse_query(text).expect("a document")).is_some()
    }

    #[test]
    fn a_subscription_has_one_root_field() {
        assert!(!refused("subscription { a { b c } }"));
        assert!(!refused("subscription { a { b } a { c } }"));
        assert!(!refused(
            "subscription { ...f } fragment f on Subscription { a { b } }"
        ));
        assert!(refused("subscription { a { b } c { d } }"));
        assert!(refused("subscription { a { b } again: a { b } }"));
        assert!(refused(
            "subscription { a { b } ...f } fragment f on Subscription { c { b } }"
        ));
        assert!(refused("subscription { __typename }"));
        assert!(refused(
            "subscription { ... on Subscription { __typename } }"
        ));
        assert!(refused(
            "subscription A($x: Boolean!) { a @skip(if: $x) { b } }"
        ));
        assert!(!refused("{ a { b } c { d } }"));
        assert!(refused("query A { a } subscription B { a c }"));
    }
}
