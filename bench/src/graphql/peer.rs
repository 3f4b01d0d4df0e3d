//! PostGraphile, installed from its lock file (`make` does that) and started with the Node that the lock file names.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use tokio::{
    process::{Child, Command},
    time::sleep,
};

use super::member::TOKEN_SECRET;
use crate::{
    Failure,
    ground::{DATABASE, LOGIN, free_address},
    http, places,
};

/// Reading the database and building its schema takes it some seconds.
const PATIENCE: Duration = Duration::from_secs(120);
/// Connections of its processes together: what our server opens for each role.
pub const POOL: u32 = 16;

/// A running peer; killed when dropped.
pub struct Peer {
    child: Child,
    pub pid: u32,
    pub address: SocketAddr,
    pub processes: u32,
}

impl Peer {
    /// Starts it over that socket (or host) and waits for its first answer.
    pub async fn start(processes: u32, host: &str, port: u16) -> Result<Self, Failure> {
        let folder = std::path::absolute(Path::new(places::BENCH).join("peers/postgraphile"))?;
        let address = free_address()?;
        let log = places::work()?.join("postgraphile.log");
        let out = std::fs::File::create(&log)?;
        let mut child = Command::new(node(&folder)?)
            .arg("server.mjs")
            .current_dir(&folder)
            .env("NODE_ENV", "production")
            .env("GRAPHILE_ENV", "production")
            .env("PGHOST", host)
            .env("PGPORT", port.to_string())
            .env("PGUSER", LOGIN)
            .env("PGDATABASE", DATABASE)
            .env("PORT", address.port().to_string())
            .env("POOL", (POOL / processes).to_string())
            .env("PROCESSES", processes.to_string())
            .env("TOKEN_SECRET", TOKEN_SECRET)
            .stdout(out.try_clone()?)
            .stderr(out)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let pid = child.id().ok_or("the peer ended at once")?;
        let begun = Instant::now();
        let hello = http::post("/graphql", None, "{\"query\":\"{ __typename }\"}");
        while http::once(address, &hello).await.is_err() {
            if child.try_wait()?.is_some() || begun.elapsed() > PATIENCE {
                let said = std::fs::read_to_string(&log).unwrap_or_default();
                return Err(format!("PostGraphile did not start:\n{said}").into());
            }
            sleep(Duration::from_millis(100)).await;
        }
        // The other processes of a cluster are ready a little later.
        sleep(Duration::from_secs(u64::from(processes > 1))).await;
        Ok(Self {
            child,
            pid,
            address,
            processes,
        })
    }

    /// Ends it with its children.
    pub async fn stop(mut self) -> Result<(), Failure> {
        Command::new("kill")
            .arg(self.pid.to_string())
            .status()
            .await?;
        self.child.wait().await?;
        Ok(())
    }
}

fn node(folder: &Path) -> Result<PathBuf, Failure> {
    ["x64", "arm64"]
        .into_iter()
        .map(|cpu| folder.join(format!("node_modules/node-linux-{cpu}/bin/node")))
        .find(|path| path.exists())
        .ok_or_else(|| "the peer is not installed: run `make bench-peers`".into())
}
