//! A database per test, copied from one migrated template; transactions as the program makes them; a clock to move.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use eventsphere::database::DatabaseAddress;
use eventsphere_migration::functions::FILES;
use serde_json::Value as Json;
use sqlx::{
    AssertSqlSafe, Connection as _, PgConnection, PgPool, Row as _, postgres::PgPoolOptions,
};
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::dropped::Dropped;

/// How many connections a test buys over at once.
pub const BUYERS: usize = 24;

const OBJECTS: &str = include_str!("../../src/database/sql/objects.sql");

/// The program's clock cannot be moved; here its owner replaces it by one that can, in the test's database alone.
const TEST_CLOCK: &str = "
set role es_owner;
create table es.test_clock (shift interval not null);
insert into es.test_clock values ('0');
grant select on es.test_clock to es_verbs, es_system, es_public, es_attendee, es_member;
create or replace function es.clock()
returns timestamptz
volatile
return (select clock_timestamp() + shift from es.test_clock);
reset role;";

static TEMPLATE: OnceCell<String> = OnceCell::const_new();

/// A database with all tables and functions and nothing in it.
#[derive(Clone)]
pub struct Db {
    /// As the program logs in.
    pub app: PgPool,
    /// As an administrator, for what no request may do.
    pub admin: PgPool,
    /// Last: pools are left before their database goes.
    _life: Arc<Dropped>,
}

/// As whom a transaction runs.
#[derive(Clone, Debug, Default)]
pub struct As {
    pub role: &'static str,
    pub user: Option<Uuid>,
    pub org: Option<Uuid>,
    pub permissions: &'static str,
    pub actor: String,
    pub guest_hash: Option<String>,
}

impl As {
    pub fn visitor(org: Uuid) -> Self {
        Self {
            role: "es_public",
            org: Some(org),
            actor: "anonymous".to_owned(),
            ..Self::default()
        }
    }

    pub fn guest(org: Uuid, secret_hash: &str) -> Self {
        Self {
            role: "es_attendee",
            org: Some(org),
            actor: "guest".to_owned(),
            guest_hash: Some(secret_hash.to_owned()),
            ..Self::default()
        }
    }

    pub fn attendee(user: Uuid, org: Uuid) -> Self {
        Self {
            role: "es_attendee",
            user: Some(user),
            org: Some(org),
            actor: format!("user:{user}"),
            ..Self::default()
        }
    }

    pub fn member(user: Uuid, org: Uuid, permissions: &'static str) -> Self {
        Self {
            role: "es_member",
            permissions,
            ..Self::attendee(user, org)
        }
    }

    pub fn system() -> Self {
        Self {
            role: "es_system",
            actor: "system:test".to_owned(),
            ..Self::default()
        }
    }
}

fn address(name: &'static str) -> DatabaseAddress {
    let url = std::env::var(name).unwrap_or_else(|_| {
        panic!(
            "{name} is not set; run `make test`, or `eventsphere admin with-postgres -- cargo test`"
        )
    });
    DatabaseAddress::parse(name, &url).expect("an address of a database")
}

fn new_name(what: &str) -> String {
    format!("{what}_{}", Uuid::new_v4().simple())
}

async fn template() -> &'static str {
    TEMPLATE.get_or_init(make_template).await
}

async fn make_template() -> String {
    let admin = address("TEST_DATABASE_ADMIN_URL");
    let app = address("TEST_DATABASE_URL");
    let name = new_name("sale_template");
    create_database(&name, "template0").await;
    let here = admin.with_database(&name).sqlx_options();
    let mut connection = PgConnection::connect_with(&here).await.expect("connected");
    let objects = OBJECTS
        .replace(":'login'", &format!("'{}'", app.user()))
        .replace(":'database'", &format!("'{name}'"));
    run(&mut connection, &objects).await;
    eventsphere_migration::up(&here).await.expect("migrated");
    run(&mut connection, TEST_CLOCK).await;
    // A template with a connection open cannot be copied.
    connection.close().await.expect("closed");
    name
}

async fn create_database(name: &str, template: &str) {
    let admin = address("TEST_DATABASE_ADMIN_URL").sqlx_options();
    let mut connection = PgConnection::connect_with(&admin).await.expect("connected");
    run(
        &mut connection,
        &format!("create database {name} template {template} owner es_owner strategy file_copy"),
    )
    .await;
    connection.close().await.expect("closed");
}

async fn run(connection: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(connection)
        .await
        .unwrap_or_else(|error| panic!("{error}\n{sql}"));
}

impl Db {
    pub async fn new() -> Self {
        let name = new_name("sale");
        create_database(&name, template().await).await;
        let pool = |address: DatabaseAddress, size: usize| {
            PgPoolOptions::new()
                .max_connections(u32::try_from(size).expect("few"))
                .connect_with(address.with_database(&name).sqlx_options())
        };
        Self {
            app: pool(address("TEST_DATABASE_URL"), BUYERS)
                .await
                .expect("connected"),
            admin: pool(address("TEST_DATABASE_ADMIN_URL"), 2)
                .await
                .expect("connected"),
            _life: Arc::new(Dropped::later(&name, address("TEST_DATABASE_ADMIN_URL"))),
        }
    }

    /// Statements of an administrator.
    pub async fn run(&self, sql: &str) {
        let mut connection = self.admin.acquire().await.expect("a connection");
        run(&mut connection, sql).await;
    }

    /// The first column of the first row, as text; an administrator asks.
    pub async fn ask(&self, sql: &str) -> Option<String> {
        sqlx::query(AssertSqlSafe(sql))
            .fetch_optional(&self.admin)
            .await
            .unwrap_or_else(|error| panic!("{error}\n{sql}"))
            .and_then(|row| row.get(0))
    }

    pub async fn ask_number(&self, sql: &str) -> i64 {
        let text = self.ask(&format!("select ({sql})::bigint::text")).await;
        text.expect("a value").parse().expect("a number")
    }

    /// One statement in a transaction of its own, begun as the program begins them; the first column, as text.
    pub async fn select(
        &self,
        who: &As,
        sql: &str,
        arguments: &[&str],
    ) -> Result<Option<String>, sqlx::Error> {
        let mut tx = self.app.begin().await?;
        apply(&mut tx, who).await?;
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for argument in arguments {
            query = query.bind(*argument);
        }
        let row = query.fetch_optional(&mut *tx).await?;
        tx.commit().await?;
        Ok(row.and_then(|row| row.get(0)))
    }

    /// A function that takes and answers JSON.
    pub async fn try_call(
        &self,
        who: &As,
        function: &str,
        request: &Json,
    ) -> Result<Json, sqlx::Error> {
        let sql = format!("select public.{function}($1::jsonb)::text");
        let text = self.select(who, &sql, &[&request.to_string()]).await?;
        Ok(serde_json::from_str(&text.expect("an answer")).expect("JSON"))
    }

    pub async fn call(&self, who: &As, function: &str, request: &Json) -> Json {
        self.try_call(who, function, request)
            .await
            .unwrap_or_else(|error| panic!("{function}({request}): {error}"))
    }

    /// Moves the clock of the database on.
    pub async fn advance(&self, seconds: i64) {
        self.run(&format!(
            "update es.test_clock set shift = shift + interval '{seconds} seconds'"
        ))
        .await;
    }

    /// R20: nothing is said by the check of the stock.
    pub async fn assert_whole(&self) {
        let faults = self
            .select(
                &As::system(),
                "select string_agg(concat_ws(' ', fault, object_id, detail), E'\\n') from check_stock_integrity()",
                &[],
            )
            .await
            .expect("checked");
        assert_eq!(faults, None, "R20 is broken");
    }

    /// The functions of one file, with its text changed.
    pub async fn replace_function_file(&self, name: &str, change: impl Fn(&str) -> String) {
        let file = FILES
            .iter()
            .find(|file| file.name == name)
            .unwrap_or_else(|| panic!("sql/functions/{name}.sql"));
        let changed = change(file.text);
        assert_ne!(changed, file.text, "{name} is not changed");
        self.run(&format!("set role es_owner;\n{changed}\nreset role;"))
            .await;
    }
}

async fn apply(tx: &mut PgConnection, who: &As) -> Result<(), sqlx::Error> {
    let text = |id: Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
    sqlx::query(
        "select set_config('es.user', $1, true), set_config('es.org', $2, true), \
         set_config('es.permissions', $3, true), set_config('es.actor', $4, true), \
         set_config('es.guest', '', true), set_config('es.revealed', '', true), \
         set_config('role', $5, true)",
    )
    .bind(text(who.user))
    .bind(text(who.org))
    .bind(who.permissions)
    .bind(&who.actor)
    .bind(who.role)
    .execute(&mut *tx)
    .await?;
    if let Some(hash) = &who.guest_hash {
        sqlx::query("select es.open_as_guest(array[decode($1, 'hex')])")
            .bind(hash)
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}

/// Does the numbered jobs over so many workers, as fast as they go; results in no order.
pub async fn all_at_once<T, F, Fut>(workers: usize, jobs: usize, job: F) -> Vec<T>
where
    T: Send + 'static,
    F: Fn(usize) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = T> + Send,
{
    let next = Arc::new(AtomicUsize::new(0));
    let job = Arc::new(job);
    let start = Arc::new(tokio::sync::Barrier::new(workers));
    let running: Vec<_> = (0..workers)
        .map(|_| {
            let (next, job, start) = (next.clone(), job.clone(), start.clone());
            tokio::spawn(async move {
                let mut done = vec![];
                start.wait().await;
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= jobs {
                        return done;
                    }
                    done.push(job(number).await);
                }
            })
        })
        .collect();
    let mut results = vec![];
    for worker in running {
        results.extend(worker.await.expect("a worker that ends"));
    }
    results
}

/// The state of an error that the database raised.
pub fn code(error: &sqlx::Error) -> String {
    error
        .as_database_error()
        .and_then(|error| error.code())
        .map(|code| code.into_owned())
        .unwrap_or_else(|| panic!("no error of the database: {error}"))
}

/// The word of an answer.
pub fn outcome(answer: &Json) -> &str {
    answer["outcome"].as_str().unwrap_or("")
}
