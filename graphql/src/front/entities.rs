//! Object types, connections and edges of entities.

use async_graphql::dynamic::{Field, InputValue, Object, TypeRef};

use super::{Builder, aggregates, deprecated, described, directives, inputs};
use crate::{
    catalog::{
        Argument, Cardinality, Catalog, Entity, Field as Shown, Relation, RowsField, Scalar,
    },
    cost,
};

pub(super) fn register(mut builder: Builder, catalog: &Catalog) -> Builder {
    for entity in catalog.entities.values() {
        builder = builder.register(object(entity, catalog));
        if is_paged(entity, catalog) {
            builder = builder.register(connection(entity)).register(edge(entity));
        }
    }
    builder
}

/// Whether some field leads to a connection of the entity: a type that nothing leads to is no use to clients.
fn is_paged(entity: &Entity, catalog: &Catalog) -> bool {
    let leads_here = |shown: &Shown| match shown {
        Shown::Relation(relation) => {
            relation.cardinality == Cardinality::ToMany && relation.target_table == entity.table
        }
        Shown::Rows(rows) => rows.entity == entity.name,
        _ => false,
    };
    let mut functions = catalog.functions.values();
    let mut fields = catalog
        .entities
        .values()
        .flat_map(|other| other.fields.values());
    entity.root_many.is_some()
        || functions.any(|function| function.many && function.entity == entity.name)
        || fields.any(leads_here)
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

/// A root field that answers with this entity: the scope as a directive and as a sentence.
pub(super) fn scoped_root(name: &str, type_ref: TypeRef, description: &str, of: &Entity) -> Field {
    match &of.scope {
        None => described(name, type_ref, description),
        Some(scope) => {
            let text = directives::scope_sentence(description, scope, false);
            described(name, type_ref, &text).directive(directives::requires_scope(scope))
        }
    }
}

fn object(entity: &Entity, catalog: &Catalog) -> Object {
    let mut object = Object::new(&entity.name).implement("Node");
    object = match &entity.scope {
        None => object.description(&entity.description),
        Some(scope) => object
            .description(directives::scope_sentence(
                &entity.description,
                scope,
                entity.own_rows,
            ))
            .directive(directives::requires_scope(scope)),
    };
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
                let nullable = money.function.is_some()
                    || entity
                        .column(&money.minor_column)
                        .is_some_and(|column| column.nullable);
                let type_ref = match nullable {
                    true => TypeRef::named("Money"),
                    false => TypeRef::named_nn("Money"),
                };
                let field = described(name, type_ref, &money.description);
                match money.function {
                    None => field,
                    Some(_) => field.directive(directives::cost(cost::CALL)),
                }
            }
            Shown::Computed(computed) => taking(
                described(
                    name,
                    scalar_ref(&computed.scalar, computed.nullable),
                    &computed.description,
                ),
                catalog,
                (&entity.name, name),
                &computed.arguments,
            )
            .directive(directives::cost(u64::from(computed.cost))),
            Shown::Rows(rows) => rows_field(entity, rows, catalog),
            Shown::Relation(relation) => relation_field(entity, relation, catalog),
        };
        object = object.field(deprecated::field(catalog, &entity.name, name, field));
    }
    object
}

fn relation_field(entity: &Entity, relation: &Relation, catalog: &Catalog) -> Field {
    let Some(target) = catalog.entity_of_table(&relation.target_table) else {
        // `Catalog::check` has refused such a catalog before.
        return described(&relation.field, TypeRef::named(TypeRef::STRING), "");
    };
    match relation.cardinality {
        Cardinality::ToMany => {
            let counted = directives::counted_as(relation.fan_out);
            let field = described(
                &relation.field,
                TypeRef::named_nn(format!("{}Connection", target.name)),
                &format!("{}{counted}", relation.description),
            );
            let owner = (entity.name.as_str(), relation.field.as_str());
            connection_arguments(field, catalog, owner, target)
                .directive(directives::page_size(relation.fan_out))
        }
        Cardinality::ToOne | Cardinality::ToOneBack => {
            let type_ref = match relation.required {
                true => TypeRef::named_nn(&target.name),
                false => TypeRef::named(&target.name),
            };
            described(&relation.field, type_ref, &relation.description)
        }
    }
}

/// The field `owner` (type and name) with the arguments of its function.
pub(super) fn taking(
    field: Field,
    catalog: &Catalog,
    owner: (&str, &str),
    arguments: &[Argument],
) -> Field {
    arguments.iter().fold(field, |field, argument| {
        let type_ref = scalar_ref(&argument.scalar, !argument.required);
        let value = InputValue::new(&argument.name, type_ref).description(&argument.description);
        field.argument(deprecated::argument(catalog, owner, &argument.name, value))
    })
}

fn rows_field(entity: &Entity, rows: &RowsField, catalog: &Catalog) -> Field {
    let counted = directives::counted_as(rows.fan_out);
    let field = described(
        &rows.field,
        TypeRef::named_nn(format!("{}Connection", rows.entity)),
        &format!("{}{counted}", rows.description),
    )
    .directive(directives::cost(
        cost::CONNECTION + u64::from(rows.source.cost),
    ))
    .directive(directives::page_size(rows.fan_out));
    let owner = (entity.name.as_str(), rows.field.as_str());
    let field = taking(field, catalog, owner, &rows.arguments);
    match catalog.entities.get(&rows.entity) {
        Some(target) => connection_arguments(field, catalog, owner, target),
        None => field,
    }
}

/// The arguments of a connection of that entity, on the field `owner` (type and name).
pub(super) fn connection_arguments(
    field: Field,
    catalog: &Catalog,
    owner: (&str, &str),
    entity: &Entity,
) -> Field {
    let int = || TypeRef::named(TypeRef::INT);
    let string = || TypeRef::named(TypeRef::STRING);
    let mut arguments = vec![
        (
            "first",
            int(),
            "How many from the start: 0 to 100, 20 when neither `first` nor `last` is given.",
        ),
        ("after", string(), "Only what follows this cursor."),
        (
            "last",
            int(),
            "How many from the end: 0 to 100. Not together with `first`.",
        ),
        ("before", string(), "Only what precedes this cursor."),
    ];
    if inputs::has_filter(entity) {
        let filter = TypeRef::named(format!("{}Filter", entity.name));
        arguments.push(("filter", filter, "Only rows that meet this."));
    }
    if entity.columns.iter().any(|column| column.orderable) {
        arguments.push((
            "orderBy",
            TypeRef::named_nn_list(format!("{}OrderBy", entity.name)),
            "Order of the rows, at most three terms; ties are broken by the key.",
        ));
    }
    arguments
        .into_iter()
        .fold(field, |field, (name, type_ref, description)| {
            let argument = InputValue::new(name, type_ref).description(description);
            field.argument(deprecated::argument(catalog, owner, name, argument))
        })
}

fn connection(entity: &Entity) -> Object {
    let connection = Object::new(format!("{}Connection", entity.name))
        .description(format!("A page of type {}.", entity.name))
        .directive(directives::cost(cost::CONNECTION))
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
        .field(
            described(
                "totalCount",
                TypeRef::named_nn(TypeRef::INT),
                "How many rows there are over all pages. For visitors it stops at 10001.",
            )
            .directive(directives::cost(cost::TOTAL_COUNT)),
        );
    match &entity.aggregates {
        Some(declared) => connection.field(aggregates::field(entity, declared)),
        None => connection,
    }
}

fn edge(entity: &Entity) -> Object {
    Object::new(format!("{}Edge", entity.name))
        .description(format!("A row of type {} and its place.", entity.name))
        .directive(directives::cost(0))
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
