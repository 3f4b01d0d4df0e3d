//! A Redis of a test's own, on a socket in a folder of its own. It can be killed, stopped for a while, and started
//! again.

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

const PATIENCE: Duration = Duration::from_secs(20);

/// The server. It ends with the value.
pub struct Redis {
    folder: PathBuf,
    child: Option<Child>,
    options: Vec<String>,
}

impl Redis {
    /// An empty one.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// An empty one with these options besides.
    pub async fn start_with(options: &[&str]) -> Self {
        let name = format!("es-redis-{}", uuid::Uuid::new_v4().simple());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir(&folder).expect("a folder");
        let mut redis = Self {
            folder,
            child: None,
            options: options.iter().map(|&option| option.to_owned()).collect(),
        };
        redis.again().await;
        redis
    }

    fn socket(&self) -> PathBuf {
        self.folder.join("socket")
    }

    /// Its address, as `REDIS_URL` takes it.
    pub fn url(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// Starts it, empty, at the same address.
    pub async fn again(&mut self) {
        let child = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--appendonly", "no"])
            .arg("--dir")
            .arg(&self.folder)
            .arg("--unixsocket")
            .arg(self.socket())
            .args(&self.options)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server is not installed; `make setup-tests` does that");
        self.child = Some(child);
        let deadline = Instant::now() + PATIENCE;
        while tokio::net::UnixStream::connect(self.socket())
            .await
            .is_err()
        {
            assert!(Instant::now() < deadline, "redis-server does not answer");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Ends it at once; what it kept is gone.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("killed");
            child.wait().expect("gone");
            let _ = std::fs::remove_file(self.socket());
        }
    }

    /// Lets it hang (`STOP`) or go on (`CONT`): connections stay open, nothing is answered.
    pub fn signal(&self, name: &str) {
        let pid = self.child.as_ref().expect("a server").id().to_string();
        let sent = Command::new("/bin/sh")
            .args(["-c", "kill -$1 $2", "sh", name, &pid])
            .status()
            .expect("a shell");
        assert!(sent.success());
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
