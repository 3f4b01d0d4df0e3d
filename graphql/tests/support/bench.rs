//! What runs an engine's statements in tests without the API: one plain connection, asked as whoever it belongs to.
//! Shared by the property tests here and the API's tests of the protocol, which include this file by its path.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use eventsphere_graphql::{
    Verb,
    catalog::Entity,
    engine::{Columns, Denied, FieldError, Gate, Host, Outcome, Param, ReadFailure},
    plan::Flight,
};
use serde_json::Value;
use tokio_postgres::{
    Client, Row,
    types::{FromSql, ToSql, Type},
};

/// Everything may be asked, no points are counted.
pub struct Bench {
    pub client: Arc<Client>,
    /// Whether `totalCount` may stop.
    pub stops: AtomicBool,
}

impl Bench {
    pub fn new(client: Arc<Client>) -> Self {
        Self {
            client,
            stops: AtomicBool::new(false),
        }
    }

    async fn row(&self, flight: &Flight) -> Result<Row, ReadFailure> {
        for prelude in &flight.preludes {
            let params: Vec<_> = prelude.params.iter().map(as_sql).collect();
            let opened = self.client.query(&*prelude.sql, &params).await;
            opened.map_err(|error| failed(&error, &prelude.sql))?;
        }
        let params: Vec<_> = flight.params.iter().map(as_sql).collect();
        let row = self.client.query_one(&*flight.sql, &params).await;
        row.map_err(|error| failed(&error, &flight.sql))
    }
}

impl Gate for Bench {
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
        self.stops.load(Ordering::Relaxed)
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
impl Host for Bench {
    async fn read(&self, flight: &Flight) -> Result<Box<dyn Columns>, ReadFailure> {
        let plain = async |sql: &str| {
            let done = self.client.batch_execute(sql).await;
            done.map_err(|error| failed(&error, sql))
        };
        plain("begin read only").await?;
        let row = self.row(flight).await;
        plain("rollback").await?;
        if let Err(failure) = &row {
            // Shown beside a test that fails.
            println!("{failure}");
        }
        Ok(Box::new(Answered(row?)))
    }

    async fn verb(
        &self,
        _: &Verb,
        _: Value,
    ) -> Result<(Outcome, Option<Box<dyn Host>>), FieldError> {
        Ok((Outcome::new(), None))
    }

    fn request_id(&self) -> &str {
        "bench"
    }
}

fn failed(error: &tokio_postgres::Error, sql: &str) -> ReadFailure {
    ReadFailure::Sql {
        code: error.code().map_or("?", |code| code.code()).to_owned(),
        message: format!("{error:?}\n{sql}"),
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
