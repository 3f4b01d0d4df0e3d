//! The system account Postgres runs as. It refuses to run as root, so a root process hands it to an unprivileged
//! account; everybody else runs it as themselves.

use std::ffi::OsStr;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

#[derive(Clone, Debug)]
pub struct Account {
    uid: u32,
    gid: u32,
    name: String,
    switched: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    #[error("cannot tell which user runs this program: `id` failed; is coreutils installed?")]
    Unknown,
    #[error(
        "Postgres does not run as root and neither user `postgres` nor `nobody` exists; create one (`useradd --system postgres`) or start as another user"
    )]
    NoneForRoot,
}

impl Account {
    /// Ours, or `postgres` (else `nobody`) when we are root. A bare number would not do: Postgres refuses a uid that
    /// has no name.
    pub fn for_server() -> Result<Self, AccountError> {
        let uid = current_uid().ok_or(AccountError::Unknown)?;
        if uid != 0 {
            return Ok(Self {
                uid,
                gid: id("-g", None).ok_or(AccountError::Unknown)?,
                name: format!("uid {uid}"),
                switched: false,
            });
        }
        ["postgres", "nobody"]
            .iter()
            .find_map(|name| {
                Some(Self {
                    uid: id("-u", Some(name))?,
                    gid: id("-g", Some(name))?,
                    name: (*name).to_owned(),
                    switched: true,
                })
            })
            .ok_or(AccountError::NoneForRoot)
    }

    pub fn uid(&self) -> u32 {
        self.uid
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// True when Postgres runs as somebody else than this process.
    pub fn switched(&self) -> bool {
        self.switched
    }

    /// Gives a file or folder of ours to the account.
    pub fn own(&self, path: &Path) -> std::io::Result<()> {
        if self.switched {
            chown(path, Some(self.uid), Some(self.gid))?;
        }
        Ok(())
    }

    /// A command run as the account, in its own process group (a Ctrl-C in the terminal must reach us first, so that
    /// we end it in order), with a bare environment (PG* variables and locales of the caller would change it) and
    /// from `/` (the account may not be allowed into our current folder).
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")
            .env("LC_ALL", "C")
            // Spares initdb the comparison of every time zone file with the machine's.
            .env("TZ", "UTC")
            .current_dir("/")
            .stdin(Stdio::null())
            .process_group(0);
        if self.switched {
            command.uid(self.uid).gid(self.gid);
        }
        command
    }

    /// The outermost folder on the way to `path` that the account may not enter, if any.
    pub async fn barred_from(&self, path: &Path) -> Option<PathBuf> {
        if !self.switched {
            return None;
        }
        let mut ancestors: Vec<&Path> = path.ancestors().collect();
        ancestors.reverse();
        for folder in ancestors {
            let entered = self.command("test").arg("-x").arg(folder).status().await;
            if matches!(entered, Ok(status) if !status.success()) {
                return Some(folder.to_owned());
            }
        }
        None
    }
}

/// The user this process acts as. The standard library has no call for it.
pub fn current_uid() -> Option<u32> {
    match std::fs::metadata("/proc/self") {
        Ok(metadata) => Some(metadata.uid()),
        Err(_) => id("-u", None),
    }
}

fn id(flag: &str, user: Option<&str>) -> Option<u32> {
    let output = std::process::Command::new("id")
        .arg(flag)
        .args(user)
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    if output.status.success() {
        text.trim().parse().ok()
    } else {
        None
    }
}

pub fn runs_as_root() -> bool {
    current_uid() == Some(0)
}
