//! Filters and orders.

use std::collections::BTreeSet;

use async_graphql::dynamic::{Enum, EnumItem, InputObject, InputValue, TypeRef};

use super::{Builder, deprecated, entities::scalar_name};
use crate::{
    catalog::{Cardinality, Catalog, Entity, Field, Relation, Scalar},
    verb::{InputField, InputObject as VerbInput, InputType},
};

pub(super) fn register(mut builder: Builder, catalog: &Catalog) -> Builder {
    let mut operators = BTreeSet::new();
    for entity in catalog.entities.values() {
        if has_filter(entity) {
            builder = builder.register(filter(entity, catalog));
            for column in entity.columns.iter().filter(|column| column.filterable) {
                if operators.insert(operator_name(&column.scalar)) {
                    builder = builder.register(operator_input(&column.scalar));
                }
            }
        }
        for relation in relations(entity) {
            let target = catalog.entity_of_table(&relation.target_table);
            if let (Some(target), Cardinality::ToMany) = (target, relation.cardinality)
                && operators.insert(quantifiers_name(target))
            {
                builder = builder.register(quantifiers(target));
            }
        }
        if entity.columns.iter().any(|column| column.orderable) {
            builder = builder.register(order(entity, catalog));
        }
    }
    for input in catalog.inputs.values() {
        builder = builder.register(verb_input(input, catalog));
    }
    builder
}

/// Whether connections of the entity take a filter.
pub(super) fn has_filter(entity: &Entity) -> bool {
    entity.columns.iter().any(|column| column.filterable) || relations(entity).next().is_some()
}

/// Relations that stand in the entity's filter.
fn relations(entity: &Entity) -> impl Iterator<Item = &Relation> {
    entity.fields.values().filter_map(|field| match field {
        Field::Relation(relation) if relation.filterable => Some(relation),
        _ => None,
    })
}

/// Name of the quantifiers over rows of the entity.
fn quantifiers_name(target: &Entity) -> String {
    format!("{}RelationFilter", target.name)
}

fn quantifiers(target: &Entity) -> InputObject {
    let inner = || TypeRef::named(format!("{}Filter", target.name));
    InputObject::new(quantifiers_name(target))
        .description(format!(
            "Conditions on the {} that a row is related to, as far as the caller may see them.",
            target.name
        ))
        .field(
            InputValue::new("some", inner())
                .description("At least one meets this; `{}`: there is one at all."),
        )
        .field(
            InputValue::new("none", inner())
                .description("Not one meets this; `{}`: there is none at all."),
        )
}

/// The name of the operators of a scalar: `DateTimeFilter`, `EventStatusFilter`.
fn operator_name(scalar: &Scalar) -> String {
    match scalar {
        Scalar::Id(_) => "IdFilter".to_owned(),
        Scalar::StringList => "StringListFilter".to_owned(),
        _ => format!("{}ValueFilter", scalar_name(scalar)),
    }
}

fn filter(entity: &Entity, catalog: &Catalog) -> InputObject {
    let own = format!("{}Filter", entity.name);
    let mut input = InputObject::new(&own).description(format!(
        "Conditions on {}; what is given must hold together. At most 20 conditions, nested at most 3 deep.",
        entity.name
    ));
    for column in entity.columns.iter().filter(|column| column.filterable) {
        let value = InputValue::new(&column.field, TypeRef::named(operator_name(&column.scalar)))
            .description(&column.description);
        input = input.field(deprecated::input(catalog, &own, &column.field, value));
    }
    for relation in relations(entity) {
        let Some(target) = catalog.entity_of_table(&relation.target_table) else {
            continue;
        };
        let (type_name, text) = match relation.cardinality {
            Cardinality::ToMany => (
                quantifiers_name(target),
                format!("By its `{}`.", relation.field),
            ),
            _ => (
                format!("{}Filter", target.name),
                format!(
                    "Its `{}` is there, for the caller to see, and meets this.",
                    relation.field
                ),
            ),
        };
        input = input
            .field(InputValue::new(&relation.field, TypeRef::named(type_name)).description(text));
    }
    input
        .field(
            InputValue::new("and", TypeRef::named_nn_list(&own)).description("All of these hold."),
        )
        .field(
            InputValue::new("or", TypeRef::named_nn_list(&own))
                .description("At least one of these holds."),
        )
        .field(InputValue::new("not", TypeRef::named(&own)).description("This does not hold."))
}

fn operator_input(scalar: &Scalar) -> InputObject {
    let name = scalar_name(scalar);
    let one = || TypeRef::named(&name);
    let many = || TypeRef::named_nn_list(&name);
    let mut input = InputObject::new(operator_name(scalar))
        .description("Conditions on one value; what is given must hold together.")
        .field(InputValue::new("eq", one()).description("Equal."))
        .field(InputValue::new("ne", one()).description("Not equal, or absent."));
    // Of two values or of lists there is no list that the compiler would take.
    if !matches!(scalar, Scalar::Boolean | Scalar::StringList) {
        input = input
            .field(InputValue::new("in", many()).description("One of these, at most 100."))
            .field(
                InputValue::new("notIn", many())
                    .description("None of these, at most 100, or absent."),
            );
    }
    input = input.field(
        InputValue::new("isNull", TypeRef::named(TypeRef::BOOLEAN)).description("Absent, or not."),
    );
    if matches!(
        scalar,
        Scalar::Int | Scalar::BigInt | Scalar::DateTime | Scalar::Date | Scalar::String
    ) {
        input = input
            .field(InputValue::new("lt", one()).description("Less."))
            .field(InputValue::new("lte", one()).description("Less or equal."))
            .field(InputValue::new("gt", one()).description("Greater."))
            .field(InputValue::new("gte", one()).description("Greater or equal."));
    }
    if matches!(scalar, Scalar::String) {
        input =
            input.field(InputValue::new("startsWith", one()).description("Starts with this text."));
    }
    input
}

fn order(entity: &Entity, catalog: &Catalog) -> Enum {
    let own = format!("{}OrderBy", entity.name);
    let mut item = Enum::new(&own).description(format!("Orders of {}.", entity.name));
    for column in entity.columns.iter().filter(|column| column.orderable) {
        let stem = column.name.to_uppercase();
        for (way, words) in [("ASC", "smallest first"), ("DESC", "largest first")] {
            let name = format!("{stem}_{way}");
            let value =
                EnumItem::new(&name).description(format!("By `{}`, {words}.", column.field));
            item = item.item(deprecated::value(catalog, &own, &name, value));
        }
    }
    item
}

/// An input object of a verb.
pub(super) fn verb_input(input: &VerbInput, catalog: &Catalog) -> InputObject {
    let mut object = InputObject::new(&input.name).description(&input.description);
    for field in &input.fields {
        let value = InputValue::new(&field.name, input_ref(field)).description(&field.description);
        object = object.field(deprecated::input(catalog, &input.name, &field.name, value));
    }
    object
}

fn input_ref(field: &InputField) -> TypeRef {
    let (name, list) = match &field.input_type {
        InputType::Scalar(Scalar::StringList) => (TypeRef::STRING.to_owned(), true),
        InputType::Scalar(scalar) => (scalar_name(scalar), false),
        InputType::List(scalar) => (scalar_name(scalar), true),
        InputType::Object(name) => (name.clone(), false),
        InputType::Objects(name) => (name.clone(), true),
        InputType::Money => ("MoneyInput".to_owned(), false),
    };
    match (list, field.required) {
        (false, true) => TypeRef::named_nn(name),
        (false, false) => TypeRef::named(name),
        (true, true) => TypeRef::named_nn_list_nn(name),
        (true, false) => TypeRef::named_nn_list(name),
    }
}
