//! A world made real: its tables and rows in PostgreSQL, and an engine over it.

use std::{cell::RefCell, collections::HashMap, env, sync::Arc};

use async_trait::async_trait;
use eventsphere_graphql::{
    Engine, Incoming, Scalar, Verb,
    catalog::Entity,
    engine::{Columns, Denied, FieldError, Gate, Host, Outcome, Param, ReadFailure},
    guard::Limits,
    plan::Flight,
};
use serde_json::{Map, Value};
use tokio::runtime::Runtime;
use tokio_postgres::{
    Client, NoTls, Row,
    types::{FromSql, ToSql, Type},
};

use crate::world::World;

/// Larger than the API's: it is the compiler that is tried here, not the guard.
fn limits() -> Limits {
    Limits {
        tokens: 20_000,
        aliases: 1000,
        directives: 1000,
        expanded_fields: 20_000,
        ..Limits::default()
    }
}

/// Cursors of rows by entity and order, as the engine gave them.
type Cursors = HashMap<(usize, Vec<String>), Vec<String>>;

pub struct Ground<'a> {
    pub world: World,
    pub engine: Engine,
    pub host: Bench<'a>,
    pub runtime: &'a Runtime,
    cursors: RefCell<Cursors>,
}

/// Asks as the superuser. Answers say whether `totalCount` may stop.
pub struct Bench<'a> {
    client: &'a Client,
    pub stops: std::sync::atomic::AtomicBool,
}

impl Gate for Bench<'_> {
    fn admit(&self, _: &Entity) -> Result<(), Denied> {
        Ok(())
    }

    fn reaches(&self, _: &Entity) -> bool {
        true
    }

    fn holds(&self, _: &str) -> Result<(), Denied> {
        Ok(())
    }

    fn counts_stop(&self) -> bool {
        self.stops.load(std::sync::atomic::Ordering::Relaxed)
    }

    fn standing(&self) -> Arc<str> {
        self.counts_stop().to_string().into()
    }

    fn cost_ceiling(&self) -> u64 {
        u64::MAX
    }

    fn may_introspect(&self) -> bool {
        true
    }
}

#[async_trait]
impl Host for Bench<'_> {
    async fn read(&self, flight: &Flight) -> Result<Box<dyn Columns>, ReadFailure> {
        let failed = |error: tokio_postgres::Error, sql: &str| ReadFailure::Sql {
            code: error.code().map_or("?", |code| code.code()).to_owned(),
            message: format!("{error:?}\n{sql}"),
        };
        self.client
            .batch_execute("begin read only")
            .await
            .map_err(|error| failed(error, "begin"))?;
        let mut answer: Result<Box<dyn Columns>, _> = Ok(Box::new(()));
        for prelude in &flight.preludes {
            let params: Vec<_> = prelude.params.iter().map(as_sql).collect();
            if let Err(error) = self.client.query(&*prelude.sql, &params).await {
                answer = Err(failed(error, &prelude.sql));
            }
        }
        if answer.is_ok() {
            let params: Vec<_> = flight.params.iter().map(as_sql).collect();
            let row = self.client.query_one(&*flight.sql, &params).await;
            answer = row
                .map(|row| Box::new(Answered(row)) as _)
                .map_err(|error| failed(error, &flight.sql));
        }
        self.client
            .batch_execute("rollback")
            .await
            .map_err(|error| failed(error, "rollback"))?;
        if let Err(failure) = &answer {
            // Shown beside a test that fails.
            println!("{failure}");
        }
        answer
    }

    async fn verb(
        &self,
        _: &Verb,
        _: Value,
    ) -> Result<(Outcome, Option<Box<dyn Host>>), FieldError> {
        Ok((Outcome::new(), None))
    }

    fn request_id(&self) -> &str {
        "property"
    }
}

struct Answered(Row);

impl Columns for Answered {
    fn column(&self, index: usize) -> Option<&[u8]> {
        let value: Option<Raw<'_>> = self.0.get(index);
        value.map(|raw| raw.0)
    }
}

struct Raw<'r>(&'r [u8]);

impl<'r> FromSql<'r> for Raw<'r> {
    fn from_sql(_: &Type, raw: &'r [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

fn as_sql(param: &Param) -> &(dyn ToSql + Sync) {
    match param {
        Param::Text(value) => value,
        Param::Uuid(value) => value,
        Param::Int(value) => value,
        Param::BigInt(value) => value,
        Param::Bool(value) => value,
        Param::Timestamp(value) => value,
        Param::Date(value) => value,
        Param::Texts(value) => value,
        Param::Uuids(value) => value,
        Param::Ints(value) => value,
        Param::BigInts(value) => value,
        Param::Timestamps(value) => value,
        Param::Dates(value) => value,
    }
}

impl<'a> Ground<'a> {
    /// Makes the world's tables and fills them.
    pub fn lay(world: World, client: &'a Client, runtime: &'a Runtime) -> Self {
        runtime.block_on(make(&world, client));
        let engine = Engine::new(world.catalog(), limits()).expect("an engine");
        Self {
            world,
            engine,
            host: Bench {
                client,
                stops: Default::default(),
            },
            runtime,
            cursors: RefCell::default(),
        }
    }

    /// Takes the tables away.
    pub fn clear(self) {
        let sql = format!("drop schema {} cascade", self.world.schema);
        let dropped = self.runtime.block_on(self.host.client.batch_execute(&sql));
        dropped.expect("a schema to drop");
    }

    /// The whole response, as text.
    pub fn send(&self, query: &str, variables: &Map<String, Value>) -> String {
        self.runtime.block_on(async {
            let document = match self.engine.document(query, &self.host).await {
                Ok(document) => document,
                Err(answer) => return answer.body,
            };
            let incoming = Incoming {
                operation_name: None,
                variables: variables.clone(),
            };
            let answer = self.engine.execute(&document, &incoming, &self.host);
            answer.await.body
        })
    }

    /// The cursors of an entity's rows in that order of the API, first to last; none where there is no root connection.
    pub fn cursors(&self, entity: usize, order: &[String]) -> Vec<String> {
        let known = (entity, order.to_vec());
        if let Some(cursors) = self.cursors.borrow().get(&known) {
            return cursors.clone();
        }
        let Some(root) = &self.world.entities[entity].root_many else {
            return vec![];
        };
        let ordered = match order.is_empty() {
            true => String::new(),
            false => format!(", orderBy: [{}]", order.join(", ")),
        };
        let query = format!("{{ {root}(first: 100{ordered}) {{ edges {{ cursor }} }} }}");
        let answer = self.send(&query, &Map::new());
        let answer: Value = serde_json::from_str(&answer).expect("JSON");
        let edges = answer["data"][root]["edges"].as_array();
        let edges = edges.unwrap_or_else(|| panic!("{query}\n{answer}"));
        let cursors: Vec<String> = edges
            .iter()
            .map(|edge| edge["cursor"].as_str().expect("a cursor").to_owned())
            .collect();
        self.cursors.borrow_mut().insert(known, cursors.clone());
        cursors
    }
}

fn pg_type(scalar: &Scalar) -> String {
    match scalar {
        // Text is compared by its bytes, so that we can too.
        Scalar::String | Scalar::Enum(_) => "text collate \"C\"".to_owned(),
        other => other.pg_type().to_owned(),
    }
}

async fn make(world: &World, client: &Client) {
    let mut sql = format!("create schema {0}; set search_path = {0};\n", world.schema);
    for entity in &world.entities {
        let columns: Vec<String> = entity
            .columns
            .iter()
            .map(|column| {
                let unique = world.is_unique(&entity.table, &column.name);
                let own = match (column.name == entity.key, column.nullable) {
                    (true, _) => " primary key",
                    (_, false) => " not null",
                    (_, true) if unique => " unique",
                    _ => "",
                };
                format!("{} {}{own}", column.name, pg_type(&column.scalar))
            })
            .collect();
        sql += &format!("create table {} ({});\n", entity.table, columns.join(", "));
    }
    for table in world.links.keys() {
        sql += &format!("create table {table} (a uuid, b uuid, primary key (a, b));\n");
    }
    for (function, (entity, column)) in &world.shows {
        let entity = &world.entities[*entity];
        let column = &entity.columns[*column];
        sql += &format!(
            "create function {function}(uuid) returns {} stable language sql as $$ select {} from {}.{} where {} = $1 $$;\n",
            column.scalar.pg_type(),
            column.name,
            world.schema,
            entity.table,
            entity.key
        );
    }
    client
        .batch_execute(&sql)
        .await
        .unwrap_or_else(|error| panic!("{error:?}\n{sql}"));
    for (entity, rows) in world.entities.iter().zip(&world.rows) {
        let places: Vec<String> = (1..=entity.columns.len())
            .map(|n| format!("${n}"))
            .collect();
        let insert = format!(
            "insert into {} values ({})",
            entity.table,
            places.join(", ")
        );
        let insert = client.prepare(&insert).await.expect("an insert");
        for row in rows {
            let values: Vec<_> = row
                .iter()
                .zip(&entity.columns)
                .map(|(value, column)| value.to_sql(&column.scalar))
                .collect();
            let params: Vec<&(dyn ToSql + Sync)> = values
                .iter()
                .map(|value| value.as_ref() as &(dyn ToSql + Sync))
                .collect();
            client.execute(&insert, &params).await.expect("a row");
        }
    }
    for (table, pairs) in &world.links {
        let insert = format!("insert into {table} values ($1, $2)");
        for (a, b) in pairs {
            client.execute(&insert, &[a, b]).await.expect("a link");
        }
    }
}

/// A database of this run's own, with the one function that the engine itself calls.
pub async fn database() -> Client {
    let url = env::var("TEST_DATABASE_ADMIN_URL").expect(
        "TEST_DATABASE_ADMIN_URL: run `make test`, or the tests beside `eventsphere admin with-postgres`",
    );
    let mut config: tokio_postgres::Config = url.parse().expect("an URL");
    let name = format!("properties_{}", uuid::Uuid::new_v4().simple());
    let server = connect(&config).await;
    let made = format!("create database {name} template template0 encoding 'UTF8' locale 'C'");
    server.batch_execute(&made).await.expect("a database");
    let client = connect(config.dbname(&name)).await;
    client
        .batch_execute(
            "set timezone = 'UTC';
             create schema es;
             create function es.money_text(bigint, text) returns text immutable language sql
             as $$ select $2 || ' ' || $1 $$",
        )
        .await
        .expect("a schema");
    client
}

async fn connect(config: &tokio_postgres::Config) -> Client {
    let (client, connection) = config.connect(NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client
}
