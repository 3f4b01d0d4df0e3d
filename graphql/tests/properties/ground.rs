//! A world made real: its tables and rows in PostgreSQL, and an engine over it.

use std::{cell::RefCell, collections::HashMap, env, sync::Arc};

use eventsphere_graphql::{Engine, Incoming, guard::Limits};
use serde_json::{Map, Value};
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls};

use crate::{bench::Bench, tables, world::World};

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

/// Stands for the order of what was found: best first.
pub const BEST_FIRST: &str = "~";

/// Cursors of rows by entity and order, as the engine gave them.
type Cursors = HashMap<(usize, Vec<String>), Vec<String>>;

pub struct Ground<'a> {
    pub world: World,
    pub engine: Engine,
    pub host: Bench,
    pub runtime: &'a Runtime,
    cursors: RefCell<Cursors>,
}

impl<'a> Ground<'a> {
    /// Makes the world's tables and fills them.
    pub fn lay(world: World, client: &Arc<Client>, runtime: &'a Runtime) -> Self {
        runtime.block_on(tables::make(&world, client));
        let engine = Engine::new(world.catalog(), limits()).expect("an engine");
        Self {
            world,
            engine,
            host: Bench::new(client.clone()),
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

    /// The cursors of an entity's rows in that order of the API, first to last; none where no root field gives them.
    pub fn cursors(&self, entity: usize, order: &[String]) -> Vec<String> {
        let known = (entity, order.to_vec());
        if let Some(cursors) = self.cursors.borrow().get(&known) {
            return cursors.clone();
        }
        let best_first = order == [BEST_FIRST];
        let root = match best_first {
            true => self.world.seeker(entity).map(|seeker| &seeker.field),
            false => self.world.entities[entity].root_many.as_ref(),
        };
        let Some(root) = root else {
            return vec![];
        };
        let ordered = match order.is_empty() || best_first {
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

/// A database of this run's own, with the functions that the engine itself calls.
pub async fn database() -> Arc<Client> {
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
             as $$ select $2 || ' ' || $1 $$;
             create function es.money_sum_text(numeric, text) returns text immutable language sql
             as $$ select $2 || ' ' || $1 $$",
        )
        .await
        .expect("a schema");
    Arc::new(client)
}

async fn connect(config: &tokio_postgres::Config) -> Client {
    let (client, connection) = config.connect(NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client
}
