//! Puts `@deprecated` on what the catalog says will be removed.

use async_graphql::dynamic::{EnumItem, Field, InputValue};

use crate::{catalog::Catalog, deprecation::argument_coordinate};

fn notice(catalog: &Catalog, coordinate: &str) -> Option<String> {
    let deprecation = catalog.deprecations.get(coordinate)?;
    Some(deprecation.notice())
}

/// A field of an object type.
pub(super) fn field(catalog: &Catalog, owner: &str, name: &str, field: Field) -> Field {
    match notice(catalog, &format!("{owner}.{name}")) {
        None => field,
        Some(notice) => field.deprecation(Some(&notice)),
    }
}

/// An argument of a field.
pub(super) fn argument(
    catalog: &Catalog,
    owner: (&str, &str),
    name: &str,
    argument: InputValue,
) -> InputValue {
    match notice(catalog, &argument_coordinate(owner.0, owner.1, name)) {
        None => argument,
        Some(notice) => argument.deprecation(Some(&notice)),
    }
}

/// A field of an input object type.
pub(super) fn input(catalog: &Catalog, owner: &str, name: &str, input: InputValue) -> InputValue {
    match notice(catalog, &format!("{owner}.{name}")) {
        None => input,
        Some(notice) => input.deprecation(Some(&notice)),
    }
}

/// A value of an enum.
pub(super) fn value(catalog: &Catalog, owner: &str, name: &str, item: EnumItem) -> EnumItem {
    match notice(catalog, &format!("{owner}.{name}")) {
        None => item,
        Some(notice) => item.deprecation(Some(&notice)),
    }
}
