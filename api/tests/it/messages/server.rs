//! A mail server that others wrote, as a child of the test: `tools/smtp-server`.

use std::{path::Path, process::Stdio};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

/// A running mail server.
pub struct MailServer {
    /// Where it listens.
    pub port: u64,
    /// The certificate to trust, where it has one.
    pub authority: Option<String>,
    lines: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl MailServer {
    /// `plain`, `ascii` (the same without SMTPUTF8), `starttls` or `tls`.
    pub async fn start(mode: &str) -> Self {
        let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tools");
        let installed = Command::new(tools.join("install.sh"))
            .arg("smtp-server")
            .status()
            .await
            .expect("the tool's installer");
        assert!(installed.success(), "npm packages of tools/smtp-server");
        let mut child = Command::new("node")
            .arg(tools.join("smtp-server/server.mjs"))
            .arg(mode)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("node");
        let stdout = child.stdout.take().expect("its output");
        let mut lines = BufReader::new(stdout).lines();
        let first = lines.next_line().await.expect("a line").expect("a line");
        let first: Value = serde_json::from_str(&first).expect("JSON");
        Self {
            port: first["port"].as_u64().expect("a port"),
            authority: first["authority"].as_str().map(str::to_owned),
            lines,
            _child: child,
        }
    }

    /// The next mail that it was given.
    pub async fn next(&mut self) -> Value {
        let line = tokio::time::timeout(std::time::Duration::from_secs(60), self.lines.next_line());
        let line = line
            .await
            .expect("a mail")
            .expect("a line")
            .expect("a line");
        serde_json::from_str(&line).expect("JSON")
    }

    /// Whether it was given none for a while.
    pub async fn is_quiet(&mut self) -> bool {
        let pause = std::time::Duration::from_millis(700);
        tokio::time::timeout(pause, self.lines.next_line())
            .await
            .is_err()
    }
}
