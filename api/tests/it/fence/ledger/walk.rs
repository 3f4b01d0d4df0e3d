//! The coordinates that a request asks, and those of which its answer shows something.

use async_graphql::{
    Positioned,
    parser::types::{Directive, ExecutableDocument, Field, OperationType, Selection, SelectionSet},
};
use async_graphql_value::{Name, Value as Literal};
use serde_json::Value;

use super::sdl::{Kind, Sdl};

/// A document with the variables that it was sent with.
pub struct Walk<'a> {
    pub sdl: &'a Sdl,
    pub document: &'a ExecutableDocument,
    pub variables: &'a Value,
    /// What was met.
    pub met: &'a mut dyn FnMut(String),
}

/// Whether a value shows anything of a row: a connection does by its rows or its count.
pub fn says_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => {
            if fields
                .get("userErrors")
                .is_some_and(|errors| *errors != serde_json::json!([]))
            {
                return false;
            }
            let rows = ["nodes", "edges", "groups"];
            match rows.iter().find_map(|name| fields.get(*name)) {
                Some(rows) => says_something(rows),
                None => fields.get("totalCount").is_none_or(|count| *count != 0),
            }
        }
        _ => true,
    }
}

impl Walk<'_> {
    /// Everything that the document asks.
    pub fn asked(&mut self) {
        let document = self.document;
        for (_, operation) in document.operations.iter() {
            let root = root(operation.node.ty);
            self.set(root, &operation.node.selection_set.node);
        }
    }

    /// Everything of which this answer shows something.
    pub fn answered(&mut self, data: &Value) {
        let document = self.document;
        for (_, operation) in document.operations.iter() {
            self.shown(
                root(operation.node.ty),
                &[&operation.node.selection_set.node],
                data,
            );
        }
    }

    fn set(&mut self, type_name: &str, set: &SelectionSet) {
        for item in &set.items {
            match &item.node {
                Selection::Field(field) => {
                    self.directives(&field.node.directives);
                    if let Some(leads_to) = self.field(type_name, &field.node) {
                        self.set(&leads_to, &field.node.selection_set.node);
                    }
                }
                Selection::FragmentSpread(spread) => {
                    self.directives(&spread.node.directives);
                    let fragment = &self.document.fragments[&spread.node.fragment_name.node].node;
                    let narrow = fragment.type_condition.node.on.node.as_str();
                    self.member(type_name, narrow);
                    self.set(narrow, &fragment.selection_set.node);
                }
                Selection::InlineFragment(inline) => {
                    self.directives(&inline.node.directives);
                    let condition = inline.node.type_condition.as_ref();
                    let narrow = condition.map_or(type_name, |on| on.node.on.node.as_str());
                    self.member(type_name, narrow);
                    self.set(narrow, &inline.node.selection_set.node);
                }
            }
        }
    }

    fn member(&mut self, wide: &str, narrow: &str) {
        if self.sdl.is_of(narrow, wide) {
            (self.met)(format!("{wide}>{narrow}"));
        }
    }

    fn directives(&mut self, directives: &[Positioned<Directive>]) {
        for directive in directives {
            for (argument, _) in &directive.node.arguments {
                (self.met)(format!("@{}({}:)", directive.node.name.node, argument.node));
            }
        }
    }

    /// The field with what it is given; the type that it leads to.
    fn field(&mut self, type_name: &str, field: &Field) -> Option<String> {
        let name = field.name.node.as_str();
        let output = self.sdl.output(type_name, name)?;
        (self.met)(format!("{type_name}.{name}"));
        for (argument, value) in &field.arguments {
            let argument = argument.node.as_str();
            if let (Some(value), Some(of)) =
                (self.resolve(&value.node), output.arguments.get(argument))
            {
                (self.met)(format!("{type_name}.{name}({argument}:)"));
                self.input(of, &value);
            }
        }
        Some(output.leads_to.clone())
    }

    /// A literal with its variables filled in; `None` when it is a variable that was not given.
    fn resolve(&self, literal: &Literal) -> Option<Value> {
        let given = |name: &Name| self.variables.get(name.as_str()).cloned().ok_or(());
        let value = literal.clone().into_const_with(|name| {
            let value = given(&name)?;
            async_graphql_value::ConstValue::from_json(value).map_err(drop)
        });
        value
            .ok()?
            .into_json()
            .ok()
            .filter(|value| !value.is_null())
    }

    fn input(&mut self, type_name: &str, value: &Value) {
        if let Value::Array(items) = value {
            return items.iter().for_each(|item| self.input(type_name, item));
        }
        match (self.sdl.types.get(type_name), value) {
            (Some(Kind::Input(of)), Value::Object(fields)) => {
                for (name, value) in fields {
                    if let Some(leads_to) = of.get(name) {
                        (self.met)(format!("{type_name}.{name}"));
                        self.input(leads_to, value);
                    }
                }
            }
            (Some(Kind::Enum(_)), Value::String(name)) => (self.met)(format!("{type_name}.{name}")),
            _ => {}
        }
    }

    fn shown(&mut self, type_name: &str, sets: &[&SelectionSet], value: &Value) {
        let fields = match value {
            Value::Array(items) => {
                return items
                    .iter()
                    .for_each(|item| self.shown(type_name, sets, item));
            }
            Value::Object(fields) => fields,
            Value::String(name) if matches!(self.sdl.types.get(type_name), Some(Kind::Enum(_))) => {
                return (self.met)(format!("{type_name}.{name}"));
            }
            _ => return,
        };
        let narrow = match fields.get("__typename") {
            Some(Value::String(name)) => name.clone(),
            _ => self.narrowed(type_name, sets, value),
        };
        self.member(type_name, &narrow);
        for set in sets {
            self.shown_in(type_name, &narrow, set, value);
        }
    }

    fn shown_in(&mut self, type_name: &str, narrow: &str, set: &SelectionSet, value: &Value) {
        for item in &set.items {
            match &item.node {
                Selection::Field(field) => {
                    let field = &field.node;
                    let found = &value[field.response_key().node.as_str()];
                    if !says_something(found) {
                        self.refused(narrow, field, found);
                        continue;
                    }
                    self.directives(&field.directives);
                    if type_name != narrow {
                        self.field(type_name, field);
                    }
                    if let Some(leads_to) = self.field(narrow, field) {
                        self.shown(&leads_to, &[&field.selection_set.node], found);
                    }
                }
                Selection::FragmentSpread(spread) => {
                    let fragment = &self.document.fragments[&spread.node.fragment_name.node].node;
                    let on = fragment.type_condition.node.on.node.as_str();
                    self.shown_on(
                        on,
                        narrow,
                        &spread.node.directives,
                        &fragment.selection_set.node,
                        value,
                    );
                }
                Selection::InlineFragment(inline) => {
                    let condition = inline.node.type_condition.as_ref();
                    let on = condition.map_or(type_name, |on| on.node.on.node.as_str());
                    let set = &inline.node.selection_set.node;
                    self.shown_on(on, narrow, &inline.node.directives, set, value);
                }
            }
        }
    }

    /// What the payload of something that was not done tells besides why not, such as what it costs by now.
    fn refused(&mut self, type_name: &str, field: &Field, payload: &Value) {
        let (Value::Object(fields), Some(output)) = (
            payload,
            self.sdl.output(type_name, field.name.node.as_str()),
        ) else {
            return;
        };
        if fields.contains_key("userErrors") {
            let mut told = fields.clone();
            told.retain(|name, _| name != "userErrors" && name != "query");
            let (leads_to, set) = (&output.leads_to, &field.selection_set.node);
            self.shown(leads_to, &[set], &Value::Object(told));
        }
    }

    fn shown_on(
        &mut self,
        on: &str,
        narrow: &str,
        directives: &[Positioned<Directive>],
        set: &SelectionSet,
        value: &Value,
    ) {
        if on == narrow || self.sdl.is_of(narrow, on) {
            self.directives(directives);
            self.shown_in(on, narrow, set, value);
        }
    }

    /// What an interface turned out to be, where the answer does not say so by name: the only thing of which every field
    /// is there.
    fn narrowed(&self, type_name: &str, sets: &[&SelectionSet], value: &Value) -> String {
        let fits = |set: &SelectionSet| {
            set.items.iter().all(|item| match &item.node {
                Selection::Field(field) => {
                    value.get(field.node.response_key().node.as_str()).is_some()
                }
                _ => true,
            })
        };
        for item in sets.iter().flat_map(|set| &set.items) {
            if let Selection::InlineFragment(inline) = &item.node
                && let Some(on) = &inline.node.type_condition
                && fits(&inline.node.selection_set.node)
            {
                return on.node.on.node.to_string();
            }
        }
        type_name.to_owned()
    }
}

fn root(of: OperationType) -> &'static str {
    match of {
        OperationType::Query => "Query",
        OperationType::Mutation => "Mutation",
        OperationType::Subscription => "Subscription",
    }
}
