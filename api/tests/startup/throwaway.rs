//! `admin with-postgres`.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::harness::*;

fn with_postgres(parent: &Path, command: &[&str]) -> std::process::Command {
    let mut with = program();
    with.args(["admin", "with-postgres", "--no-durability", "--data"])
        .arg(parent);
    with.arg("--").args(command);
    with
}

fn leftovers(parent: &Path) -> usize {
    std::fs::read_dir(parent).expect("a scratch folder").count()
}

#[test]
fn hands_on_addresses_and_the_exit_code() {
    let scratch = Scratch::new();
    let script = r#"
        psql "$TEST_DATABASE_URL" -XAtc 'select current_user' &&
        psql "$TEST_DATABASE_ADMIN_URL" -XAtc 'select current_user' &&
        psql -h 127.0.0.1 -p "$TEST_DATABASE_PORT" -U es_app -d eventsphere -XAtc 'show fsync'
        exit 7"#;
    let (code, stderr, stdout) = refused(with_postgres(scratch.path(), &["/bin/sh", "-c", script]));
    assert_eq!(
        (code, stdout.as_str()),
        (7, "es_app\npostgres\noff\n"),
        "{stderr}"
    );
    assert_eq!(leftovers(scratch.path()), 0);

    let (code, _, _) = refused(with_postgres(
        scratch.path(),
        &["/bin/sh", "-c", "kill -9 $$"],
    ));
    assert_eq!((code, leftovers(scratch.path())), (137, 0));
    let (code, stderr, _) = refused(with_postgres(scratch.path(), &["/no/such/program"]));
    assert_eq!((code, leftovers(scratch.path())), (1, 0));
    assert!(message(&stderr).contains("/no/such/program"), "{stderr}");
}

#[test]
fn leaves_nothing_behind_however_it_ends() {
    for name in ["INT", "TERM", "KILL"] {
        // Too deep for a socket, which then lies elsewhere and must go too.
        let scratch = Scratch::new();
        let deep = scratch.path().join("x".repeat(80));
        std::fs::create_dir(&deep).expect("a folder");
        let mut with = with_postgres(&deep, &["/bin/sh", "-c", "echo $$; exec sleep 600"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("spawned");
        let mut line = String::new();
        BufReader::new(with.stdout.take().expect("piped"))
            .read_line(&mut line)
            .expect("a pid");
        let command: u32 = line.trim().parse().expect("a pid");
        let folder = std::fs::read_dir(&deep)
            .expect("listed")
            .flatten()
            .next()
            .expect("a folder")
            .path();
        let server = postmaster(&folder).expect("a server");
        let pid_file = folder.join("postgres/postmaster.pid");
        let sockets = std::fs::read_to_string(pid_file).expect("a pid file");
        let sockets = PathBuf::from(sockets.lines().nth(4).expect("a fifth line"));
        assert!(sockets.exists() && !sockets.starts_with(&deep));
        signal(name, with.id());
        with.wait().expect("ended");
        // Without its files a server ends by itself within a minute: sooner means that it was ended.
        let begun = Instant::now();
        wait_until("the server is gone", || !alive(server));
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "{name}: it ended by itself"
        );
        wait_until("the folders are gone", || {
            leftovers(&deep) == 0 && !sockets.exists()
        });
        // Nobody can pass a SIGKILL on.
        if name == "KILL" {
            signal("KILL", command);
        }
        wait_until("the command is gone", || !alive(command));
    }
}
