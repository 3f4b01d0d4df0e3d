//! Listening for what other processes notify: a connection of its own that reads no row.
#![expect(
    clippy::disallowed_methods,
    reason = "this file is a part of the door that the lint protects"
)]

use sqlx::postgres::{PgListener, PgPoolOptions};

use super::door::Door;

/// Hears one channel.
pub struct Listener(PgListener);

impl Door {
    /// Listens on the channel.
    ///
    /// # Errors
    /// When no connection can be opened.
    pub async fn listen(&self, channel: &str) -> Result<Listener, sqlx::Error> {
        let options = self.write.get_postgres_connection_pool().connect_options();
        // A pool of its own: what listens keeps its connection for as long as the program runs.
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .max_lifetime(None)
            .idle_timeout(None)
            .connect_lazy_with((*options).clone());
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.listen(channel).await?;
        Ok(Listener(listener))
    }
}

impl Listener {
    /// Returns when something was notified.
    ///
    /// # Errors
    /// When the connection is lost: what was notified meanwhile is not told later.
    pub async fn heard(&mut self) -> Result<(), sqlx::Error> {
        match self.0.try_recv().await? {
            Some(_) => Ok(()),
            None => Err(sqlx::Error::PoolClosed),
        }
    }
}
