//! The only way to a connection. Two kinds of pools on purpose: reads, and verbs that are one SQL function, are one
//! flight each (`wire`); generated writes and what takes several statements are SeaORM transactions over sqlx. All log
//! in as the same powerless role and take a weak role per transaction.
#![expect(
    clippy::disallowed_methods,
    reason = "this file is the door that the lint protects"
)]

use std::{sync::Arc, time::Duration};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, SqlxPostgresConnector,
    Statement, TransactionTrait,
};
use uuid::Uuid;

use crate::{
    database::DatabaseAddress,
    turns::{Behind, Place, Turns},
};

use super::{
    actor::Actor,
    context,
    read::ReadPool,
    system::SystemReason,
    together::Shared,
    wire::{WirePool, WirePoolOptions},
};

/// What every connection starts with, beside its longest statement. Nobody waits for a lock for ever.
pub(super) const SETTINGS: [(&str, &str); 3] = [
    ("TimeZone", "UTC"),
    ("lock_timeout", "5s"),
    ("idle_in_transaction_session_timeout", "30s"),
];

/// Where the database is and how many connections each pool may hold.
#[derive(Clone, Debug)]
pub struct DoorOptions {
    /// The login that serves requests.
    pub address: DatabaseAddress,
    /// Connections of the read pool of each role, and of the write pool.
    pub pool_size: usize,
    /// Processors of the database's machine, where known.
    pub processors: Option<usize>,
    /// How long a request may wait for a connection.
    pub wait: Duration,
    /// Longest statement.
    pub statement_timeout: Duration,
    /// The same for what visitors, guests and people acting for themselves read. Each role reads over a pool of its
    /// own, so this is told once a connection.
    pub visitor_statement_timeout: Duration,
}

impl DoorOptions {
    /// A pool of connections for flights, with these settings beside those that all have, and perhaps turns that it shares
    /// with other pools.
    pub(super) fn wires(
        &self,
        name: &'static str,
        settings: &[(&str, String)],
        turns: Option<&Arc<Turns>>,
    ) -> Result<WirePool, DoorError> {
        let unavailable = |reason: String| DoorError::Unavailable(reason);
        let tls = self
            .address
            .tokio_tls()
            .map_err(|error| unavailable(error.to_string()))?;
        let mut config = self.address.tokio_config();
        let mut options = vec![config.get_options().unwrap_or_default().to_owned()];
        options.extend(SETTINGS.map(|(name, value)| format!("-c {name}={value}")));
        options.extend(
            settings
                .iter()
                .map(|(name, value)| format!("-c {name}={value}")),
        );
        config.options(options.join(" ").trim());
        WirePool::new(WirePoolOptions {
            name,
            config,
            tls,
            size: self.pool_size,
            turns: turns.cloned(),
            wait: self.wait,
        })
        .map_err(|error| unavailable(error.to_string()))
    }
}

/// How full a pool is.
#[derive(Clone, Copy, Debug)]
pub struct PoolState {
    /// Whose.
    pub name: &'static str,
    /// Connections that are open.
    pub open: usize,
    /// Those of them that nobody uses.
    pub idle: usize,
    /// Connections that may be open.
    pub most: usize,
    /// Requests that wait for one, where that is known.
    pub waiting: Option<usize>,
}

/// No connection, or a transaction that failed at its edges.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    /// Every connection stayed busy, or the database is away.
    #[error("no database connection: {0}")]
    Unavailable(String),
    /// The database refused.
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// The door. Cheap to clone.
#[derive(Clone)]
pub struct Door {
    pub(super) write: DatabaseConnection,
    pub(super) read: Arc<ReadPool>,
    pub(super) verbs: Arc<WirePool>,
    behind: Option<Arc<Behind>>,
    lets_by: bool,
}

impl Door {
    /// Makes the pools; connections are opened when they are first needed.
    pub fn open(options: &DoorOptions) -> Result<Self, DoorError> {
        let write = sqlx::postgres::PgPoolOptions::new()
            .max_connections(u32::try_from(options.pool_size).unwrap_or(u32::MAX))
            .acquire_timeout(options.wait)
            .connect_lazy_with(
                options
                    .address
                    .sqlx_options()
                    .options(SETTINGS.map(|(name, value)| (name, value)))
                    .options([(
                        "statement_timeout",
                        options.statement_timeout.as_millis().to_string(),
                    )]),
            );
        Ok(Self {
            write: SqlxPostgresConnector::from_sqlx_postgres_pool(write),
            read: Arc::new(ReadPool::new(options)?),
            verbs: Arc::new(options.wires(
                "verbs",
                &[(
                    "statement_timeout",
                    options.statement_timeout.as_millis().to_string(),
                )],
                None,
            )?),
            behind: None,
            lets_by: false,
        })
    }

    /// With places for [`Self::letting_by`].
    #[must_use]
    pub fn with_places(self, behind: Arc<Behind>) -> Self {
        Self {
            behind: Some(behind),
            ..self
        }
    }

    /// The same door for work that nobody waits for: a transaction there takes a place, if there are any, and keeps it until
    /// its end. What is only read does not wait.
    #[must_use]
    pub fn letting_by(&self) -> Self {
        Self {
            lets_by: true,
            ..self.clone()
        }
    }

    /// The turns of people who read, where processors are counted.
    pub fn turns(&self) -> Option<Arc<Turns>> {
        self.read.turns()
    }

    pub(super) async fn place(&self) -> Option<Place> {
        match &self.behind {
            Some(behind) if self.lets_by => Some(behind.next().await),
            _ => None,
        }
    }

    /// How full each pool is.
    pub fn pools(&self) -> Vec<PoolState> {
        let write = self.write.get_postgres_connection_pool();
        let most = write.options().get_max_connections();
        let mut pools = self.read.states();
        pools.push(self.verbs.state());
        pools.push(PoolState {
            name: "write",
            open: write.size() as usize,
            idle: write.num_idle(),
            most: most as usize,
            waiting: None,
        });
        pools
    }

    /// How often visitors shared a flight.
    pub fn shared(&self) -> &Shared {
        self.read.shared()
    }

    /// A transaction of this actor, with the actor's role and settings. Dropped without commit it is rolled back.
    pub async fn begin(&self, actor: &Actor) -> Result<TenantTx, DoorError> {
        self.begin_in(actor, actor.org_id()).await
    }

    /// A transaction of somebody who acts in no organization, in the organization that a public thing belongs to
    /// (buying at it): security definer verbs act there, the weak role still sees only what it may.
    pub async fn begin_at(&self, actor: &Actor, org_id: Uuid) -> Result<TenantTx, DoorError> {
        let buyer = match actor.org_id() {
            Some(own) if own == org_id => actor.clone(),
            _ => actor.as_buyer(),
        };
        self.begin_in(&buyer, Some(org_id)).await
    }

    /// A transaction that crosses tenants. The reason is kept as the actor in the audit log.
    pub async fn system(&self, reason: SystemReason) -> Result<TenantTx, DoorError> {
        self.begin_with(context::of_system(reason.actor())).await
    }

    /// The same, bound to one organization: for what is done there on behalf of nobody in particular.
    pub async fn system_at(
        &self,
        reason: SystemReason,
        org_id: Uuid,
    ) -> Result<TenantTx, DoorError> {
        let settings = context::of_system_at(reason.actor(), org_id);
        self.begin_with(settings).await
    }

    async fn begin_with(&self, settings: [String; 5]) -> Result<TenantTx, DoorError> {
        let place = self.place().await;
        let tx = self.write.begin().await?;
        apply(&tx, settings).await?;
        Ok(TenantTx { tx, _place: place })
    }

    async fn begin_in(&self, actor: &Actor, org_id: Option<Uuid>) -> Result<TenantTx, DoorError> {
        let begun = self.begin_with(context::of_actor(actor, org_id)).await?;
        if let Some(hashes) = context::guest_hashes(actor) {
            let tx = begun.db();
            tx.execute_raw(Statement::from_sql_and_values(
                sea_orm::DbBackend::Postgres,
                context::OPEN_AS_GUEST,
                [hashes.into()],
            ))
            .await?;
        }
        Ok(begun)
    }
}

/// A transaction with role and settings in place. Runs SeaORM statements (it is a `ConnectionTrait` by [`Self::db`]).
pub struct TenantTx {
    tx: DatabaseTransaction,
    /// Free once it has ended.
    _place: Option<Place>,
}

impl TenantTx {
    /// What SeaORM queries run on.
    pub fn db(&self) -> &DatabaseTransaction {
        &self.tx
    }

    /// Makes it true.
    pub async fn commit(self) -> Result<(), DoorError> {
        Ok(self.tx.commit().await?)
    }

    /// Undoes it. Dropping does the same, later.
    pub async fn rollback(self) -> Result<(), DoorError> {
        Ok(self.tx.rollback().await?)
    }
}

async fn apply(tx: &DatabaseTransaction, settings: [String; 5]) -> Result<(), DoorError> {
    tx.execute_raw(Statement::from_sql_and_values(
        sea_orm::DbBackend::Postgres,
        context::SETTINGS,
        settings.map(Into::into),
    ))
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::{DatabaseConfig, Settings},
        database::{ClusterOptions, LOGIN},
    };

    /// Connections of all pools behind a door of that size.
    fn behind(pool_size: usize) -> usize {
        let door = Door::open(&DoorOptions {
            address: DatabaseAddress::socket("/nowhere".as_ref(), 5432, LOGIN, "events"),
            pool_size,
            processors: None,
            wait: Duration::from_secs(1),
            statement_timeout: Duration::from_secs(1),
            visitor_statement_timeout: Duration::from_secs(1),
        });
        let pools = door.expect("pools").pools();
        pools.iter().map(|pool| pool.most).sum()
    }

    #[tokio::test]
    async fn a_private_server_has_room_for_every_pool() {
        for (worker, jobs) in [("on", 12), ("off", 0)] {
            let settings = [
                ("HOME", "/home/ada"),
                ("DATABASE_POOL_SIZE", "30"),
                ("WORKER_POOL_SIZE", "12"),
                ("WORKER", worker),
            ];
            let settings: Settings = settings
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into_iter()
                .collect();
            let config = DatabaseConfig::read(&settings).expect("settings");
            let used = behind(30) + if jobs > 0 { behind(jobs) } else { 0 };
            let options = ClusterOptions::durable(&config, "/nowhere".into(), None);
            // Three are kept for superusers; the administrator and people who look want some.
            assert!(
                usize::from(options.max_connections) >= used + 10,
                "{worker}"
            );
        }
    }
}
