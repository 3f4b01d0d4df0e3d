//! A connection that sends several statements in one flight with one sync, so that they are one transaction of one
//! round trip with neither `begin` nor `commit`: without an explicit block PostgreSQL makes one transaction of all that
//! comes before a sync, and settings made local in it end with it. tokio-postgres ends every statement with a sync of
//! its own (four flushes and wake-ups for a read) and drives its socket in another task; it opens the connection here
//! (see [`connect`]), and its protocol crate writes and reads the messages (ADR 0017).

mod connect;
mod pool;

use std::{
    collections::{HashMap, VecDeque},
    io,
    ops::Range,
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use futures_util::FutureExt;
use postgres_protocol::{
    IsNull,
    message::{backend::Message, frontend},
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_postgres::{
    fallible_iterator::FallibleIterator,
    types::{IsNull as Nullness, ToSql, Type},
};

pub(super) use pool::{WirePool, WirePoolOptions};

/// Statements that a connection keeps prepared. Each costs memory here and in its server process, and clients make new
/// texts at will, by an alias or a page size; without a bound one of them could fill both.
const MOST_PREPARED: usize = 200;
/// What a buffer may keep between two flights; a large answer's room is given back.
const KEPT_BUFFER: usize = 64 * 1024;
const READ_AT_LEAST: usize = 8 * 1024;

/// How long the rest of an unwanted answer may take; a statement has its own limit.
const SETTLING: Duration = Duration::from_secs(5);
/// A prepared statement is not what it was: the schema changed under it, or a pooler gave us another server process.
const STALE: [&str; 2] = ["0A000", "26000"];

/// A socket, or what encrypts one.
trait Duplex: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Duplex for T {}

/// One value of a statement, with the type that its text expects.
pub(super) type Value<'a> = (&'a (dyn ToSql + Sync), Type);

/// One statement of a flight.
pub(super) struct Step<'a> {
    pub sql: &'a str,
    pub values: Vec<Value<'a>>,
    /// Whether to keep it prepared under a name: for texts that come again.
    pub keep: bool,
}

/// Why a flight gave nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum WireError {
    /// The server refused; the whole flight is undone and the connection is as before.
    #[error("{code}: {message}")]
    Sql { code: String, message: String },
    /// The connection cannot be used any more.
    #[error("{0}")]
    Broken(String),
}

impl From<io::Error> for WireError {
    fn from(error: io::Error) -> Self {
        Self::Broken(error.to_string())
    }
}

/// A row as it came, each value in binary format.
pub(super) struct Row {
    bytes: Bytes,
    columns: Vec<Option<Range<usize>>>,
}

impl Row {
    /// The value of that column; `None` when it is null, or there is no such column.
    pub fn column(&self, index: usize) -> Option<&[u8]> {
        let range = self.columns.get(index)?.clone()?;
        self.bytes.get(range)
    }
}

/// The connection.
pub(super) struct Wire {
    stream: Box<dyn Duplex>,
    outgoing: BytesMut,
    incoming: BytesMut,
    /// Names of prepared statements by their text.
    prepared: HashMap<Box<str>, String>,
    /// Statements named so far.
    named: u64,
    /// Parses that were sent and not answered yet: the text and the name that count from then on, for those that have
    /// a name.
    parsing: VecDeque<Option<(Box<str>, String)>>,
    standing: Standing,
}

/// How a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// Nothing is under way: it can take a flight.
    Ready,
    /// All of a flight was sent; its answers are still to be read.
    Flying,
    /// It cannot be used any more, or nobody knows.
    Lost,
}

impl Wire {
    fn new(stream: Box<dyn Duplex>) -> Self {
        Self {
            stream,
            outgoing: BytesMut::new(),
            incoming: BytesMut::new(),
            prepared: HashMap::new(),
            named: 0,
            parsing: VecDeque::new(),
            standing: Standing::Ready,
        }
    }

    /// Runs the steps as one transaction, in one round trip; the rows of the last one. On an error nothing of it
    /// happened.
    pub async fn fly(&mut self, steps: &[Step<'_>]) -> Result<Vec<Row>, WireError> {
        self.write(steps)?;
        self.standing = Standing::Lost;
        self.stream.write_all(&self.outgoing).await?;
        self.stream.flush().await?;
        self.standing = Standing::Flying;
        give_back(&mut self.outgoing);
        self.answers(steps.len()).await
    }

    /// Reads what is left of a flight whose asker went away.
    pub async fn settle(&mut self) -> Result<(), WireError> {
        match self.standing {
            Standing::Ready => Ok(()),
            Standing::Flying => self.answers(0).await.map(drop),
            Standing::Lost => Err(WireError::Broken("the connection is lost".into())),
        }
    }

    fn write(&mut self, steps: &[Step<'_>]) -> Result<(), WireError> {
        let buffer = &mut self.outgoing;
        buffer.clear();
        self.parsing.clear();
        if self.prepared.len() + steps.len() > MOST_PREPARED {
            for (_, name) in self.prepared.drain() {
                frontend::close(b'S', &name, buffer)?;
            }
        }
        for step in steps {
            let known = match step.keep {
                true => self.prepared.get(step.sql).cloned(),
                false => None,
            };
            let name = match known {
                Some(name) => name,
                None => {
                    let name = match step.keep {
                        true => {
                            self.named += 1;
                            format!("s{}", self.named)
                        }
                        false => String::new(),
                    };
                    let types = step.values.iter().map(|(_, of)| of.oid());
                    frontend::parse(&name, step.sql, types, buffer)?;
                    self.parsing
                        .push_back(step.keep.then(|| (step.sql.into(), name.clone())));
                    name
                }
            };
            bind(&name, &step.values, buffer)?;
            frontend::execute("", 0, buffer)?;
        }
        frontend::sync(buffer);
        Ok(())
    }

    /// Reads up to the end of the flight.
    async fn answers(&mut self, steps: usize) -> Result<Vec<Row>, WireError> {
        let mut done = 0;
        let mut rows = Vec::new();
        let mut refused = None;
        loop {
            match self.message().await? {
                Message::ParseComplete => {
                    if let Some((sql, name)) = self.parsing.pop_front().flatten() {
                        self.prepared.insert(sql, name);
                    }
                }
                Message::DataRow(row) if done + 1 == steps => {
                    let columns = row.ranges().collect()?;
                    let bytes = row.buffer_bytes().clone();
                    rows.push(Row { bytes, columns });
                }
                Message::CommandComplete(_) | Message::EmptyQueryResponse => done += 1,
                Message::ErrorResponse(body) => {
                    refused.get_or_insert(refusal(body.fields())?);
                }
                Message::ReadyForQuery(_) => break,
                _ => {}
            }
        }
        self.standing = match &refused {
            Some((code, _)) if STALE.contains(&code.as_str()) => Standing::Lost,
            _ => Standing::Ready,
        };
        give_back(&mut self.incoming);
        match refused {
            Some((code, message)) => Err(WireError::Sql { code, message }),
            None => Ok(rows),
        }
    }

    async fn message(&mut self) -> Result<Message, WireError> {
        loop {
            if let Some(message) = Message::parse(&mut self.incoming)? {
                return Ok(message);
            }
            self.incoming.reserve(READ_AT_LEAST);
            if self.stream.read_buf(&mut self.incoming).await? == 0 {
                return Err(WireError::Broken(
                    "the database closed the connection".into(),
                ));
            }
        }
    }

    /// Whether it can take a flight: none is under way, and the server has not closed it meanwhile.
    fn is_usable(&mut self) -> bool {
        if self.standing != Standing::Ready {
            return false;
        }
        self.incoming.reserve(READ_AT_LEAST);
        // Nothing is expected between flights; only a server that says good-bye, or changes a setting, writes now.
        match self.stream.read_buf(&mut self.incoming).now_or_never() {
            None => true,
            Some(Ok(0) | Err(_)) => false,
            Some(Ok(_)) => loop {
                match Message::parse(&mut self.incoming) {
                    Ok(None) => break true,
                    Ok(Some(Message::ErrorResponse(_))) | Err(_) => break false,
                    Ok(Some(_)) => {}
                }
            },
        }
    }
}

fn bind(name: &str, values: &[Value<'_>], buffer: &mut BytesMut) -> Result<(), WireError> {
    const BINARY: [i16; 1] = [1];
    let written = frontend::bind(
        "",
        name,
        BINARY,
        values,
        |(value, of), buffer| {
            Ok(match value.to_sql_checked(of, buffer)? {
                Nullness::Yes => IsNull::Yes,
                Nullness::No => IsNull::No,
            })
        },
        BINARY,
        buffer,
    );
    written.map_err(|error| match error {
        frontend::BindError::Conversion(error) => WireError::Sql {
            code: "22P02".to_owned(),
            message: error.to_string(),
        },
        frontend::BindError::Serialization(error) => WireError::Sql {
            code: "54000".to_owned(),
            message: error.to_string(),
        },
    })
}

fn refusal(
    mut fields: postgres_protocol::message::backend::ErrorFields<'_>,
) -> Result<(String, String), WireError> {
    let (mut code, mut message) = (String::new(), String::new());
    while let Some(field) = fields.next()? {
        let value = || String::from_utf8_lossy(field.value_bytes()).into_owned();
        match field.type_() {
            b'C' => code = value(),
            b'M' => message = value(),
            _ => {}
        }
    }
    Ok((code, message))
}

/// Empties a buffer, and gives its room back when it is large.
fn give_back(buffer: &mut BytesMut) {
    if buffer.capacity() > KEPT_BUFFER && buffer.is_empty() {
        *buffer = BytesMut::new();
    }
}
