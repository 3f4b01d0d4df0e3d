//! Object types, connections and edges of entities.

use async_graphql::dynamic::{Field, InputValue, Object, TypeRef};

use super::{Builder, aggregates, described, inputs};
use crate::catalog::{
    Argument, Cardinality, Catalog, Entity, Field as Shown, Relation, RowsField, Scalar,
};

pub(super) fn register(mut builder: Builder, catalog: &Catalog) -> Builder {
    for entity in catalog.entities.values() {
        builder = builder
            .register(object(entity, catalog))
            .register(connection(entity))
            .register(edge(entity));
    }
    builder
}

/// The GraphQL name of a scalar.
pub(super) fn scalar_name(scalar: &Scalar) -> String {
    match scalar {
        Scalar::Id(_) => TypeRef::ID.to_owned(),
        Scalar::String | Scalar::StringList => TypeRef::STRING.to_owned(),
        Scalar::Int => TypeRef::INT.to_owned(),
        Scalar::BigInt => "BigInt".to_owned(),
        Scalar::Boolean => TypeRef::BOOLEAN.to_owned(),
        Scalar::DateTime => "DateTime".to_owned(),
        Scalar::Date => "Date".to_owned(),
        Scalar::Enum(name) => name.clone(),
    }
}

pub(super) fn scalar_ref(scalar: &Scalar, nullable: bool) -> TypeRef {
    let name = scalar_name(scalar);
    match (scalar, nullable) {
        (Scalar::StringList, false) => TypeRef::named_nn_list_nn(name),
        (Scalar::StringList, true) => TypeRef::named_nn_list(name),
        (_, false) => TypeRef::named_nn(name),
        (_, true) => TypeRef::named(name),
    }
}

/// The description, and after it the scope that the caller needs.
pub(super) fn with_scope(description: &str, scope: Option<&str>) -> String {
    match scope {
        None => description.to_owned(),
        Some(scope) => format!(
            "{description}\n\nActing in an organization, the caller needs the scope `{scope}`."
        ),
    }
}

fn object(entity: &Entity, catalog: &Catalog) -> Object {
    let mut object = Object::new(&entity.name)
        .description(with_scope(&entity.description, entity.scope.as_deref()))
        .implement("Node");
    for (name, shown) in &entity.fields {
        let field = match shown {
            Shown::Key => described(
                name,
                TypeRef::named_nn(TypeRef::ID),
                "Global id: opaque, stable, unique over all types.",
            ),
            Shown::Column(index) => {
                let column = &entity.columns[*index];
                described(
                    name,
                    scalar_ref(&column.scalar, column.nullable),
                    &column.description,
                )
            }
            Shown::Money(money) => {
                let nullable = entity
                    .column(&money.minor_column)
                    .is_some_and(|column| column.nullable);
                let type_ref = match nullable {
                    true => TypeRef::named("Money"),
                    false => TypeRef::named_nn("Money"),
                };
                described(name, type_ref, &money.description)
            }
            Shown::Computed(computed) => taking(
                described(
                    name,
                    scalar_ref(&computed.scalar, computed.nullable),
                    &computed.description,
                ),
                &computed.arguments,
            ),
            Shown::Rows(rows) => rows_field(rows, catalog),
            Shown::Relation(relation) => relation_field(relation, catalog),
        };
        object = object.field(field);
    }
    object
}

fn relation_field(relation: &Relation, catalog: &Catalog) -> Field {
    let Some(target) = catalog.entity_of_table(&relation.target_table) else {
        // `Catalog::check` has refused such a catalog before.
        return described(&relation.field, TypeRef::named(TypeRef::STRING), "");
    };
    match relation.cardinality {
        Cardinality::ToMany => connection_arguments(
            described(
                &relation.field,
                TypeRef::named_nn(format!("{}Connection", target.name)),
                &relation.description,
            ),
            target,
        ),
        Cardinality::ToOne | Cardinality::ToOneBack => {
            let type_ref = match relation.required {
                true => TypeRef::named_nn(&target.name),
                false => TypeRef::named(&target.name),
            };
            described(&relation.field, type_ref, &relation.description)
        }
    }
}

/// The field with the arguments of its function.
pub(super) fn taking(mut field: Field, arguments: &[Argument]) -> Field {
    for argument in arguments {
        let type_ref = scalar_ref(&argument.scalar, !argument.required);
        field = field
            .argument(InputValue::new(&argument.name, type_ref).description(&argument.description));
    }
    field
}

fn rows_field(rows: &RowsField, catalog: &Catalog) -> Field {
    let field = described(
        &rows.field,
        TypeRef::named_nn(format!("{}Connection", rows.entity)),
        &rows.description,
    );
    let field = taking(field, &rows.arguments);
    match catalog.entities.get(&rows.entity) {
        Some(target) => connection_arguments(field, target),
        None => field,
    }
}

/// The arguments of a connection of that entity.
pub(super) fn connection_arguments(field: Field, entity: &Entity) -> Field {
    let int = || TypeRef::named(TypeRef::INT);
    let string = || TypeRef::named(TypeRef::STRING);
    let mut field = field
        .argument(InputValue::new("first", int()).description(
            "How many from the start: 0 to 100, 20 when neither `first` nor `last` is given.",
        ))
        .argument(InputValue::new("after", string()).description("Only what follows this cursor."))
        .argument(
            InputValue::new("last", int())
                .description("How many from the end: 0 to 100. Not together with `first`."),
        )
        .argument(
            InputValue::new("before", string()).description("Only what precedes this cursor."),
        );
    if inputs::has_filter(entity) {
        field = field.argument(
            InputValue::new("filter", TypeRef::named(format!("{}Filter", entity.name)))
                .description("Only rows that meet this."),
        );
    }
    if entity.columns.iter().any(|column| column.orderable) {
        field = field.argument(
            InputValue::new(
                "orderBy",
                TypeRef::named_nn_list(format!("{}OrderBy", entity.name)),
            )
            .description("Order of the rows, at most three terms; ties are broken by the key."),
        );
    }
    field
}

fn connection(entity: &Entity) -> Object {
    let connection = Object::new(format!("{}Connection", entity.name))
        .description(format!("A page of type {}.", entity.name))
        .field(described(
            "edges",
            TypeRef::named_nn_list_nn(format!("{}Edge", entity.name)),
            "The rows of the page with their cursors.",
        ))
        .field(described(
            "nodes",
            TypeRef::named_nn_list_nn(&entity.name),
            "The rows of the page.",
        ))
        .field(described(
            "pageInfo",
            TypeRef::named_nn("PageInfo"),
            "Where the page stands.",
        ))
        .field(described(
            "totalCount",
            TypeRef::named_nn(TypeRef::INT),
            "How many rows there are over all pages. For visitors it stops at 10001.",
        ));
    match &entity.aggregates {
        Some(declared) => connection.field(aggregates::field(entity, declared)),
        None => connection,
    }
}

fn edge(entity: &Entity) -> Object {
    Object::new(format!("{}Edge", entity.name))
        .description(format!("A row of type {} and its place.", entity.name))
        .field(described(
            "cursor",
            TypeRef::named_nn(TypeRef::STRING),
            "Its place in this order; valid for the same order only.",
        ))
        .field(described(
            "node",
            TypeRef::named_nn(&entity.name),
            "The row.",
        ))
}
