//! Types that every schema has: scalars, `Node`, `PageInfo`, `Money`, the query type.

use async_graphql::dynamic::{
    Enum, EnumItem, Field, InputObject, InputValue, Interface, InterfaceField, Object, Scalar,
    TypeRef,
};

use super::{Builder, described, entities};
use crate::catalog::{Catalog, RootFunction};

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
            item = item.item(EnumItem::new(&value.shown).description(&value.description));
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
                .specified_by_url("https://scalars.graphql.org/andimarek/date-time"),
        )
        .register(
            Scalar::new("Date")
                .description("A day of the calendar, ISO 8601: `2026-05-04`. What zone it is meant in is said where it stands.")
                .specified_by_url("https://scalars.graphql.org/andimarek/local-date.html"),
        )
        .register(
            Scalar::new("BigInt")
                .description("A 64-bit integer as a string of decimal digits."),
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
                    .description("Global ids, at most 100."),
            ),
        );
    for entity in catalog.entities.values() {
        if let Some(name) = &entity.root_one {
            query = query.field(
                described(
                    name,
                    TypeRef::named(&entity.name),
                    &format!(
                        "The {} with this id; null when there is none for the caller.",
                        entity.name
                    ),
                )
                .argument(InputValue::new("id", id()).description("Global id.")),
            );
        }
        if let Some(name) = &entity.root_many {
            let field = described(
                name,
                TypeRef::named(format!("{}Connection", entity.name)),
                &entities::with_scope(
                    &format!("All of type {} that the caller may see.", entity.name),
                    entity.scope.as_deref(),
                ),
            );
            query = query.field(entities::connection_arguments(field, entity));
        }
    }
    for function in catalog.functions.values() {
        query = query.field(root_function(function, catalog));
    }
    query
}

fn root_function(function: &RootFunction, catalog: &Catalog) -> Field {
    let type_ref = match function.many {
        true => TypeRef::named(format!("{}Connection", function.entity)),
        false => TypeRef::named(&function.entity),
    };
    let field = described(&function.field, type_ref, &function.description);
    let field = entities::taking(field, &function.arguments);
    match (function.many, catalog.entities.get(&function.entity)) {
        (true, Some(entity)) => entities::connection_arguments(field, entity),
        _ => field,
    }
}
