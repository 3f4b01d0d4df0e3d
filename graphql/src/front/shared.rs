//! Types that every schema has: scalars, `Node`, `PageInfo`, `Money`, the query type.

use async_graphql::dynamic::{
    Enum, EnumItem, Field, InputObject, InputValue, Interface, InterfaceField, Object, Scalar,
    TypeRef,
};

use super::{Builder, deprecated, described, directives, entities};
use crate::{
    catalog::{Catalog, RootFunction},
    cost,
};

pub(super) fn register(builder: Builder, catalog: &Catalog) -> Builder {
    let mut builder = scalars(builder)
        .register(node_interface())
        .register(page_info())
        .register(money())
        .register(money_input())
        .register(query(catalog));
    for enum_type in catalog.enums.values() {
        let mut item = Enum::new(&enum_type.name).description(&enum_type.description);
        for value in &enum_type.values {
            let shown = EnumItem::new(&value.shown).description(&value.description);
            item = item.item(deprecated::value(
                catalog,
                &enum_type.name,
                &value.shown,
                shown,
            ));
        }
        builder = builder.register(item);
    }
    builder
}

fn scalars(builder: Builder) -> Builder {
    builder
        .register(
            Scalar::new("DateTime")
                .description("An instant, RFC 3339, answered in UTC with `Z`: `2026-05-04T16:00:00.000000Z`.")
                .specified_by_url("https://www.rfc-editor.org/rfc/rfc3339"),
        )
        .register(
            Scalar::new("Date")
                .description("A day of the calendar, ISO 8601: `2026-05-04`. What zone it is meant in is said where it stands.")
                .specified_by_url("https://scalars.graphql.org/andimarek/local-date.html"),
        )
        .register(
            Scalar::new("BigInt")
                .description("A 64-bit integer as a string of decimal digits; a sum may be longer."),
        )
        .register(
            Scalar::new("Decimal")
                .description("An exact decimal number as a string: `12.50`."),
        )
        .register(
            Scalar::new("CurrencyCode")
                .description("A currency of ISO 4217: `EUR`, `KRW`, `KWD`.")
                .specified_by_url("https://www.iso.org/iso-4217-currency-codes.html"),
        )
}

fn node_interface() -> Interface {
    Interface::new("Node")
        .description("Anything that has a global id.")
        .field(
            InterfaceField::new("id", TypeRef::named_nn(TypeRef::ID))
                .description("Global id: opaque, stable, unique over all types."),
        )
}

fn page_info() -> Object {
    let boolean = || TypeRef::named_nn(TypeRef::BOOLEAN);
    let string = || TypeRef::named(TypeRef::STRING);
    Object::new("PageInfo")
        .description("Where a page stands in its connection.")
        .directive(directives::cost(0))
        .field(described(
            "hasNextPage",
            boolean(),
            "Whether more follows this page.",
        ))
        .field(described(
            "hasPreviousPage",
            boolean(),
            "Whether something precedes this page.",
        ))
        .field(described(
            "startCursor",
            string(),
            "Cursor of the first edge; null on an empty page.",
        ))
        .field(described(
            "endCursor",
            string(),
            "Cursor of the last edge; null on an empty page.",
        ))
}

fn money() -> Object {
    Object::new("Money")
        .description("An amount of money. Never a floating point number.")
        .directive(directives::cost(0))
        .field(described(
            "minorUnits",
            TypeRef::named_nn("BigInt"),
            "In the currency's smallest unit: 1250 for 12.50 EUR, 1250 for 1250 KRW.",
        ))
        .field(described(
            "currencyCode",
            TypeRef::named_nn("CurrencyCode"),
            "Its currency.",
        ))
        .field(described(
            "amount",
            TypeRef::named_nn("Decimal"),
            "The same amount as a decimal number with the currency's own number of places.",
        ))
}

fn money_input() -> InputObject {
    InputObject::new("MoneyInput")
        .description("An amount of money.")
        .field(
            InputValue::new("minorUnits", TypeRef::named_nn("BigInt"))
                .description("In the currency's smallest unit."),
        )
        .field(
            InputValue::new("currencyCode", TypeRef::named_nn("CurrencyCode"))
                .description("Its currency."),
        )
}

fn query(catalog: &Catalog) -> Object {
    let id = || TypeRef::named_nn(TypeRef::ID);
    let mut query = Object::new("Query")
        .description("Everything that can be read. Each operation is one snapshot of the data.")
        .directive(directives::cost(0))
        .field(
            described(
                "node",
                TypeRef::named("Node"),
                "The thing with this id; null when there is none for the caller.",
            )
            .argument(InputValue::new("id", id()).description("Global id.")),
        )
        .field(
            described(
                "nodes",
                TypeRef::named_list("Node"),
                "The things with these ids, in their order; null where there is none for the caller.",
            )
            .argument(
                InputValue::new("ids", TypeRef::named_nn_list_nn(TypeRef::ID))
                    .description(format!("Global ids, at most {}.", cost::MOST_NODES)),
            )
            .directive(directives::list_size(cost::MOST_NODES)),
        );
    for entity in catalog.entities.values() {
        if let Some(name) = &entity.root_one {
            let text = format!(
                "The {} with this id; null when there is none for the caller.",
                entity.name
            );
            let field = entities::scoped_root(name, TypeRef::named(&entity.name), &text, entity)
                .argument(InputValue::new("id", id()).description("Global id."));
            query = query.field(deprecated::field(catalog, "Query", name, field));
        }
        if let Some(name) = &entity.root_many {
            let type_ref = TypeRef::named(format!("{}Connection", entity.name));
            let text = format!("All of type {} that the caller may see.", entity.name);
            let field = entities::scoped_root(name, type_ref, &text, entity);
            let field =
                entities::connection_arguments(field, catalog, ("Query", name.as_str()), entity)
                    .directive(directives::page_size(u32::MAX));
            query = query.field(deprecated::field(catalog, "Query", name, field));
        }
    }
    for function in catalog.functions.values() {
        let field = root_function(function, catalog);
        query = query.field(deprecated::field(catalog, "Query", &function.field, field));
    }
    query
}

fn root_function(function: &RootFunction, catalog: &Catalog) -> Field {
    let type_ref = match function.many {
        true => TypeRef::named(format!("{}Connection", function.entity)),
        false => TypeRef::named(&function.entity),
    };
    let entity = catalog.entities.get(&function.entity);
    let mut field = match entity {
        Some(entity) => {
            entities::scoped_root(&function.field, type_ref, &function.description, entity)
        }
        None => described(&function.field, type_ref, &function.description),
    };
    let owner = ("Query", function.field.as_str());
    field = entities::taking(field, catalog, owner, &function.arguments);
    let called = function
        .source
        .as_ref()
        .map_or(0, |source| u64::from(source.cost));
    match (function.many, entity) {
        (true, Some(entity)) => {
            let field = entities::connection_arguments(field, catalog, owner, entity)
                .directive(directives::page_size(u32::MAX));
            match called {
                0 => field,
                called => field.directive(directives::cost(cost::CONNECTION + called)),
            }
        }
        _ => field.directive(directives::cost(cost::LOOK_UP + cost::OBJECT)),
    }
}
