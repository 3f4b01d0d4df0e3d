//! Pools of such connections.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use deadpool::{
    Runtime,
    managed::{self, Metrics, Object, Pool, QueueMode, RecycleError, RecycleResult},
};
use tokio::time::timeout;
use tokio_postgres::Config;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{Row, SETTLING, Standing, Step, Wire, WireError, connect::connect};
use crate::{tenancy::door::PoolState, turns::Turns};

/// How a pool is filled.
pub(in crate::tenancy) struct WirePoolOptions {
    /// For metrics.
    pub name: &'static str,
    pub config: Config,
    pub tls: MakeRustlsConnect,
    pub size: usize,
    /// How long to wait for a connection, or for a turn.
    pub wait: Duration,
    /// The turns that flights take, if any.
    pub turns: Option<Arc<Turns>>,
}

struct Opening {
    config: Config,
    tls: MakeRustlsConnect,
}

impl managed::Manager for Opening {
    type Type = Wire;
    type Error = io::Error;

    async fn create(&self) -> Result<Wire, io::Error> {
        connect(&self.config, &self.tls).await
    }

    async fn recycle(&self, wire: &mut Wire, _: &Metrics) -> RecycleResult<io::Error> {
        match wire.is_usable() {
            true => Ok(()),
            false => Err(RecycleError::message("the connection is closed")),
        }
    }
}

/// The pool.
pub(in crate::tenancy) struct WirePool {
    name: &'static str,
    pool: Pool<Opening>,
    wait: Duration,
    turns: Option<Arc<Turns>>,
    /// Who waits for a turn.
    queued: AtomicUsize,
}

/// One of those who wait for a turn; no longer when dropped.
struct Queued<'a>(&'a AtomicUsize);

impl<'a> Queued<'a> {
    fn at(queue: &'a AtomicUsize) -> Self {
        queue.fetch_add(1, Ordering::Relaxed);
        Self(queue)
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl WirePool {
    pub fn new(options: WirePoolOptions) -> Result<Self, WireError> {
        let opening = Opening {
            config: options.config,
            tls: options.tls,
        };
        let pool = Pool::builder(opening)
            .max_size(options.size)
            .wait_timeout(Some(options.wait))
            .create_timeout(Some(options.wait))
            .runtime(Runtime::Tokio1)
            // The one used last first: its server process is warm, and has made its plans.
            .queue_mode(QueueMode::Lifo)
            .build()
            .map_err(|error| WireError::Broken(error.to_string()))?;
        Ok(Self {
            name: options.name,
            pool,
            wait: options.wait,
            turns: options.turns,
            queued: AtomicUsize::new(0),
        })
    }

    /// Runs the steps as one transaction, in one round trip; the rows of the last one.
    pub async fn fly(&self, steps: &[Step<'_>]) -> Result<Vec<Row>, WireError> {
        let Some(turns) = &self.turns else {
            return self.lend().await?.fly(steps).await;
        };
        let queued = Queued::at(&self.queued);
        let turn = timeout(self.wait, turns.next()).await;
        drop(queued);
        let turn = turn.map_err(|_| WireError::Broken("no turn came".to_owned()))?;
        // Who waits for a connection works on nothing either.
        turn.of(async { self.lend().await?.fly(steps).await }).await
    }

    /// A connection, for one flight.
    pub async fn lend(&self) -> Result<Flying, WireError> {
        let object = self.pool.get().await;
        let object = object.map_err(|error| WireError::Broken(error.to_string()))?;
        Ok(Flying(Some(object)))
    }

    pub fn state(&self) -> PoolState {
        let status = self.pool.status();
        PoolState {
            name: self.name,
            open: status.size,
            idle: status.available,
            most: status.max_size,
            waiting: Some(status.waiting + self.queued.load(Ordering::Relaxed)),
        }
    }
}

/// A connection in flight. When its asker goes away before the flight has ended, what is left of the answer is read
/// first, and a connection for which that fails is taken out of the pool and closed: nobody ever gets one in an unknown
/// state. (Closing it at once would let whoever hangs up make the database start a process for each time.)
pub(in crate::tenancy) struct Flying(Option<Object<Opening>>);

impl Flying {
    /// Runs the steps as one transaction, in one round trip; the rows of the last one.
    pub async fn fly(&mut self, steps: &[Step<'_>]) -> Result<Vec<Row>, WireError> {
        match self.0.as_mut() {
            Some(object) => object.fly(steps).await,
            None => Err(WireError::Broken("no connection".into())),
        }
    }
}

impl Drop for Flying {
    fn drop(&mut self) {
        let Some(mut object) = self.0.take() else {
            return;
        };
        if object.standing == Standing::Ready {
            return;
        }
        tokio::spawn(async move {
            let settled = tokio::time::timeout(SETTLING, object.settle()).await;
            if !matches!(settled, Ok(Ok(()) | Err(WireError::Sql { .. })))
                || object.standing != Standing::Ready
            {
                drop(Object::take(object));
            }
        });
    }
}
