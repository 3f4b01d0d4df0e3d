//! A private PostgreSQL cluster: made, started, watched and stopped by this program from installed server programs.
//! Only its own unix socket leads to it (tests may add a port on the loopback address).

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use tokio::process::{Child, Command};

use super::account::{Account, AccountError};
use super::address::DatabaseAddress;
use super::binaries::{self, Binaries, BinariesError};
use super::diagnose;
use super::folder::{self, DataFolder};
use super::sizing;
use super::survivor;
use crate::config::DatabaseConfig;

/// Names the socket file; nothing listens on this port.
const SOCKET_PORT: u16 = 5432;
/// Kept from one start to the next; older output goes to `postgres.log.1`.
const LARGEST_LOG: u64 = 10 * 1024 * 1024;
/// A fast shutdown writes one checkpoint; on a slow disk that takes its time.
const STOP_PATIENCE: Duration = Duration::from_secs(60);
/// Backends of a killed postmaster end by themselves, at the latest when their statement ends.
const ORPHAN_PATIENCE: Duration = Duration::from_secs(30);
/// A server that dies twice within this time has a cause that another start does not mend.
const RESTART_WINDOW: Duration = Duration::from_secs(60);

/// What a commit survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Power loss: fsync and synchronous_commit are on and cannot be switched off by `alter system`.
    Full,
    /// Nothing; for throw-away clusters of tests.
    None,
}

#[derive(Clone, Debug)]
pub struct ClusterOptions {
    /// The data folder (`EVENTSPHERE_DATA`).
    pub data: PathBuf,
    /// Where the server programs are, when told (`PG_BIN_DIR`).
    pub pg_bin_dir: Option<PathBuf>,
    pub durability: Durability,
    /// Also listen on 127.0.0.1 at this port, without passwords. Tests only.
    pub loopback_port: Option<u16>,
    pub max_connections: u16,
}

/// Pools behind a door: of the three roles that read, of verbs, and of generated writes.
const POOLS: usize = 5;
/// Connections beside the pools: of the administrator who migrates, of people who look, and those kept for superusers.
const OTHERS: usize = 20;
const FEWEST_CONNECTIONS: u16 = 100;

impl ClusterOptions {
    /// As `serve` uses it, with room for the pools of one server and for those of its jobs, each full.
    pub fn durable(config: &DatabaseConfig, data: PathBuf, pg_bin_dir: Option<PathBuf>) -> Self {
        let sizes = config.pool_size.saturating_add(config.jobs_pool_size);
        let needed = sizes.saturating_mul(POOLS).saturating_add(OTHERS);
        let max_connections = u16::try_from(needed).unwrap_or(u16::MAX);
        Self {
            data,
            pg_bin_dir,
            durability: Durability::Full,
            loopback_port: None,
            max_connections: max_connections.max(FEWEST_CONNECTIONS),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    #[error(transparent)]
    Binaries(#[from] BinariesError),
    #[error(transparent)]
    Account(#[from] AccountError),
    #[error("{}", diagnose::folder(path, source))]
    Folder {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error(
        "the data folder {} is in use by another eventsphere{}; stop that one, or give this one its own folder (--data or EVENTSPHERE_DATA)",
        folder.display(),
        pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default()
    )]
    InUse { folder: PathBuf, pid: Option<u32> },
    #[error(
        "{} exists but is no PostgreSQL cluster; move it away, or choose another data folder (--data or EVENTSPHERE_DATA)",
        .0.display()
    )]
    NotACluster(PathBuf),
    #[error(
        "user {account}, who runs Postgres because root may not, cannot enter {}; choose a data folder outside of it (--data or EVENTSPHERE_DATA), or `chmod o+x` it",
        barred.display()
    )]
    Barred { account: String, barred: PathBuf },
    #[error("{} could not be started: {source}", program.display())]
    Spawn {
        program: PathBuf,
        source: std::io::Error,
    },
    #[error("{}", diagnose::server_output("initdb could not make the database", .0, None))]
    Initdb(String),
    #[error(
        "{}",
        diagnose::server_output("Postgres did not start", output, Some(log))
    )]
    Start { output: String, log: PathBuf },
    #[error(
        "{}",
        diagnose::server_output(&format!("Postgres died twice within a minute ({reason})"), output, Some(log))
    )]
    DiedAgain {
        reason: String,
        output: String,
        log: PathBuf,
    },
    #[error("Postgres (pid {pid}) left over from an earlier run in {} cannot be stopped; stop it by hand", folder.display())]
    Survivor { pid: u32, folder: PathBuf },
}

impl ClusterError {
    pub(super) fn folder(path: &Path, source: std::io::Error) -> Self {
        Self::Folder {
            path: path.to_owned(),
            source,
        }
    }
}

/// A running cluster. `stop` ends it in order; dropping it does the same, blocking, for the way out through errors.
#[derive(Debug)]
pub struct Cluster {
    folder: DataFolder,
    account: Account,
    binaries: Binaries,
    options: ClusterOptions,
    socket_dir: PathBuf,
    server: Option<Child>,
    /// Where in the log the running server's words begin.
    log_start: u64,
    created: bool,
}

impl Cluster {
    /// Locks the data folder, makes the cluster where there is none, ends what an earlier run left behind, and
    /// returns once the server answers.
    pub async fn start(options: ClusterOptions) -> Result<Self, ClusterError> {
        let account = Account::for_server()?;
        let folder = DataFolder::open(&options.data, &account)?;
        if let Some(barred) = account.barred_from(folder.root()).await {
            return Err(ClusterError::Barred {
                account: account.name().to_owned(),
                barred,
            });
        }
        let cluster_dir = folder.cluster();
        let existing = folder.cluster_major()?;
        let binaries = binaries::find(
            options.pg_bin_dir.as_deref(),
            existing.map(|major| (cluster_dir.as_path(), major)),
        )?;
        let port = options.loopback_port.unwrap_or(SOCKET_PORT);
        let socket_dir = folder.socket_dir(&account, port)?;
        let mut cluster = Self {
            folder,
            account,
            binaries,
            options,
            socket_dir,
            server: None,
            log_start: 0,
            created: existing.is_none(),
        };
        if cluster.created {
            cluster.initdb().await?;
        }
        cluster.launch().await?;
        Ok(cluster)
    }

    /// True when this start made the cluster.
    pub fn created(&self) -> bool {
        self.created
    }

    pub fn data_folder(&self) -> &Path {
        self.folder.root()
    }

    /// How to reach `database` as `user` through the socket.
    pub fn address(&self, user: &str, database: &str) -> DatabaseAddress {
        let port = self.options.loopback_port.unwrap_or(SOCKET_PORT);
        DatabaseAddress::socket(&self.socket_dir, port, user, database)
    }

    /// Returns when the server has ended by itself. Cancel safe.
    pub async fn wait(&mut self) -> Option<ExitStatus> {
        match &mut self.server {
            Some(server) => server.wait().await.ok(),
            None => None,
        }
    }

    /// Watches the server for ever: starts it again after its first death, and returns when it dies once more within
    /// a minute or does not come back.
    pub async fn supervise(&mut self) -> ClusterError {
        let mut last_death: Option<Instant> = None;
        loop {
            let status = self.wait().await;
            self.server = None;
            let reason = status.map_or_else(
                || "for unknown reasons".to_owned(),
                |status| status.to_string(),
            );
            if last_death.is_some_and(|at| at.elapsed() < RESTART_WINDOW) {
                return ClusterError::DiedAgain {
                    reason,
                    output: self.log_since(self.log_start),
                    log: self.folder.log(),
                };
            }
            last_death = Some(Instant::now());
            tracing::error!(%reason, "Postgres ended unexpectedly; starting it again in a second");
            tokio::time::sleep(Duration::from_secs(1)).await;
            match self.launch().await {
                Ok(()) => tracing::info!("Postgres is back"),
                Err(error) => return error,
            }
        }
    }

    /// Ends the server in order: open transactions roll back, everything is written out.
    pub async fn stop(mut self) {
        let Some(mut server) = self.server.take() else {
            return;
        };
        for (signal, patience) in [("INT", STOP_PATIENCE), ("QUIT", Duration::from_secs(5))] {
            if let Some(pid) = server.id() {
                let sent = self.signal(signal, pid).status().await;
                tracing::debug!(signal, pid, ?sent, "stopping Postgres");
            }
            if tokio::time::timeout(patience, server.wait()).await.is_ok() {
                self.folder.leave_socket_dir(&self.socket_dir);
                return;
            }
        }
        tracing::warn!(
            "Postgres did not stop when asked; killing it (it recovers at the next start)"
        );
        if let Err(error) = server.kill().await {
            tracing::error!(%error, "Postgres could not be killed");
        }
    }

    async fn initdb(&self) -> Result<(), ClusterError> {
        self.folder.clear_partial()?;
        let partial = self.folder.partial();
        folder::private_dir(&partial, &self.account)
            .map_err(|source| ClusterError::folder(&partial, source))?;
        let program = self.binaries.program("initdb");
        let mut command = self.account.command(&program);
        command
            .arg("--pgdata")
            .arg(&partial)
            .args([
                "--username=postgres",
                "--auth-local=trust",
                "--auth-host=reject",
            ])
            .args(["--encoding=UTF8", "--data-checksums", "--no-instructions"])
            // Byte order: indexes on text serve prefix searches and outlive a change of the system's library.
            .args(["--locale=C", &format!("--lc-ctype={CTYPE}")]);
        if self.options.durability == Durability::None {
            command.arg("--no-sync");
        }
        command.kill_on_drop(true);
        let output = command
            .output()
            .await
            .map_err(|source| ClusterError::Spawn {
                program: program.clone(),
                source,
            })?;
        if !output.status.success() {
            return Err(ClusterError::Initdb(
                String::from_utf8_lossy(&output.stderr).into_owned(),
            ));
        }
        self.folder.commit_partial()
    }

    /// Starts the server on an existing cluster and waits until it answers, however long recovery takes.
    async fn launch(&mut self) -> Result<(), ClusterError> {
        let begun = Instant::now();
        loop {
            let cluster = self.folder.cluster();
            survivor::end(&cluster, &self.socket_dir, &self.account, &self.binaries).await?;
            // Kept at once: when we are asked to stop while waiting, dropping us must end it.
            self.server = Some(self.spawn()?);
            if self.until_ready().await {
                return Ok(());
            }
            self.server = None;
            let output = self.log_since(self.log_start);
            if survivor::orphans_remain(&output) && begun.elapsed() < ORPHAN_PATIENCE {
                survivor::end_orphans(&cluster, &self.account, &self.binaries).await;
                tokio::time::sleep(Duration::from_millis(250)).await;
                continue;
            }
            return Err(ClusterError::Start {
                output,
                log: self.folder.log(),
            });
        }
    }

    fn spawn(&mut self) -> Result<Child, ClusterError> {
        let cluster = self.folder.cluster();
        let hba = cluster.join("pg_hba.conf");
        std::fs::write(&hba, self.access_rules())
            .map_err(|source| ClusterError::folder(&hba, source))?;
        let log;
        (log, self.log_start) = self.open_log()?;
        let log_again = log
            .try_clone()
            .map_err(|source| ClusterError::folder(&self.folder.log(), source))?;
        let program = self.binaries.program("postgres");
        let mut command = self.account.command(&program);
        command
            .arg("-D")
            .arg(&cluster)
            .stdout(log)
            .stderr(log_again);
        for (name, value) in self.settings() {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        command
            .spawn()
            .map_err(|source| ClusterError::Spawn { program, source })
    }

    /// On the command line, so that neither an edited file nor `alter system` changes them.
    fn settings(&self) -> Vec<(&'static str, String)> {
        let on_disk = match self.options.durability {
            Durability::Full => "on",
            Durability::None => "off",
        };
        let mut settings = vec![
            ("unix_socket_directories", quoted_for_list(&self.socket_dir)),
            ("unix_socket_permissions", "0700".to_owned()),
            ("max_connections", self.options.max_connections.to_string()),
            ("fsync", on_disk.to_owned()),
            ("synchronous_commit", on_disk.to_owned()),
            ("full_page_writes", on_disk.to_owned()),
        ];
        match self.options.loopback_port {
            Some(port) => settings.extend([
                ("listen_addresses", "127.0.0.1".to_owned()),
                ("port", port.to_string()),
            ]),
            None => settings.extend([
                ("listen_addresses", String::new()),
                ("port", SOCKET_PORT.to_string()),
            ]),
        }
        settings.extend(
            [
                ("wal_compression", "on"),
                ("jit", "off"),
                ("timezone", "UTC"),
                ("log_timezone", "UTC"),
                ("log_destination", "stderr"),
                ("logging_collector", "off"),
                ("log_checkpoints", "off"),
                // Statements carry people's data; the log is for the machine's troubles.
                ("log_min_error_statement", "panic"),
                ("lc_messages", "C"),
            ]
            .map(|(name, value)| (name, value.to_owned())),
        );
        settings.extend(match self.options.durability {
            Durability::Full => sizing::settings(),
            Durability::None => vec![],
        });
        settings
    }

    fn access_rules(&self) -> String {
        let mut rules = String::from(
            "# Written at each start. The socket's folder decides who gets in.\nlocal all all trust\n",
        );
        if self.options.loopback_port.is_some() {
            rules.push_str("host all all 127.0.0.1/32 trust\n");
        }
        rules
    }

    fn open_log(&self) -> Result<(File, u64), ClusterError> {
        let path = self.folder.log();
        let failed = |source| ClusterError::folder(&path, source);
        if std::fs::metadata(&path).is_ok_and(|metadata| metadata.len() > LARGEST_LOG) {
            std::fs::rename(&path, path.with_extension("log.1")).map_err(failed)?;
        }
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&path)
            .map_err(failed)?;
        let length = log.metadata().map_err(failed)?.len();
        Ok((log, length))
    }

    fn log_since(&self, start: u64) -> String {
        let bytes = std::fs::read(self.folder.log()).unwrap_or_default();
        let start = usize::try_from(start).unwrap_or(0).min(bytes.len());
        String::from_utf8_lossy(&bytes[start..]).into_owned()
    }

    /// Polls until the server answers (true) or ends (false).
    async fn until_ready(&mut self) -> bool {
        let config = self.address("postgres", "postgres").tokio_config();
        let begun = Instant::now();
        let mut told = begun;
        loop {
            let running = self.server.as_mut().map(Child::try_wait);
            if !matches!(running, Some(Ok(None))) {
                return false;
            }
            // Asked earlier, it would log each attempt as FATAL.
            let says_so = survivor::reports_ready(&self.folder.cluster());
            if says_so && config.connect(tokio_postgres::NoTls).await.is_ok() {
                return true;
            }
            if told.elapsed() > Duration::from_secs(5) {
                told = Instant::now();
                let seconds = begun.elapsed().as_secs();
                tracing::info!(
                    seconds,
                    "Postgres is still starting (recovering after a crash takes a while)"
                );
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn signal(&self, signal: &str, pid: u32) -> Command {
        let mut command = self.account.command(self.binaries.program("pg_ctl"));
        command.arg("kill").arg(signal).arg(pid.to_string());
        command
    }
}

/// The setting is a list; quotes keep a comma or a space of the path out of it.
fn quoted_for_list(path: &Path) -> String {
    format!("\"{}\"", path.display().to_string().replace('"', "\"\""))
}

/// Upper and lower case beyond ASCII. macOS calls it by another name.
#[cfg(not(target_os = "macos"))]
const CTYPE: &str = "C.UTF-8";
#[cfg(target_os = "macos")]
const CTYPE: &str = "UTF-8";

impl Drop for Cluster {
    /// The way out through an error or a panic: a server left behind would keep memory and surprise the next start.
    fn drop(&mut self) {
        let Some(mut server) = self.server.take() else {
            return;
        };
        let Some(pid) = server.id() else {
            return;
        };
        let asked = self.signal("INT", pid).into_std().status();
        let deadline = Instant::now() + Duration::from_secs(10);
        while asked.is_ok() && matches!(server.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(10));
        }
        self.folder.leave_socket_dir(&self.socket_dir);
    }
}
