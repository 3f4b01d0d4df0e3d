//! A database per test, cloned from one template that is migrated once a run. Time in it can be moved: the template's
//! `es.clock()` adds an offset; the program that people run has no such knob.

use std::{
    env,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use eventsphere::{
    app,
    config::{DatabaseConfig, DatabaseSource, Settings},
    database::{self, DatabaseAddress},
};
use tokio::sync::OnceCell;
use tokio_postgres::Client;

use super::dropped::Dropped;

static TEMPLATE: OnceCell<String> = OnceCell::const_new();
static NEXT: AtomicU32 = AtomicU32::new(0);

/// A database of a test's own.
pub struct Database {
    /// URL of the login that serves requests.
    pub app_url: String,
    pub(super) name: String,
    life: Arc<Dropped>,
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: run `make test`, or `target/debug/eventsphere admin with-postgres --no-durability -- cargo test`")
    })
}

fn parse(url: &str) -> DatabaseAddress {
    DatabaseAddress::parse("the test database", url).expect("a database URL")
}

fn admin(database: &str) -> DatabaseAddress {
    parse(&variable("TEST_DATABASE_ADMIN_URL")).with_database(database)
}

impl Database {
    /// A clone of the template.
    pub async fn fresh() -> Self {
        Self::clone_of(TEMPLATE.get_or_init(make_template).await).await
    }

    pub(super) async fn clone_of(template: &str) -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("es_it_{}_{number}", std::process::id());
        let server = connect(&admin("postgres")).await;
        server
            .execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1",
                &[&template],
            )
            .await
            .expect("nobody in the template");
        server
            .batch_execute(&format!(
                "create database {name} template {template} owner es_owner strategy file_copy"
            ))
            .await
            .expect("a clone of the template");
        Self {
            app_url: parse(&variable("TEST_DATABASE_URL"))
                .with_database(&name)
                .to_url(),
            life: Arc::new(Dropped::later(&name, admin("postgres"))),
            name,
        }
    }

    /// The same database, for a further server.
    pub fn again(&self) -> Self {
        Self {
            app_url: self.app_url.clone(),
            name: self.name.clone(),
            life: Arc::clone(&self.life),
        }
    }

    /// Where the program finds it.
    pub fn app_address(&self) -> DatabaseAddress {
        parse(&self.app_url)
    }

    /// A superuser's connection, for looking behind the API.
    pub async fn admin(&self) -> Client {
        connect(&admin(&self.name)).await
    }

    /// Moves the database's clock.
    pub async fn advance(&self, seconds: i64) {
        self.admin()
            .await
            .execute(
                "update es_test.clock set ahead = ahead + make_interval(secs => $1)",
                &[&(seconds as f64)],
            )
            .await
            .expect("a moved clock");
    }

    /// One number from the database.
    pub async fn count(&self, sql: &str) -> i64 {
        self.admin()
            .await
            .query_one(sql, &[])
            .await
            .expect("a count")
            .get(0)
    }

    /// Faults of the books of stock; none are expected, ever.
    pub async fn stock_faults(&self) -> i64 {
        self.count("select count(*) from public.check_stock_integrity()")
            .await
    }
}

async fn connect(address: &DatabaseAddress) -> Client {
    address.connect().await.expect("a connection")
}

async fn make_template() -> String {
    let name = format!("es_it_{}", std::process::id());
    let settings: Settings = [
        (
            "DATABASE_URL".to_owned(),
            parse(&variable("TEST_DATABASE_URL"))
                .with_database(&name)
                .to_url(),
        ),
        (
            "DATABASE_ADMIN_URL".to_owned(),
            variable("TEST_DATABASE_ADMIN_URL"),
        ),
    ]
    .into_iter()
    .collect();
    let config = DatabaseConfig::read(&settings).expect("a database configuration");
    assert!(matches!(config.source, DatabaseSource::External(_)));
    let opened = database::open(&config, app::migrate)
        .await
        .expect("a migrated template");
    opened.close().await;
    let client = connect(&admin(&name)).await;
    client
        .batch_execute(TEST_CLOCK)
        .await
        .expect("a clock that moves");
    name
}

const TEST_CLOCK: &str = "
create schema es_test;
grant usage on schema es_test to public;
create table es_test.clock (ahead interval not null);
insert into es_test.clock values (interval '0');
grant select on es_test.clock to public;
create or replace function es.clock()
returns timestamptz
volatile
parallel safe
return clock_timestamp() + (select ahead from es_test.clock);
";
