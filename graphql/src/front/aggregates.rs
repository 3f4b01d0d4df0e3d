//! Types of aggregates: what connections can be grouped by, and what is told of a group.

use async_graphql::dynamic::{Enum, EnumItem, Field, InputValue, Object, TypeRef};

use super::{Builder, described, directives, entities::scalar_ref};
use crate::{
    aggregates::{Aggregates, Grouping, Step},
    catalog::{Catalog, Entity, Scalar},
    compile::{extreme_names, sum_name},
    cost,
    declare::camel_case,
};

pub(super) fn register(mut builder: Builder, catalog: &Catalog) -> Builder {
    let mut any = false;
    for entity in catalog.entities.values() {
        let Some(aggregates) = &entity.aggregates else {
            continue;
        };
        any = true;
        builder = builder
            .register(aggregation(entity))
            .register(aggregate(entity, aggregates, catalog));
        if !aggregates.groupings.is_empty() {
            builder = builder.register(group_by(entity, aggregates));
        }
    }
    match any {
        true => builder.register(order()),
        false => builder,
    }
}

/// The field of a connection.
pub(super) fn field(entity: &Entity, aggregates: &Aggregates) -> Field {
    let mut field = described(
        "aggregates",
        // What it takes is not what the rows take: without it they are given all the same.
        TypeRef::named(format!("{}Aggregation", entity.name)),
        &directives::scope_sentence(
            "All rows that the filter means, on this page or not, counted and added up. \
             Not for visitors and people who act in no organization.",
            &aggregates.scope,
            false,
        ),
    )
    .directive(directives::requires_scope(&aggregates.scope))
    .directive(directives::cost(cost::AGGREGATES))
    .directive(directives::groups());
    if !aggregates.groupings.is_empty() {
        field = field.argument(
            InputValue::new(
                "groupBy",
                TypeRef::named_nn_list(format!("{}GroupBy", entity.name)),
            )
            .description("What the rows of a group have in common, at most three; without it all rows are one group."),
        );
    }
    field
        .argument(
            InputValue::new("first", TypeRef::named(TypeRef::INT))
                .description("How many groups at most: 1 to 1000, 100 when it is not given."),
        )
        .argument(
            InputValue::new("orderBy", TypeRef::named("AggregateOrderBy"))
                .description("Order of the groups; by key when it is not given."),
        )
}

fn order() -> Enum {
    Enum::new("AggregateOrderBy")
        .description("Orders of groups. Those that count alike come by their keys.")
        .item(EnumItem::new("KEY_ASC").description(
            "By what they have in common, as named in `groupBy`; what is absent comes last.",
        ))
        .item(
            EnumItem::new("KEY_DESC")
                .description("The same from the other end; what is absent comes last here too."),
        )
        .item(EnumItem::new("COUNT_ASC").description("Fewest rows first."))
        .item(EnumItem::new("COUNT_DESC").description("Most rows first."))
}

fn group_by(entity: &Entity, aggregates: &Aggregates) -> Enum {
    let mut item = Enum::new(format!("{}GroupBy", entity.name))
        .description(format!("What {} can be grouped by.", entity.name));
    for grouping in &aggregates.groupings {
        item = item.item(
            EnumItem::new(grouping.shown()).description(sentence(&meaning(entity, grouping))),
        );
    }
    item
}

fn aggregation(entity: &Entity) -> Object {
    Object::new(format!("{}Aggregation", entity.name))
        .description(format!("Groups of {}.", entity.name))
        .field(described(
            "groups",
            TypeRef::named_nn_list_nn(format!("{}Aggregate", entity.name)),
            "The groups that have rows. Without `groupBy` it is one group, of no rows too.",
        ))
        .field(described(
            "truncated",
            TypeRef::named_nn(TypeRef::BOOLEAN),
            "Whether there are more groups than `first`.",
        ))
}

fn aggregate(entity: &Entity, aggregates: &Aggregates, catalog: &Catalog) -> Object {
    let mut object = Object::new(format!("{}Aggregate", entity.name))
        .description(format!(
            "What a group of {} has in common, and what it comes to.",
            entity.name
        ))
        .field(described(
            "count",
            TypeRef::named_nn(TypeRef::INT),
            "How many rows.",
        ));
    for grouping in &aggregates.groupings {
        object = object.field(described(
            &grouping.field(),
            key_type(entity, grouping, catalog),
            &format!(
                "{} Null when it is absent, and when rows are not grouped by it.",
                sentence(&meaning(entity, grouping))
            ),
        ));
    }
    for money in &aggregates.money {
        object = object.field(described(
            &sum_name(money),
            TypeRef::named_nn_list_nn("Money"),
            &format!("All of `{money}` added up, one amount a currency, by its code."),
        ));
    }
    for column in &aggregates.numbers {
        let field = camel_case(column);
        object = object.field(described(
            &sum_name(&field),
            TypeRef::named_nn("BigInt"),
            &format!("All of `{field}` added up; what is absent adds nothing."),
        ));
    }
    for column in &aggregates.extremes {
        let field = camel_case(column);
        let scalar = entity.column(column).map(|column| &column.scalar);
        let type_ref = || scalar_ref(scalar.unwrap_or(&Scalar::String), true);
        let (least, most) = extreme_names(&field);
        object = object
            .field(described(
                &least,
                type_ref(),
                &format!("The smallest `{field}`; null when there is none."),
            ))
            .field(described(
                &most,
                type_ref(),
                &format!("The largest `{field}`; null when there is none."),
            ));
    }
    object
}

fn key_type(entity: &Entity, grouping: &Grouping, catalog: &Catalog) -> TypeRef {
    match grouping {
        Grouping::Column(column) => {
            let scalar = entity.column(column).map(|column| &column.scalar);
            scalar_ref(scalar.unwrap_or(&Scalar::String), true)
        }
        Grouping::Relation(name) => {
            let target = entity
                .key_relation(name)
                .and_then(|relation| catalog.entity_of_table(&relation.target_table));
            // `Catalog::check` has refused a relation to nowhere before.
            TypeRef::named(target.map_or(TypeRef::STRING, |target| target.name.as_str()))
        }
        Grouping::Time(..) => scalar_ref(&Scalar::Date, true),
    }
}

fn meaning(entity: &Entity, grouping: &Grouping) -> String {
    let zone = || {
        let zone = entity.aggregates.as_ref()?.zone.as_ref()?;
        let field = camel_case(&zone.column);
        Some(match &zone.relation {
            None => format!("`{field}`"),
            Some(relation) => format!("`{relation}.{field}`"),
        })
    };
    match grouping {
        Grouping::Column(column) => format!("the same `{}`", camel_case(column)),
        Grouping::Relation(name) => format!("the same `{name}`"),
        Grouping::Time(column, step) => {
            let what = match step {
                Step::Day => "the day",
                Step::Week => "the Monday of the week",
                Step::Month => "the first day of the month",
            };
            format!(
                "{what} of `{}` in the zone of {}",
                camel_case(column),
                zone().unwrap_or_default()
            )
        }
    }
}

fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(char::to_uppercase);
    let first: String = first.into_iter().flatten().collect();
    format!("{first}{}.", characters.as_str())
}
