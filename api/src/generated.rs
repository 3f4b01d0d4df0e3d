//! Runs generated mutations: the engine compiles the statement, this runs it behind the fence and turns broken
//! constraints into user errors.

use eventsphere_graphql::{
    catalog::Writes,
    engine::{Outcome, Param},
    generated::{self, lower_first},
    verb::Generated,
};
use sea_orm::{ConnectionTrait, DbBackend, Statement, Value};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::{
    fault::{Fault, constraint, sql_state},
    verbs::Call,
};

/// Does the create, update or delete.
pub async fn run(call: Call<'_>, kind: &Generated, input: &Json) -> Result<Outcome, Fault> {
    let catalog = &call.app.engine.catalog;
    let (Generated::Create(name) | Generated::Update(name) | Generated::Delete(name)) = kind;
    let entity = catalog
        .entities
        .get(name)
        .ok_or_else(|| Fault::Internal(format!("no entity {name}")))?;
    let writes = entity
        .writes
        .as_ref()
        .ok_or_else(|| Fault::Internal(format!("{name} has no writes")))?;
    let write =
        generated::compile(catalog, kind, input).map_err(|error| Fault::BadInput(error.0))?;
    let values: Vec<Value> = write.params.into_iter().map(value).collect();
    let tx = call.app.door.begin(call.actor).await?;
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, &write.sql, values);
    let row = match tx.db().query_one_raw(statement).await {
        Ok(row) => row,
        Err(error) => return refusal(&error, writes),
    };
    let Some(row) = row else {
        return Ok(Outcome::refused(
            "NOT_FOUND",
            &format!("there is no such {name}"),
            &["id"],
        ));
    };
    let key: Uuid = row.try_get_by_index(0)?;
    let action = match kind {
        Generated::Create(_) => "created",
        Generated::Update(_) => "updated",
        Generated::Delete(_) => "deleted",
    };
    tx.db()
        .execute_raw(Statement::from_sql_and_values(
            DbBackend::Postgres,
            "select public.audit_write($1, $2, $3, $4)",
            [
                format!("{}.{action}", entity.table).into(),
                name.clone().into(),
                key.into(),
                input.clone().into(),
            ],
        ))
        .await?;
    tx.commit().await?;
    Ok(match kind {
        Generated::Delete(_) => Outcome::new().value("deletedId", key.to_string()),
        _ => Outcome::new().entity(&lower_first(name), key),
    })
}

fn value(param: Result<Param, &'static str>) -> Value {
    match param {
        Ok(Param::Text(value)) => value.into(),
        Ok(Param::Uuid(value)) => value.into(),
        Ok(Param::Int(value)) => value.into(),
        Ok(Param::BigInt(value)) => value.into(),
        Ok(Param::Bool(value)) => value.into(),
        Ok(Param::Timestamp(value)) => value.into(),
        Ok(Param::Date(value)) => value.into(),
        Ok(Param::Texts(value)) => value.into(),
        Ok(Param::Uuids(value)) => value.into(),
        Ok(Param::Ints(value)) => value.into(),
        Ok(Param::BigInts(value)) => value.into(),
        Ok(Param::Timestamps(value)) => value.into(),
        Ok(Param::Dates(value)) => value.into(),
        Err("uuid") => Value::Uuid(None),
        Err("int4") => Value::Int(None),
        Err("int8") => Value::BigInt(None),
        Err("bool") => Value::Bool(None),
        Err("timestamptz") => Value::ChronoDateTimeUtc(None),
        Err(_) => Value::String(None),
    }
}

/// Whether a field names something else.
fn is_reference(field: &str) -> bool {
    field == "id" || field.ends_with("Id")
}

/// What a refused statement means to the client.
fn refusal(error: &sea_orm::DbErr, writes: &Writes) -> Result<Outcome, Fault> {
    let name = constraint(error).unwrap_or_default();
    let known = writes.constraints.get(&name);
    let (field, message) = match known {
        Some((field, message)) => (vec![field.as_str()], message.as_str()),
        None => (vec![], ""),
    };
    let say = |code: &str, otherwise: &str| {
        let text = if message.is_empty() {
            otherwise
        } else {
            message
        };
        Ok(Outcome::refused(code, text, &field))
    };
    match sql_state(error).as_deref() {
        Some("23505") => say("TAKEN", "another one has this value already"),
        Some("23503") if error.to_string().contains("update or delete on table") => {
            say("IN_USE", "something else still needs it")
        }
        // A value that has to be the same there, such as a currency: what it belongs to exists.
        Some("23503") if known.is_some_and(|(field, _)| !is_reference(field)) => {
            say("INVALID", "a value cannot be accepted")
        }
        Some("23503") => say("NOT_FOUND", "something it refers to does not exist"),
        Some("23514" | "23502" | "22001") => say("INVALID", "a value cannot be accepted"),
        // A row level policy or a missing grant: for this caller there is no such place to write to.
        Some("42501") => say("NOT_FOUND", "there is no such thing here"),
        _ => Err(Fault::Internal(error.to_string())),
    }
}
