//! Counts round trips on the wire between a server and PostgreSQL. A proxy holds back what PostgreSQL says until the
//! server has been silent for a while: whatever the server sends after that, it sent because it needed an answer.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream, UnixStream},
    time::sleep,
};

use super::{member::Member, peer::Peer, shapes::SHAPES};
use crate::{
    Failure,
    ground::{DATABASE, Ground, LOGIN, Server},
    http, places,
};

/// A server that has more to say before it listens says it within this.
const SILENCE: Duration = Duration::from_millis(8);
/// Asked so often before counting, that everything is prepared, and so often while counting: the least counts, since
/// the server does other things at times.
const TIMES: usize = 6;

/// Round trips of a request of each shape, ours and the peer's.
pub async fn count(ground: &Ground, members: &[Member]) -> Result<Vec<(usize, usize)>, Failure> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let port = listener.local_addr()?.port();
    let trips = Arc::new(AtomicUsize::new(0));
    let socket = format!("{}/.s.PGSQL.{}", ground.socket, ground.port);
    let proxy = tokio::spawn(accept(listener, socket, Arc::clone(&trips)));
    let url = format!("postgres://{LOGIN}@127.0.0.1:{port}/{DATABASE}");
    let log = places::work()?.join("behind-proxy.log");
    let server = Server::start(&[], &[("DATABASE_URL", url)], &log).await?;
    let peer = Peer::start(1, "127.0.0.1", port).await?;
    let mut found = vec![];
    for shape in SHAPES {
        let ours = least(server.address, &shape.ours(members)?, &trips).await?;
        let theirs = least(peer.address, &shape.theirs(members)?, &trips).await?;
        found.push((ours, theirs));
    }
    peer.stop().await?;
    server.stop().await?;
    proxy.abort();
    Ok(found)
}

async fn least(
    address: SocketAddr,
    requests: &[Vec<u8>],
    trips: &AtomicUsize,
) -> Result<usize, Failure> {
    let mut least = usize::MAX;
    for (index, request) in requests.iter().cycle().take(2 * TIMES).enumerate() {
        let before = trips.load(Ordering::SeqCst);
        http::once(address, request).await?;
        // A commit that nobody waits for may still be on its way.
        sleep(3 * SILENCE).await;
        if index >= TIMES {
            least = least.min(trips.load(Ordering::SeqCst) - before);
        }
    }
    Ok(least)
}

async fn accept(listener: TcpListener, socket: String, trips: Arc<AtomicUsize>) {
    while let Ok((client, _)) = listener.accept().await {
        let Ok(postgres) = UnixStream::connect(&socket).await else {
            return;
        };
        tokio::spawn(connection(client, postgres, Arc::clone(&trips)));
    }
}

/// When the server last said something, and whether it has heard something since.
struct Talk {
    said: Instant,
    heard: bool,
}

async fn connection(client: TcpStream, postgres: UnixStream, trips: Arc<AtomicUsize>) {
    // Neither direction may wait for the other's buffers: what is small is sent at once.
    if client.set_nodelay(true).is_err() {
        return;
    }
    let talk = Arc::new(Mutex::new(Talk {
        said: Instant::now(),
        heard: true,
    }));
    let (from_client, to_client) = client.into_split();
    let (from_postgres, to_postgres) = postgres.into_split();
    let asking = ask(from_client, to_postgres, Arc::clone(&talk), trips);
    let answering = answer(from_postgres, to_client, talk);
    // The end of either ends both.
    tokio::select! {
        () = asking => {}
        () = answering => {}
    }
}

fn lock(talk: &Mutex<Talk>) -> std::sync::MutexGuard<'_, Talk> {
    talk.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn ask(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    talk: Arc<Mutex<Talk>>,
    trips: Arc<AtomicUsize>,
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        {
            let mut talk = lock(&talk);
            talk.said = Instant::now();
            if std::mem::take(&mut talk.heard) {
                trips.fetch_add(1, Ordering::SeqCst);
            }
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}

async fn answer(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    talk: Arc<Mutex<Talk>>,
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        loop {
            let silent = lock(&talk).said.elapsed();
            if silent >= SILENCE {
                break;
            }
            sleep(SILENCE - silent).await;
        }
        lock(&talk).heard = true;
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
