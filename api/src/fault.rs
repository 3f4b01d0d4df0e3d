//! One error type with three faces: `extensions.code` in GraphQL, problem+json over REST, retry or fail for jobs.
//! What a caller can expect (sold out, wrong password) is no error but a value in the verb's payload.

use crate::tenancy::{DoorError, ReadError};

/// Why a request gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// No token, or one that is wrong, expired or revoked.
    #[error("{0}")]
    Unauthenticated(String),
    /// Known, but not allowed. Never said of another tenant's things: those do not exist.
    #[error("{0}")]
    Forbidden(String),
    /// What was sent cannot be meant.
    #[error("{0}")]
    BadInput(String),
    /// There is no such thing for this caller.
    #[error("{0}")]
    NotFound(String),
    /// The same idempotency key with another input.
    #[error("{0}")]
    Conflict(String),
    /// Too many requests of this kind.
    #[error("too many requests; try again in {retry_after_seconds} s")]
    Throttled {
        /// Seconds to wait.
        retry_after_seconds: u64,
    },
    /// It took longer than it may.
    #[error("the request took longer than it may")]
    Timeout,
    /// The database is away or overloaded.
    #[error("the service is not available right now")]
    Unavailable(String),
    /// Our mistake. The text goes to the log, never to the client.
    #[error("internal error")]
    Internal(String),
}

impl Fault {
    /// The code of the GraphQL face.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unauthenticated(_) => "UNAUTHENTICATED",
            Self::Forbidden(_) => "FORBIDDEN",
            Self::BadInput(_) => "BAD_USER_INPUT",
            Self::NotFound(_) => "NOT_FOUND",
            Self::Conflict(_) => "CONFLICT",
            Self::Throttled { .. } => "THROTTLED",
            Self::Timeout => "TIMEOUT",
            Self::Unavailable(_) => "UNAVAILABLE",
            Self::Internal(_) => "INTERNAL",
        }
    }

    /// Seconds after which it may be tried again, when that is known.
    pub fn retry_after_seconds(&self) -> Option<u64> {
        match self {
            Self::Throttled {
                retry_after_seconds,
            } => Some(*retry_after_seconds),
            Self::Unavailable(_) => Some(1),
            _ => None,
        }
    }

    /// What an SQLSTATE means that is no fault of the statement: the same, asked again later, may well be answered.
    pub fn passing(code: &str, message: &str) -> Option<Self> {
        match code {
            // Cancelled by its time limit; or it waited for a lock as long as one may.
            "57014" | "55P03" => Some(Self::Timeout),
            // A deadlock or a conflict, each time it was tried.
            "40P01" | "40001" => Some(Self::Unavailable(format!("{code}: {message}"))),
            // The connection was ended (57P: by an operator, a restart, a fail-over), or there is no room for another.
            _ if ["08", "53", "57P"]
                .iter()
                .any(|class| code.starts_with(class)) =>
            {
                Some(Self::Unavailable(format!("{code}: {message}")))
            }
            _ => None,
        }
    }

    /// What went wrong in full, for operators: never told to a client.
    pub fn cause(&self) -> String {
        match self {
            Self::Internal(cause) | Self::Unavailable(cause) => cause.clone(),
            told => told.to_string(),
        }
    }

    /// An error that no rule of ours expects.
    pub fn internal(error: impl std::fmt::Display) -> Self {
        Self::Internal(error.to_string())
    }
}

impl From<DoorError> for Fault {
    fn from(error: DoorError) -> Self {
        match error {
            DoorError::Unavailable(text) => Self::Unavailable(text),
            DoorError::Database(error) => error.into(),
        }
    }
}

impl From<sea_orm::DbErr> for Fault {
    fn from(error: sea_orm::DbErr) -> Self {
        match &error {
            sea_orm::DbErr::ConnectionAcquire(_) | sea_orm::DbErr::Conn(_) => {
                Self::Unavailable(error.to_string())
            }
            // The connection broke in the middle.
            _ if matches!(driver_error(&error), Some(sqlx::Error::Io(_))) => {
                Self::Unavailable(error.to_string())
            }
            _ => sql_state(&error)
                .and_then(|code| Self::passing(&code, &error.to_string()))
                .unwrap_or_else(|| Self::Internal(error.to_string())),
        }
    }
}

impl From<ReadError> for Fault {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Unavailable(text) => Self::Unavailable(text),
            ReadError::Sql { code, message } => Self::passing(&code, &message)
                .unwrap_or_else(|| Self::Internal(format!("{code}: {message}"))),
            ReadError::Malformed(malformed) => Self::Internal(malformed.to_string()),
        }
    }
}

/// SQLSTATE of a database error that came through SeaORM.
pub fn sql_state(error: &sea_orm::DbErr) -> Option<String> {
    database_error(error)?.code().map(|code| code.into_owned())
}

/// Name of the constraint that a statement broke.
pub fn constraint(error: &sea_orm::DbErr) -> Option<String> {
    database_error(error)?.constraint().map(str::to_owned)
}

/// The message and the detail that a function of ours raised (`raise exception ... using detail = ...`).
pub fn database_error(
    error: &sea_orm::DbErr,
) -> Option<&(dyn sqlx::error::DatabaseError + 'static)> {
    driver_error(error)?.as_database_error()
}

fn driver_error(error: &sea_orm::DbErr) -> Option<&sqlx::Error> {
    use sea_orm::{DbErr, RuntimeErr};
    match error {
        DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error))
        | DbErr::Conn(RuntimeErr::SqlxError(error)) => Some(error),
        _ => None,
    }
}
