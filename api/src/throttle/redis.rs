//! Buckets in Redis, shared by all processes: one script call takes from all buckets of an operation, by the clock of
//! the server. A few connections carry everybody's calls side by side; they are made here and dropped when one fails.

use std::{
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use deadpool_redis::{
    Connection, Manager, Pool, Runtime,
    redis::{self, AsyncConnectionConfig, Script, aio::MultiplexedConnection},
};

use super::{
    Away, RateLimiter,
    bucket::{Draft, Taken, micros},
};
use crate::config::RedisConfig;

/// The buckets of all processes.
pub struct Shared {
    pool: Pool,
    size: usize,
    connections: RwLock<Vec<Connection>>,
    next: AtomicUsize,
    script: Script,
    patience: Duration,
    prefix: String,
}

/// Why a Redis is not used.
#[derive(Debug)]
pub enum Closed {
    /// It gives no answer now.
    Away(Away),
    /// It never will: the buckets of one operation are taken together, which the nodes of a cluster cannot do.
    Cluster,
}

impl From<Away> for Closed {
    fn from(away: Away) -> Self {
        Self::Away(away)
    }
}

impl std::fmt::Display for Closed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Away(away) => away.fmt(f),
            Self::Cluster => f.write_str(
                "REDIS_URL: this is a node of a Redis Cluster, whose nodes cannot take from several buckets at once; \
                 name a single Redis, with replicas if it must not fail",
            ),
        }
    }
}

impl Shared {
    /// Nothing is connected yet.
    pub fn new(config: &RedisConfig) -> Result<Self, Away> {
        let patience = Some(config.patience);
        let connection = AsyncConnectionConfig::new()
            .set_connection_timeout(patience)
            .set_response_timeout(patience);
        let manager = Manager::new_with_config(config.url.expose(), connection).map_err(away)?;
        let pool = Pool::builder(manager)
            .max_size(config.pool_size)
            .wait_timeout(patience)
            .create_timeout(patience)
            .recycle_timeout(patience)
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(away)?;
        Ok(Self {
            pool,
            size: config.pool_size,
            connections: RwLock::default(),
            next: AtomicUsize::new(0),
            script: Script::new(include_str!("buckets.lua")),
            patience: config.patience,
            prefix: config.prefix.clone(),
        })
    }

    /// Connects, and runs the script once: a server that is still loading, or may not be written, is none.
    pub async fn open(&self) -> Result<(), Closed> {
        self.close();
        let mut made = vec![];
        for _ in 0..self.size {
            made.push(self.pool.get().await.map_err(away)?);
        }
        if let Some(first) = made.first() {
            if self.is_cluster(MultiplexedConnection::clone(first)).await {
                return Err(Closed::Cluster);
            }
            let probe = Draft {
                key: "probe".to_owned(),
                size: super::bucket::Size::per_second(1_000_000, 1_000_000),
                points: 1,
            };
            self.call(MultiplexedConnection::clone(first), &[probe], 1)
                .await?;
        }
        *self
            .connections
            .write()
            .unwrap_or_else(PoisonError::into_inner) = made;
        Ok(())
    }

    /// Whether it says that it is one; who may not ask is told by the first operation.
    async fn is_cluster(&self, mut connection: MultiplexedConnection) -> bool {
        let asked = redis::cmd("INFO").arg("cluster").to_owned();
        let told = asked.query_async::<String>(&mut connection);
        let told = tokio::time::timeout(self.patience, told).await;
        matches!(told, Ok(Ok(info)) if info.contains("cluster_enabled:1"))
    }

    /// Drops all connections; they do not go back to the pool, which would hand them out again.
    pub fn close(&self) {
        let old = std::mem::take(
            &mut *self
                .connections
                .write()
                .unwrap_or_else(PoisonError::into_inner),
        );
        for connection in old {
            drop(Connection::take(connection));
        }
    }

    fn connection(&self) -> Option<MultiplexedConnection> {
        let connections = self
            .connections
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let connection = connections.get(turn % connections.len().max(1))?;
        Some(MultiplexedConnection::clone(connection))
    }

    async fn call(
        &self,
        mut connection: MultiplexedConnection,
        drafts: &[Draft],
        sign: i64,
    ) -> Result<Vec<i64>, Away> {
        let mut call = self.script.prepare_invoke();
        for draft in drafts {
            call.key(format!("{}{}", self.prefix, draft.key))
                .arg(sign * draft.size.cost(draft.points))
                .arg(draft.size.capacity());
        }
        // The connection has time-outs of its own for each command; this one bounds loading the script as well.
        tokio::time::timeout(self.patience, call.invoke_async(&mut connection))
            .await
            .map_err(away)?
            .map_err(away)
    }

    async fn run(&self, drafts: &[Draft], sign: i64) -> Result<Vec<i64>, Away> {
        let connection = self
            .connection()
            .ok_or_else(|| Away("there is no connection".to_owned()))?;
        self.call(connection, drafts, sign).await
    }
}

fn away(error: impl std::fmt::Display) -> Away {
    Away(error.to_string())
}

#[async_trait]
impl RateLimiter for Shared {
    async fn take(&self, drafts: &[Draft]) -> Result<Taken, Away> {
        let answer = self.run(drafts, 1).await?;
        match answer.as_slice() {
            [0, debts @ ..] if debts.len() == drafts.len() => Ok(Taken::Granted(debts.to_vec())),
            [wait, slowest] => Ok(Taken::Refused {
                bucket: usize::try_from(slowest - 1).unwrap_or_default(),
                wait: micros(*wait),
            }),
            other => Err(Away(format!("an answer that means nothing: {other:?}"))),
        }
    }

    async fn give_back(&self, drafts: &[Draft]) -> Result<(), Away> {
        self.run(drafts, -1).await.map(drop)
    }
}
