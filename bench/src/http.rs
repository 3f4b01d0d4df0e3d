//! As much of HTTP/1.1 as asking the same server again and again takes: one request, its answer, the next. What the
//! generator does not do costs the contestants nothing.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

use crate::Failure;

/// A connection that is kept alive.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// What came back; the body is decoded from chunks where it came in some.
pub struct Answer<'a> {
    pub status: u16,
    pub body: &'a [u8],
}

/// Where an answer's body lies, and how it ends.
enum Length {
    Known(usize),
    Chunked,
}

/// The bytes of a POST of JSON.
pub fn post(path: &str, token: Option<&str>, body: &str) -> Vec<u8> {
    let authorization = token.map_or_else(String::new, |token| {
        format!("authorization: Bearer {token}\r\n")
    });
    format!(
        "POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\naccept: application/json\r\n\
         {authorization}content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// The same by a guest with their secret.
pub fn post_as_guest(path: &str, secret: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\naccept: application/json\r\n\
         x-guest-secret: {secret}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

/// Status and way of the body, from the head of an answer.
fn read_head(head: &[u8]) -> io::Result<(u16, Length)> {
    let text = std::str::from_utf8(head).map_err(|_| invalid("a head that is no text"))?;
    let mut lines = text.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1)?.parse().ok())
        .ok_or_else(|| invalid("no status"))?;
    for line in lines {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-length") {
            let length = value.parse().map_err(|_| invalid("an odd length"))?;
            return Ok((status, Length::Known(length)));
        }
        if name.eq_ignore_ascii_case("transfer-encoding") && value.eq_ignore_ascii_case("chunked") {
            return Ok((status, Length::Chunked));
        }
    }
    Err(invalid("no length"))
}

impl Connection {
    pub async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(256 * 1024),
        })
    }

    /// The same from another address of this machine.
    pub async fn open_from(from: IpAddr, address: SocketAddr) -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((from, 0).into())?;
        let stream = socket.connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(256 * 1024),
        })
    }

    /// Sends a request and reads its whole answer.
    pub async fn ask(&mut self, request: &[u8]) -> io::Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let head = loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                break end;
            }
            self.more().await?;
        };
        let (status, length) = read_head(&self.buffer[..head])?;
        let start = head + 4;
        let length = match length {
            Length::Known(length) => {
                while self.buffer.len() < start + length {
                    self.more().await?;
                }
                length
            }
            Length::Chunked => self.unchunk(start).await?,
        };
        Ok(Answer {
            status,
            body: &self.buffer[start..start + length],
        })
    }

    async fn more(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    /// Moves the chunks together, in place; how long they are together.
    async fn unchunk(&mut self, start: usize) -> io::Result<usize> {
        let (mut from, mut length) = (start, 0);
        loop {
            let line = loop {
                if let Some(end) = find(&self.buffer[from..], b"\r\n") {
                    break from + end;
                }
                self.more().await?;
            };
            let size = std::str::from_utf8(&self.buffer[from..line])
                .ok()
                .and_then(|text| usize::from_str_radix(text.trim(), 16).ok())
                .ok_or_else(|| invalid("an odd chunk"))?;
            let next = line + 2 + size + 2;
            while self.buffer.len() < next {
                self.more().await?;
            }
            self.buffer
                .copy_within(line + 2..line + 2 + size, start + length);
            length += size;
            from = next;
            if size == 0 {
                return Ok(length);
            }
        }
    }
}

/// Asks once over a connection of its own and wants a good answer; the body.
pub async fn once(address: SocketAddr, request: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut connection = Connection::open(address).await?;
    let answer = connection.ask(request).await?;
    if answer.status == 200 {
        Ok(answer.body.to_vec())
    } else {
        Err(format!(
            "status {}: {}",
            answer.status,
            String::from_utf8_lossy(answer.body)
        )
        .into())
    }
}
