//! Bells: whoever passed events on rings, and those who follow look at once. A bell carries no event and may be lost;
//! what it announces is in the database.

use std::{sync::Arc, time::Duration};

use deadpool_redis::redis::{
    AsyncCommands as _, AsyncConnectionConfig, Client, RedisResult, aio::MultiplexedConnection,
};
use futures_util::StreamExt as _;
use tokio::sync::Mutex;

use crate::{config::RedisConfig, state::App};

/// What PostgreSQL's NOTIFY says it on.
const CHANNEL: &str = "eventsphere_live";
/// After a connection was lost.
const AGAIN: Duration = Duration::from_secs(1);

/// The Redis that carries bells between processes.
#[derive(Clone)]
pub(super) struct Bells {
    client: Client,
    channel: String,
    patience: Duration,
    publishing: Arc<Mutex<Option<MultiplexedConnection>>>,
}

impl Bells {
    /// Nothing is connected yet.
    pub fn new(config: &RedisConfig) -> RedisResult<Self> {
        Ok(Self {
            client: Client::open(config.url.expose())?,
            channel: format!("{}live", config.prefix),
            patience: config.patience,
            publishing: Arc::default(),
        })
    }

    /// Rings at other processes. What fails is no harm: they look by themselves soon.
    pub async fn ring(&self, position: i64) {
        let mut publishing = self.publishing.lock().await;
        if let Err(error) = self.publish(&mut publishing, position).await {
            tracing::debug!(%error, "other processes could not be told that there is news");
            *publishing = None;
        }
    }

    async fn publish(
        &self,
        publishing: &mut Option<MultiplexedConnection>,
        position: i64,
    ) -> RedisResult<()> {
        let connection = match publishing {
            Some(connection) => connection,
            None => {
                let config = AsyncConnectionConfig::new()
                    .set_connection_timeout(Some(self.patience))
                    .set_response_timeout(Some(self.patience));
                let made = self
                    .client
                    .get_multiplexed_async_connection_with_config(&config)
                    .await?;
                publishing.insert(made)
            }
        };
        connection
            .publish::<_, _, i64>(&self.channel, position)
            .await?;
        Ok(())
    }

    /// Rings here whenever another process rings, until the connection is lost.
    async fn hear(&self, app: &App) -> RedisResult<()> {
        let mut subscribed = self.client.get_async_pubsub().await?;
        subscribed.subscribe(&self.channel).await?;
        app.live.bell().notify_one();
        let mut messages = subscribed.into_on_message();
        while messages.next().await.is_some() {
            app.live.bell().notify_one();
        }
        Ok(())
    }
}

/// Listens for bells of other processes until it is aborted.
pub(super) async fn listen(app: App) {
    loop {
        let lost = match app.live.bells() {
            Some(bells) => bells.hear(&app).await.err().map(|error| error.to_string()),
            None => hear_database(&app)
                .await
                .err()
                .map(|error| error.to_string()),
        };
        let error = lost.unwrap_or_else(|| "the connection was closed".to_owned());
        tracing::debug!(%error, "bells of other processes are not heard for a while");
        tokio::time::sleep(AGAIN).await;
    }
}

async fn hear_database(app: &App) -> Result<(), sqlx::Error> {
    let mut listener = app.door.listen(CHANNEL).await?;
    app.live.bell().notify_one();
    loop {
        listener.heard().await?;
        app.live.bell().notify_one();
    }
}
