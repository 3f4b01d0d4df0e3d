//! The engine alone, over a table that has every scalar with ties and nulls, so that its pages and filters can be
//! compared with plain SQL. The API's own declarations order by no column that may be null; later ones may.

use eventsphere_entities::{sessions, ticket_types};
use eventsphere_graphql::{Catalog, Engine, Incoming, declare, guard::Limits};
use serde_json::Value;
use tokio_postgres::Client;

use super::bench::Bench;
use crate::harness::Database;

/// An engine over `ticket_types` (as `Thing`), asked as the superuser.
pub struct Lab {
    engine: Engine,
    host: Bench,
    pub admin: Client,
    _database: Database,
}

/// Rows of the table.
pub const ROWS: usize = 23;

const SEED: &str = "
insert into organizations (id, slug, name, time_zone)
values ('00000000-0000-7000-8000-000000000001', 'acme', 'Acme', 'UTC');
insert into events (id, org_id, slug, title, time_zone, currency, starts_at, ends_at)
values (
  '00000000-0000-7000-8000-000000000002', '00000000-0000-7000-8000-000000000001', 'e', 'E', 'UTC', 'EUR',
  '2027-01-01', '2027-01-02'
);
insert into ticket_types (
  org_id, event_id, name, currency, price_minor, hidden, position, sales_start_at
)
select
  '00000000-0000-7000-8000-000000000001',
  '00000000-0000-7000-8000-000000000002',
  -- Quotes, backslashes, letters outside ASCII: all of it passes through cursors.
  (array['a', 'A', 'ab', 'ä', 'a\"b', 'a\\b', 'a''b', '😀', 'b'])[1 + n % 9],
  'EUR',
  (n % 3) * 3000000000,
  n % 2 = 0,
  n % 4,
  case when n % 3 > 0 then timestamptz '2027-01-01 00:00:00.000001+00' + (n % 5) * interval '1.5 seconds' end
from generate_series(1, 23) n;
";

impl Lab {
    pub async fn open() -> Self {
        use ticket_types::{Column, DOCS, Entity};
        let database = Database::fresh().await;
        let admin = database.admin().await;
        admin.batch_execute(SEED).await.expect("rows");
        admin
            .batch_execute("alter table ticket_types alter name type text collate \"C\"")
            .await
            .expect("a collation");
        let columns = || {
            [
                Column::Id,
                Column::EventId,
                Column::Name,
                Column::PriceMinor,
                Column::Hidden,
                Column::Position,
                Column::SalesStartAt,
            ]
        };
        let declaration = declare::<Entity>("Thing", 1, &DOCS)
            .root("thing", "things")
            .key_of(Column::Id, "Thing")
            .filter(columns())
            .order(columns())
            .done();
        let sessions = declare::<sessions::Entity>("Session", 2, &sessions::DOCS).done();
        let mut catalog = Catalog::default();
        catalog.add_entity(declaration.entity).expect("an entity");
        catalog.add_entity(sessions.entity).expect("an entity");
        let limits = Limits {
            aliases: 200,
            ..Limits::default()
        };
        Self {
            engine: Engine::new(catalog, limits).expect("an engine"),
            host: Bench::new(database.admin().await.into()),
            admin,
            _database: database,
        }
    }

    /// The whole response.
    pub async fn send(&self, query: &str, variables: &Value) -> Value {
        let document = match self.engine.document(query, &self.host).await {
            Ok(document) => document,
            Err(answer) => return serde_json::from_str(&answer.body).expect("JSON"),
        };
        let incoming = Incoming {
            operation_name: None,
            variables: variables.as_object().cloned().unwrap_or_default(),
        };
        let answer = self.engine.execute(&document, &incoming, &self.host).await;
        serde_json::from_str(&answer.body).expect("JSON")
    }

    /// The data of an operation that must not fail.
    pub async fn ask(&self, query: &str, variables: &Value) -> Value {
        let mut answer = self.send(query, variables).await;
        assert!(
            answer.get("errors").is_none(),
            "{query} {variables} {answer}"
        );
        answer["data"].take()
    }

    /// Global ids by a query of ours.
    pub async fn oracle(&self, rest: &str) -> Vec<String> {
        let sql = format!("select id from ticket_types {rest}");
        let rows = self.admin.query(&sql, &[]).await;
        rows.unwrap_or_else(|error| panic!("{sql}: {error}"))
            .iter()
            .map(|row| eventsphere_graphql::global_id::encode(1, row.get(0)))
            .collect()
    }
}
