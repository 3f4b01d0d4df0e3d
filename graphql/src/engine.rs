//! What the engine asks of its host, and what the host gives.

use indexmap::IndexMap;
use serde_json::Value;
use uuid::Uuid;

/// A typed parameter of a compiled statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Param {
    /// `text`
    Text(String),
    /// `uuid`
    Uuid(Uuid),
    /// `int4`
    Int(i32),
    /// `int8`
    BigInt(i64),
    /// `bool`
    Bool(bool),
    /// `timestamptz`
    Timestamp(chrono::DateTime<chrono::Utc>),
    /// `date`
    Date(chrono::NaiveDate),
    /// `text[]`
    Texts(Vec<String>),
    /// `uuid[]`
    Uuids(Vec<Uuid>),
    /// `int4[]`
    Ints(Vec<i32>),
    /// `int8[]`
    BigInts(Vec<i64>),
    /// `timestamptz[]`
    Timestamps(Vec<chrono::DateTime<chrono::Utc>>),
    /// `date[]`
    Dates(Vec<chrono::NaiveDate>),
}

impl Param {
    /// Its type in PostgreSQL.
    pub fn pg_type(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Uuid(_) => "uuid",
            Self::Int(_) => "int4",
            Self::BigInt(_) => "int8",
            Self::Bool(_) => "bool",
            Self::Timestamp(_) => "timestamptz",
            Self::Date(_) => "date",
            Self::Texts(_) => "text[]",
            Self::Uuids(_) => "uuid[]",
            Self::Ints(_) => "int4[]",
            Self::BigInts(_) => "int8[]",
            Self::Timestamps(_) => "timestamptz[]",
            Self::Dates(_) => "date[]",
        }
    }
}

/// Why a read gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum ReadFailure {
    /// No connection, or it broke.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// The statement failed.
    #[error("SQL error {code}: {message}")]
    Sql {
        /// SQLSTATE.
        code: String,
        /// Text of the server; for the log only.
        message: String,
    },
    /// The answer is not what the statement asks for.
    #[error("the database's answer cannot be read: {0}")]
    Malformed(#[from] crate::rows::Malformed),
}

/// The row that a flight gave, each value in PostgreSQL's binary format.
pub trait Columns: Send + Sync {
    /// The value of that column; `None` when it is null, or there is no such column.
    fn column(&self, index: usize) -> Option<&[u8]>;
}

impl<C: Columns + ?Sized> Columns for std::sync::Arc<C> {
    fn column(&self, index: usize) -> Option<&[u8]> {
        (**self).column(index)
    }
}

/// No column, for what needs no database.
impl Columns for () {
    fn column(&self, _: usize) -> Option<&[u8]> {
        None
    }
}

/// What a verb answers: the keys and values that its payload is made of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Fields that hold one entity: its key.
    pub entities: IndexMap<String, Option<Uuid>>,
    /// Fields that hold several entities: their keys, in order.
    pub lists: IndexMap<String, Vec<Uuid>>,
    /// Fields that hold plain values.
    pub values: IndexMap<String, Value>,
    /// What kept the verb from doing (all of) it.
    pub user_errors: Vec<UserError>,
}

impl Outcome {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A field that holds an entity.
    pub fn entity(mut self, field: &str, key: Uuid) -> Self {
        self.entities.insert(field.to_owned(), Some(key));
        self
    }

    /// A field that holds several entities.
    pub fn entities(mut self, field: &str, keys: Vec<Uuid>) -> Self {
        self.lists.insert(field.to_owned(), keys);
        self
    }

    /// A field that holds a plain value.
    pub fn value(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.values.insert(field.to_owned(), value.into());
        self
    }

    /// An outcome that is only this user error. `field` is the path of the input's field, without `input`.
    pub fn refused(code: &str, message: &str, field: &[&str]) -> Self {
        Self::default().error(code, message, field)
    }

    /// One more user error.
    pub fn error(mut self, code: &str, message: &str, field: &[&str]) -> Self {
        self.user_errors.push(UserError {
            code: code.to_owned(),
            message: message.to_owned(),
            field: field.iter().map(|part| (*part).to_owned()).collect(),
        });
        self
    }
}

/// Something that the caller can put right, told as data.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct UserError {
    /// One of the verb's codes.
    pub code: String,
    /// A sentence for people.
    pub message: String,
    /// Path of the field of the input; empty when it is about none.
    pub field: Vec<String>,
}

/// Why the caller may not read an entity at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    /// `UNAUTHENTICATED` or `FORBIDDEN`.
    pub code: &'static str,
    /// For the client.
    pub message: String,
}

/// What the compiler asks about the caller. Rows are the database's business; this is about whole tables and scopes.
pub trait Gate: Send + Sync {
    /// Whether the caller may read rows of this entity, by grants and scopes.
    fn admit(&self, entity: &crate::catalog::Entity) -> Result<(), Denied>;

    /// Whether the caller's role may read the table at all, whatever the scope.
    fn reaches(&self, entity: &crate::catalog::Entity) -> bool;

    /// Whether the caller holds the scope that a verb asks for.
    fn holds(&self, scope: &str) -> Result<(), Denied>;

    /// Names everything that the other answers depend on: callers of the same standing are answered alike, so that one
    /// plan serves them all.
    fn standing(&self) -> std::sync::Arc<str>;

    /// Whether nothing that the caller is, or knows, reaches the database: then callers of the same standing are answered
    /// alike, and requests that wait at the same time may share a statement (see [`crate::joint`]).
    fn stands_for_nobody(&self) -> bool {
        false
    }

    /// Whether `totalCount` stops at 10,001 for this caller.
    fn counts_stop(&self) -> bool;

    /// Points that one operation of this caller may cost.
    fn cost_ceiling(&self) -> u64;

    /// Whether the caller may introspect the schema.
    fn may_introspect(&self) -> bool;
}

/// Why a verb gave no outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// `extensions.code`.
    pub code: String,
    /// For the client.
    pub message: String,
    /// Seconds after which it may be tried again, when that is known.
    pub retry_after_seconds: Option<u64>,
}

/// The points that a caller may use, as an answer tells of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Allowance {
    /// Most that can be saved up.
    pub max: u64,
    /// What is left now.
    pub available: u64,
    /// How many come back in a second.
    pub restore_rate: f64,
}

/// Points that were taken for an operation. Dropped without being settled, all of them are used up.
pub trait Charge: Send {
    /// Gives back what the operation did not cost in the end.
    fn settle(self: Box<Self>, actual: u64) -> Allowance;
}

/// What runs flights and verbs for one caller.
#[async_trait::async_trait]
pub trait Host: Gate {
    /// Takes the points of an operation, before anything is read or done for it. `None`: this host counts no points.
    async fn charge(&self, points: u64) -> Result<Option<Box<dyn Charge>>, FieldError> {
        let _ = points;
        Ok(None)
    }

    /// Runs the flight with the caller's role and context; its row as it came.
    async fn read(&self, flight: &crate::plan::Flight) -> Result<Box<dyn Columns>, ReadFailure>;

    /// Does the verb; everything it wrote is committed when it returns. A new host reads the payload if the verb
    /// made the caller somebody else (signed in).
    async fn verb(
        &self,
        verb: &crate::verb::Verb,
        input: Value,
    ) -> Result<(Outcome, Option<Box<dyn Host>>), FieldError>;

    /// Named in every error.
    fn request_id(&self) -> &str;
}
