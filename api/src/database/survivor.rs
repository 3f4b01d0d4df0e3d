//! What an earlier run left behind: a postmaster that outlived us (`kill -9` of the program), or its pid file
//! (`kill -9` of Postgres, power loss).

use std::path::Path;
use std::time::Duration;

use super::account::Account;
use super::binaries::Binaries;
use super::cluster::ClusterError;

/// Of postmaster.pid, counted from 0.
const STATUS_LINE: usize = 7;

/// Ends a surviving postmaster of `cluster`. It is not adopted: only a child of ours can be waited for, and its
/// settings may be those of an older release. Callers hold the data folder's lock, so nobody else uses it.
pub async fn end(
    cluster: &Path,
    socket_dir: &Path,
    account: &Account,
    binaries: &Binaries,
) -> Result<(), ClusterError> {
    if let Some(pid) = recorded_pid(cluster) {
        if works_in(pid, cluster) {
            stop(pid, cluster, account, binaries).await?;
        } else {
            forget_stranger(pid, cluster)?;
        }
    }
    forget_socket(socket_dir)
}

async fn stop(
    pid: u32,
    cluster: &Path,
    account: &Account,
    binaries: &Binaries,
) -> Result<(), ClusterError> {
    tracing::warn!(pid, "stopping the Postgres that an earlier run left behind");
    for mode in ["fast", "immediate"] {
        let stopped = account
            .command(binaries.program("pg_ctl"))
            .arg("stop")
            .arg("-D")
            .arg(cluster)
            .args(["-m", mode, "-w", "-t", "30", "-s"])
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .status()
            .await;
        tracing::debug!(mode, ?stopped, "pg_ctl stop");
        if !works_in(pid, cluster) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    if works_in(pid, cluster) {
        return Err(ClusterError::Survivor {
            pid,
            folder: cluster.to_owned(),
        });
    }
    Ok(())
}

/// True when the server has written that it accepts connections.
pub fn reports_ready(cluster: &Path) -> bool {
    let text = std::fs::read_to_string(cluster.join("postmaster.pid")).unwrap_or_default();
    text.lines()
        .nth(STATUS_LINE)
        .is_some_and(|status| status.trim_end() == "ready")
}

/// Ends backends that a killed postmaster left at work: they notice its end only between statements. The transaction
/// they are in was never committed.
pub async fn end_orphans(cluster: &Path, account: &Account, binaries: &Binaries) {
    for pid in processes_in(cluster) {
        tracing::warn!(pid, "ending a process that a killed Postgres left behind");
        let asked = account
            .command(binaries.program("pg_ctl"))
            .args(["kill", "QUIT", &pid.to_string()])
            .status()
            .await;
        tracing::debug!(pid, ?asked, "pg_ctl kill");
    }
}

/// Every process of Postgres works in the cluster's folder. Empty where there is no /proc: then we wait.
fn processes_in(cluster: &Path) -> Vec<u32> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| works_in(*pid, cluster))
        .collect()
}

/// True when a start failed only because backends of a killed postmaster are still there.
pub fn orphans_remain(output: &str) -> bool {
    output.contains("pre-existing shared memory block")
}

/// The first line of postmaster.pid; negative for a single-user server.
fn recorded_pid(cluster: &Path) -> Option<u32> {
    let text = std::fs::read_to_string(cluster.join("postmaster.pid")).ok()?;
    let pid: i64 = text.lines().next()?.trim().parse().ok()?;
    u32::try_from(pid.abs()).ok()
}

/// A pid is reused sooner or later, in containers at once: only a process that works in the cluster's folder is its
/// postmaster.
fn works_in(pid: u32, cluster: &Path) -> bool {
    if Path::new("/proc/self").exists() {
        return std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == cluster);
    }
    let listed = std::process::Command::new("ps")
        .args(["-ww", "-o", "command=", "-p", &pid.to_string()])
        .output();
    listed.is_ok_and(|output| {
        String::from_utf8_lossy(&output.stdout).contains(&*cluster.to_string_lossy())
    })
}

/// Postgres refuses to start while any process of its account has the recorded pid, a dead one that nobody reaped
/// included. The file goes only when the pid lives on as something else; otherwise Postgres judges it. Backends that
/// outlived their postmaster are found by Postgres without it (`orphans_remain`).
fn forget_stranger(pid: u32, cluster: &Path) -> Result<(), ClusterError> {
    if Path::new(&format!("/proc/{pid}")).exists() {
        remove(&cluster.join("postmaster.pid"))?;
    }
    Ok(())
}

/// The socket's own lock file records a pid as well. The folder is ours alone.
fn forget_socket(socket_dir: &Path) -> Result<(), ClusterError> {
    let entries =
        std::fs::read_dir(socket_dir).map_err(|source| ClusterError::folder(socket_dir, source))?;
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(".s.PGSQL.") {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

fn remove(file: &Path) -> Result<(), ClusterError> {
    match std::fs::remove_file(file) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(ClusterError::folder(file, source)),
    }
}
