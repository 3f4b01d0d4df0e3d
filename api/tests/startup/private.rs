//! The private server: nothing configured.

use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::harness::*;

#[tokio::test]
async fn the_second_start_finds_what_the_first_one_wrote() {
    let scratch = Scratch::new();
    let data = scratch.data();
    let server = Server::start(&data);
    write_mark(&data).await;
    let key = std::fs::read(data.join("secret.key")).expect("a key");
    let pid = postmaster(&data).expect("a server");
    assert!(server.end("TERM").success());
    assert!(!alive(pid), "the server outlived the program");

    let server = Server::start(&data);
    assert_eq!(read_mark(&data).await, 42);
    assert_eq!(std::fs::read(data.join("secret.key")).expect("a key"), key);
    assert!(server.end("INT").success());
    assert_eq!(postmaster(&data), None);
}

/// A terminal sends Ctrl-C to everybody in our group; Postgres must hear of it from us, after the last request.
#[test]
fn ctrl_c_reaches_the_program_alone() {
    let scratch = Scratch::new();
    let mut command = serve(&scratch.data());
    command.process_group(0);
    let mut server = Server::spawn(command);
    let pid = postmaster(&scratch.data()).expect("a server");
    assert_ne!(process_group(pid), process_group(server.pid()));
    signal("INT", format!("-{}", server.pid()));
    assert!(server.ended().success());
    assert!(!alive(pid));
}

fn process_group(pid: u32) -> String {
    let output = Command::new("ps")
        .args(["-o", "pgid=", "-p", &pid.to_string()])
        .output()
        .expect("ps");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[tokio::test]
async fn a_commit_survives_power_loss_and_alter_system() {
    let scratch = Scratch::new();
    let data = scratch.data();
    let server = Server::start(&data);
    let client = superuser(&data).await;
    client
        .batch_execute("alter system set fsync = off")
        .await
        .expect("altered");
    client
        .batch_execute("alter system set synchronous_commit = off")
        .await
        .expect("altered");
    drop(client);
    assert!(server.end("TERM").success());

    let _server = Server::start(&data);
    let client = superuser(&data).await;
    for name in [
        "fsync",
        "synchronous_commit",
        "full_page_writes",
        "data_checksums",
    ] {
        let row = client
            .query_one("select current_setting($1)", &[&name])
            .await
            .expect(name);
        assert_eq!(row.get::<_, String>(0), "on", "{name}");
    }
    let listens: String = client
        .query_one("show listen_addresses", &[])
        .await
        .expect("shown")
        .get(0);
    assert_eq!(listens, "", "only the socket leads in");
}

#[tokio::test]
async fn recovers_after_the_program_was_killed() {
    let scratch = Scratch::new();
    let data = scratch.data();
    let server = Server::start(&data);
    write_mark(&data).await;
    let survivor = postmaster(&data).expect("a server");
    server.end("KILL");
    assert!(alive(survivor), "the case under test needs a survivor");

    let server = Server::start(&data);
    assert!(!alive(survivor), "two servers on one folder");
    assert_eq!(read_mark(&data).await, 42);
    assert!(server.end("TERM").success());
}

#[tokio::test]
async fn recovers_after_program_and_server_were_killed() {
    let scratch = Scratch::new();
    let data = scratch.data();
    let server = Server::start(&data);
    write_mark(&data).await;
    let pid = postmaster(&data).expect("a server");
    signal("KILL", server.pid());
    signal("KILL", pid);
    server.end("KILL");
    assert!(
        data.join("postgres/postmaster.pid").exists(),
        "the case under test needs a stale file"
    );

    let server = Server::start(&data);
    assert_eq!(read_mark(&data).await, 42);
    assert!(server.end("TERM").success());
}

#[tokio::test]
async fn a_killed_server_comes_back_once() {
    let scratch = Scratch::new();
    let data = scratch.data();
    let mut server = Server::start(&data);
    write_mark(&data).await;
    // Busy with one long statement, a backend does not notice that its server is gone.
    let client = superuser(&data).await;
    let busy = tokio::spawn(async move {
        client
            .batch_execute("do $$ begin for i in 1..2000000000 loop perform 1; end loop; end $$")
            .await
    });
    let watcher = superuser(&data).await;
    let asked =
        "select count(*) from pg_stat_activity where state = 'active' and query like 'do $$%'";
    while watcher
        .query_one(asked, &[])
        .await
        .expect("asked")
        .get::<_, i64>(0)
        == 0
    {}

    signal("KILL", postmaster(&data).expect("a server"));
    server.wait_for("Postgres is back");
    assert!(busy.await.expect("joined").is_err());
    wait_until("ready again", || server.get("/readyz") == 200);
    assert_eq!(read_mark(&data).await, 42);

    signal("KILL", postmaster(&data).expect("a server"));
    let line = server.wait_for("eventsphere: ");
    assert!(
        line.contains("Postgres died twice within a minute"),
        "{line}"
    );
    assert_eq!(server.ended().code(), Some(1));
}

#[tokio::test]
async fn an_interrupted_set_up_is_done_again() {
    let scratch = Scratch::new();
    let data = scratch.data();
    let mut child = serve(&data).spawn().expect("spawned");
    wait_until("initdb has begun", || {
        std::fs::read_dir(&data).is_ok_and(|entries| {
            let mut names = entries.flatten().map(|entry| entry.path());
            names.any(|path| {
                path.to_string_lossy().contains(".partial") && path.join("PG_VERSION").exists()
            })
        })
    });
    signal("KILL", child.id());
    child.wait().expect("ended");
    assert!(
        !data.join("postgres").exists(),
        "the case under test needs half a cluster"
    );

    let mut server = Server::start(&data);
    assert!(
        server
            .said
            .iter()
            .any(|line| line.contains("was interrupted")),
        "{:#?}",
        server.said
    );
    write_mark(&data).await;
    signal("TERM", server.pid());
    assert!(server.ended().success());
}

#[tokio::test]
async fn a_recycled_pid_is_not_taken_for_a_server() {
    let scratch = Scratch::new();
    let data = scratch.data();
    let server = Server::start(&data);
    let owner = std::fs::metadata(data.join("postgres")).expect("a cluster");
    assert!(server.end("TERM").success());
    let mut stranger = Command::new("sleep")
        .arg("60")
        .uid(owner.uid())
        .gid(owner.gid())
        .spawn()
        .expect("a stranger");
    let file = data.join("postgres/postmaster.pid");
    std::fs::write(&file, format!("{}\n/elsewhere\n", stranger.id())).expect("written");
    chown(&file, Some(owner.uid()), Some(owner.gid())).expect("given");

    let server = Server::start(&data);
    assert!(
        matches!(stranger.try_wait(), Ok(None)),
        "the stranger was ended"
    );
    assert!(server.end("TERM").success());
    stranger.kill().expect("killed");
    stranger.wait().expect("ended");
}

#[test]
fn two_programs_never_share_a_folder() {
    let scratch = Scratch::new();
    let first = Server::start(&scratch.data());
    let (code, stderr, _) = refused(serve(&scratch.data()));
    let line = message(&stderr);
    assert_eq!(code, 1);
    assert!(
        line.contains("in use by another eventsphere") && line.contains(&first.pid().to_string()),
        "{line}"
    );
    assert_eq!(first.get("/readyz"), 200);
}

#[test]
fn a_taken_port_is_told_before_anything_starts() {
    let scratch = Scratch::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("known").port().to_string();
    let mut command = program();
    command
        .args(["serve", "--bind", &format!("127.0.0.1:{port}"), "--data"])
        .arg(scratch.data());
    let (code, stderr, _) = refused(command);
    let line = message(&stderr);
    assert_eq!(code, 1);
    assert!(
        line.contains(&port) && line.contains("already in use") && line.contains("--bind"),
        "{line}"
    );
    assert!(!scratch.data().exists(), "it began to set up a database");
}

#[test]
fn a_file_in_the_way_is_told() {
    let scratch = Scratch::new();
    std::fs::write(scratch.path().join("file"), "").expect("a file");
    for data in ["file", "file/data"] {
        let (code, stderr, _) = refused(serve(&scratch.path().join(data)));
        let line = message(&stderr);
        assert_eq!(code, 1);
        assert!(
            line.contains("in the way") && line.contains("EVENTSPHERE_DATA"),
            "{line}"
        );
    }
}

#[test]
fn another_major_version_is_told() {
    let scratch = Scratch::new();
    let cluster = scratch.data().join("postgres");
    std::fs::create_dir_all(&cluster).expect("a folder");
    std::fs::write(cluster.join("PG_VERSION"), "9999\n").expect("a version");
    let (code, stderr, _) = refused(serve(&scratch.data()));
    let line = message(&stderr);
    assert_eq!(code, 1);
    assert!(
        line.contains("made by PostgreSQL 9999") && line.contains("PG_BIN_DIR"),
        "{line}"
    );
}

/// What was stored under one key opens under no other.
#[test]
fn another_secret_key_is_told() {
    let scratch = Scratch::new();
    assert!(Server::start(&scratch.data()).end("TERM").success());
    let mut command = serve(&scratch.data());
    command.env("SECRET_KEY", "7".repeat(64));
    let (code, stderr, _) = refused(command);
    assert_eq!(code, 1);
    assert!(
        message(&stderr).contains("was SECRET_KEY changed?"),
        "{stderr}"
    );
}

/// Root hands Postgres to somebody else; everybody else runs it as themselves, and may not be let into a folder.
#[test]
fn never_runs_postgres_as_root() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch.data());
    let owner = std::fs::metadata(scratch.data().join("postgres"))
        .expect("a cluster")
        .uid();
    assert_ne!(owner, 0);
    let socket_dir = std::fs::metadata(scratch.data().join("run")).expect("a socket's folder");
    assert_eq!(
        (socket_dir.uid(), socket_dir.mode() & 0o777),
        (owner, 0o700)
    );
    assert!(server.end("TERM").success());

    let me = std::fs::metadata(scratch.path()).expect("ours").uid();
    if me != 0 {
        return;
    }
    // As the account that Postgres had: the program is copied to where that account can read it.
    let copy = scratch.path().join("eventsphere");
    std::fs::copy(env!("CARGO_BIN_EXE_eventsphere"), &copy).expect("copied");
    let home = scratch.path().join("home");
    std::fs::create_dir(&home).expect("a home");
    chown(&home, Some(owner), None).expect("given");
    let as_other = |data: &str| {
        let mut command = Command::new(&copy);
        command
            .args(["serve", "--bind", "127.0.0.1:0", "--data", data])
            .current_dir("/");
        command
            .env_clear()
            .env("HOME", &home)
            .env("PATH", "/usr/bin:/bin")
            .uid(owner)
            .gid(owner);
        command
    };
    let data = home.join("data");
    let server = Server::spawn(as_other(&data.to_string_lossy()));
    assert_eq!(
        std::fs::metadata(data.join("postgres"))
            .expect("a cluster")
            .uid(),
        owner
    );
    assert!(server.end("TERM").success());

    let closed = scratch.path().join("closed");
    std::fs::create_dir(&closed).expect("a folder");
    let (code, stderr, _) = refused(as_other(&closed.join("data").to_string_lossy()));
    assert_eq!(code, 1);
    assert!(message(&stderr).contains("no permission for"), "{stderr}");
}
