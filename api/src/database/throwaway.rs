//! A cluster for one command: made in a temporary folder, reachable on the loopback address too, gone afterwards.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::{Child, Command};

use super::bootstrap::{self, DATABASE, LOGIN};
use super::cluster::{Cluster, ClusterError, ClusterOptions, Durability};
use super::{DatabaseAddress, DatabaseError, check};

/// Every test opens pools of its own.
const CONNECTIONS: u16 = 400;

#[derive(Clone, Debug)]
pub struct ThrowawayOptions {
    /// The folder to make the temporary one in; the system's temporary folder when absent.
    pub parent: Option<PathBuf>,
    pub pg_bin_dir: Option<PathBuf>,
    pub durability: Durability,
}

#[derive(Debug)]
pub struct Throwaway {
    cluster: Cluster,
    port: u16,
    guard: Guard,
}

impl Throwaway {
    pub async fn start(options: ThrowawayOptions) -> Result<Self, DatabaseError> {
        let parent = options.parent.unwrap_or_else(std::env::temp_dir);
        let folder = parent.join(format!("es-{:08x}", uuid::Uuid::new_v4().as_fields().0));
        let guard = Guard::post(&folder)?;
        let mut attempts = 0;
        let (cluster, port) = loop {
            attempts += 1;
            let port = free_port()?;
            let started = Cluster::start(ClusterOptions {
                data: folder.clone(),
                pg_bin_dir: options.pg_bin_dir.clone(),
                durability: options.durability,
                loopback_port: Some(port),
                max_connections: CONNECTIONS,
            })
            .await;
            match started {
                Ok(cluster) => break (cluster, port),
                // Somebody took the port between our look and the server's.
                Err(error)
                    if attempts < 5 && error.to_string().contains("Address already in use") =>
                {
                    continue;
                }
                Err(error) => return Err(error.into()),
            }
        };
        let throwaway = Self {
            cluster,
            port,
            guard,
        };
        bootstrap::run(
            &throwaway.cluster.address("postgres", "postgres"),
            &throwaway.app(),
        )
        .await?;
        check(&throwaway.app()).await?;
        Ok(throwaway)
    }

    /// The superuser, through the socket.
    pub fn admin(&self) -> DatabaseAddress {
        self.cluster.address("postgres", DATABASE)
    }

    /// The login that serves requests, through the socket.
    pub fn app(&self) -> DatabaseAddress {
        self.cluster.address(LOGIN, DATABASE)
    }

    /// What the command finds in its environment.
    pub fn environment(&self) -> [(&'static str, String); 3] {
        [
            ("TEST_DATABASE_ADMIN_URL", self.admin().to_url()),
            ("TEST_DATABASE_URL", self.app().to_url()),
            ("TEST_DATABASE_PORT", self.port.to_string()),
        ]
    }

    /// Stops the server and removes the folder.
    pub async fn stop(self) {
        self.cluster.stop().await;
        self.guard.dismiss().await;
    }
}

fn free_port() -> Result<u16, ClusterError> {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|source| ClusterError::folder(Path::new("127.0.0.1"), source))
}

/// A small shell that waits for the end of its input, which comes when we end in whatever way, then stops the server
/// and removes the folder: nobody comes back to a throw-away cluster to tidy up after a `kill -9`.
#[derive(Debug)]
struct Guard {
    shell: Child,
    folder: PathBuf,
}

const GUARD_SCRIPT: &str = r#"
read -r _
file=$1/postgres/postmaster.pid
if pid=$(head -n 1 "$file" 2>/dev/null); then
  sockets=$(sed -n 5p "$file")
  kill -QUIT "$pid"
fi
for _ in 1 2 3 4 5; do
  rm -rf -- "$1" && { [ ! -d "$sockets" ] || rmdir "$sockets"; } && exit
  sleep 1
done
"#;

impl Guard {
    fn post(folder: &Path) -> Result<Self, ClusterError> {
        let shell = Command::new("/bin/sh")
            .args(["-c", GUARD_SCRIPT, "sh"])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .current_dir("/")
            .process_group(0)
            .spawn()
            .map_err(|source| ClusterError::Spawn {
                program: PathBuf::from("/bin/sh"),
                source,
            })?;
        Ok(Self {
            shell,
            folder: folder.to_owned(),
        })
    }

    async fn dismiss(mut self) {
        // Closing its input lets it do its work; the server is down by now.
        drop(self.shell.stdin.take());
        if let Err(error) = self.shell.wait().await {
            tracing::warn!(%error, folder = %self.folder.display(), "the temporary folder may be left over");
        }
    }
}
