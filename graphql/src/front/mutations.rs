//! The mutation type with its inputs, payloads and user errors.

use std::collections::BTreeSet;

use async_graphql::dynamic::{Enum, EnumItem, Field, InputValue, Object, TypeRef};

use super::{Builder, deprecated, described, directives, entities::scalar_ref, inputs::verb_input};
use crate::{
    catalog::Catalog,
    verb::{PayloadType, ValueObject, ValueType, Verb, pascal_case},
};

pub(super) fn register(mut builder: Builder, catalog: &Catalog) -> Builder {
    if catalog.verbs.is_empty() {
        return builder;
    }
    let mut mutation = Object::new("Mutation").description(
        "Everything that can be done. Each field is a transaction of its own; they run one after the other.",
    ).directive(directives::cost(0));
    for value in catalog.values.values() {
        builder = builder.register(value_object(value, catalog));
    }
    let mut stems = BTreeSet::new();
    for verb in catalog.verbs.values() {
        builder = builder
            .register(verb_input(&verb.input, catalog))
            .register(payload(verb, catalog));
        if stems.insert(verb.error_stem.clone()) {
            builder = builder
                .register(error_code(verb, catalog))
                .register(user_error(verb));
        }
        mutation = mutation.field(deprecated::field(
            catalog,
            "Mutation",
            &verb.name,
            verb_field(verb),
        ));
    }
    builder.register(mutation)
}

fn verb_field(verb: &Verb) -> Field {
    let type_ref = TypeRef::named(payload_name(verb));
    let field = match &verb.scope {
        None => described(&verb.name, type_ref, &verb.description),
        Some(scope) => {
            let text = directives::scope_sentence(&verb.description, scope, false);
            described(&verb.name, type_ref, &text).directive(directives::requires_scope(scope))
        }
    };
    field
        .directive(directives::cost(u64::from(verb.cost)))
        .argument(
            InputValue::new("input", TypeRef::named_nn(&verb.input.name))
                .description("What it takes."),
        )
}

/// `placeRegistration` -> `PlaceRegistrationPayload`.
pub(crate) fn payload_name(verb: &Verb) -> String {
    format!("{}Payload", pascal_case(&verb.name))
}

/// `PlaceRegistrationUserError`.
pub(crate) fn user_error_name(verb: &Verb) -> String {
    format!("{}UserError", verb.error_stem)
}

fn payload(verb: &Verb, catalog: &Catalog) -> Object {
    let own = payload_name(verb);
    let mut object = Object::new(&own)
        .description(format!("What `{}` answers.", verb.name))
        .directive(directives::cost(0));
    for field in &verb.payload {
        let type_ref = match &field.payload_type {
            PayloadType::Entity(name) => TypeRef::named(name),
            PayloadType::Entities(name) => TypeRef::named_nn_list_nn(name),
            PayloadType::Scalar(scalar) => scalar_ref(scalar, true),
            PayloadType::Value(name) => TypeRef::named(name),
        };
        let shown = described(&field.name, type_ref, &field.description);
        object = object.field(deprecated::field(catalog, &own, &field.name, shown));
    }
    object
        .field(described(
            "userErrors",
            TypeRef::named_nn_list_nn(user_error_name(verb)),
            "What kept it from being done; empty when it was done.",
        ))
        .field(described(
            "query",
            TypeRef::named("Query"),
            "Anything else, read after it was done.",
        ))
}

fn value_object(value: &ValueObject, catalog: &Catalog) -> Object {
    let start = Object::new(&value.name)
        .description(&value.description)
        .directive(directives::cost(0));
    value
        .fields
        .iter()
        .fold(start, |object, (name, value_type, nullable, text)| {
            let type_ref = match (value_type, nullable) {
                (ValueType::Scalar(scalar), _) => scalar_ref(scalar, *nullable),
                (ValueType::Money, true) => TypeRef::named("Money"),
                (ValueType::Money, false) => TypeRef::named_nn("Money"),
                (ValueType::Objects(other), _) => TypeRef::named_nn_list_nn(other),
            };
            let field = described(name, type_ref, text);
            object.field(deprecated::field(catalog, &value.name, name, field))
        })
}

fn user_error(verb: &Verb) -> Object {
    Object::new(user_error_name(verb))
        .description("Something that the caller can put right.")
        .directive(directives::cost(0))
        .field(described(
            "message",
            TypeRef::named_nn(TypeRef::STRING),
            "A sentence for people.",
        ))
        .field(described(
            "code",
            TypeRef::named_nn(format!("{}ErrorCode", verb.error_stem)),
            "A word for programs.",
        ))
        .field(described(
            "field",
            TypeRef::named_nn_list(TypeRef::STRING),
            "Path of the field of the input that it is about; null when it is about none.",
        ))
}

fn error_code(verb: &Verb, catalog: &Catalog) -> Enum {
    let own = format!("{}ErrorCode", verb.error_stem);
    let mut item = Enum::new(&own).description("Codes of user errors; expect new ones.");
    let mut seen = BTreeSet::new();
    for (code, description) in &verb.error_codes {
        if seen.insert(code) {
            let value = EnumItem::new(code).description(description);
            item = item.item(deprecated::value(catalog, &own, code, value));
        }
    }
    if seen.is_empty() {
        item = item.item(EnumItem::new("INVALID").description("Some value cannot be accepted."));
    }
    item
}
