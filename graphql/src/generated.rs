//! Generated mutations: described from the entity's declaration, compiled to one parameterised statement.

use serde_json::Value as Json;

use crate::{
    catalog::{Catalog, CatalogError, Column, Entity, Field, Scalar, Writes},
    engine::Param,
    values::{self, BadValue},
    verb::{Generated, InputType, PayloadType, Verb},
};

/// A write, ready to run: its text, and its parameters with their types where they are null.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    /// Ends with `returning <key>`.
    pub sql: String,
    /// `Err(type)`: null of that PostgreSQL type.
    pub params: Vec<std::result::Result<Param, &'static str>>,
}

/// Adds create, update and delete of every entity that declares them.
pub fn describe(catalog: &mut Catalog) -> Result<(), CatalogError> {
    let mut verbs = vec![];
    for entity in catalog.entities.values() {
        if let Some(writes) = &entity.writes {
            verbs.extend(of_entity(entity, writes)?);
        }
    }
    verbs
        .into_iter()
        .try_for_each(|verb| catalog.add_verb(verb))
}

fn of_entity(entity: &Entity, writes: &Writes) -> Result<Vec<Verb>, CatalogError> {
    let name = &entity.name;
    let field = lower_first(name);
    let base = |verb: &str, text: String, generated: Generated| {
        let mut verb = Verb::new(&format!("{verb}{name}"), &text).scope(&writes.scope);
        verb.error_stem.clone_from(name);
        verb.generated = Some(generated);
        verb.fails(
            "NOT_FOUND",
            "There is no such thing for the caller, or something it refers to.",
        )
        .fails("TAKEN", "Another one has this value already.")
        .fails("IN_USE", "Something else still needs it.")
        .fails("INVALID", "A value cannot be accepted.")
    };
    let mut out = vec![];
    if !writes.create.is_empty() {
        let mut verb = base(
            "create",
            format!("Creates one of type {name}."),
            Generated::Create(name.clone()),
        );
        for column in &writes.create {
            verb = input_field(verb, entity, column, false)?;
        }
        out.push(verb.gives(
            &field,
            PayloadType::Entity(name.clone()),
            "What was created.",
        ));
    }
    if !writes.update.is_empty() {
        let mut verb = base(
            "update",
            format!("Changes one of type {name}. What is left out stays; `null` empties a field that may be empty."),
            Generated::Update(name.clone()),
        )
        .takes("id", InputType::Scalar(Scalar::Id(name.clone())), "Which one.");
        for column in &writes.update {
            verb = input_field(verb, entity, column, true)?;
        }
        out.push(verb.gives(
            &field,
            PayloadType::Entity(name.clone()),
            "What was changed.",
        ));
    }
    if writes.delete && !writes.create.is_empty() {
        out.push(
            base(
                "delete",
                format!("Deletes one of type {name}."),
                Generated::Delete(name.clone()),
            )
            .takes(
                "id",
                InputType::Scalar(Scalar::Id(name.clone())),
                "Which one.",
            )
            .gives(
                "deletedId",
                PayloadType::Scalar(Scalar::Id(name.clone())),
                "Id of what was deleted; null when nothing was.",
            ),
        );
    }
    Ok(out)
}

/// A column of a create or update as a field of the input. Two columns shown as money are one field, at the first.
fn input_field(
    verb: Verb,
    entity: &Entity,
    column: &str,
    update: bool,
) -> Result<Verb, CatalogError> {
    let unknown = || CatalogError::Unknown(format!("{} has no column {column}", entity.name));
    if let Some((name, money)) = money_of(entity, column) {
        return Ok(match money.currency_column == column {
            true => verb,
            false
                if update
                    || entity
                        .column(&money.minor_column)
                        .is_some_and(|minor| minor.nullable) =>
            {
                verb.may_take(name, InputType::Money, &money.description)
            }
            false => verb.takes(name, InputType::Money, &money.description),
        });
    }
    let known = entity.column(column).ok_or_else(unknown)?;
    let input_type = InputType::Scalar(known.scalar.clone());
    let needed = !update && !known.nullable && !known.defaulted;
    Ok(match needed {
        true => verb.takes(&known.field, input_type, &known.description),
        false => verb.may_take(&known.field, input_type, &known.description),
    })
}

fn money_of<'a>(entity: &'a Entity, column: &str) -> Option<(&'a str, &'a crate::catalog::Money)> {
    entity.fields.iter().find_map(|(name, field)| match field {
        Field::Money(money)
            if money.function.is_none()
                && (money.minor_column == column || money.currency_column == column) =>
        {
            Some((name.as_str(), money))
        }
        _ => None,
    })
}

/// The statement of a generated mutation for this (already coerced) input.
pub fn compile(catalog: &Catalog, generated: &Generated, input: &Json) -> Result<Write, BadValue> {
    let (Generated::Create(name) | Generated::Update(name) | Generated::Delete(name)) = generated;
    let broken = || BadValue(format!("{name} has no generated mutations"));
    let entity = catalog.entities.get(name).ok_or_else(broken)?;
    let writes = entity.writes.as_ref().ok_or_else(broken)?;
    match generated {
        Generated::Create(_) => create(entity, writes, input),
        Generated::Update(_) => update(entity, writes, input),
        Generated::Delete(_) => Ok(Write {
            sql: format!(
                "delete from {} where {} = $1 returning {}",
                entity.table, entity.key, entity.key
            ),
            params: vec![Ok(key(input)?)],
        }),
    }
}

fn create(entity: &Entity, writes: &Writes, input: &Json) -> Result<Write, BadValue> {
    let mut columns = vec![];
    let mut places = vec![];
    let mut params = vec![];
    for (column, sql) in &writes.filled {
        columns.push(column.clone());
        places.push(sql.clone());
    }
    for column in &writes.create {
        if let Some(param) = given(entity, column, input)? {
            columns.push(column.clone());
            params.push(param);
            places.push(format!("${}", params.len()));
        }
    }
    Ok(Write {
        sql: format!(
            "insert into {} ({}) values ({}) returning {}",
            entity.table,
            columns.join(", "),
            places.join(", "),
            entity.key
        ),
        params,
    })
}

fn update(entity: &Entity, writes: &Writes, input: &Json) -> Result<Write, BadValue> {
    let mut params = vec![Ok(key(input)?)];
    let mut changes = vec![];
    for column in &writes.update {
        if let Some(param) = given(entity, column, input)? {
            params.push(param);
            changes.push(format!("{column} = ${}", params.len()));
        }
    }
    // Nothing to change is no error: the row is read back as it is.
    let sql = match changes.is_empty() {
        true => format!(
            "select {} from {} where {} = $1",
            entity.key, entity.table, entity.key
        ),
        false => format!(
            "update {} set {} where {} = $1 returning {}",
            entity.table,
            changes.join(", "),
            entity.key,
            entity.key
        ),
    };
    Ok(Write { sql, params })
}

fn key(input: &Json) -> Result<Param, BadValue> {
    input
        .get("id")
        .and_then(Json::as_str)
        .and_then(|text| text.parse().ok())
        .map(Param::Uuid)
        .ok_or_else(|| BadValue("`input.id` is missing".to_owned()))
}

type Given = std::result::Result<Param, &'static str>;

/// The value for a column; `None` when the input leaves it out.
fn given(entity: &Entity, column: &str, input: &Json) -> Result<Option<Given>, BadValue> {
    let known = entity
        .column(column)
        .ok_or_else(|| BadValue(format!("no column {column}")))?;
    let value = match money_of(entity, column) {
        Some((name, money)) => {
            let part = match money.minor_column == column {
                true => "minorUnits",
                false => "currencyCode",
            };
            input.get(name).map(|value| match value {
                Json::Null => &Json::Null,
                value => value.get(part).unwrap_or(&Json::Null),
            })
        }
        None => input.get(&known.field),
    };
    match value {
        None => Ok(None),
        Some(Json::Null) if known.nullable => Ok(Some(Err(known.scalar.pg_type()))),
        Some(Json::Null) => Err(BadValue(format!(
            "`input.{}` must not be null",
            known.field
        ))),
        Some(value) => coerced(known, value).map(|param| Some(Ok(param))),
    }
}

/// The input has been coerced before (ids opened, enums stored); here it only becomes a parameter.
fn coerced(column: &Column, value: &Json) -> Result<Param, BadValue> {
    let scalar = match &column.scalar {
        Scalar::Id(_) => {
            return value
                .as_str()
                .and_then(|text| text.parse().ok())
                .map(Param::Uuid)
                .ok_or_else(|| BadValue(format!("`input.{}` is no id", column.field)));
        }
        Scalar::Enum(_) => &Scalar::String,
        other => other,
    };
    values::param(
        &Catalog::default(),
        scalar,
        value,
        &format!("`input.{}`", column.field),
    )
}

/// `TicketType` -> `ticketType`.
pub fn lower_first(name: &str) -> String {
    let mut characters = name.chars();
    characters
        .next()
        .map(|first| first.to_lowercase().collect::<String>() + characters.as_str())
        .unwrap_or_default()
}
