//! What is measured stands on this: our release server with a private PostgreSQL of its own in a data folder that is
//! kept from run to run. The other contestants use the same PostgreSQL through the same socket.
#![expect(
    clippy::disallowed_methods,
    reason = "the bench is an administrator of its own database; the door belongs to the program"
)]

use std::{
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use tokio::{
    process::{Child, Command},
    time::sleep,
};
use tokio_postgres::{Client, NoTls};

use crate::{Failure, http, places};

/// All load comes from one address, and from one member of each of ten organizations: as many as the peer answers, who
/// limits nobody. Counting itself stays on.
const UNLIMITED: [(&str, &str); 11] = [
    ("VISITOR_POINTS", "1000000000"),
    ("VISITOR_POINTS_PER_SECOND", "1000000000"),
    ("USER_POINTS", "1000000000"),
    ("USER_POINTS_PER_SECOND", "1000000000"),
    ("TENANT_POINTS", "1000000000"),
    ("TENANT_POINTS_PER_SECOND", "1000000000"),
    ("VISITOR_CONCURRENCY", "64"),
    ("TENANT_CONCURRENCY", "64"),
    ("LIVE_VISITOR_CONNECTIONS", "1000000"),
    ("LIVE_USER_CONNECTIONS", "1000000"),
    ("LIVE_TENANT_CONNECTIONS", "1000000"),
];
/// What seals the secrets of a bench's database: nothing in it is worth hiding.
pub const SECRET_KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
/// The login of the program.
pub const LOGIN: &str = "es_app";
pub const DATABASE: &str = "eventsphere";
/// What connections of our server call themselves.
const OURS: &str = "eventsphere";
/// A fresh cluster is made and migrated within this.
const PATIENCE: Duration = Duration::from_secs(120);
/// What is done after the commits of a storm is done within this.
const LONGEST_REST: Duration = Duration::from_secs(300);

/// A server under our hands; ended when dropped.
pub struct Server {
    child: Child,
    pub pid: u32,
    pub address: SocketAddr,
}

impl Server {
    /// Starts it with these variables and waits until it answers. It says what it has to say to `log`.
    pub async fn start(
        arguments: &[&str],
        variables: &[(&str, String)],
        log: &Path,
    ) -> Result<Self, Failure> {
        let address = free_address()?;
        let out = std::fs::File::create(log)?;
        let mut child = Command::new(places::SERVER)
            .arg("serve")
            .args(["--bind", &address.to_string()])
            .args(arguments)
            .env("SECRET_KEY", SECRET_KEY)
            // Tokens name who issued them; all servers of a run go by one name.
            .env("PUBLIC_URL", "http://bench.example")
            .envs(UNLIMITED)
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .stdout(out.try_clone()?)
            .stderr(out)
            .stdin(Stdio::null())
            .spawn()
            .map_err(|error| format!("{}: {error}", places::SERVER))?;
        let pid = child.id().ok_or("the server ended at once")?;
        let begun = Instant::now();
        let ready = b"GET /readyz HTTP/1.1\r\nhost: bench\r\n\r\n";
        while http::once(address, ready).await.is_err() {
            if child.try_wait()?.is_some() || begun.elapsed() > PATIENCE {
                let said = std::fs::read_to_string(log).unwrap_or_default();
                return Err(format!("the server did not start:\n{said}").into());
            }
            sleep(Duration::from_millis(50)).await;
        }
        Ok(Self {
            child,
            pid,
            address,
        })
    }

    /// Asks it to end, and waits: its PostgreSQL must be down before the folder is used again.
    pub async fn stop(mut self) -> Result<(), Failure> {
        Command::new("kill")
            .arg(self.pid.to_string())
            .status()
            .await?;
        self.child.wait().await?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // On the way out through a failure. What was stopped in order has no id any more.
        if let Some(pid) = self.child.id() {
            let asked = std::process::Command::new("kill")
                .arg(pid.to_string())
                .status();
            if let Err(error) = asked {
                eprintln!("bench: process {pid} is left over: {error}");
            }
        }
    }
}

/// An address on loopback that was free a moment ago.
pub fn free_address() -> Result<SocketAddr, Failure> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?)
}

/// Our server over its own PostgreSQL.
pub struct Ground {
    pub server: Server,
    /// The postmaster.
    pub postgres: u32,
    /// Folder of PostgreSQL's socket.
    pub socket: String,
    pub port: u16,
}

impl Ground {
    /// A ground whose data `script` made. Made where there is none yet for today's tables; older ones are removed.
    pub async fn stand(name: &str, script: &str) -> Result<Self, Failure> {
        Self::stand_with(name, script, &[], &[]).await
    }

    async fn stand_with(
        name: &str,
        script: &str,
        arguments: &[&str],
        variables: &[(&str, String)],
    ) -> Result<Self, Failure> {
        let folder = folder(name, script)?;
        let complete = folder.join("complete");
        if !complete.exists() {
            clear(name)?;
            let ground = Self::start(&folder, arguments, variables).await?;
            eprintln!("making the data of {script} ...");
            let begun = Instant::now();
            ground.fill(script).await?;
            eprintln!(
                "made in {} s, kept in {}",
                begun.elapsed().as_secs(),
                folder.display()
            );
            ground.server.stop().await?;
            std::fs::write(&complete, "")?;
        }
        Self::start(&folder, arguments, variables).await
    }

    /// The same, but made anew each time: what is sold stays sold.
    pub async fn fresh(name: &str, script: &str) -> Result<Self, Failure> {
        Self::fresh_with(name, script, &[]).await
    }

    /// The same, with a server that is told something more.
    pub async fn fresh_with(name: &str, script: &str, arguments: &[&str]) -> Result<Self, Failure> {
        clear(name)?;
        Self::stand_with(name, script, arguments, &[]).await
    }

    /// The same, with a server that is known to the world by that address.
    pub async fn fresh_at(name: &str, script: &str, url: &str) -> Result<Self, Failure> {
        clear(name)?;
        let variables = [("PUBLIC_URL", url.to_owned())];
        Self::stand_with(name, script, &[], &variables).await
    }

    /// Makes room for pgbench's connections: ends those that the server keeps for later. It opens new ones when it
    /// needs them. (A peer keeps its own: nobody says that it would.)
    pub async fn make_room(&self) -> Result<(), Failure> {
        let ended = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1 and state = 'idle'";
        self.admin().await?.execute(ended, &[&OURS]).await?;
        Ok(())
    }

    async fn start(
        folder: &Path,
        arguments: &[&str],
        variables: &[(&str, String)],
    ) -> Result<Self, Failure> {
        let data = folder.display().to_string();
        let log = folder.with_extension("log");
        let arguments = [&["--data", &data], arguments].concat();
        let server = Server::start(&arguments, variables, &log).await?;
        let told = std::fs::read_to_string(folder.join("postgres/postmaster.pid"))?;
        let lines: Vec<&str> = told.lines().collect();
        let line = |index: usize| lines.get(index).copied().ok_or("an odd postmaster.pid");
        Ok(Self {
            server,
            postgres: line(0)?.trim().parse()?,
            port: line(3)?.trim().parse()?,
            socket: line(4)?.trim().to_owned(),
        })
    }

    async fn fill(&self, script: &str) -> Result<(), Failure> {
        let client = self.admin().await?;
        let script = places::read(script)?;
        client
            .batch_execute(&format!(
                "begin; set local role es_owner;\n{script}\ncommit"
            ))
            .await
            .map_err(|error| told(&error))?;
        // Only what has rows: a table that was vacuumed while empty is taken for empty by whoever plans next, and plans
        // that read the whole of it are kept until the autovacuum comes by.
        let filled = "select coalesce(string_agg(format('%I.%I', n.nspname, c.relname), ', '), '')
            from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where c.relkind = 'r' and (n.nspname = 'pg_catalog' or pg_relation_size(c.oid) > 0)
              and not c.relisshared";
        let filled: String = client.query_one(filled, &[]).await?.get(0);
        client
            .batch_execute(&format!("vacuum (freeze, analyze) {filled}"))
            .await?;
        client.batch_execute("checkpoint").await?;
        Ok(())
    }

    /// Returns once nothing is left to do after the commit: every event of the outbox is on its way, and every job whose
    /// time has come is done. At once where no worker was wanted (`WORKER=off`).
    pub async fn quiet_down(&self) -> Result<(), Failure> {
        if std::env::var("WORKER").is_ok_and(|worker| worker == "off") {
            return Ok(());
        }
        let client = self.admin().await?;
        let busy = "select exists (select from outbox where sent_at is null)
            or exists (select from jobs where status in ('ready', 'running'))";
        let end = Instant::now() + LONGEST_REST;
        while Instant::now() < end {
            if !client.query_one(busy, &[]).await?.get::<_, bool>(0) {
                return Ok(());
            }
            sleep(Duration::from_millis(50)).await;
        }
        Err("what the sale left to do does not come to an end".into())
    }

    /// A connection as the superuser.
    pub async fn admin(&self) -> Result<Client, Failure> {
        self.connect("postgres").await
    }

    /// A connection as that login.
    pub async fn connect(&self, user: &str) -> Result<Client, Failure> {
        let (client, connection) = tokio_postgres::Config::new()
            .host_path(PathBuf::from(&self.socket))
            .port(self.port)
            .user(user)
            .dbname(DATABASE)
            .connect(NoTls)
            .await?;
        tokio::spawn(connection);
        Ok(client)
    }
}

/// With PostgreSQL's own words: the driver's say only that there was an error.
pub fn told(error: &tokio_postgres::Error) -> String {
    error.as_db_error().map_or_else(
        || error.to_string(),
        |db| format!("{}: {}", db.code().code(), db.message()),
    )
}

/// Where that data is kept, for today's tables.
fn folder(name: &str, script: &str) -> Result<PathBuf, Failure> {
    Ok(places::work()?.join(format!("{name}-{}", places::digest(script)?)))
}

/// Removes data folders of earlier tables.
fn clear(name: &str) -> Result<(), Failure> {
    for entry in std::fs::read_dir(places::work()?)? {
        let entry = entry?;
        if entry
            .file_name()
            .to_string_lossy()
            .starts_with(&format!("{name}-"))
        {
            let path = entry.path();
            if path.is_dir() {
                std::fs::remove_dir_all(path)?;
            } else {
                std::fs::remove_file(path)?;
            }
        }
    }
    Ok(())
}
