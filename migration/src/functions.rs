//! Applies `sql/functions/`: each file whose text changed since it was last applied is run again, whole.
//!
//! All of it is one transaction: a program never runs on half of its functions. A file may say `-- after: other`
//! in its header when it needs what `other` makes (bodies in plpgsql are bound late and need no such line).

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};
use sqlx::{AssertSqlSafe, PgConnection};

use crate::run::MigrationError;

/// A file of `sql/functions/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FunctionFile {
    /// Its name, without `.sql`.
    pub name: &'static str,
    /// Its whole text.
    pub text: &'static str,
}

/// The files as they were when the program was built.
pub const FILES: &[FunctionFile] = include!(concat!(env!("OUT_DIR"), "/function_files.rs"));

/// What applying the files did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FunctionReport {
    /// Files applied now, in order.
    pub applied: Vec<String>,
    /// Files applied before that the program no longer carries. Their functions stay: an older program may call
    /// them for one release; whoever removes a file writes a migration that drops them.
    pub removed: Vec<String>,
}

/// Applies the files that changed.
pub async fn apply(
    connection: &mut PgConnection,
    files: &[FunctionFile],
) -> Result<FunctionReport, MigrationError> {
    let ordered = in_order(files)?;
    let mut tx = sqlx::Connection::begin(connection).await?;
    let known = digests(&mut tx).await?;
    let mut report = FunctionReport {
        applied: vec![],
        removed: known
            .keys()
            .filter(|name| !files.iter().any(|file| file.name == name.as_str()))
            .cloned()
            .collect(),
    };
    sqlx::query("set local check_function_bodies = on")
        .execute(&mut *tx)
        .await?;
    for file in ordered {
        let digest = digest(file.text);
        if known.get(file.name) == Some(&digest) {
            continue;
        }
        let failed = |source| MigrationError::Function {
            file: file.name.to_owned(),
            source,
        };
        // Our own text, embedded when the program was built.
        sqlx::raw_sql(AssertSqlSafe(file.text))
            .execute(&mut *tx)
            .await
            .map_err(failed)?;
        sqlx::query(REMEMBER)
            .bind(file.name)
            .bind(&digest)
            .execute(&mut *tx)
            .await
            .map_err(failed)?;
        report.applied.push(file.name.to_owned());
    }
    tx.commit().await?;
    Ok(report)
}

/// Drops every function that the files made, so that the tables they lean on can go.
pub async fn drop_all(connection: &mut PgConnection) -> Result<(), MigrationError> {
    let mut tx = sqlx::Connection::begin(connection).await?;
    if !remembers(&mut tx).await? {
        return Ok(());
    }
    let signatures: Vec<String> = sqlx::query_scalar(
        "select signature
         from es.function_digests, unnest(signatures) as signature
         where to_regprocedure(signature) is not null",
    )
    .fetch_all(&mut *tx)
    .await?;
    if !signatures.is_empty() {
        // One statement, so that functions which call each other go together. The names come from the catalog.
        sqlx::raw_sql(AssertSqlSafe(format!(
            "drop routine {}",
            signatures.join(", ")
        )))
        .execute(&mut *tx)
        .await?;
    }
    sqlx::query("delete from es.function_digests")
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(())
}

/// Files that `apply` would run now.
pub async fn pending(
    connection: &mut PgConnection,
    files: &[FunctionFile],
) -> Result<Vec<String>, MigrationError> {
    let known = match remembers(connection).await? {
        true => digests(connection).await?,
        false => BTreeMap::new(),
    };
    Ok(in_order(files)?
        .into_iter()
        .filter(|file| known.get(file.name) != Some(&digest(file.text)))
        .map(|file| file.name.to_owned())
        .collect())
}

/// Which functions a file made is read off the catalog: rows of `pg_proc` written in this transaction that no file
/// before it claimed.
const REMEMBER: &str = "
insert into es.function_digests as known (name, digest, signatures, applied_at)
select
  $1,
  $2,
  coalesce(array_agg(p.oid::regprocedure::text order by p.oid) filter (where p.oid is not null), '{}'),
  es.clock()
from (select 1) as one
left join pg_proc p
  on p.xmin = pg_current_xact_id()::xid
  and not exists (
    select
    from es.function_digests other
    where other.name <> $1
      and p.oid::regprocedure::text = any (other.signatures)
  )
on conflict (name) do update
set
  digest = excluded.digest,
  signatures = (
    select coalesce(array_agg(distinct signature), '{}')
    from unnest(known.signatures || excluded.signatures) as signature
  ),
  applied_at = excluded.applied_at";

async fn remembers(connection: &mut PgConnection) -> Result<bool, MigrationError> {
    Ok(
        sqlx::query_scalar("select to_regclass('es.function_digests') is not null")
            .fetch_one(connection)
            .await?,
    )
}

async fn digests(
    connection: &mut PgConnection,
) -> Result<BTreeMap<String, String>, MigrationError> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("select name, digest from es.function_digests")
            .fetch_all(connection)
            .await?;
    Ok(rows.into_iter().collect())
}

fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// By name, each after the files that its header names.
fn in_order(files: &[FunctionFile]) -> Result<Vec<FunctionFile>, MigrationError> {
    let mut waiting: BTreeMap<&str, (FunctionFile, BTreeSet<&str>)> = files
        .iter()
        .map(|file| (file.name, (*file, after(file.text))))
        .collect();
    for (name, (_, needed)) in &waiting {
        if let Some(unknown) = needed.iter().find(|other| !waiting.contains_key(*other)) {
            return Err(MigrationError::Order(format!(
                "sql/functions/{name}.sql comes after {unknown}, which does not exist"
            )));
        }
    }
    let mut ordered = Vec::with_capacity(files.len());
    while !waiting.is_empty() {
        let ready = waiting
            .iter()
            .find(|(_, (_, needed))| needed.iter().all(|other| !waiting.contains_key(other)))
            .map(|(name, _)| *name);
        let Some((file, _)) = ready.and_then(|name| waiting.remove(name)) else {
            let names: Vec<_> = waiting.keys().copied().collect();
            return Err(MigrationError::Order(format!(
                "sql/functions: {} wait for each other",
                names.join(", ")
            )));
        };
        ordered.push(file);
    }
    Ok(ordered)
}

/// The names in `-- after: x, y` lines of a file's leading comment.
fn after(text: &str) -> BTreeSet<&str> {
    text.lines()
        .take_while(|line| line.starts_with("--") || line.trim().is_empty())
        .filter_map(|line| line.strip_prefix("-- after:"))
        .flat_map(|names| names.split(','))
        .map(|name| name.trim().trim_end_matches(".sql"))
        .filter(|name| !name.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &'static str, text: &'static str) -> FunctionFile {
        FunctionFile { name, text }
    }

    fn names(files: &[FunctionFile]) -> Result<Vec<&'static str>, String> {
        in_order(files)
            .map(|files| files.iter().map(|file| file.name).collect())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn files_come_by_name_and_after_what_they_need() {
        let files = [
            file("a", "-- What.\n-- after: c\n\nselect 1;\n-- after: nothing"),
            file("c", "select 1;"),
            file("b", "-- after: a.sql, c\nselect 1;"),
        ];
        assert_eq!(names(&files), Ok(vec!["c", "a", "b"]));
    }

    #[test]
    fn an_impossible_order_is_told() {
        let circle = [file("a", "-- after: b"), file("b", "-- after: a")];
        assert!(names(&circle).unwrap_err().contains("wait for each other"));
        let lost = [file("a", "-- after: z")];
        assert!(names(&lost).unwrap_err().contains("does not exist"));
    }
}
