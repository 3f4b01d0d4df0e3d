//! Connections to a mail server, a few of which are kept for the next mail. Whoever takes one owns it, and gives it back
//! after a whole dialogue only.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use lettre::transport::smtp::{
    Error,
    authentication::{Credentials, DEFAULT_MECHANISMS},
    client::{AsyncSmtpConnection, TlsParameters},
    extension::ClientId,
};

/// Connections that are kept.
const MOST: usize = 16;
/// How long one is kept that nobody uses. Servers end them after some minutes.
const KEPT: Duration = Duration::from_secs(60);

/// How the way is encrypted.
pub(super) enum Secured {
    /// From the first byte.
    Always(TlsParameters),
    /// By STARTTLS, and not at all without it.
    StartTls(TlsParameters),
    /// Not.
    No,
}

struct Idle {
    connection: AsyncSmtpConnection,
    since: Instant,
}

/// All connections to one server.
pub(super) struct Connections {
    host: String,
    port: u16,
    secured: Secured,
    login: Option<Credentials>,
    /// As which machine we greet.
    name: ClientId,
    idle: Mutex<Vec<Idle>>,
}

impl Connections {
    pub fn new(host: String, port: u16, secured: Secured, login: Option<Credentials>) -> Self {
        Self {
            host,
            port,
            secured,
            login,
            name: ClientId::default(),
            idle: Mutex::default(),
        }
    }

    /// One over which a mail can be sent: kept, or new.
    pub async fn take(&self) -> Result<AsyncSmtpConnection, Error> {
        while let Some(mut connection) = self.kept() {
            if connection.test_connected().await {
                return Ok(connection);
            }
        }
        self.greet().await
    }

    /// Keeps it for the next mail, unless its dialogue broke off.
    pub fn give_back(&self, connection: AsyncSmtpConnection) {
        if connection.has_broken() {
            return;
        }
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|one| one.since.elapsed() < KEPT);
        if idle.len() < MOST {
            let since = Instant::now();
            idle.push(Idle { connection, since });
        }
    }

    /// The one that was used last.
    fn kept(&self) -> Option<AsyncSmtpConnection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let last = idle.pop()?;
        (last.since.elapsed() < KEPT).then_some(last.connection)
    }

    async fn greet(&self) -> Result<AsyncSmtpConnection, Error> {
        let at_once = match &self.secured {
            Secured::Always(parameters) => Some(parameters.clone()),
            Secured::StartTls(_) | Secured::No => None,
        };
        // Whoever sends watches the time.
        let server = (self.host.as_str(), self.port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(server, None, &self.name, at_once, None).await?;
        if let Secured::StartTls(parameters) = &self.secured {
            connection.starttls(parameters.clone(), &self.name).await?;
        }
        if let Some(login) = &self.login {
            connection.auth(DEFAULT_MECHANISMS, login).await?;
        }
        Ok(connection)
    }
}
