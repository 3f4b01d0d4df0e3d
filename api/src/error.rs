//! What ends the program: one line with the cause and the way out, and an exit code.

use crate::config::{ConfigError, SecretError};
use crate::database::{ClusterError, DatabaseError};

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error("{0}; data is safe up to the last commit, start again once the cause is mended")]
    DatabaseLost(ClusterError),
    #[error("{}", describe_bind(setting, address, source))]
    Bind {
        setting: &'static str,
        address: String,
        source: std::io::Error,
    },
    #[error("{what}: {source}")]
    System {
        what: &'static str,
        source: std::io::Error,
    },
    #[error("{program} cannot be run: {source}")]
    Command {
        program: String,
        source: std::io::Error,
    },
    #[error("{0}")]
    Part(Box<dyn std::error::Error + Send + Sync>),
}

impl StartError {
    /// 2 when an administrator has to act first.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Database(error) => error.exit_code(),
            _ => 1,
        }
    }

    /// SQL for an administrator to run.
    pub fn administrator_sql(&self) -> Option<&str> {
        match self {
            Self::Database(error) => error.administrator_sql(),
            _ => None,
        }
    }
}

fn describe_bind(setting: &str, address: &str, error: &std::io::Error) -> String {
    let (host, port) = address.rsplit_once(':').unwrap_or((address, ""));
    let other = format!("choose another with {setting}");
    match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            format!(
                "port {port} on {host} is already in use by another program; stop it, or {other} (such as {host}:0 for any free port)"
            )
        }
        std::io::ErrorKind::PermissionDenied => {
            format!(
                "no permission to listen on port {port} (ports below 1024 belong to root); {other}"
            )
        }
        std::io::ErrorKind::AddrNotAvailable => {
            format!("{host} is no address of this machine; {other}")
        }
        _ => format!("cannot listen on {address}: {error}; {other}"),
    }
}
