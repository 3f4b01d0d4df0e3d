//! The bare statement: pgbench sends begin, context, select and commit in one flight, prepared, over the socket that
//! the servers use.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, SystemTime},
};

use tokio::{process::Command, time::sleep};

use super::{contestants::Measured, member::Member, shapes::Shape};
use crate::{
    Failure, cpu,
    ground::{DATABASE, Ground, LOGIN},
    load::Stretch,
    places,
};

/// What the program says when it connects (`api/src/tenancy/door.rs`), for the same plans.
pub const OPTIONS: &str = "-c TimeZone=UTC -c statement_timeout=10s -c lock_timeout=5s \
     -c idle_in_transaction_session_timeout=30s";
/// Connecting and preparing are over within this; what was answered before does not count.
const SETTLING: Duration = Duration::from_millis(700);

/// Runs the shape's script from so many clients for that time.
pub async fn run(
    ground: &Ground,
    shape: Shape,
    members: &[Member],
    clients: usize,
    warm_up: Duration,
    time: Duration,
) -> Result<Measured, Failure> {
    let folder = places::work()?.join("pgbench");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    let script = folder.join("script.sql");
    std::fs::write(&script, shape.script(members)?)?;
    let all = SETTLING + warm_up + time + Duration::from_secs(1);
    let mut child = Command::new(program()?)
        .args(["--no-vacuum", "--protocol=prepared", "--log"])
        .arg(format!("--log-prefix={}", folder.join("log").display()))
        .arg(format!("--file={}", script.display()))
        .arg(format!("--client={clients}"))
        .arg(format!("--time={}", all.as_secs_f64().ceil()))
        .args([
            "-h",
            &ground.socket,
            "-p",
            &ground.port.to_string(),
            "-U",
            LOGIN,
            DATABASE,
        ])
        .env("PGOPTIONS", OPTIONS)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let pid = child.id().ok_or("pgbench ended at once")?;
    sleep(SETTLING + warm_up).await;
    let (from, postgres, client) = (
        SystemTime::now(),
        cpu::of_tree(ground.postgres),
        cpu::of_process(pid),
    );
    sleep(time).await;
    let to = SystemTime::now();
    let (postgres, client) = (
        cpu::of_tree(ground.postgres) - postgres,
        cpu::of_process(pid) - client,
    );
    if child.try_wait()?.is_some() {
        let output = child.wait_with_output().await?;
        return Err(format!("pgbench: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let output = child.wait_with_output().await?;
    if !output.status.success() {
        return Err(format!("pgbench: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let latencies = latencies(&folder, from, to)?;
    let stretch = Stretch::of(latencies, to.duration_since(from)?);
    Ok(Measured::new(stretch, 0.0, postgres, client))
}

/// Of the transactions that ended in between, in microseconds.
fn latencies(folder: &Path, from: SystemTime, to: SystemTime) -> Result<Vec<u32>, Failure> {
    let micros = |time: SystemTime| {
        time.duration_since(SystemTime::UNIX_EPOCH)
            .map(|since| since.as_micros())
    };
    let (from, to) = (micros(from)?, micros(to)?);
    let mut found = vec![];
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "sql") {
            continue;
        }
        // client, transaction, latency in microseconds, script, seconds and microseconds of its end
        for line in std::fs::read_to_string(path)?.lines() {
            let fields: Vec<u128> = line
                .split(' ')
                .filter_map(|field| field.parse().ok())
                .collect();
            let [_, _, latency, _, seconds, rest, ..] = fields[..] else {
                continue;
            };
            let end = seconds * 1_000_000 + rest;
            if (from..to).contains(&end) {
                found.push(u32::try_from(latency).unwrap_or(u32::MAX));
            }
        }
    }
    Ok(found)
}

/// pgbench, from `PATH` or from where Debian keeps it.
pub fn program() -> Result<PathBuf, Failure> {
    let on_path = std::env::var_os("PATH")
        .iter()
        .flat_map(std::env::split_paths)
        .map(|folder| folder.join("pgbench"))
        .collect::<Vec<_>>();
    let mut debian: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin/pgbench")))
        .collect();
    debian.sort();
    debian.reverse();
    debian
        .into_iter()
        .chain(on_path)
        .find(|path| path.exists())
        .ok_or_else(|| "pgbench is missing; it comes with PostgreSQL's programs".into())
}
