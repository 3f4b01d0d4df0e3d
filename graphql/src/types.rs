//! The types of the schema as the checks of values need them. async-graphql validates documents, but takes a string
//! for an enum, a list for an object, and looks into no variable and no scalar of ours: this does.

use std::collections::{HashMap, HashSet};

use async_graphql::{
    Pos, Positioned,
    parser::{
        parse_schema,
        types::{
            BaseType, ConstDirective, Directive, ExecutableDocument, Field, FieldDefinition,
            InputValueDefinition, InterfaceType, ObjectType, OperationType, Selection,
            SelectionSet, Type, TypeKind, TypeSystemDefinition, VariableDefinition,
        },
    },
};
use async_graphql_value::{ConstValue, Name, Value};

use crate::{deprecation::argument_coordinate, values::BadValue};

/// What a field takes and leads to.
#[derive(Debug)]
struct Output {
    arguments: HashMap<String, Type>,
    leads_to: String,
    gives: Type,
}

/// Types by name.
#[derive(Debug, Default)]
pub struct Types {
    objects: HashMap<String, HashMap<String, Output>>,
    /// Which of these are interfaces.
    interfaces: HashSet<String>,
    inputs: HashMap<String, HashMap<String, Type>>,
    enums: HashMap<String, HashSet<String>>,
    /// Coordinates that carry `@deprecated`.
    deprecated: HashSet<String>,
    /// Of every kind, those of the language included.
    names: HashSet<String>,
}

/// Whether a value stands in the document or came as JSON, where an enum is a string.
#[derive(Clone, Copy)]
enum Written<'a> {
    /// With the variables that may stand in it.
    Literal(Option<&'a [Positioned<VariableDefinition>]>),
    Json,
}

/// A literal that cannot be meant, and where it stands.
pub type Misplaced = (Pos, BadValue);

/// Where a walk through an operation stands: fragments are looked into where they are spread, for their variables are
/// those of the operation.
#[derive(Clone, Copy)]
struct Scope<'a> {
    document: &'a ExecutableDocument,
    variables: &'a [Positioned<VariableDefinition>],
}

impl Types {
    /// The type that a field of an object or interface leads to; `None` when there is no such field.
    pub fn leads_to(&self, type_name: &str, field: &str) -> Option<&str> {
        let output = self.objects.get(type_name)?.get(field)?;
        Some(output.leads_to.as_str())
    }

    /// The type of a field of an object or interface, with its lists; `None` where no definition tells it.
    pub(crate) fn gives(&self, type_name: &str, field: &str) -> Option<&Type> {
        let output = self.objects.get(type_name)?.get(field)?;
        Some(&output.gives)
    }

    /// Whether rows are of exactly that type; also of types that no definition tells.
    pub(crate) fn is_object(&self, type_name: &str) -> bool {
        !self.interfaces.contains(type_name)
    }

    /// Whether that type is one with fields.
    pub fn has_fields(&self, type_name: &str) -> bool {
        self.objects.contains_key(type_name)
    }

    /// Reads them from the schema definition.
    pub fn read(sdl: &str) -> Result<Self, async_graphql::parser::Error> {
        let mut types = Self::default();
        let builtin = ["Int", "Float", "String", "Boolean", "ID"];
        types.names.extend(builtin.map(str::to_owned));
        for definition in parse_schema(sdl)?.definitions {
            let TypeSystemDefinition::Type(definition) = definition else {
                continue;
            };
            let name = definition.node.name.node.to_string();
            note_deprecated(&name, &definition.node.kind, &mut types.deprecated);
            types.names.insert(name.clone());
            match definition.node.kind {
                TypeKind::Object(object) => {
                    types.objects.insert(name, outputs(&object.fields));
                }
                TypeKind::Interface(interface) => {
                    types.interfaces.insert(name.clone());
                    types.objects.insert(name, outputs(&interface.fields));
                }
                TypeKind::InputObject(input) => {
                    types.inputs.insert(name, given(&input.fields));
                }
                TypeKind::Enum(described) => {
                    let values = described.values.iter();
                    let names = values.map(|value| value.node.value.node.to_string());
                    types.enums.insert(name, names.collect());
                }
                TypeKind::Scalar | TypeKind::Union(_) => {}
            }
        }
        Ok(types)
    }

    /// Arguments of the field, and the type that it leads to.
    pub(crate) fn output(
        &self,
        type_name: &str,
        field: &str,
    ) -> Option<(&HashMap<String, Type>, &str)> {
        let output = self.objects.get(type_name)?.get(field)?;
        Some((&output.arguments, &output.leads_to))
    }

    /// The type of that field of an input object.
    pub(crate) fn input_field(&self, type_name: &str, field: &str) -> Option<&Type> {
        self.inputs.get(type_name)?.get(field)
    }

    /// Input object types with the types of their fields.
    pub(crate) fn inputs(&self) -> impl Iterator<Item = (&str, impl Iterator<Item = &Type>)> {
        self.inputs
            .iter()
            .map(|(name, fields)| (name.as_str(), fields.values()))
    }

    /// Whether what has that coordinate is there, may be deprecated, and is.
    pub(crate) fn check_deprecated(&self, coordinate: &str) -> Result<(), String> {
        let (owner, member) = coordinate.split_once('.').unwrap_or((coordinate, ""));
        let required = match member.split_once('(') {
            Some((field, argument)) => self
                .output(owner, field)
                .and_then(|(arguments, _)| arguments.get(argument.trim_end_matches(":)"))),
            None => self.input_field(owner, member),
        };
        if required.is_some_and(|value_type| !value_type.nullable) {
            return Err(format!(
                "{coordinate}: it must be given, so clients could not leave it out; make it optional first"
            ));
        }
        match self.deprecated.contains(coordinate) {
            true => Ok(()),
            false => Err(format!("{coordinate}: the schema has no such thing")),
        }
    }

    /// Checks that the type of every variable is one. To be asked before the validator, which panics at the default of a
    /// variable whose type is a list of what it does not know.
    pub fn check_variable_types(&self, document: &ExecutableDocument) -> Result<(), Misplaced> {
        for (_, operation) in document.operations.iter() {
            for definition in &operation.node.variable_definitions {
                let name = named(&definition.node.var_type.node);
                if !self.names.contains(name) {
                    let message = format!("Unknown type \"{name}\"");
                    return Err((definition.pos, BadValue(message)));
                }
            }
        }
        Ok(())
    }

    /// Checks a variable's value, as it came in JSON.
    pub fn check_variable(
        &self,
        name: &str,
        var_type: &Type,
        value: &serde_json::Value,
    ) -> Result<(), BadValue> {
        let value = ConstValue::from_json(value.clone())
            .map_err(|_| BadValue(format!("${name} cannot be read")))?;
        self.check(
            var_type,
            &value.into_value(),
            Written::Json,
            &format!("${name}"),
        )
    }

    /// Checks every literal of the document, and that each variable may stand where it stands. The values of variables
    /// are checked when they come. Fragments without end have been refused before.
    pub fn check_literals(&self, document: &ExecutableDocument) -> Result<(), Misplaced> {
        for (_, operation) in document.operations.iter() {
            let operation = &operation.node;
            let scope = Scope {
                document,
                variables: &operation.variable_definitions,
            };
            for definition in scope.variables {
                let definition = &definition.node;
                if let Some(directive) = definition.directives.first() {
                    let message = "a variable takes no directive".to_owned();
                    return Err((directive.pos, BadValue(message)));
                }
                if let Some(default) = &definition.default_value {
                    let value = default.node.clone().into_value();
                    let what = format!("the default of ${}", definition.name.node);
                    self.check(
                        &definition.var_type.node,
                        &value,
                        Written::Literal(None),
                        &what,
                    )
                    .map_err(|error| (default.pos, error))?;
                }
            }
            let root = match operation.ty {
                OperationType::Query => "Query",
                OperationType::Mutation => "Mutation",
                OperationType::Subscription => "Subscription",
            };
            if let Some(directive) = operation.directives.first() {
                let message = "an operation takes no directive".to_owned();
                return Err((directive.pos, BadValue(message)));
            }
            self.set(root, &operation.selection_set, scope)?;
        }
        Ok(())
    }

    fn set(
        &self,
        type_name: &str,
        set: &Positioned<SelectionSet>,
        scope: Scope<'_>,
    ) -> Result<(), Misplaced> {
        for item in &set.node.items {
            match &item.node {
                Selection::Field(field) => self.field(type_name, &field.node, scope)?,
                Selection::FragmentSpread(spread) => {
                    self.directives(&spread.node.directives, scope)?;
                    let name = &spread.node.fragment_name.node;
                    if let Some(fragment) = scope.document.fragments.get(name) {
                        let condition = fragment.node.type_condition.node.on.node.as_str();
                        self.set(condition, &fragment.node.selection_set, scope)?;
                    }
                }
                Selection::InlineFragment(inline) => {
                    self.directives(&inline.node.directives, scope)?;
                    let condition = inline.node.type_condition.as_ref();
                    let inner = condition.map_or(type_name, |on| on.node.on.node.as_str());
                    self.set(inner, &inline.node.selection_set, scope)?;
                }
            }
        }
        Ok(())
    }

    fn field(&self, type_name: &str, field: &Field, scope: Scope<'_>) -> Result<(), Misplaced> {
        self.directives(&field.directives, scope)?;
        let set = &field.selection_set;
        if field.name.node.as_str() == "__typename" {
            // The validator does not look here.
            if !set.node.items.is_empty() {
                let message = "`__typename` is a text and has no fields".to_owned();
                return Err((set.pos, BadValue(message)));
            }
            if let Some((argument, _)) = field.arguments.first() {
                let message = "`__typename` takes no argument".to_owned();
                return Err((argument.pos, BadValue(message)));
            }
        }
        // The fields of introspection are described in no definition; they take plain arguments.
        let Some(known) = self
            .objects
            .get(type_name)
            .and_then(|fields| fields.get(field.name.node.as_str()))
        else {
            return Ok(());
        };
        for (name, value) in &field.arguments {
            if let Some(argument) = known.arguments.get(name.node.as_str()) {
                let written = Written::Literal(Some(scope.variables));
                self.check(argument, &value.node, written, name.node.as_str())
                    .map_err(|error| (value.pos, error))?;
            }
        }
        self.set(&known.leads_to, set, scope)
    }

    /// `@skip` and `@include` are all that a document of ours may carry, and an operation as a whole carries neither.
    fn directives(
        &self,
        directives: &[Positioned<Directive>],
        scope: Scope<'_>,
    ) -> Result<(), Misplaced> {
        let condition = Type {
            base: BaseType::Named(Name::new("Boolean")),
            nullable: false,
        };
        for directive in directives {
            let (pos, directive) = (directive.pos, &directive.node);
            let name = directive.name.node.as_str();
            if !matches!(name, "skip" | "include") {
                return Err((pos, BadValue(format!("there is no directive @{name}"))));
            }
            let value = match directive.arguments.as_slice() {
                [(argument, value)] if argument.node.as_str() == "if" => value,
                _ => {
                    let message = format!("@{name} takes `if` and nothing else");
                    return Err((pos, BadValue(message)));
                }
            };
            let written = Written::Literal(Some(scope.variables));
            self.check(&condition, &value.node, written, "if")
                .map_err(|error| (value.pos, error))?;
        }
        Ok(())
    }

    fn check(
        &self,
        value_type: &Type,
        value: &Value,
        written: Written<'_>,
        path: &str,
    ) -> Result<(), BadValue> {
        match value {
            Value::Variable(name) => return variable_fits(value_type, name, written, path),
            Value::Null if value_type.nullable => return Ok(()),
            Value::Null => return Err(BadValue(format!("`{path}` must not be null"))),
            _ => {}
        }
        let name = match (&value_type.base, value) {
            (BaseType::List(item), Value::List(items)) => {
                return items.iter().enumerate().try_for_each(|(index, value)| {
                    self.check(item, value, written, &format!("{path}.{index}"))
                });
            }
            // One value stands for a list of one.
            (BaseType::List(item), value) => return self.check(item, value, written, path),
            (BaseType::Named(name), _) => name.as_str(),
        };
        if let Some(fields) = self.inputs.get(name) {
            return self.object(name, fields, value, written, path);
        }
        let fits = match (self.enums.get(name), value) {
            (Some(values), Value::Enum(value)) => values.contains(value.as_str()),
            (Some(values), Value::String(value)) if matches!(written, Written::Json) => {
                values.contains(value.as_str())
            }
            (Some(_), _) => false,
            (None, value) => scalar_fits(name, value),
        };
        match fits {
            true => Ok(()),
            false => Err(BadValue(format!("`{path}` is no {name}"))),
        }
    }

    fn object(
        &self,
        name: &str,
        fields: &HashMap<String, Type>,
        value: &Value,
        written: Written<'_>,
        path: &str,
    ) -> Result<(), BadValue> {
        let Value::Object(given) = value else {
            return Err(BadValue(format!(
                "`{path}` must be an object of type {name}"
            )));
        };
        for (field, value) in given {
            let field_type = fields.get(field.as_str()).ok_or_else(|| {
                BadValue(format!("`{path}` of type {name} has no field `{field}`"))
            })?;
            self.check(field_type, value, written, &format!("{path}.{field}"))?;
        }
        let missing = fields
            .iter()
            .filter(|(field, field_type)| {
                !field_type.nullable && !given.contains_key(field.as_str())
            })
            .map(|(field, _)| field)
            .min();
        match missing {
            None => Ok(()),
            Some(field) => Err(BadValue(format!("`{path}.{field}` is missing"))),
        }
    }
}

fn note_deprecated(owner: &str, kind: &TypeKind, found: &mut HashSet<String>) {
    let mut note = |directives: &[Positioned<ConstDirective>], coordinate: String| {
        if directives
            .iter()
            .any(|one| one.node.name.node == "deprecated")
        {
            found.insert(coordinate);
        }
    };
    match kind {
        TypeKind::Object(ObjectType { fields, .. })
        | TypeKind::Interface(InterfaceType { fields, .. }) => {
            for field in fields.iter().map(|field| &field.node) {
                let name = field.name.node.as_str();
                note(&field.directives, format!("{owner}.{name}"));
                for argument in field.arguments.iter().map(|argument| &argument.node) {
                    let coordinate = argument_coordinate(owner, name, &argument.name.node);
                    note(&argument.directives, coordinate);
                }
            }
        }
        TypeKind::InputObject(input) => {
            for field in input.fields.iter().map(|field| &field.node) {
                note(&field.directives, format!("{owner}.{}", field.name.node));
            }
        }
        TypeKind::Enum(described) => {
            for value in described.values.iter().map(|value| &value.node) {
                note(&value.directives, format!("{owner}.{}", value.value.node));
            }
        }
        TypeKind::Scalar | TypeKind::Union(_) => {}
    }
}

fn outputs(fields: &[Positioned<FieldDefinition>]) -> HashMap<String, Output> {
    fields
        .iter()
        .map(|field| {
            let field = &field.node;
            let output = Output {
                arguments: given(&field.arguments),
                leads_to: named(&field.ty.node).to_owned(),
                gives: field.ty.node.clone(),
            };
            (field.name.node.to_string(), output)
        })
        .collect()
}

fn given(fields: &[Positioned<InputValueDefinition>]) -> HashMap<String, Type> {
    fields
        .iter()
        .map(|field| (field.node.name.node.to_string(), field.node.ty.node.clone()))
        .collect()
}

fn named(value_type: &Type) -> &str {
    match &value_type.base {
        BaseType::Named(name) => name.as_str(),
        BaseType::List(item) => named(item),
    }
}

/// Whether a variable may stand in a place of that type. An unknown one is named by the validator.
fn variable_fits(
    place: &Type,
    name: &Name,
    written: Written<'_>,
    path: &str,
) -> Result<(), BadValue> {
    let Written::Literal(Some(variables)) = written else {
        return Ok(());
    };
    let Some(definition) = variables
        .iter()
        .map(|definition| &definition.node)
        .find(|definition| definition.name.node == *name)
    else {
        return Ok(());
    };
    let mut own = definition.var_type.node.clone();
    let default = definition.default_value.as_ref();
    if default.is_some_and(|default| default.node != ConstValue::Null) {
        own.nullable = false;
    }
    match is_within(&own, place) {
        true => Ok(()),
        false => Err(BadValue(format!(
            "`{path}` is of type {place} and cannot take ${name} of type {}",
            definition.var_type.node
        ))),
    }
}

/// Whether every value of one type is one of the other.
fn is_within(one: &Type, other: &Type) -> bool {
    let bases = match (&one.base, &other.base) {
        (BaseType::Named(one), BaseType::Named(other)) => one == other,
        (BaseType::List(one), BaseType::List(other)) => is_within(one, other),
        _ => false,
    };
    bases && (other.nullable || !one.nullable)
}

/// Whether the value has the form of the scalar; its range and content are checked where it is used.
fn scalar_fits(name: &str, value: &Value) -> bool {
    match (name, value) {
        ("Int", Value::Number(number)) => number
            .as_i64()
            .is_some_and(|number| i32::try_from(number).is_ok()),
        ("Float", Value::Number(_)) | ("Boolean", Value::Boolean(_)) => true,
        ("ID" | "BigInt", Value::Number(number)) => number.as_i64().is_some(),
        ("BigInt", Value::String(text)) => text.parse::<i64>().is_ok(),
        ("ID" | "String" | "DateTime" | "Date" | "CurrencyCode" | "Decimal", Value::String(_)) => {
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SDL: &str = "
        enum Colour { RED }
        input In { a: Int! list: [In!] colour: Colour at: DateTime }
        scalar DateTime
        type Query { f(in: In colours: [Colour!]): Query }
        schema { query: Query }
    ";

    fn literal(arguments: &str) -> Result<(), String> {
        let document =
            async_graphql::parser::parse_query(format!("{{ f {{ f({arguments}) {{ x }} }} }}"))
                .unwrap();
        let types = Types::read(SDL).unwrap();
        types
            .check_literals(&document)
            .map_err(|(_, error)| error.0)
    }

    #[test]
    fn literals_are_checked_at_every_depth() {
        assert_eq!(literal("in: {a: 1, list: [{a: 2}], colour: RED}"), Ok(()));
        assert_eq!(literal("in: {a: 1, list: {a: 2}} colours: RED"), Ok(()));
        for wrong in [
            "in: {list: []}",
            "in: {a: null}",
            "in: {a: 1.0}",
            "in: {a: 2147483648}",
            "in: [{a: 1}]",
            "in: {a: 1, b: 2}",
            "in: {a: 1, colour: \"RED\"}",
            "in: {a: 1, colour: BLUE}",
            "in: {a: 1, at: 5}",
            "in: {a: 1, list: [{a: 1}, {a: \"1\"}]}",
            "colours: [RED, null]",
        ] {
            assert!(literal(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_variable_stands_only_where_its_type_fits() {
        let fits = |definition: &str, argument: &str| {
            let text = format!(
                "query({definition}) {{ ...a }} fragment a on Query {{ f({argument}) {{ f {{ x }} }} }}"
            );
            let document = async_graphql::parser::parse_query(text).unwrap();
            Types::read(SDL).unwrap().check_literals(&document).is_ok()
        };
        assert!(fits("$v: In", "in: $v"));
        assert!(fits("$v: Int!", "in: {a: $v}"));
        assert!(fits("$v: Int = 1", "in: {a: $v}"));
        assert!(fits("$v: [Colour!]!", "colours: $v"));
        assert!(!fits("$v: Int = null", "in: {a: $v}"));
        assert!(!fits("$v: Int", "in: {a: $v}"));
        assert!(!fits("$v: String!", "in: {a: $v}"));
        assert!(!fits("$v: Colour!", "colours: $v"));
        assert!(!fits("$v: [Colour]", "colours: $v"));
        assert!(!fits("$v: Colour", "colours: [$v]"));
        assert!(!fits("$v: In @skip(if: true)", "in: $v"));
    }

    #[test]
    fn in_json_an_enum_is_a_string() {
        let types = Types::read(SDL).unwrap();
        let in_type = Type::new("In!").unwrap();
        let check = |value| types.check_variable("v", &in_type, &value);
        assert!(check(serde_json::json!({ "a": 1, "colour": "RED" })).is_ok());
        assert!(check(serde_json::json!({ "a": 1, "colour": "BLUE" })).is_err());
        assert!(check(serde_json::json!(null)).is_err());
    }
}
