//! The fields of a selection, as the specification collects them: fragments by type condition, `@skip`/`@include`,
//! equal response keys merged.

use crate::{
    given::{Given, Variables},
    values::BadValue,
};
use async_graphql::{
    Pos, Positioned,
    parser::types::{Directive, ExecutableDocument, Selection, SelectionSet},
};
use async_graphql_value::{Name, Value};
use indexmap::IndexMap;

/// A field of a selection with everything that was said of it.
#[derive(Clone, Debug)]
pub struct Selected<'a> {
    /// Key in the response: alias, else name.
    pub key: &'a str,
    /// Name of the field.
    pub name: &'a str,
    /// Where it stands first.
    pub pos: Pos,
    arguments: &'a [(Positioned<Name>, Positioned<Value>)],
    /// What is selected below it.
    pub sets: Vec<&'a SelectionSet>,
}

impl Selected<'_> {
    /// The argument's value; `None` when it is not given.
    pub fn argument(&self, name: &str, variables: &Variables) -> Option<Given> {
        self.arguments
            .iter()
            .find(|(known, _)| known.node.as_str() == name)
            .and_then(|(_, value)| Given::of(&value.node, variables))
    }
}

/// A document and the variables of one request.
#[derive(Clone, Copy, Debug)]
pub struct Operation<'a> {
    /// Where fragments are found.
    pub document: &'a ExecutableDocument,
    /// Name of the operation.
    pub name: Option<&'a str>,
    /// With defaults.
    pub variables: &'a Variables,
}

impl<'a> Operation<'a> {
    /// The fields of the sets for an object of type `type_name`; `is_node`: whether it implements `Node`.
    pub fn collect(
        &self,
        sets: &[&'a SelectionSet],
        type_name: &str,
        is_node: bool,
    ) -> Result<Vec<Selected<'a>>, BadValue> {
        let mut found = IndexMap::new();
        for set in sets {
            self.walk(set, type_name, is_node, &mut found)?;
        }
        Ok(found.into_values().collect())
    }

    fn walk(
        &self,
        set: &'a SelectionSet,
        type_name: &str,
        is_node: bool,
        found: &mut IndexMap<&'a str, Selected<'a>>,
    ) -> Result<(), BadValue> {
        let applies = |condition: &str| condition == type_name || (is_node && condition == "Node");
        for item in &set.items {
            match &item.node {
                Selection::Field(field) if self.kept(&field.node.directives) => {
                    let field = &field.node;
                    let key = field.response_key().node.as_str();
                    let name = field.name.node.as_str();
                    let known = found.entry(key).or_insert_with(|| Selected {
                        key,
                        name,
                        pos: field.name.pos,
                        arguments: &field.arguments,
                        sets: vec![],
                    });
                    if known.name != name || !self.same(known.arguments, &field.arguments) {
                        return Err(BadValue(format!(
                            "`{key}` stands for two different fields; give one of them an alias"
                        )));
                    }
                    known.sets.push(&field.selection_set.node);
                }
                Selection::FragmentSpread(spread) if self.kept(&spread.node.directives) => {
                    let name = &spread.node.fragment_name.node;
                    if let Some(fragment) = self.document.fragments.get(name)
                        && applies(fragment.node.type_condition.node.on.node.as_str())
                    {
                        self.walk(&fragment.node.selection_set.node, type_name, is_node, found)?;
                    }
                }
                Selection::InlineFragment(inline) if self.kept(&inline.node.directives) => {
                    let condition = inline.node.type_condition.as_ref();
                    if condition.is_none_or(|condition| applies(condition.node.on.node.as_str())) {
                        self.walk(&inline.node.selection_set.node, type_name, is_node, found)?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn same(
        &self,
        one: &[(Positioned<Name>, Positioned<Value>)],
        other: &[(Positioned<Name>, Positioned<Value>)],
    ) -> bool {
        one.len() == other.len()
            && one.iter().all(|(name, value)| {
                other
                    .iter()
                    .any(|(known, other)| known.node == name.node && other.node == value.node)
            })
    }

    fn kept(&self, directives: &[Positioned<Directive>]) -> bool {
        directives.iter().all(|directive| {
            let directive = &directive.node;
            let condition = || {
                directive
                    .get_argument("if")
                    .and_then(|value| Given::of(&value.node, self.variables))
                    .and_then(|value| value.value(self.variables).as_bool())
                    .unwrap_or(false)
            };
            match directive.name.node.as_str() {
                "skip" => !condition(),
                "include" => condition(),
                _ => true,
            }
        })
    }
}
