use std::path::PathBuf;
use std::time::Duration;

use super::{ConfigError, JobsConfig, Settings, number};
use crate::database::DatabaseAddress;

/// Which database, and how many connections to it.
#[derive(Clone, Debug)]
pub struct DatabaseConfig {
    pub source: DatabaseSource,
    /// `DATABASE_POOL_SIZE`: connections that each of the five pools of a process (three for reading, two for
    /// writing) keeps at most, 1 to 1000; default 16.
    pub pool_size: usize,
    /// The same of the pools that jobs have beside them (`WORKER_POOL_SIZE`); 0 where others run jobs.
    pub jobs_pool_size: usize,
    /// `DATABASE_WAIT_MS`: how long a request may wait for a connection, 10 to 60000; default 5000.
    pub wait: Duration,
    /// `STATEMENT_TIMEOUT_MS`: longest that a statement may take, 100 to 600000; default 10000.
    pub statement_timeout: Duration,
    /// `VISITOR_STATEMENT_TIMEOUT_MS`: the same for what visitors, guests and people acting for themselves read, at
    /// most the former; default 3000.
    pub visitor_statement_timeout: Duration,
}

#[derive(Clone, Debug)]
pub enum DatabaseSource {
    /// A private cluster.
    Embedded {
        /// `EVENTSPHERE_DATA` (`--data`): default `/var/lib/eventsphere` as root, else `$XDG_DATA_HOME/eventsphere`
        /// or `~/.local/share/eventsphere`.
        data: PathBuf,
        /// `PG_BIN_DIR`: the folder of postgres, initdb and pg_ctl; found by itself where absent.
        pg_bin_dir: Option<PathBuf>,
    },
    /// Somebody else's server.
    External(Box<ExternalDatabase>),
}

#[derive(Clone, Debug)]
pub struct ExternalDatabase {
    /// `DATABASE_URL`: the login that serves requests.
    pub app: DatabaseAddress,
    /// `DATABASE_ADMIN_URL`: may create roles and databases and become es_owner. Without it nothing is created or
    /// migrated, only checked.
    pub admin: Option<DatabaseAddress>,
}

impl DatabaseConfig {
    pub fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let pool_size = number(settings, "DATABASE_POOL_SIZE", 16, 1..=1_000)?;
        let pool_size = usize::try_from(pool_size).unwrap_or(usize::MAX);
        let jobs = JobsConfig::read(settings)?;
        let app = address(settings, "DATABASE_URL")?;
        let admin = address(settings, "DATABASE_ADMIN_URL")?;
        let source = match (app, admin) {
            (Some(app), admin) => {
                DatabaseSource::External(Box::new(ExternalDatabase { app, admin }))
            }
            (None, Some(_)) => {
                return Err(ConfigError::new(
                    "DATABASE_ADMIN_URL",
                    "it is set but DATABASE_URL is not; set both, or none to use a private database",
                ));
            }
            (None, None) => DatabaseSource::Embedded {
                data: data_folder(settings)?,
                pg_bin_dir: pg_bin_dir(settings),
            },
        };
        let statement = number(settings, "STATEMENT_TIMEOUT_MS", 10_000, 100..=600_000)?;
        let visitor = number(
            settings,
            "VISITOR_STATEMENT_TIMEOUT_MS",
            statement.min(3_000),
            100..=statement,
        )?;
        Ok(Self {
            source,
            pool_size,
            jobs_pool_size: match jobs.beside_serving {
                true => jobs.pool_size,
                false => 0,
            },
            wait: Duration::from_millis(number(settings, "DATABASE_WAIT_MS", 5_000, 10..=60_000)?),
            statement_timeout: Duration::from_millis(statement),
            visitor_statement_timeout: Duration::from_millis(visitor),
        })
    }

    pub fn data_folder(&self) -> Option<&PathBuf> {
        match &self.source {
            DatabaseSource::Embedded { data, .. } => Some(data),
            DatabaseSource::External(_) => None,
        }
    }
}

/// `PG_BIN_DIR`, also for throw-away clusters.
pub fn pg_bin_dir(settings: &Settings) -> Option<PathBuf> {
    settings.get("PG_BIN_DIR").map(PathBuf::from)
}

fn address(
    settings: &Settings,
    name: &'static str,
) -> Result<Option<DatabaseAddress>, ConfigError> {
    settings
        .get(name)
        .map(|url| DatabaseAddress::parse(name, url).map_err(|error| ConfigError::new(name, error)))
        .transpose()
}

fn data_folder(settings: &Settings) -> Result<PathBuf, ConfigError> {
    if let Some(folder) = settings.get("EVENTSPHERE_DATA") {
        return std::path::absolute(folder)
            .map_err(|error| ConfigError::new("EVENTSPHERE_DATA", error));
    }
    if crate::database::runs_as_root() {
        return Ok(PathBuf::from("/var/lib/eventsphere"));
    }
    let shared = settings
        .get("XDG_DATA_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute());
    let home = settings
        .get("HOME")
        .map(|home| PathBuf::from(home).join(".local/share"));
    shared
        .or(home)
        .map(|folder| folder.join("eventsphere"))
        .ok_or_else(|| {
            ConfigError::new(
                "EVENTSPHERE_DATA",
                "there is no home folder to keep data in; name a folder",
            )
        })
}
