//! Reads: begin, role and settings, preludes, one statement, commit, sent in one flight.
#![expect(
    clippy::disallowed_methods,
    reason = "this file is the door that the lint protects"
)]

use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime};
use eventsphere_graphql::{
    engine::{Columns, Param, ReadFailure},
    plan::Flight,
};
use futures_util::future::try_join_all;
use tokio_postgres::{
    Row,
    types::{FromSql, ToSql, Type},
};

use super::{
    actor::{Actor, Role},
    context,
    door::{Door, DoorError, DoorOptions, PoolState},
};

/// Why a read gave nothing.
pub type ReadError = ReadFailure;

/// One pool a weak role: a connection only ever takes one role, so its prepared plans never have to be made anew.
pub(super) struct ReadPool {
    public: Pool,
    attendee: Pool,
    member: Pool,
}

impl ReadPool {
    pub(super) fn new(options: &DoorOptions) -> Result<Self, DoorError> {
        let tls = options
            .address
            .tokio_tls()
            .map_err(|error| DoorError::Unavailable(error.to_string()))?;
        let mut config = options.address.tokio_config();
        let mut started: Vec<String> = super::door::SETTINGS
            .iter()
            .map(|(name, value)| format!("-c {name}={value}"))
            .collect();
        started.insert(0, config.get_options().unwrap_or_default().to_owned());
        let given = started.join(" ");
        let mut pool = |longest: Duration| {
            let longest = longest.as_millis();
            config.options(format!("{given} -c statement_timeout={longest}").trim());
            let manager = Manager::from_config(
                config.clone(),
                tls.clone(),
                ManagerConfig {
                    // A connection whose transaction was cut short is closed, not mended (see `Flying`).
                    recycling_method: RecyclingMethod::Fast,
                },
            );
            Pool::builder(manager)
                .max_size(options.pool_size)
                .wait_timeout(Some(options.wait))
                .create_timeout(Some(options.wait))
                .runtime(Runtime::Tokio1)
                .build()
                .map_err(|error| DoorError::Unavailable(error.to_string()))
        };
        Ok(Self {
            public: pool(options.visitor_statement_timeout)?,
            attendee: pool(options.visitor_statement_timeout)?,
            member: pool(options.statement_timeout)?,
        })
    }

    pub(super) fn states(&self) -> Vec<PoolState> {
        let pools = [
            ("visitors", &self.public),
            ("attendees", &self.attendee),
            ("members", &self.member),
        ];
        pools
            .map(|(name, pool)| {
                let status = pool.status();
                PoolState {
                    name,
                    open: status.size,
                    idle: status.available,
                    most: status.max_size,
                    waiting: Some(status.waiting),
                }
            })
            .into()
    }

    async fn get(&self, role: Role) -> Result<Object, ReadFailure> {
        let pool = match role {
            Role::Public => &self.public,
            Role::Attendee => &self.attendee,
            Role::Member => &self.member,
            Role::System => return Err(ReadFailure::Unavailable("no reads as system".into())),
        };
        pool.get()
            .await
            .map_err(|error| ReadFailure::Unavailable(error.to_string()))
    }
}

/// A connection in a transaction. Dropped before [`Flying::land`] (the client went away, an error), the connection
/// is taken out of the pool and closed: nobody ever gets a connection in an unknown state.
struct Flying(Option<Object>);

impl Flying {
    fn land(mut self) {
        // Back to the pool by drop of the object.
        drop(self.0.take());
    }
}

impl Drop for Flying {
    fn drop(&mut self) {
        if let Some(object) = self.0.take() {
            drop(Object::take(object));
        }
    }
}

impl Door {
    /// Runs the flight as the actor; its row as it came.
    pub async fn read(
        &self,
        actor: &Actor,
        flight: &Flight,
    ) -> Result<Box<dyn Columns>, ReadFailure> {
        let role = actor.role();
        let flying = Flying(Some(self.read.get(role).await?));
        let Some(client) = flying.0.as_ref() else {
            return Err(ReadFailure::Unavailable("no connection".into()));
        };
        if client.statement_cache.size() > MOST_PREPARED {
            client.statement_cache.clear();
        }
        let settings = client
            .prepare_cached(context::SETTINGS)
            .await
            .map_err(|error| failure(&error))?;
        let statement = match flight.fresh {
            true => None,
            false => Some(
                client
                    .prepare_cached(&flight.sql)
                    .await
                    .map_err(|error| failure(&error))?,
            ),
        };
        // The texts of preludes come from the catalog: there are few, and they stay.
        let mut preludes = Vec::with_capacity(flight.preludes.len());
        for prelude in &flight.preludes {
            let prepared = client
                .prepare_cached(&prelude.sql)
                .await
                .map_err(|error| failure(&error))?;
            preludes.push((prepared, values(&prelude.params)));
        }
        let guest = match context::guest_hashes(actor) {
            None => None,
            Some(hashes) => {
                let opening = client
                    .prepare_cached(context::OPEN_AS_GUEST)
                    .await
                    .map_err(|error| failure(&error))?;
                Some((opening, hashes))
            }
        };

        let settings_of = context::of_actor(actor, actor.org_id());
        let setting_params = settings_of
            .each_ref()
            .map(|value| value as &(dyn ToSql + Sync));

        // Polled together, the messages leave in this order and in one flight; answers come back in the same order.
        let opening = client.batch_execute("begin read only");
        let context = client.execute(&settings, &setting_params);
        let guests = async {
            match &guest {
                Some((opening, hashes)) => client.execute(opening, &[hashes]).await,
                None => Ok(0),
            }
        };
        let opened = try_join_all(
            preludes
                .iter()
                .map(|(prepared, params)| async move { client.execute(prepared, params).await }),
        );
        let select = async {
            match &statement {
                Some(statement) => client.query_one(statement, &values(&flight.params)).await,
                // Parsed in the same flight: a text that comes once costs no round trip more than one that is known.
                None => {
                    let params: Vec<_> = flight.params.iter().map(as_typed).collect();
                    client.query_typed_one(&flight.sql, &params).await
                }
            }
        };
        let closing = client.batch_execute("commit");
        let (_, _, _, _, row, ()) =
            futures_util::try_join!(opening, context, guests, opened, select, closing)
                .map_err(|error| failure(&error))?;
        flying.land();
        Ok(Box::new(Answered(row)))
    }
}

/// The row of a flight. The driver asks for every value in binary format, and keeps them as they came.
struct Answered(Row);

impl Columns for Answered {
    fn column(&self, index: usize) -> Option<&[u8]> {
        let value = self.0.try_get::<_, Option<Raw<'_>>>(index);
        value.ok().flatten().map(|raw| raw.0)
    }
}

/// A value as it came.
struct Raw<'r>(&'r [u8]);

impl<'r> FromSql<'r> for Raw<'r> {
    fn from_sql(_: &Type, raw: &'r [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// Statements that a connection keeps prepared. Each costs memory here and in its server process, and clients make new
/// texts at will, by an alias or a page size; without a bound one of them could fill both.
const MOST_PREPARED: usize = 200;

fn values(params: &[Param]) -> Vec<&(dyn ToSql + Sync)> {
    params.iter().map(|param| as_typed(param).0).collect()
}

fn as_typed(param: &Param) -> (&(dyn ToSql + Sync), Type) {
    match param {
        Param::Text(value) => (value, Type::TEXT),
        Param::Uuid(value) => (value, Type::UUID),
        Param::Int(value) => (value, Type::INT4),
        Param::BigInt(value) => (value, Type::INT8),
        Param::Bool(value) => (value, Type::BOOL),
        Param::Timestamp(value) => (value, Type::TIMESTAMPTZ),
        Param::Date(value) => (value, Type::DATE),
        Param::Texts(value) => (value, Type::TEXT_ARRAY),
        Param::Uuids(value) => (value, Type::UUID_ARRAY),
        Param::Ints(value) => (value, Type::INT4_ARRAY),
        Param::BigInts(value) => (value, Type::INT8_ARRAY),
        Param::Timestamps(value) => (value, Type::TIMESTAMPTZ_ARRAY),
        Param::Dates(value) => (value, Type::DATE_ARRAY),
    }
}

fn failure(error: &tokio_postgres::Error) -> ReadFailure {
    match error.as_db_error() {
        Some(db) => ReadFailure::Sql {
            code: db.code().code().to_owned(),
            message: db.message().to_owned(),
        },
        None => ReadFailure::Unavailable(error.to_string()),
    }
}
