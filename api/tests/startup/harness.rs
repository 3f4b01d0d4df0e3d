use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use eventsphere::database::DatabaseAddress;
use tokio_postgres::Client;

pub const PATIENCE: Duration = Duration::from_secs(60);
pub const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// A folder below the system's temporary one, which every account may enter.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new() -> Self {
        let path =
            std::env::temp_dir().join(format!("es-startup-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir(&path).expect("a scratch folder");
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn data(&self) -> PathBuf {
        self.0.join("data")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // The last resort after a failed test: a server that outlived its program.
        if let Some(pid) = postmaster(&self.data()) {
            signal("QUIT", pid);
            wait_until("the left-over server is gone", || !alive(pid));
        }
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The program, with nothing configured but what the test says.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_eventsphere"));
    for name in [
        "DATABASE_URL",
        "DATABASE_ADMIN_URL",
        "SECRET_KEY",
        "EVENTSPHERE_DATA",
        "BIND",
        "METRICS_BIND",
        "WORKER",
        "WORKER_POOL_SIZE",
        "REDIS_URL",
        "TRUSTED_PROXIES",
        "LOG_FORMAT",
        "RUST_LOG",
    ] {
        command.env_remove(name);
    }
    command
}

pub fn serve(data: &Path) -> Command {
    let mut command = program();
    command
        .args(["serve", "--bind", "127.0.0.1:0", "--data"])
        .arg(data);
    command
}

/// A program that has ended: its exit code and what it said on standard error.
pub fn refused(mut command: Command) -> (i32, String, String) {
    let output = finished(
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("spawned"),
    );
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code().unwrap_or(-1),
        text(&output.stderr),
        text(&output.stdout),
    )
}

/// The last line is the message; there is exactly one that begins with the program's name.
pub fn message(stderr: &str) -> &str {
    let lines: Vec<&str> = stderr
        .lines()
        .filter(|line| line.starts_with("eventsphere: "))
        .collect();
    assert_eq!(lines.len(), 1, "one line, not: {stderr}");
    lines[0]
}

fn finished(mut child: Child) -> Output {
    let deadline = Instant::now() + PATIENCE;
    while child.try_wait().expect("waited").is_none() {
        if Instant::now() > deadline {
            signal("TERM", child.id());
            panic!("still running after {PATIENCE:?}");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.wait_with_output().expect("its output")
}

/// A serving program. Ends with the value.
pub struct Server {
    child: Child,
    lines: Receiver<String>,
    pub said: Vec<String>,
    pub port: u16,
}

impl Server {
    pub fn start(data: &Path) -> Self {
        Self::spawn(serve(data))
    }

    /// Returns once it says that it is ready, and `/readyz` agrees.
    pub fn spawn(mut command: Command) -> Self {
        let mut child = command
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("spawned");
        let stderr = child.stderr.take().expect("piped");
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let mut server = Self {
            child,
            lines,
            said: Vec::new(),
            port: 0,
        };
        let line = server.wait_for("ready at http://127.0.0.1:");
        let port = line
            .rsplit(':')
            .next()
            .and_then(|port| port.trim().parse().ok());
        server.port = port.expect("a port");
        assert_eq!(server.get("/healthz"), 200);
        // On a busy machine the probe's own connection may take longer than it waits.
        let deadline = Instant::now() + PATIENCE;
        while server.get("/readyz") != 200 {
            assert!(Instant::now() < deadline, "not ready after {PATIENCE:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
        server
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn wait_for(&mut self, words: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self
                .lines
                .recv_timeout(deadline.saturating_duration_since(Instant::now()))
            {
                Ok(line) => {
                    self.said.push(line.clone());
                    if line.contains(words) {
                        return line;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    panic!("not a word of {words:?} in {:#?}", self.said)
                }
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("it ended without {words:?}: {:#?}", self.said)
                }
            }
        }
    }

    /// All that it said, once it has ended.
    pub fn all(&mut self) -> &[String] {
        self.said.extend(self.lines.iter());
        &self.said
    }

    /// The status of an answer.
    pub fn get(&self, path: &str) -> u16 {
        let answer = Self::fetch(self.port, path);
        let status = answer
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        status.unwrap_or_else(|| panic!("no status in {answer:?}"))
    }

    /// The whole answer of whoever listens at that port.
    pub fn fetch(port: u16, path: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("connected");
        stream
            .set_read_timeout(Some(PATIENCE))
            .expect("a time limit");
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
        )
        .expect("asked");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answered");
        answer
    }

    pub fn end(mut self, name: &str) -> ExitStatus {
        signal(name, self.pid());
        self.ended()
    }

    pub fn ended(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("waited") {
                return status;
            }
            assert!(
                Instant::now() < deadline,
                "still running after {PATIENCE:?}: {:#?}",
                self.said
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            signal("TERM", self.child.id());
            let deadline = Instant::now() + PATIENCE;
            while matches!(self.child.try_wait(), Ok(None)) {
                if Instant::now() > deadline {
                    let _ = self.child.kill();
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }
}

pub fn signal(name: &str, pid: impl ToString) {
    let status = Command::new("/bin/sh")
        .args([
            "-c",
            "kill -s \"$1\" -- \"$2\" 2>/dev/null",
            "sh",
            name,
            &pid.to_string(),
        ])
        .status();
    assert!(status.is_ok(), "no shell to send signals with");
}

/// Running, and not merely unreaped.
pub fn alive(pid: u32) -> bool {
    let output = Command::new("ps")
        .args(["-o", "stat=", "-p", &pid.to_string()])
        .output()
        .expect("ps");
    let state = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    !state.is_empty() && !state.starts_with('Z')
}

/// The living server of a data folder.
pub fn postmaster(data: &Path) -> Option<u32> {
    let text = std::fs::read_to_string(data.join("postgres/postmaster.pid")).ok()?;
    let pid = text.lines().next()?.trim().parse().ok()?;
    alive(pid).then_some(pid)
}

pub fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A superuser of the private server, through its socket.
pub async fn superuser(data: &Path) -> Client {
    let data = data.canonicalize().expect("a data folder");
    let address = DatabaseAddress::socket(&data.join("run"), 5432, "postgres", "eventsphere");
    address.connect().await.expect("a superuser's connection")
}

pub async fn write_mark(data: &Path) {
    let client = superuser(data).await;
    client
        .batch_execute("create table mark as select 42 as value")
        .await
        .expect("written");
}

pub async fn read_mark(data: &Path) -> i32 {
    let client = superuser(data).await;
    client
        .query_one("select value from mark", &[])
        .await
        .expect("read")
        .get(0)
}
