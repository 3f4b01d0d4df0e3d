//! What runs an engine's statements in tests without the API: one plain connection, asked as whoever it belongs to.
//! Shared by the property tests here and the API's tests of the protocol, which include this file by its path.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
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
    /// Flights of each plan that were answered, with their rows.
    answered: Mutex<HashMap<u64, Vec<(Flight, Arc<Answered>)>>>,
    /// Statements that several flights shared.
    pub shared: AtomicUsize,
}

/// Flights of a plan that are remembered.
const REMEMBERED: usize = 4;

impl Bench {
    pub fn new(client: Arc<Client>) -> Self {
        Self {
            client,
            stops: AtomicBool::new(false),
            answered: Mutex::default(),
            shared: AtomicUsize::new(0),
        }
    }

    /// Flies again, together with the last flights of the same plan: each must get what it got alone, to the byte. Rows
    /// must not change meanwhile.
    async fn together(&self, flight: &Flight, alone: &Arc<Answered>) {
        let Some(joint) = flight.joint.as_ref().filter(|joint| joint.most > 1) else {
            return;
        };
        let mut all = {
            let mut answered = self.answered.lock().expect("the flights");
            let known = answered.entry(joint.number).or_default();
            let suits: Vec<_> = known
                .iter()
                .filter(|(other, _)| joint.suit(flight, other))
                .cloned()
                .collect();
            known.insert(0, (flight.clone(), alone.clone()));
            known.truncate(REMEMBERED);
            suits
        };
        // Also twice the same, and one alone: nobody asks for that, but nothing may depend on it.
        all.insert(all.len() / 2, (flight.clone(), alone.clone()));
        let flights: Vec<&Flight> = all.iter().map(|(flight, _)| flight).collect();
        let Some(many) = joint.flight(&flights) else {
            return;
        };
        let row = Answered(self.row(&many).await.expect("rows for several"));
        let cuts = joint.cut(&row, flights.len());
        let cuts = cuts.unwrap_or_else(|error| panic!("{error}\n{}\n{:?}", many.sql, many.params));
        for ((flight, alone), cut) in all.iter().zip(&cuts) {
            for column in 0..=alone.0.len() {
                let (alone, shared) = (alone.column(column), cut.column(column));
                let why = format!(
                    "{}\n{:?}\n{}\n{:?}",
                    flight.sql, flight.params, many.sql, many.params
                );
                assert_eq!(shared, alone, "column {column}\n{why}");
            }
        }
        self.shared
            .fetch_add(usize::from(all.len() > 1), Ordering::Relaxed);
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

    fn stands_for_nobody(&self) -> bool {
        true
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
        let alone = match self.row(flight).await {
            Ok(row) => {
                let alone = Arc::new(Answered(row));
                self.together(flight, &alone).await;
                Ok(alone)
            }
            Err(failure) => Err(failure),
        };
        plain("rollback").await?;
        if let Err(failure) = &alone {
            // Shown beside a test that fails.
            println!("{failure}");
        }
        Ok(Box::new(alone?))
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
        if index >= self.0.len() {
            return None;
        }
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
