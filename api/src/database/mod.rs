//! The way to a database that is ready to serve: an administrator's server behind `DATABASE_URL`, or a private
//! cluster of our own; in both cases with roles, schemas, extensions and migrations in place, or one line that says
//! what is missing.

mod account;
mod address;
mod binaries;
mod bootstrap;
mod cluster;
mod diagnose;
mod folder;
mod sizing;
mod survivor;
mod throwaway;
mod tls;

use std::error::Error;
use std::future::Future;

use sqlx::postgres::PgConnectOptions;
use tokio_postgres::error::SqlState;

pub use account::runs_as_root;
pub use address::{AddressError, DatabaseAddress};
pub use bootstrap::{DATABASE, Finding, LOGIN, script as bootstrap_script};
pub use cluster::{Cluster, ClusterError, ClusterOptions, Durability};
pub use diagnose::folder as describe_file;
pub use throwaway::{Throwaway, ThrowawayOptions};
pub use tls::TlsError;

use crate::config::{DatabaseConfig, DatabaseSource};

/// What a migration runner may fail with.
pub type MigrationFailure = Box<dyn Error + Send + Sync>;

/// A login that did not come about, with the address it was for.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct ConnectError {
    message: String,
    database_missing: bool,
}

impl ConnectError {
    fn new(address: &DatabaseAddress, source: tokio_postgres::Error) -> Self {
        Self {
            message: diagnose::connecting(address, &source),
            database_missing: source.code() == Some(&SqlState::INVALID_CATALOG_NAME),
        }
    }

    fn tls(address: &DatabaseAddress, source: TlsError) -> Self {
        Self {
            message: format!("{}: {source}", address.origin()),
            database_missing: false,
        }
    }

    /// The server is there, the database is not.
    pub fn database_missing(&self) -> bool {
        self.database_missing
    }
}

#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(
        "DATABASE_ADMIN_URL may not prepare the database ({}); let an administrator run the SQL below, or name a login with createrole and createdb",
        diagnose::root_cause(source)
    )]
    Bootstrap {
        source: tokio_postgres::Error,
        sql: Box<String>,
    },
    #[error(
        "the database is not prepared: {findings}; set DATABASE_ADMIN_URL, or let an administrator run the SQL below"
    )]
    Unprepared { findings: String, sql: Box<String> },
    #[error("{0}")]
    Refused(String),
    #[error("the database could not be checked: {}", diagnose::root_cause(.0))]
    Inspect(tokio_postgres::Error),
    #[error("a migration failed: {0}")]
    Migration(MigrationFailure),
}

impl DatabaseError {
    /// SQL for an administrator, to be printed below the message.
    pub fn administrator_sql(&self) -> Option<&str> {
        match self {
            Self::Bootstrap { sql, .. } | Self::Unprepared { sql, .. } => Some(sql),
            _ => None,
        }
    }

    /// 2 when an administrator has to do something first, else 1.
    pub fn exit_code(&self) -> u8 {
        if self.administrator_sql().is_some() {
            2
        } else {
            1
        }
    }
}

/// A database that is ready to serve.
#[derive(Debug)]
pub struct OpenDatabase {
    /// May `set role es_owner`. `None` when only DATABASE_URL is given: then nothing was migrated.
    pub admin: Option<DatabaseAddress>,
    /// What requests are served with.
    pub app: DatabaseAddress,
    /// The private cluster, when there is one.
    pub cluster: Option<Cluster>,
}

impl OpenDatabase {
    /// Returns when the private cluster is beyond help; never with a server of somebody else.
    pub async fn supervise(&mut self) -> ClusterError {
        match &mut self.cluster {
            Some(cluster) => cluster.supervise().await,
            None => std::future::pending().await,
        }
    }

    /// Stops the private cluster.
    pub async fn close(self) {
        if let Some(cluster) = self.cluster {
            cluster.stop().await;
        }
    }
}

/// Opens the configured database: starts the private cluster where none is configured, makes roles, database and
/// extensions as far as rights allow, lets `migrate` bring the tables up to date (given the administrator's
/// connection to our database), and checks that the login that serves requests has all it needs and no more.
pub async fn open<M, F>(config: &DatabaseConfig, migrate: M) -> Result<OpenDatabase, DatabaseError>
where
    M: FnOnce(PgConnectOptions) -> F,
    F: Future<Output = Result<(), MigrationFailure>>,
{
    let (server_admin, app, cluster) = match &config.source {
        DatabaseSource::Embedded { data, pg_bin_dir } => {
            let options = ClusterOptions::durable(config, data.clone(), pg_bin_dir.clone());
            let cluster = Cluster::start(options).await?;
            let admin = cluster.address("postgres", "postgres");
            (Some(admin), cluster.address(LOGIN, DATABASE), Some(cluster))
        }
        DatabaseSource::External(server) => (server.admin.clone(), server.app.clone(), None),
    };
    let opened = OpenDatabase {
        admin: server_admin
            .as_ref()
            .map(|admin| admin.with_database(app.database())),
        app,
        cluster,
    };
    if let Some(server_admin) = &server_admin {
        bootstrap::run(server_admin, &opened.app).await?;
    }
    check(&opened.app).await?;
    if let Some(admin) = &opened.admin {
        migrate(admin.sqlx_options())
            .await
            .map_err(DatabaseError::Migration)?;
    }
    Ok(opened)
}

/// Refuses a login that has too little, and one that has too much.
async fn check(app: &DatabaseAddress) -> Result<(), DatabaseError> {
    let sql = || Box::new(bootstrap_script(app.database(), app.user()));
    let client = match app.connect().await {
        Err(error) if error.database_missing() => {
            return Err(DatabaseError::Unprepared {
                findings: format!("there is no database {} at {}", app.database(), app.place()),
                sql: sql(),
            });
        }
        connected => connected?,
    };
    let findings = bootstrap::inspect(&client)
        .await
        .map_err(DatabaseError::Inspect)?;
    if let Some(refused) = findings.iter().find(|finding| !finding.mendable()) {
        return Err(DatabaseError::Refused(refused.describe(app)));
    }
    if findings.is_empty() {
        return Ok(());
    }
    let described: Vec<String> = findings
        .iter()
        .map(|finding| finding.describe(app))
        .collect();
    Err(DatabaseError::Unprepared {
        findings: described.join(", "),
        sql: sql(),
    })
}
