//! The two workers: their jobs, their processes, and what they say.
#![expect(
    clippy::disallowed_methods,
    reason = "the bench is an administrator of its own database; the door belongs to the program"
)]

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use serde_json::Value as Json;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{ChildStdout, Command},
    time::{sleep, timeout},
};

use crate::{
    Failure, cpu,
    ground::{DATABASE, Ground, LOGIN, SECRET_KEY, told},
    places,
};

/// No turn takes so long.
const PATIENCE: Duration = Duration::from_secs(600);
/// Our worker, with a kind of job that does nothing.
const OURS: &str = "target/release/examples/jobs_worker";

/// How often each job ran.
pub struct Ended {
    pub lost: usize,
    pub doubled: usize,
}

/// What came of a run.
pub struct Run {
    /// From the first job until none was left.
    pub took: Duration,
    /// Of its process meanwhile, in milliseconds.
    pub cpu: f64,
    pub ended: Ended,
}

/// Whose turn it is.
#[derive(Clone, Copy)]
pub enum Contestant {
    Ours,
    Peer,
}

/// Makes graphile-worker's tables.
pub async fn install_peer(ground: &Ground) -> Result<(), Failure> {
    let mut command = peer(ground, 1)?;
    let status = command.arg("install").status().await?;
    match status.success() {
        true => Ok(()),
        false => Err("graphile-worker did not make its tables".into()),
    }
}

fn peer(ground: &Ground, jobs: usize) -> Result<Command, Failure> {
    let folder = std::path::absolute(Path::new(places::BENCH).join("peers/graphile-worker"))?;
    let node = ["x64", "arm64"]
        .into_iter()
        .map(|cpu| folder.join(format!("node_modules/node-linux-{cpu}/bin/node")))
        .find(|path: &PathBuf| path.exists())
        .ok_or("the peer is not installed: run `make bench-peers`")?;
    let mut command = Command::new(node);
    let database = format!(
        "postgres:///{DATABASE}?host={}&port={}&user=postgres",
        ground.socket, ground.port
    );
    command
        .arg("worker.mjs")
        .current_dir(folder)
        .env("NODE_ENV", "production")
        .env("DATABASE", database)
        .env("JOBS", jobs.to_string());
    Ok(command)
}

impl Contestant {
    /// Writes the jobs, and leaves the tables as they would be found.
    pub async fn fill(self, ground: &Ground, jobs: usize) -> Result<(), Failure> {
        let client = ground.admin().await?;
        let sql = match self {
            Self::Ours => format!(
                "begin;
                 set local role es_system;
                 select public.register_job_kinds(
                   '[{{\"kind\": \"bench.nothing\", \"queue\": \"bench\", \"priority\": 1, \"max_attempts\": 12, \"keep_seconds\": 0}}]');
                 select es.enqueue_jobs(jsonb_agg(jsonb_build_object(
                   'kind', 'bench.nothing', 'payload', jsonb_build_object('n', n),
                   'org_id', '01900000-0001-7000-8000-' || lpad((1 + n % 100)::text, 12, '0')
                 )))
                 from generate_series(0, {jobs} - 1) as n;
                 commit;"
            ),
            Self::Peer => format!(
                "select count(*)
                 from graphile_worker.add_jobs(array(
                   select row('nothing', json_build_object('n', n), null, null, null, null, null, null)::graphile_worker.job_spec
                   from generate_series(0, {jobs} - 1) as n
                 ));"
            ),
        };
        client
            .batch_execute(&sql)
            .await
            .map_err(|error| told(&error))?;
        client.batch_execute("vacuum (analyze)").await?;
        client.batch_execute("checkpoint").await?;
        Ok(())
    }

    /// Lets it run them all.
    pub async fn run(self, ground: &Ground, jobs: usize) -> Result<Run, Failure> {
        let mut command = match self {
            Self::Ours => {
                let mut command = Command::new(OURS);
                let url = format!(
                    "postgres://{LOGIN}@{}:{}/{DATABASE}?sslmode=disable",
                    ground.socket.replace('/', "%2F"),
                    ground.port
                );
                command
                    .env("DATABASE_URL", url)
                    .env("SECRET_KEY", SECRET_KEY)
                    .env("JOBS", jobs.to_string());
                command
            }
            Self::Peer => peer(ground, jobs)?,
        };
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let pid = child.id().ok_or("it ended at once")?;
        let stdout = child.stdout.take().ok_or("no output")?;
        let mut lines = BufReader::new(stdout).lines();
        let client = ground.admin().await?;

        wait_for(&mut lines, "first").await?;
        let (begun, used) = (Instant::now(), cpu::of_process(pid));
        wait_for(&mut lines, "last").await?;
        while client.query_one(self.left(), &[]).await?.get::<_, bool>(0) {
            sleep(Duration::from_millis(2)).await;
        }
        let (took, cpu) = (begun.elapsed(), cpu::of_process(pid) - used);

        Command::new("kill").arg(pid.to_string()).status().await?;
        let last: Json = serde_json::from_str(&line(&mut lines).await?)?;
        child.wait().await?;
        let count = |name: &str| last[name].as_u64().and_then(|n| usize::try_from(n).ok());
        Ok(Run {
            took,
            cpu,
            ended: Ended {
                lost: count("lost").ok_or("no count")?,
                doubled: count("doubled").ok_or("no count")?,
            },
        })
    }

    /// Whether a job is left.
    fn left(self) -> &'static str {
        match self {
            Self::Ours => "select exists (select from jobs where kind = 'bench.nothing')",
            Self::Peer => "select exists (select from graphile_worker._private_jobs)",
        }
    }
}

async fn line(lines: &mut Lines<BufReader<ChildStdout>>) -> Result<String, Failure> {
    let line = timeout(PATIENCE, lines.next_line()).await??;
    line.ok_or_else(|| "it ended before its jobs did".into())
}

async fn wait_for(lines: &mut Lines<BufReader<ChildStdout>>, word: &str) -> Result<(), Failure> {
    while line(lines).await? != word {}
    Ok(())
}
