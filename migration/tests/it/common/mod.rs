//! A database of its own for each test.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, postgres::PgConnectOptions};
use uuid::Uuid;

/// What an administrator runs inside a new database, as the program does.
const BOOTSTRAP: &str = include_str!("../../../../api/src/database/sql/objects.sql");
/// The login that the wrapper made with the cluster.
const LOGIN: &str = "es_app";

/// A database that lives as long as its test.
pub struct Database {
    pub name: String,
    pub url: String,
    pub admin: PgConnectOptions,
    server: PgConnectOptions,
}

impl Database {
    /// Bootstrapped, without any migration.
    pub async fn empty() -> Self {
        let url = std::env::var("TEST_DATABASE_ADMIN_URL").expect(
            "TEST_DATABASE_ADMIN_URL: run the tests beside a cluster (`eventsphere admin with-postgres`)",
        );
        let server: PgConnectOptions = url.parse().expect("an URL");
        let name = format!("migration_{}", Uuid::new_v4().simple());
        let mut connection = PgConnection::connect_with(&server).await.expect("a server");
        run(
            &mut connection,
            &format!("create database {name} owner es_owner template template0 encoding 'UTF8'"),
        )
        .await;
        let admin = server.clone().database(&name);
        let database = Self {
            url: with_database(&url, &name),
            name,
            admin,
            server,
        };
        let bootstrap = BOOTSTRAP
            .replace(":'login'", &format!("'{LOGIN}'"))
            .replace(":'database'", &format!("'{}'", database.name));
        run(&mut database.connect().await, &bootstrap).await;
        database
    }

    /// With everything that the program brings.
    pub async fn migrated() -> Self {
        let database = Self::empty().await;
        eventsphere_migration::up(&database.admin)
            .await
            .expect("migrations");
        database
    }

    /// As the administrator.
    pub async fn connect(&self) -> PgConnection {
        PgConnection::connect_with(&self.admin)
            .await
            .expect("a connection")
    }

    /// Drops it.
    pub async fn end(self) {
        let mut connection = PgConnection::connect_with(&self.server)
            .await
            .expect("a server");
        run(
            &mut connection,
            &format!("drop database {} with (force)", self.name),
        )
        .await;
    }
}

/// Runs statements that must succeed.
pub async fn run(connection: &mut PgConnection, sql: &str) {
    if let Err(error) = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(connection)
        .await
    {
        panic!("{error}\nin: {sql}");
    }
}

/// The first column of every row, as text.
pub async fn texts(connection: &mut PgConnection, sql: &str) -> Vec<String> {
    sqlx::query_scalar(AssertSqlSafe(sql.to_owned()))
        .fetch_all(connection)
        .await
        .unwrap_or_else(|error| panic!("{error}\nin: {sql}"))
}

/// One number.
pub async fn count(connection: &mut PgConnection, sql: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(sql.to_owned()))
        .fetch_one(connection)
        .await
        .unwrap_or_else(|error| panic!("{error}\nin: {sql}"))
}

/// Tables that belong to tenants: those with `org_id`, and the organizations themselves; with the column.
pub async fn tenant_tables(connection: &mut PgConnection) -> Vec<(String, &'static str)> {
    let mut tables: Vec<(String, &'static str)> = texts(
        connection,
        "select c.relname::text
         from pg_class c
         join pg_attribute a on a.attrelid = c.oid
         where c.relnamespace = 'public'::regnamespace
           and c.relkind in ('r', 'p')
           and a.attname = 'org_id'
           and not a.attisdropped
         order by c.relname",
    )
    .await
    .into_iter()
    .map(|table| (table, "org_id"))
    .collect();
    tables.push(("organizations".to_owned(), "id"));
    tables
}

fn with_database(url: &str, name: &str) -> String {
    let (address, options) = match url.split_once('?') {
        Some((address, options)) => (address, format!("?{options}")),
        None => (url, String::new()),
    };
    let server = address
        .rsplit_once('/')
        .map_or(address, |(server, _)| server);
    format!("{server}/{name}{options}")
}
