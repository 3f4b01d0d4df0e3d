//! A wire to look at: a proxy between the program and PostgreSQL that reads what the program sends. It can also keep
//! every answer back until the program has sent a sync: whoever waits for an answer before that waits for ever, so an
//! operation that comes through with one sync was sent in one flight.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::Notify,
};

use super::Database;

/// What the program asked of the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A statement was prepared.
    Prepared(String),
    /// A prepared statement was run.
    Ran(String),
    /// A text was run as it is (`begin`, `commit`).
    Said(String),
    /// The flight ended (a sync): what came since the last one is one transaction, unless a block was opened.
    Ended,
}

#[derive(Default)]
struct Shared {
    asked: Mutex<Vec<Asked>>,
    withholding: AtomicBool,
    stopped: AtomicBool,
    spoken: AtomicBool,
    changed: Notify,
}

/// The proxy. It ends with the runtime of its test.
#[derive(Clone)]
pub struct Wire {
    /// Port on 127.0.0.1.
    pub port: u16,
    shared: Arc<Shared>,
}

impl Wire {
    /// The same database, reached through a wire.
    pub async fn before(mut database: Database) -> (Database, Self) {
        let port = std::env::var("TEST_DATABASE_PORT").expect("the port of the test database");
        let wire = Self::to(port.parse().expect("a port")).await;
        let (login, place) = database.app_url.split_once('@').expect("a login");
        let (_, path) = place.split_once('/').expect("a database");
        database.app_url = format!("{login}@127.0.0.1:{}/{path}", wire.port);
        (database, wire)
    }

    /// Between whoever connects to it and the database server at that port of 127.0.0.1.
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let wire = Self {
            port: listener.local_addr().expect("an address").port(),
            shared: Arc::default(),
        };
        let shared = wire.shared.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(("127.0.0.1", port))
                    .await
                    .expect("the database");
                client.set_nodelay(true).expect("a socket");
                server.set_nodelay(true).expect("a socket");
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                let landed = Arc::new(AtomicBool::new(false));
                tokio::spawn(outward(
                    from_client,
                    to_server,
                    shared.clone(),
                    landed.clone(),
                ));
                tokio::spawn(homeward(from_server, to_client, shared.clone(), landed));
            }
        });
        wire
    }

    /// From now on answers wait until the program has sent a sync on their connection.
    pub fn withhold(&self) {
        self.shared.withholding.store(true, Ordering::SeqCst);
    }

    /// From now on no answer passes.
    pub fn stop(&self) {
        self.shared.spoken.store(false, Ordering::SeqCst);
        self.shared.stopped.store(true, Ordering::SeqCst);
    }

    /// Answers pass again.
    pub fn release(&self) {
        self.shared.stopped.store(false, Ordering::SeqCst);
        self.shared.withholding.store(false, Ordering::SeqCst);
        self.shared.changed.notify_waiters();
    }

    /// What was asked since the last time.
    pub fn take(&self) -> Vec<Asked> {
        std::mem::take(&mut *self.shared.asked.lock().expect("the list"))
    }

    /// Waits until something was asked that meets the condition.
    pub async fn seen(&self, meets: impl Fn(&Asked) -> bool) {
        let found = || {
            self.shared
                .asked
                .lock()
                .expect("the list")
                .iter()
                .any(&meets)
        };
        self.shared.wait(found).await;
    }

    /// Waits until the program has said anything since answers were stopped.
    pub async fn spoken(&self) {
        self.shared
            .wait(|| self.shared.spoken.load(Ordering::SeqCst))
            .await;
    }
}

impl Shared {
    async fn wait(&self, done: impl Fn() -> bool) {
        let waiting = async {
            loop {
                let changed = self.changed.notified();
                tokio::pin!(changed);
                changed.as_mut().enable();
                if done() {
                    return;
                }
                changed.await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting)
            .await
            .expect("what is waited for on the wire");
    }
}

/// Longest wait for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// Reads the program's messages and passes them on.
async fn outward(
    mut client: OwnedReadHalf,
    mut server: OwnedWriteHalf,
    shared: Arc<Shared>,
    landed: Arc<AtomicBool>,
) {
    let mut reader = Reader::default();
    let mut chunk = vec![0; 16 * 1024];
    loop {
        let read = client.read(&mut chunk).await.unwrap_or(0);
        if read == 0 {
            return;
        }
        for asked in reader.feed(&chunk[..read]) {
            landed.store(asked == Asked::Ended, Ordering::SeqCst);
            shared.asked.lock().expect("the list").push(asked);
        }
        shared.spoken.store(true, Ordering::SeqCst);
        shared.changed.notify_waiters();
        if server.write_all(&chunk[..read]).await.is_err() {
            return;
        }
    }
}

/// Passes answers back, unless they are kept.
async fn homeward(
    mut server: OwnedReadHalf,
    mut client: OwnedWriteHalf,
    shared: Arc<Shared>,
    landed: Arc<AtomicBool>,
) {
    let mut chunk = vec![0; 16 * 1024];
    loop {
        let read = server.read(&mut chunk).await.unwrap_or(0);
        if read == 0 {
            return;
        }
        loop {
            let changed = shared.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let kept = shared.withholding.load(Ordering::SeqCst) && !landed.load(Ordering::SeqCst);
            if !kept && !shared.stopped.load(Ordering::SeqCst) {
                break;
            }
            changed.await;
        }
        if client.write_all(&chunk[..read]).await.is_err() {
            return;
        }
    }
}

/// Messages of the frontend, put together from the bytes of one connection.
#[derive(Default)]
struct Reader {
    held: Vec<u8>,
    started: bool,
    statements: HashMap<Vec<u8>, String>,
    portals: HashMap<Vec<u8>, String>,
}

impl Reader {
    fn feed(&mut self, bytes: &[u8]) -> Vec<Asked> {
        self.held.extend_from_slice(bytes);
        let mut out = vec![];
        loop {
            // The first message has no type byte.
            let head = usize::from(self.started);
            let Some(length) = self.held.get(head..head + 4) else {
                return out;
            };
            let length = u32::from_be_bytes(length.try_into().expect("four bytes")) as usize;
            if self.held.len() < head + length {
                return out;
            }
            let message: Vec<u8> = self.held.drain(..head + length).collect();
            match self.started {
                true => out.extend(self.message(message[0], &message[5..])),
                // An SSL request is answered with "no" and followed by the real start.
                false => self.started = message[4..8] != 80_877_103u32.to_be_bytes(),
            }
        }
    }

    fn message(&mut self, kind: u8, body: &[u8]) -> Option<Asked> {
        let mut texts = body.split(|byte| *byte == 0);
        let mut next = || texts.next().unwrap_or_default().to_vec();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        match kind {
            b'Q' => Some(Asked::Said(text(next()))),
            b'P' => {
                let (name, sql) = (next(), text(next()));
                self.statements.insert(name, sql.clone());
                Some(Asked::Prepared(sql))
            }
            b'B' => {
                let (portal, statement) = (next(), next());
                let sql = self.statements.get(&statement).cloned();
                self.portals.insert(portal, sql.unwrap_or_default());
                None
            }
            b'S' => Some(Asked::Ended),
            b'E' => self.portals.get(&next()).cloned().map(Asked::Ran),
            _ => None,
        }
    }
}
