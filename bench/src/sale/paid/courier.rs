//! Stands at the address that the server is known by, where the sandbox sends its webhooks: notes when one came of which
//! payment, and hands it to the server as it is, byte for byte.

use std::net::{SocketAddr, TcpListener};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::watch::Watch;
use crate::{Failure, http::Connection};

/// Hands over what comes, until the bench ends.
pub async fn serve(listener: TcpListener, server: SocketAddr, watch: Watch) {
    if let Err(error) = accept(listener, server, watch).await {
        eprintln!("bench: webhooks are not handed over any more: {error}");
    }
}

async fn accept(listener: TcpListener, server: SocketAddr, watch: Watch) -> Result<(), Failure> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        let watch = watch.clone();
        tokio::task::spawn_local(async move {
            if let Err(error) = carry(stream, server, &watch).await {
                eprintln!("bench: a webhook was not handed over: {error}");
            }
        });
    }
}

async fn carry(mut from: TcpStream, server: SocketAddr, watch: &Watch) -> Result<(), Failure> {
    from.set_nodelay(true)?;
    let mut to = Connection::open(server).await?;
    let mut buffer = Vec::with_capacity(4 * 1024);
    loop {
        let Some(body) = request(&mut from, &mut buffer).await? else {
            return Ok(());
        };
        let event: Value = serde_json::from_slice(&buffer[body..])?;
        if let Some(payment) = event["data"]["reference"].as_str() {
            watch.told(payment);
        }
        let status = to.ask(&buffer).await?.status;
        from.write_all(format!("HTTP/1.1 {status} Told\r\ncontent-length: 0\r\n\r\n").as_bytes())
            .await?;
        buffer.clear();
    }
}

/// Reads one whole request; where its body begins. `None` at the end of the connection.
async fn request(from: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<Option<usize>, Failure> {
    loop {
        if let Some(head) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&buffer[..head]).to_ascii_lowercase();
            let length = text
                .lines()
                .find_map(|line| {
                    line.strip_prefix("content-length:")?
                        .trim()
                        .parse::<usize>()
                        .ok()
                })
                .ok_or("a webhook without a length")?;
            if buffer.len() >= head + 4 + length {
                return Ok(Some(head + 4));
            }
        }
        if from.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}
