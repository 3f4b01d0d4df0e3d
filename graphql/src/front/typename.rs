//! async-graphql's validator does not look at `__typename` at all, so it takes a variable that only stands in a
//! directive there for unused, and one that nobody defined for known. It does look at fragments.

use async_graphql::{
    Positioned,
    parser::types::{
        DocumentOperations, ExecutableDocument, InlineFragment, Selection, SelectionSet,
    },
};

/// The same document to the validator's eyes: each `__typename @d` as `... @d { __typename }`.
pub(super) fn within_fragments(document: &ExecutableDocument) -> ExecutableDocument {
    let mut document = document.clone();
    match &mut document.operations {
        DocumentOperations::Single(operation) => set(&mut operation.node.selection_set.node),
        DocumentOperations::Multiple(operations) => operations
            .values_mut()
            .for_each(|operation| set(&mut operation.node.selection_set.node)),
    }
    for fragment in document.fragments.values_mut() {
        set(&mut fragment.node.selection_set.node);
    }
    document
}

fn set(selection: &mut SelectionSet) {
    for item in &mut selection.items {
        let pos = item.pos;
        match &mut item.node {
            Selection::Field(field) if field.node.name.node == "__typename" => {
                if field.node.directives.is_empty() {
                    continue;
                }
                let directives = std::mem::take(&mut field.node.directives);
                let alone = SelectionSet {
                    items: vec![item.clone()],
                };
                item.node = Selection::InlineFragment(Positioned::new(
                    InlineFragment {
                        type_condition: None,
                        directives,
                        selection_set: Positioned::new(alone, pos),
                    },
                    pos,
                ));
            }
            Selection::Field(field) => set(&mut field.node.selection_set.node),
            Selection::InlineFragment(inline) => set(&mut inline.node.selection_set.node),
            Selection::FragmentSpread(_) => {}
        }
    }
}
