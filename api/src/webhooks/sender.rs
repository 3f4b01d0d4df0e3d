//! One POST to an address that a member wrote. The name is resolved once, every address that it has is judged, and the
//! connection goes to one of those that were judged: a name that means something else a moment later changes nothing.
//! There is no proxy, no pool and no redirect to lead it elsewhere; time and size of the answer are bounded.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::http::{HeaderMap, Method, Request, Uri, header, uri::Scheme};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use super::guard::Guard;

/// For the name, the connection and TLS.
const CONNECTING: Duration = Duration::from_secs(5);
/// For all of it.
const LONGEST: Duration = Duration::from_secs(15);
/// What is read of an answer's body; the rest is left unread.
const LARGEST_ANSWER: usize = 4 * 1024;
/// What an answer's status line and headers may have.
const LARGEST_HEAD: usize = 32 * 1024;

/// The addresses of a name, at this moment.
type Resolve = dyn Fn(String, u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> + Send + Sync;

/// Sends requests.
pub struct Sender {
    guard: Guard,
    tls: TlsConnector,
    resolve: Box<Resolve>,
}

/// Why there was no answer. Told to members.
#[derive(Debug, thiserror::Error)]
pub(super) enum SendError {
    #[error("the address cannot be used")]
    Url,
    /// Said like [`Self::Refused`]: names that mean something only inside must not be told from those that do not exist.
    #[error("the host's name leads to no public address")]
    Name,
    #[error("the host's name leads to no public address")]
    Refused,
    #[error("the connection failed: {0}")]
    Connect(io::ErrorKind),
    #[error("TLS failed: {0}")]
    Tls(String),
    #[error("there was no connection within 5 s")]
    ConnectTimeout,
    #[error("there was no answer within 15 s")]
    Timeout,
    #[error("the answer was no HTTP")]
    Http,
}

/// What was answered.
#[derive(Debug)]
pub(super) struct Response {
    pub status: u16,
    pub headers: HeaderMap,
    /// Its beginning.
    pub body: String,
}

impl Sender {
    /// That trusts the certificates of the web, and these.
    pub fn new(to_loopback: bool, roots: RootCertStore) -> Result<Self, rustls::Error> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            guard: Guard { to_loopback },
            tls: TlsConnector::from(Arc::new(config)),
            resolve: Box::new(|host, port| {
                Box::pin(async move {
                    let found = tokio::net::lookup_host((host, port)).await?;
                    Ok(found.collect())
                })
            }),
        })
    }

    /// With the certificates of the web alone.
    pub fn of_the_web(to_loopback: bool) -> Result<Self, rustls::Error> {
        let mut roots = RootCertStore::empty();
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        Self::new(to_loopback, roots)
    }

    /// The address, if it may be sent to as far as can be told without asking for the name.
    pub(super) fn target(&self, url: &str) -> Result<Uri, SendError> {
        let uri: Uri = url.parse().map_err(|_| SendError::Url)?;
        let encrypted = uri.scheme() == Some(&Scheme::HTTPS);
        let plain = self.guard.to_loopback && uri.scheme() == Some(&Scheme::HTTP);
        let authority = uri.authority().ok_or(SendError::Url)?;
        let host = bare(authority.host());
        let named = authority.as_str().contains('@') || host.is_empty() || url.contains('#');
        if !(encrypted || plain) || named || uri.port_u16() == Some(0) {
            return Err(SendError::Url);
        }
        match host.parse::<IpAddr>() {
            Ok(address) if !self.guard.allows(address) => Err(SendError::Refused),
            _ => Ok(uri),
        }
    }

    /// Posts JSON with these headers.
    pub(super) async fn post(
        &self,
        url: &str,
        headers: HeaderMap,
        body: String,
    ) -> Result<Response, SendError> {
        let uri = self.target(url)?;
        let posting = async {
            let connecting = timeout(CONNECTING, self.connect(&uri)).await;
            let stream = connecting.map_err(|_| SendError::ConnectTimeout)??;
            exchange(stream, request(&uri, headers, body)?).await
        };
        timeout(LONGEST, posting)
            .await
            .map_err(|_| SendError::Timeout)?
    }

    async fn connect(&self, uri: &Uri) -> Result<Box<dyn Stream>, SendError> {
        let encrypted = uri.scheme() == Some(&Scheme::HTTPS);
        let host = bare(uri.host().ok_or(SendError::Url)?);
        let port = uri.port_u16().unwrap_or(if encrypted { 443 } else { 80 });
        let found = (self.resolve)(host.to_owned(), port).await;
        let addresses = found.map_err(|_| SendError::Name)?;
        let tcp = self.reach(&addresses).await?;
        if !encrypted {
            // Only for this machine's own addresses, whatever the name is.
            return match tcp.peer_addr().map(|peer| peer.ip().to_canonical()) {
                Ok(peer) if peer.is_loopback() => Ok(Box::new(tcp)),
                _ => Err(SendError::Refused),
            };
        }
        let name = ServerName::try_from(host.to_owned()).map_err(|_| SendError::Url)?;
        let tls = self.tls.connect(name, tcp).await;
        Ok(Box::new(
            tls.map_err(|error| SendError::Tls(error.to_string()))?,
        ))
    }

    /// One that is refused refuses all: who names a private address beside a public one wants to be led astray.
    async fn reach(&self, addresses: &[SocketAddr]) -> Result<TcpStream, SendError> {
        if !addresses
            .iter()
            .all(|address| self.guard.allows(address.ip()))
        {
            return Err(SendError::Refused);
        }
        let mut failed = SendError::Name;
        for address in addresses {
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => failed = SendError::Connect(error.kind()),
            }
        }
        Err(failed)
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Without the brackets of an IPv6 address.
fn bare(host: &str) -> &str {
    host.strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host)
}

fn request(uri: &Uri, headers: HeaderMap, body: String) -> Result<Request<Full<Bytes>>, SendError> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let host = uri.authority().map_or("", |authority| authority.as_str());
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(header::HOST, host)
        .header(header::CONTENT_TYPE, "application/json")
        .header(
            header::USER_AGENT,
            concat!("EventSphere-Webhooks/", env!("CARGO_PKG_VERSION")),
        )
        .header(header::CONNECTION, "close")
        .body(Full::new(Bytes::from(body)))
        .map_err(|_| SendError::Url)?;
    request.headers_mut().extend(headers);
    Ok(request)
}

async fn exchange(
    stream: Box<dyn Stream>,
    request: Request<Full<Bytes>>,
) -> Result<Response, SendError> {
    let (mut sending, connection) = http1::Builder::new()
        .max_buf_size(LARGEST_HEAD)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|_| SendError::Http)?;
    let answered = async {
        let response = sending
            .send_request(request)
            .await
            .map_err(|_| SendError::Http)?;
        let (head, mut body) = response.into_parts();
        let mut read = vec![];
        while read.len() < LARGEST_ANSWER {
            match body.frame().await {
                Some(Ok(frame)) => {
                    if let Some(data) = frame.data_ref() {
                        let room = LARGEST_ANSWER - read.len();
                        read.extend_from_slice(&data[..data.len().min(room)]);
                    }
                }
                // The status is there already; what else was to come does not matter.
                Some(Err(_)) | None => break,
            }
        }
        Ok(Response {
            status: head.status.as_u16(),
            headers: head.headers,
            body: String::from_utf8_lossy(&read).replace('\0', ""),
        })
    };
    // The connection is driven beside it and dropped with it: nothing goes on behind our back.
    tokio::pin!(connection);
    tokio::pin!(answered);
    tokio::select! {
        biased;
        answer = &mut answered => answer,
        _ = &mut connection => answered.await,
    }
}

#[cfg(test)]
#[path = "sender_tests.rs"]
mod tests;
