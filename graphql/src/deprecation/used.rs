//! Which deprecated parts of the schema an operation really uses: fields, arguments, input fields and enum values,
//! through fragments, literals and variables.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use async_graphql::{
    Positioned,
    parser::types::{
        BaseType, Directive, ExecutableDocument, Field, OperationDefinition, OperationType,
        Selection, SelectionSet, Type,
    },
};
use async_graphql_value::{ConstValue, Name, Value};
use chrono::NaiveDate;
use serde_json::{Map, Value as Json};

use super::argument_coordinate;
use crate::{
    catalog::{Catalog, CatalogError},
    types::Types,
};

/// Something deprecated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deprecated {
    /// Schema coordinate: `Event.summary`.
    pub coordinate: String,
    /// The day since which it is.
    pub since: NaiveDate,
    /// The day on which it will be gone.
    pub removal: NaiveDate,
}

/// Everything deprecated in a schema.
#[derive(Debug, Default)]
pub struct Deprecations {
    by_coordinate: HashMap<String, Arc<Deprecated>>,
    /// Input types and enums that contain something deprecated, at whatever depth.
    reaching: HashSet<String>,
}

impl Deprecations {
    /// Checks the catalog's deprecations against the schema that was made of it.
    pub fn read(catalog: &Catalog, types: &Types) -> Result<Self, CatalogError> {
        let mut found = Self::default();
        for (coordinate, deprecation) in &catalog.deprecations {
            let (since, removal) = deprecation.dates(coordinate)?;
            types
                .check_deprecated(coordinate)
                .map_err(CatalogError::Deprecation)?;
            let deprecated = Deprecated {
                coordinate: coordinate.clone(),
                since,
                removal,
            };
            found
                .by_coordinate
                .insert(coordinate.clone(), Arc::new(deprecated));
        }
        found.reaching = found.reaching(types);
        Ok(found)
    }

    fn reaching(&self, types: &Types) -> HashSet<String> {
        let owners = self.by_coordinate.keys();
        let mut reaching: HashSet<String> = owners
            .filter_map(|coordinate| coordinate.split_once('.'))
            .map(|(owner, _)| owner.to_owned())
            .collect();
        loop {
            let further: Vec<String> = types
                .inputs()
                .filter_map(|(name, mut fields)| {
                    let new = !reaching.contains(name);
                    let reaches = fields.any(|held| reaching.contains(named(held)));
                    (new && reaches).then(|| name.to_owned())
                })
                .collect();
            if further.is_empty() {
                return reaching;
            }
            reaching.extend(further);
        }
    }

    /// Whether some operation of the document may use something deprecated, with whatever variables. Asked once a
    /// document, so that what uses nothing pays nothing later.
    pub fn may_be_used(&self, document: &ExecutableDocument, types: &Types) -> bool {
        !self.by_coordinate.is_empty()
            && document.operations.iter().any(|(_, operation)| {
                let definitions = &operation.node.variable_definitions;
                definitions.iter().any(|definition| {
                    self.reaching
                        .contains(named(&definition.node.var_type.node))
                }) || !self.walk(document, &operation.node, types, None).is_empty()
            })
    }

    /// What the operation uses with these variables (defaults put in), in the order of the coordinates.
    pub fn used(
        &self,
        document: &ExecutableDocument,
        operation: &OperationDefinition,
        types: &Types,
        variables: &Map<String, Json>,
    ) -> Vec<Arc<Deprecated>> {
        let found = self.walk(document, operation, types, Some(variables));
        let known = found.iter().map(|name| self.by_coordinate.get(name));
        known.flatten().cloned().collect()
    }

    fn walk(
        &self,
        document: &ExecutableDocument,
        operation: &OperationDefinition,
        types: &Types,
        variables: Option<&Map<String, Json>>,
    ) -> BTreeSet<String> {
        let mut walk = Walk {
            deprecations: self,
            types,
            document,
            variables,
            seen: HashSet::new(),
            found: BTreeSet::new(),
        };
        let root = match operation.ty {
            OperationType::Query => "Query",
            OperationType::Mutation => "Mutation",
            OperationType::Subscription => "Subscription",
        };
        walk.set(root, &operation.selection_set.node);
        walk.found
    }
}

struct Walk<'a> {
    deprecations: &'a Deprecations,
    types: &'a Types,
    document: &'a ExecutableDocument,
    /// Without variables everything that may be selected is.
    variables: Option<&'a Map<String, Json>>,
    /// A fragment says the same wherever it is spread.
    seen: HashSet<&'a str>,
    found: BTreeSet<String>,
}

impl<'a> Walk<'a> {
    fn set(&mut self, type_name: &str, set: &'a SelectionSet) {
        for item in &set.items {
            match &item.node {
                Selection::Field(field) if self.kept(&field.node.directives) => {
                    self.field(type_name, &field.node);
                }
                Selection::FragmentSpread(spread) if self.kept(&spread.node.directives) => {
                    let name = &spread.node.fragment_name.node;
                    if let Some(fragment) = self.document.fragments.get(name)
                        && self.seen.insert(name.as_str())
                    {
                        let on = fragment.node.type_condition.node.on.node.as_str();
                        self.set(on, &fragment.node.selection_set.node);
                    }
                }
                Selection::InlineFragment(inline) if self.kept(&inline.node.directives) => {
                    let condition = inline.node.type_condition.as_ref();
                    let on = condition.map_or(type_name, |on| on.node.on.node.as_str());
                    self.set(on, &inline.node.selection_set.node);
                }
                _ => {}
            }
        }
    }

    fn field(&mut self, type_name: &str, field: &'a Field) {
        let name = field.name.node.as_str();
        // What introspection says of itself is no part of the schema.
        let Some((arguments, leads_to)) = self.types.output(type_name, name) else {
            return;
        };
        self.note(format!("{type_name}.{name}"));
        for (argument, value) in &field.arguments {
            let argument = argument.node.as_str();
            if self.is_absent(&value.node) {
                continue;
            }
            self.note(argument_coordinate(type_name, name, argument));
            if let Some(value_type) = arguments.get(argument) {
                self.value(value_type, &value.node);
            }
        }
        self.set(leads_to, &field.selection_set.node);
    }

    fn value(&mut self, value_type: &Type, value: &Value) {
        if !self.deprecations.reaching.contains(named(value_type)) {
            return;
        }
        let name = match (&value_type.base, value) {
            (_, Value::Variable(name)) => return self.variable(value_type, name),
            (BaseType::List(item), Value::List(items)) => {
                return items.iter().for_each(|value| self.value(item, value));
            }
            (BaseType::List(item), value) => return self.value(item, value),
            (BaseType::Named(name), _) => name.as_str(),
        };
        match value {
            Value::Object(fields) => {
                for (field, value) in fields {
                    if self.is_absent(value) {
                        continue;
                    }
                    self.note(format!("{name}.{field}"));
                    if let Some(field_type) = self.types.input_field(name, field.as_str()) {
                        self.value(field_type, value);
                    }
                }
            }
            Value::Enum(value) => self.note(format!("{name}.{value}")),
            // In a variable an enum is a string.
            Value::String(value) => self.note(format!("{name}.{value}")),
            _ => {}
        }
    }

    fn variable(&mut self, value_type: &Type, name: &Name) {
        let given = self.variables.and_then(|all| all.get(name.as_str()));
        if let Some(Ok(value)) = given.map(|json| ConstValue::from_json(json.clone())) {
            self.value(value_type, &value.into_value());
        }
    }

    /// Whether it is a variable that was not given.
    fn is_absent(&self, value: &Value) -> bool {
        matches!((value, self.variables), (Value::Variable(name), Some(all)) if !all.contains_key(name.as_str()))
    }

    fn kept(&self, directives: &[Positioned<Directive>]) -> bool {
        let Some(variables) = self.variables else {
            return true;
        };
        directives.iter().all(|directive| {
            let directive = &directive.node;
            let holds = match directive.get_argument("if").map(|value| &value.node) {
                Some(Value::Variable(name)) => {
                    variables.get(name.as_str()) == Some(&Json::Bool(true))
                }
                Some(value) => *value == Value::Boolean(true),
                None => false,
            };
            // A document carries no other directive than these two.
            holds == (directive.name.node.as_str() == "include")
        })
    }

    fn note(&mut self, coordinate: String) {
        if self.deprecations.by_coordinate.contains_key(&coordinate) {
            self.found.insert(coordinate);
        }
    }
}

fn named(value_type: &Type) -> &str {
    match &value_type.base {
        BaseType::Named(name) => name.as_str(),
        BaseType::List(item) => named(item),
    }
}
