//! Statements written as SQL where that says more than a query builder: one row, all rows, or how many were changed.
//! They run inside a transaction of the door, so the fence holds for them as for everything else.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement, Value};
use serde_json::Value as Json;

use crate::tenancy::TenantTx;

fn statement(sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}

/// The first row, if there is one.
pub async fn first(
    tx: &TenantTx,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Option<QueryResult>, DbErr> {
    tx.db().query_one_raw(statement(sql, values)).await
}

/// Every row.
pub async fn all(
    tx: &TenantTx,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Vec<QueryResult>, DbErr> {
    tx.db().query_all_raw(statement(sql, values)).await
}

/// Does it; the number of rows that it touched.
pub async fn run(
    tx: &TenantTx,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<u64, DbErr> {
    let done = tx.db().execute_raw(statement(sql, values)).await?;
    Ok(done.rows_affected())
}

/// Calls the SQL function of that name, which takes one jsonb and answers one jsonb.
pub async fn call(tx: &TenantTx, function: &'static str, input: Json) -> Result<Json, DbErr> {
    let sql = format!("select public.{function}($1) as answer");
    let row = first(tx, &sql, [input.into()]).await?;
    match row {
        Some(row) => row.try_get("", "answer"),
        None => Ok(Json::Null),
    }
}
