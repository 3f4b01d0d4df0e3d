//! Keeps the permission table and built-in roles in step with the entities crate.

use eventsphere_entities::permissions::{PERMISSIONS, ROLES};
use serde_json::json;
use sqlx::PgConnection;

use crate::run::MigrationError;

/// What the sync changed, in rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PermissionReport {
    /// Rows of `permissions` written.
    pub permissions: u64,
    /// Codes that no longer exist.
    pub dropped: u64,
    /// Built-in roles written, over all organizations.
    pub roles: u64,
}

/// Writes what differs, in one transaction.
pub async fn sync(connection: &mut PgConnection) -> Result<PermissionReport, MigrationError> {
    let permissions: Vec<_> = PERMISSIONS
        .iter()
        .map(|permission| {
            json!({
                "code": permission.code,
                "description": permission.description,
                "default_roles": permission.roles,
            })
        })
        .collect();
    let roles: Vec<_> = ROLES
        .iter()
        .map(|role| {
            json!({
                "key": role.key,
                "name": role.name,
                "description": role.description,
                "permissions": role.permissions(),
            })
        })
        .collect();
    let permissions = json!(permissions).to_string();
    let roles = json!(roles).to_string();

    let mut tx = sqlx::Connection::begin(connection).await?;
    let mut changed = [0; 3];
    for (index, (sql, wanted)) in [
        (UPSERT_PERMISSIONS, &permissions),
        (DROP_PERMISSIONS, &permissions),
        (UPSERT_ROLES, &roles),
    ]
    .into_iter()
    .enumerate()
    {
        changed[index] = sqlx::query(sql)
            .bind(wanted)
            .execute(&mut *tx)
            .await?
            .rows_affected();
    }
    tx.commit().await?;
    Ok(PermissionReport {
        permissions: changed[0],
        dropped: changed[1],
        roles: changed[2],
    })
}

const UPSERT_PERMISSIONS: &str = "
insert into permissions as known (code, description, default_roles)
select code, description, default_roles
from jsonb_to_recordset($1::jsonb) as wanted (code text, description text, default_roles text[])
on conflict (code) do update
set
  description = excluded.description,
  default_roles = excluded.default_roles
where (known.description, known.default_roles) is distinct from (excluded.description, excluded.default_roles)";

const DROP_PERMISSIONS: &str = "
delete from permissions
where code not in (select wanted ->> 'code' from jsonb_array_elements($1::jsonb) as wanted)";

/// Organizations that are older than a role get it too. A role of their own under the same key is left alone.
const UPSERT_ROLES: &str = "
insert into roles as known (org_id, key, name, description, permissions, built_in)
select organizations.id, wanted.key, wanted.name, wanted.description, wanted.permissions, true
from organizations,
  jsonb_to_recordset($1::jsonb) as wanted (key text, name text, description text, permissions text[])
on conflict (org_id, key) do update
set
  name = excluded.name,
  description = excluded.description,
  permissions = excluded.permissions
where known.built_in
  and (known.name, known.description, known.permissions)
    is distinct from (excluded.name, excluded.description, excluded.permissions)";
