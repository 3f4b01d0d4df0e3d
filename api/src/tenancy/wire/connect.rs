//! Opens a connection: tokio-postgres does TLS, start-up and authentication over a stream that it is only lent, and
//! the stream is taken back when it is done.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use socket2::{SockRef, TcpKeepalive};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpStream, UnixStream},
};
use tokio_postgres::{
    Config,
    config::Host,
    tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream},
};
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_util::either::Either;

use super::{Duplex, Wire};

type Socket = Either<TcpStream, UnixStream>;

/// Opens a connection by the configuration's one host; its own time limit holds over all of it.
pub(super) async fn connect(config: &Config, tls: &MakeRustlsConnect) -> io::Result<Wire> {
    let longest = config
        .get_connect_timeout()
        .copied()
        .unwrap_or(Duration::from_secs(5));
    tokio::time::timeout(longest, open(config, tls.clone()))
        .await
        .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "connection timed out"))?
}

async fn open(config: &Config, mut tls: MakeRustlsConnect) -> io::Result<Wire> {
    let port = config.get_ports().first().copied().unwrap_or(5432);
    let (socket, name): (Socket, &str) = match config.get_hosts() {
        [Host::Tcp(name)] => {
            let socket = TcpStream::connect((name.as_str(), port)).await?;
            socket.set_nodelay(true)?;
            let keepalive = TcpKeepalive::new().with_time(config.get_keepalives_idle());
            SockRef::from(&socket).set_tcp_keepalive(&keepalive)?;
            (Either::Left(socket), name)
        }
        [Host::Unix(folder)] => {
            let path = folder.join(format!(".s.PGSQL.{port}"));
            (Either::Right(UnixStream::connect(path).await?), "")
        }
        _ => return Err(io::Error::other("one host is expected")),
    };
    let plain = Lent::new(socket);
    let encrypted = Arc::new(Mutex::new(None));
    let tls = Sharing {
        by: MakeTlsConnect::<Lent<Socket>>::make_tls_connect(&mut tls, name)
            .map_err(io::Error::other)?,
        encrypted: Arc::clone(&encrypted),
    };
    let opened = config.connect_raw(plain.clone(), tls).await;
    // Its halves end here; the stream does not.
    drop(opened.map_err(io::Error::other)?);
    let encrypted = encrypted
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    let stream: Option<Box<dyn Duplex>> = match encrypted {
        Some(lent) => lent
            .take_back()
            .map(|stream| Box::new(stream) as Box<dyn Duplex>),
        None => plain
            .take_back()
            .map(|stream| Box::new(stream) as Box<dyn Duplex>),
    };
    stream
        .map(Wire::new)
        .ok_or_else(|| io::Error::other("the stream is gone"))
}

/// A stream that can be taken back from whoever has it.
struct Lent<S>(Arc<Mutex<Option<S>>>);

impl<S> Clone for Lent<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: Unpin> Lent<S> {
    fn new(stream: S) -> Self {
        Self(Arc::new(Mutex::new(Some(stream))))
    }

    fn take_back(&self) -> Option<S> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn with<T>(
        &self,
        poll: impl FnOnce(Pin<&mut S>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        match &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(stream) => poll(Pin::new(stream)),
            None => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lent<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.with(|stream| stream.poll_read(cx, buffer))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Lent<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.with(|stream| stream.poll_write(cx, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with(|stream| stream.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with(|stream| stream.poll_shutdown(cx))
    }
}

impl<S: TlsStream + Unpin> TlsStream for Lent<S> {
    fn channel_binding(&self) -> ChannelBinding {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(stream) => stream.channel_binding(),
            None => ChannelBinding::none(),
        }
    }
}

/// Encrypts as the one inside does, and keeps a hand on what comes out.
struct Sharing<C, S> {
    by: C,
    encrypted: Arc<Mutex<Option<Lent<S>>>>,
}

impl<C, S, E> TlsConnect<Lent<Socket>> for Sharing<C, S>
where
    C: TlsConnect<Lent<Socket>, Stream = S, Error = E>,
    C::Future: Send + 'static,
    E: Into<Box<dyn std::error::Error + Sync + Send>>,
    S: TlsStream + Unpin + Send + 'static,
{
    type Stream = Lent<S>;
    type Error = E;
    type Future = Pin<Box<dyn Future<Output = Result<Lent<S>, E>> + Send>>;

    fn connect(self, stream: Lent<Socket>) -> Self::Future {
        let encrypting = self.by.connect(stream);
        Box::pin(async move {
            let lent = Lent::new(encrypting.await?);
            *self
                .encrypted
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = Some(lent.clone());
            Ok(lent)
        })
    }
}
