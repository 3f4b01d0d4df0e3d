//! Roles, database, schemas and extensions: what must be there before the first migration. They are cluster-wide or
//! need more rights than migrations have, so they are made here, by an administrator's connection, again and again
//! without harm; or printed for an administrator to run.

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::address::DatabaseAddress;
use super::{ConnectError, DatabaseError};

const ROLES: &str = include_str!("sql/roles.sql");
const OBJECTS: &str = include_str!("sql/objects.sql");
const INSPECT: &str = include_str!("sql/inspect.sql");

/// The database and login of the embedded cluster, and what `admin bootstrap-sql` proposes.
pub const DATABASE: &str = "eventsphere";
pub const LOGIN: &str = "es_app";
const OLDEST_VERSION: i32 = 150_000;
const PLACEHOLDER_PASSWORD: &str = "choose-a-password";

/// Creates whatever is missing. `admin` may name any database of the server; `app` names ours and its login.
pub async fn run(admin: &DatabaseAddress, app: &DatabaseAddress) -> Result<(), DatabaseError> {
    let names = Names {
        database: app.database(),
        login: app.user(),
        password: app.password().unwrap_or_default(),
    };
    let client = maintenance_client(admin).await?;
    let failed = |source| DatabaseError::Bootstrap {
        source,
        sql: Box::new(names.script()),
    };
    let version: i32 = client
        .query_one("select current_setting('server_version_num')::int", &[])
        .await
        .and_then(|row| row.try_get(0))
        .map_err(failed)?;
    if version < OLDEST_VERSION {
        let found = Finding {
            kind: "old_server".to_owned(),
            subject: (version / 10_000).to_string(),
        };
        return Err(DatabaseError::Refused(found.describe(app)));
    }
    client
        .batch_execute(&names.fill(ROLES))
        .await
        .map_err(failed)?;
    let exists = client
        .query_opt(
            "select from pg_database where datname = $1",
            &[&names.database],
        )
        .await
        .map_err(failed)?;
    if exists.is_none() {
        create_database(&client, names.database)
            .await
            .map_err(failed)?;
    }
    let client = admin.with_database(names.database).connect().await?;
    client
        .batch_execute(&names.fill(OBJECTS))
        .await
        .map_err(failed)
}

/// Connects to the administrator's database, or to the one that every server has when that is yet to be made.
async fn maintenance_client(admin: &DatabaseAddress) -> Result<Client, ConnectError> {
    match admin.connect().await {
        Err(error) if error.database_missing() => admin.with_database("postgres").connect().await,
        connected => connected,
    }
}

/// From template0: template1 may carry what an administrator put there for other databases.
async fn create_database(client: &Client, database: &str) -> Result<(), tokio_postgres::Error> {
    let statement = format!(
        "create database {} owner es_owner template template0 encoding 'UTF8'",
        quote_name(database)
    );
    match client.batch_execute(&statement).await {
        // Another program was faster.
        Err(error) if error.code() == Some(&SqlState::DUPLICATE_DATABASE) => Ok(()),
        Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => Ok(()),
        done => done,
    }
}

/// One thing that keeps us from serving.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    kind: String,
    subject: String,
}

impl Finding {
    /// True when the bootstrap SQL mends it.
    pub fn mendable(&self) -> bool {
        !matches!(
            self.kind.as_str(),
            "old_server" | "encoding" | "mighty_login" | "mighty_role" | "too_close"
        )
    }

    pub fn describe(&self, app: &DatabaseAddress) -> String {
        let (subject, login, database) = (&self.subject, app.user(), app.database());
        match self.kind.as_str() {
            "old_server" => format!(
                "PostgreSQL {subject} at {} is too old: 15 or newer is needed; upgrade it, or unset DATABASE_URL to use a private one",
                app.place()
            ),
            "encoding" => format!(
                "database {database} stores text as {subject}; create one with `encoding 'UTF8'` and name it in DATABASE_URL"
            ),
            "mighty_login" => format!(
                "login {login} of DATABASE_URL is {subject}, which would switch off the separation of tenants; use an ordinary login (`eventsphere admin bootstrap-sql` shows how to make one)"
            ),
            "mighty_role" => format!(
                "role {subject} is superuser or may bypass row level security, which would switch off the separation of tenants; run `alter role {subject} nosuperuser nobypassrls`"
            ),
            "too_close" => format!(
                "login {login} of DATABASE_URL is a member of {subject}, which only migrations may become; run `revoke {subject} from {}`",
                quote_name(login)
            ),
            "role_missing" => format!("role {subject} is missing"),
            "not_member" => format!("login {login} is not a member of {subject}"),
            "inherits" => format!(
                "login {login} has the rights of {subject} without asking for them (it must be noinherit)"
            ),
            "owner_lacks" => format!("es_owner is not a member of {subject}"),
            "database_owner" => {
                format!("database {database} belongs to {subject}, not to es_owner")
            }
            "schema_missing" => format!("schema {subject} is missing"),
            "extension_missing" => format!("extension {subject} is missing in schema extensions"),
            "create_lacks" => format!("role and schema {subject}: no right to create"),
            "public_creates" => "everybody may create in schema public".to_owned(),
            other => format!("{other}: {subject}"),
        }
    }
}

/// Looks at the server as the login that will serve requests.
pub async fn inspect(app: &Client) -> Result<Vec<Finding>, tokio_postgres::Error> {
    let rows = app.query(INSPECT, &[]).await?;
    rows.iter()
        .map(|row| {
            Ok(Finding {
                kind: row.try_get("kind")?,
                subject: row.try_get("subject")?,
            })
        })
        .collect()
}

/// The whole bootstrap for an administrator to run with psql, as `admin bootstrap-sql` prints it.
pub fn script(database: &str, login: &str) -> String {
    Names {
        database,
        login,
        password: PLACEHOLDER_PASSWORD,
    }
    .script()
}

#[derive(Clone, Copy)]
struct Names<'a> {
    database: &'a str,
    login: &'a str,
    password: &'a str,
}

impl Names<'_> {
    /// The files are psql scripts; their variables are filled in as psql would.
    fn fill(&self, sql: &str) -> String {
        sql.replace(":'database'", &quote_text(self.database))
            .replace(":'login'", &quote_text(self.login))
            .replace(":'password'", &quote_text(self.password))
    }

    fn script(&self) -> String {
        let shown = Names {
            password: PLACEHOLDER_PASSWORD,
            ..*self
        };
        let database = quote_text(self.database);
        format!(
            "-- Prepares a PostgreSQL server for eventsphere. Run it once, as an administrator:\n\
             --   psql --set ON_ERROR_STOP=1 --dbname postgres --file this-file.sql\n\
             -- Then: DATABASE_URL=postgres://{login}:...@host:5432/{name}\n\n\
             {roles}\n\
             select format('create database %I owner es_owner template template0 encoding ''UTF8''', {database})\n\
             where not exists (select from pg_database where datname = {database})\n\
             \\gexec\n\n\
             \\connect {connect}\n\n\
             {objects}",
            login = self.login,
            name = self.database,
            roles = shown.fill(ROLES),
            connect = quote_name(self.database),
            objects = shown.fill(OBJECTS),
        )
    }
}

fn quote_name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// As `quote_literal` does: a backslash needs the escape form, whatever standard_conforming_strings says.
fn quote_text(text: &str) -> String {
    let doubled = text.replace('\'', "''");
    if doubled.contains('\\') {
        format!(" E'{}'", doubled.replace('\\', "\\\\"))
    } else {
        format!("'{doubled}'")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_what_people_call_their_databases() {
        assert_eq!(quote_name(r#"my "db""#), r#""my ""db""""#);
        assert_eq!(quote_text("o'clock"), "'o''clock'");
        assert_eq!(quote_text(r"a\'b"), r" E'a\\''b'");
    }

    #[test]
    fn the_printed_script_has_every_value_and_no_real_password() {
        let names = Names {
            database: "ev'ents",
            login: "app",
            password: "s3cret",
        };
        let script = names.script();
        assert!(
            script.contains("'ev''ents'") && script.contains("\\connect \"ev'ents\""),
            "{script}"
        );
        assert!(
            !script.contains("s3cret") && script.contains(PLACEHOLDER_PASSWORD),
            "{script}"
        );
        assert!(!script.contains(":'"), "{script}");
    }
}
