//! Workers as processes of their own: killed, asked to stop, several side by side.

use std::{
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tokio_postgres::Client;

use crate::{harness::*, outside::Outside};

/// Counts each delivery as it is made, so that a second one shows.
const COUNTED: &str = "
create table delivered (id uuid not null);
grant insert on delivered to public;
create function note() returns trigger language plpgsql as $$
begin
  insert into delivered (id) values (new.id);
  return null;
end
$$;
create trigger note after update of delivered_at on mail_messages for each row execute function note();";

const LETTERS: &str = "select count(es.write_letter(null, 'x', 'a@example.org', 's', 'b')) from generate_series(1, $1::int)";

/// A worker; killed at the end of the test if it is not before.
struct Worker(Child);

impl Worker {
    fn start(mut command: Command) -> Self {
        let child = command
            .stderr(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("spawned");
        Self(child)
    }

    fn end(mut self, name: &str) -> Option<i32> {
        signal(name, self.0.id());
        self.0.wait().expect("ended").code()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn worker(outside: &Outside) -> Command {
    let mut command = program();
    command
        .arg("worker")
        .env("DATABASE_URL", outside.url("es_app:pw", "eventsphere"))
        .env("SECRET_KEY", KEY);
    command
}

async fn count(client: &Client, sql: &str) -> i64 {
    client.query_one(sql, &[]).await.expect(sql).get(0)
}

async fn until(client: &Client, patience: Duration, sql: &str, wanted: impl Fn(i64) -> bool) {
    let deadline = Instant::now() + patience;
    loop {
        let found = count(client, sql).await;
        if wanted(found) {
            return;
        }
        assert!(Instant::now() < deadline, "{sql} gives {found}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_killed_workers_jobs_run_again_within_a_minute_and_nothing_is_done_twice() {
    let outside = Outside::start().await;
    outside.run("alter role es_app password 'pw'").await;
    let mut serving = outside.serve("es_app:pw", "eventsphere");
    serving
        .arg("--no-worker")
        .env("DATABASE_ADMIN_URL", outside.url("boss:boss", "postgres"));
    let mut server = Server::spawn(serving);
    let base = outside.connect("eventsphere").await;
    base.batch_execute(COUNTED).await.expect("counters");
    base.execute(LETTERS, &[&3000]).await.expect("letters");
    assert_eq!(count(&base, "select count(*) from job_workers").await, 0);
    assert_eq!(
        count(&base, "select count(*) from delivered").await,
        0,
        "nobody works yet"
    );

    let doomed = Worker::start(worker(&outside));
    until(&base, PATIENCE, "select count(*) from delivered", |n| {
        n > 200
    })
    .await;
    doomed.end("KILL");
    let killed = Instant::now();
    let left = count(
        &base,
        "select count(*) from jobs where kind = 'mail.deliver'",
    )
    .await;
    assert!(left > 0, "it was too quick to be killed in the middle");
    let heirs = [
        Worker::start(worker(&outside)),
        Worker::start(worker(&outside)),
    ];
    let jobs = "select count(*) from jobs where kind = 'mail.deliver'";
    until(
        &base,
        Duration::from_secs(60).saturating_sub(killed.elapsed()),
        jobs,
        |n| n == 0,
    )
    .await;
    assert_eq!(count(&base, "select count(*) from delivered").await, 3000);
    assert_eq!(
        count(&base, "select count(distinct id) from delivered").await,
        3000
    );
    assert_eq!(
        count(&base, "select count(*) from job_workers").await,
        2,
        "the dead one is struck off"
    );

    // Asked to stop in the middle: nothing is lost, no attempt is counted, nobody waits half a minute.
    base.execute(LETTERS, &[&2000]).await.expect("letters");
    until(&base, PATIENCE, "select count(*) from delivered", |n| {
        n > 3200
    })
    .await;
    for heir in heirs {
        assert_eq!(heir.end("TERM"), Some(0));
    }
    assert_eq!(count(&base, "select count(*) from job_workers").await, 0);
    assert_eq!(
        count(
            &base,
            "select count(*) from jobs where status = 'running' or attempts > 0"
        )
        .await,
        0
    );
    let last = Worker::start(worker(&outside));
    until(&base, PATIENCE, jobs, |n| n == 0).await;
    assert_eq!(count(&base, "select count(*) from delivered").await, 5000);
    assert_eq!(
        count(&base, "select count(distinct id) from delivered").await,
        5000
    );
    assert_eq!(last.end("TERM"), Some(0));
    signal("TERM", server.pid());
    assert!(server.ended().success());
}

#[tokio::test]
async fn who_serves_works_too_and_tells_what_waits() {
    let outside = Outside::start().await;
    outside.run("alter role es_app password 'pw'").await;
    let mut serving = outside.serve("es_app:pw", "eventsphere");
    serving
        .env("METRICS_BIND", "127.0.0.1:0")
        .env("DATABASE_ADMIN_URL", outside.url("boss:boss", "postgres"));
    let server = Server::spawn(serving);
    let base = outside.connect("eventsphere").await;
    base.execute(LETTERS, &[&3]).await.expect("letters");
    let left = "select count(*) from mail_messages where delivered_at is null";
    until(&base, PATIENCE, left, |n| n == 0).await;
    base.execute(
        "insert into jobs (kind, queue, priority, lane, status, max_attempts, run_at, finished_at)
         select 'mail.deliver', 'mail', 0, gen_random_uuid(), 'dead', 12, now(), now() from generate_series(1, 2)",
        &[],
    )
    .await
    .expect("dead letters");
    let port = server
        .said
        .iter()
        .find_map(|line| line.split_once("metrics at http://127.0.0.1:"))
        .and_then(|(_, rest)| rest.strip_suffix("/metrics")?.parse().ok())
        .expect("a port of figures");
    // A job is counted once it is settled, shortly after its letter was.
    let done = "eventsphere_job_attempts_total{kind=\"mail.deliver\",outcome=\"done\"} 3";
    let deadline = Instant::now() + PATIENCE;
    let page = loop {
        let page = Server::fetch(port, "/metrics");
        if page.contains(done) || Instant::now() > deadline {
            break page;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    for line in [
        done,
        "eventsphere_job_attempts_total{kind=\"mail.deliver\",outcome=\"dead\"} 0",
        "eventsphere_job_duration_seconds_count{kind=\"mail.deliver\"} 3",
        "eventsphere_jobs{queue=\"mail\",state=\"dead\"} 2",
        "eventsphere_outbox_unsent 0",
        "eventsphere_job_workers 1",
    ] {
        assert!(page.lines().any(|found| found == line), "{line}\n{page}");
    }
    assert!(Server::fetch(port, "/healthz").contains("200 OK"));

    let ask = |arguments: &[&str]| {
        let mut command = program();
        command
            .args(arguments)
            .env("DATABASE_URL", outside.url("es_app:pw", "eventsphere"))
            .env("SECRET_KEY", KEY);
        let output = command.output().expect("eventsphere");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let told = ask(&["admin", "jobs"]);
    let words: Vec<&str> = told
        .lines()
        .find(|line| line.starts_with("mail"))
        .expect("the queue")
        .split_whitespace()
        .collect();
    assert_eq!(words[..5], ["mail", "0", "0", "0", "2"], "{told}");
    assert!(
        told.contains("0 events not relayed") && told.contains("1 workers"),
        "{told}"
    );
    assert_eq!(
        ask(&["admin", "replay-jobs", "--kind", "of.nothing"]),
        "0 jobs run again\n"
    );
    assert_eq!(
        ask(&["admin", "replay-jobs", "--kind", "mail.deliver"]),
        "2 jobs run again\n"
    );
    assert!(server.end("TERM").success());
}
