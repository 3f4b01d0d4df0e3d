//! `admin with-postgres`: a cluster for the life of one command.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitCode, ExitStatus};
use std::time::Duration;

use clap::Args;
use tokio::process::{Child, Command};

use crate::config::{Settings, pg_bin_dir};
use crate::database::{Durability, Throwaway, ThrowawayOptions};
use crate::error::StartError;
use crate::shutdown::Shutdown;

/// After we were asked to stop, the command gets this long to follow.
const FAREWELL: Duration = Duration::from_secs(10);

#[derive(Debug, Args)]
pub struct WithPostgres {
    /// Folder to make the temporary cluster in, instead of the system's.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Faster: nothing needs to survive a power cut.
    #[arg(long)]
    no_durability: bool,
    /// The command and its arguments.
    #[arg(
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "CMD"
    )]
    command: Vec<OsString>,
}

impl WithPostgres {
    pub async fn run(self, settings: &Settings) -> Result<ExitCode, StartError> {
        let shutdown = Shutdown::listen().map_err(|source| StartError::System {
            what: "signals cannot be handled",
            source,
        })?;
        let options = ThrowawayOptions {
            parent: self.data,
            pg_bin_dir: pg_bin_dir(settings),
            durability: if self.no_durability {
                Durability::None
            } else {
                Durability::Full
            },
        };
        let throwaway = tokio::select! {
            started = Throwaway::start(options) => started?,
            () = shutdown.wished() => return Ok(ExitCode::from(130)),
        };
        let status = run_beside(&throwaway, &self.command, &shutdown).await;
        throwaway.stop().await;
        Ok(exit_code(status?))
    }
}

async fn run_beside(
    throwaway: &Throwaway,
    command: &[OsString],
    shutdown: &Shutdown,
) -> Result<ExitStatus, StartError> {
    let Some((program, arguments)) = command.split_first() else {
        return Ok(ExitStatus::default());
    };
    let failed = |source| StartError::Command {
        program: program.to_string_lossy().into_owned(),
        source,
    };
    let mut child = Command::new(program)
        .args(arguments)
        .envs(throwaway.environment())
        .spawn()
        .map_err(failed)?;
    tokio::select! {
        status = child.wait() => status.map_err(failed),
        () = shutdown.wished() => end(&mut child).await.map_err(failed),
    }
}

/// A Ctrl-C in a terminal has reached the command as well; a signal to us alone has not.
async fn end(child: &mut Child) -> std::io::Result<ExitStatus> {
    if let Some(pid) = child.id() {
        let sent = Command::new("/bin/sh")
            .args(["-c", "kill -TERM \"$1\"", "sh", &pid.to_string()])
            .status()
            .await;
        tracing::debug!(pid, ?sent, "asked the command to end");
    }
    if let Ok(status) = tokio::time::timeout(FAREWELL, child.wait()).await {
        return status;
    }
    child.kill().await?;
    child.wait().await
}

/// As a shell tells it: 128 and the signal's number for a command that was killed.
fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal));
    ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}
