//! Somebody else's server, named by DATABASE_URL.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};

use eventsphere::database::DatabaseAddress;
use tokio_postgres::Client;

use crate::harness::*;

/// A server on the loopback address that takes passwords, for the life of the value.
pub struct Outside {
    child: Child,
    input: Option<ChildStdin>,
    port: u16,
    boss: Client,
}

const PRINT: &str = r#"echo "$TEST_DATABASE_ADMIN_URL"; echo "$TEST_DATABASE_PORT"; exec cat"#;

impl Outside {
    pub async fn start() -> Self {
        let mut child = program()
            .args([
                "admin",
                "with-postgres",
                "--no-durability",
                "--",
                "/bin/sh",
                "-c",
                PRINT,
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("spawned");
        let input = child.stdin.take();
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut line = || lines.next().expect("a line").expect("readable");
        let admin = DatabaseAddress::parse("TEST_DATABASE_ADMIN_URL", &line()).expect("an address");
        let port = line().parse().expect("a port");
        let boss = admin.connect().await.expect("a superuser");
        boss.batch_execute(
            "create role boss superuser login password 'boss';
             do $$ begin
               execute format(
                 'copy (select unnest(array[%L, %L])) to %L',
                 'local all all trust', 'host all all 127.0.0.1/32 scram-sha-256', current_setting('hba_file'));
             end $$;
             select pg_reload_conf();",
        )
        .await
        .expect("passwords asked for");
        Self {
            child,
            input,
            port,
            boss,
        }
    }

    pub fn url(&self, login: &str, database: &str) -> String {
        format!("postgres://{login}@127.0.0.1:{}/{database}", self.port)
    }

    pub fn serve(&self, login: &str, database: &str) -> Command {
        let mut command = program();
        command.args(["serve", "--bind", "127.0.0.1:0"]);
        command
            .env("DATABASE_URL", self.url(login, database))
            .env("SECRET_KEY", KEY);
        command
    }

    /// A superuser's connection to that database.
    pub async fn connect(&self, database: &str) -> Client {
        let url = self.url("boss:boss", database);
        let address = DatabaseAddress::parse("the test database", &url).expect("an address");
        address.connect().await.expect("a superuser")
    }

    pub async fn run(&self, sql: &str) {
        self.boss.batch_execute(sql).await.expect(sql);
    }

    fn refuses(&self, login: &str, database: &str, code: i32, words: &[&str]) -> String {
        let (found, stderr, stdout) = refused(self.serve(login, database));
        let line = message(&stderr);
        assert_eq!(found, code, "{line}");
        for word in words {
            assert!(line.contains(word), "no {word:?} in {line}");
        }
        assert_eq!(
            stdout.is_empty(),
            code != 2,
            "SQL goes with code 2: {stdout}"
        );
        stdout
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn an_administrator_runs_the_printed_sql_and_it_serves() {
    let outside = Outside::start().await;
    outside
        .run("create role \"my app\" login noinherit password 'pw'")
        .await;
    let login = "my%20app:pw";
    let sql = outside.refuses(
        login,
        "ev%22ents",
        2,
        &["no database ev\"ents", "DATABASE_ADMIN_URL"],
    );
    let file = Scratch::new();
    let file = file.path().join("bootstrap.sql");
    std::fs::write(&file, sql).expect("written");
    for _ in 0..2 {
        let output = Command::new("psql")
            .args([
                "--set",
                "ON_ERROR_STOP=1",
                "--quiet",
                "--no-psqlrc",
                "--dbname",
            ])
            .arg(outside.url("boss:boss", "postgres"))
            .arg("--file")
            .arg(&file)
            .output()
            .expect("psql");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    // Roles and database are there, tables are not: an administrator's errand too.
    outside.refuses(
        login,
        "ev%22ents",
        1,
        &["eventsphere migrate up", "DATABASE_ADMIN_URL"],
    );
    let migrated = Command::new(env!("CARGO_BIN_EXE_eventsphere"))
        .args(["migrate", "up"])
        .env("DATABASE_URL", outside.url(login, "ev%22ents"))
        .env("DATABASE_ADMIN_URL", outside.url("boss:boss", "postgres"))
        .output()
        .expect("eventsphere");
    assert!(
        migrated.status.success(),
        "{}",
        String::from_utf8_lossy(&migrated.stderr)
    );
    let server = Server::spawn(outside.serve(login, "ev%22ents"));
    assert!(server.end("TERM").success());
    outside.run("select 1").await;
}

#[tokio::test]
async fn an_administrators_login_prepares_the_server() {
    let outside = Outside::start().await;
    // As managed services give it: no superuser.
    outside
        .run("create role keeper login password 'k' createrole createdb")
        .await;
    outside
        .run("grant es_owner, es_verbs, es_system, es_public, es_attendee, es_member to keeper with admin option")
        .await;
    for admin in ["keeper:k", "boss:boss"] {
        let database = admin.replace(':', "_");
        let mut command = outside.serve(&format!("{database}_app:p%27w%5C%20"), &database);
        command.env("DATABASE_ADMIN_URL", outside.url(admin, &database));
        assert!(Server::spawn(command).end("TERM").success());
        // From now on without the administrator.
        let again = Server::spawn(outside.serve(&format!("{database}_app:p%27w%5C%20"), &database));
        assert!(again.end("TERM").success());
    }
    outside
        .run("create role nobody_much login password 'n'")
        .await;
    let mut command = outside.serve("new:n", "new");
    command.env(
        "DATABASE_ADMIN_URL",
        outside.url("nobody_much:n", "postgres"),
    );
    let (code, stderr, stdout) = refused(command);
    assert_eq!(code, 2);
    assert!(
        message(&stderr).contains("DATABASE_ADMIN_URL may not prepare the database"),
        "{stderr}"
    );
    assert!(
        stdout.contains("create database") && !stdout.contains("'n'"),
        "{stdout}"
    );
}

/// What goes wrong, how to mend it, the exit code, and what is said. Code 2 is what an administrator's SQL mends.
const SPOILS: [(&str, &str, i32, &str); 9] = [
    (
        "alter role es_app bypassrls",
        "alter role es_app nobypassrls",
        1,
        "bypass row level security",
    ),
    (
        "alter role es_member bypassrls",
        "alter role es_member nobypassrls",
        1,
        "alter role es_member nosuperuser",
    ),
    (
        "grant es_owner to es_app",
        "revoke es_owner from es_app",
        1,
        "member of es_owner",
    ),
    (
        "grant es_verbs to es_app",
        "revoke es_verbs from es_app",
        1,
        "member of es_verbs",
    ),
    (
        "revoke es_system from es_app",
        "grant es_system to es_app",
        2,
        "not a member of es_system",
    ),
    (
        "revoke es_verbs from es_owner",
        "grant es_verbs to es_owner",
        2,
        "es_owner is not a member of es_verbs",
    ),
    (
        "drop extension citext",
        "create extension citext schema extensions",
        2,
        "extension citext is missing",
    ),
    (
        "alter database eventsphere owner to boss",
        "alter database eventsphere owner to es_owner",
        2,
        "belongs to boss",
    ),
    (
        "grant create on schema public to public",
        "revoke create on schema public from public",
        2,
        "everybody may create",
    ),
];

#[tokio::test]
async fn a_login_with_too_little_or_too_much_is_refused() {
    let outside = Outside::start().await;
    outside.run("alter role es_app password 'pw'").await;
    let app = "es_app:pw";
    outside.refuses(
        "es_app:wrong",
        "eventsphere",
        1,
        &["DATABASE_URL", "refused login es_app"],
    );
    outside.refuses(
        "boss:boss",
        "eventsphere",
        1,
        &["boss", "a superuser", "separation of tenants"],
    );
    for (spoil, mend, code, words) in SPOILS {
        outside.run(spoil).await;
        outside.refuses(app, "eventsphere", code, &[words]);
        if code == 2 {
            // What the printed SQL would do, by the administrator's login.
            let mut command = outside.serve(app, "eventsphere");
            command.env("DATABASE_ADMIN_URL", outside.url("boss:boss", "postgres"));
            assert!(Server::spawn(command).end("TERM").success(), "{spoil}");
        } else {
            outside.run(mend).await;
        }
    }
    let server = Server::spawn(outside.serve(app, "eventsphere"));
    assert!(server.end("TERM").success());
}

#[test]
fn a_broken_address_is_told_in_one_line() {
    for (url, words) in [
        ("nonsense", "must look like"),
        (
            "postgres://app:s3cret@127.0.0.1:1/events",
            "no database server answers at 127.0.0.1:1",
        ),
        (
            "postgres://app:s3cret@no-such-host.invalid/events",
            "no database server answers at no-such-host.invalid",
        ),
        (
            "postgres://app:s3cret@127.0.0.1/events?sslmode=perhaps",
            "sslmode=perhaps",
        ),
    ] {
        let mut command = program();
        command
            .args(["serve", "--bind", "127.0.0.1:0"])
            .env("DATABASE_URL", url)
            .env("SECRET_KEY", KEY);
        let (code, stderr, _) = refused(command);
        let line = message(&stderr);
        assert_eq!(code, 1);
        assert!(
            line.contains("DATABASE_URL: ") && line.contains(words) && !line.contains("s3cret"),
            "{line}"
        );
    }
}

#[test]
fn what_must_not_go_with_a_configured_database_is_refused() {
    let url = "postgres://app:s3cret@127.0.0.1:1/events";
    for (arguments, key, words) in [(&["--demo"][..], KEY, "--demo"), (&[], "", "SECRET_KEY")] {
        let mut command = program();
        command
            .args(["serve", "--bind", "127.0.0.1:0"])
            .args(arguments);
        let (code, stderr, _) = {
            command.env("DATABASE_URL", url).env("SECRET_KEY", key);
            refused(command)
        };
        assert_eq!(code, 1);
        assert!(message(&stderr).contains(words), "{stderr}");
    }
}
