//! Each migration goes up, down and up by itself to the same schema, and all of them down leave nothing.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use eventsphere_migration::{Migrator, down, status, up, up_to};
use sea_orm_migration::MigratorTrait as _;

use crate::common::Database;

#[tokio::test]
async fn each_migration_goes_up_down_and_up_to_the_same_schema() {
    let database = Database::empty().await;
    let steps = Migrator::migrations().len();
    for step in 0..steps {
        let before = dump(&database);
        let report = up_to(&database.admin, Some(1)).await.expect("up");
        let name = report.migrations.join(", ");
        let first = dump(&database);
        assert_ne!(before, first, "{name} does nothing");
        down(&database.admin, 1).await.expect("down");
        same(&before, &dump(&database), &format!("{name} down"));
        up_to(&database.admin, Some(1)).await.expect("up again");
        same(&first, &dump(&database), &format!("{name} up again"));
        assert!(step < steps);
    }
    assert!(status(&database.admin).await.expect("status").is_current());
    database.end().await;
}

#[tokio::test]
async fn all_the_way_down_leaves_nothing() {
    let database = Database::empty().await;
    let bare = dump(&database);
    up(&database.admin).await.expect("up");
    let full = dump(&database);
    let gone = down(&database.admin, u32::MAX).await.expect("down");
    assert_eq!(gone.len(), Migrator::migrations().len());
    same(&bare, &dump(&database), "all down");
    up(&database.admin).await.expect("up again");
    same(&full, &dump(&database), "all up again");
    database.end().await;
}

#[tokio::test]
async fn a_second_up_has_nothing_to_do_and_two_at_once_take_turns() {
    let database = Database::empty().await;
    assert!(!status(&database.admin).await.expect("status").is_current());
    let (one, other) = tokio::join!(up(&database.admin), up(&database.admin));
    let applied = [one, other].map(|report| report.expect("both succeed").migrations.len());
    assert_eq!(applied.iter().sum::<usize>(), Migrator::migrations().len());
    let third = up(&database.admin).await.expect("a third");
    assert_eq!(third, eventsphere_migration::Report::default());
    assert!(status(&database.admin).await.expect("status").is_current());
    database.end().await;
}

fn same(expected: &str, found: &str, what: &str) {
    let expected: Vec<_> = expected.lines().collect();
    let found: Vec<_> = found.lines().collect();
    let missing: Vec<_> = expected
        .iter()
        .filter(|line| !found.contains(line))
        .collect();
    let extra: Vec<_> = found
        .iter()
        .filter(|line| !expected.contains(line))
        .collect();
    assert!(
        expected == found,
        "{what}: missing {missing:#?}, left over {extra:#?}"
    );
}

/// The schema as text, without the bookkeeping of migrations.
fn dump(database: &Database) -> String {
    let output = Command::new(pg_dump())
        .args(["--schema-only", "--exclude-table=public.seaql_migrations"])
        .arg(format!("--dbname={}", database.url))
        .output()
        .expect("pg_dump runs");
    assert!(
        output.status.success(),
        "pg_dump: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout)
        .lines()
        // Newer servers fence dumps with a random word.
        .filter(|line| !line.starts_with("\\restrict") && !line.starts_with("\\unrestrict"))
        .collect::<Vec<_>>()
        .join("\n")
}

fn pg_dump() -> PathBuf {
    if let Some(folder) = env::var_os("PG_BIN_DIR") {
        return Path::new(&folder).join("pg_dump");
    }
    // Where distributions keep the programs of several servers beside each other; the newest dumps them all.
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_string_lossy().parse().ok()?;
            let program = entry.path().join("bin/pg_dump");
            program.is_file().then_some((version, program))
        })
        .collect();
    versions.sort();
    versions
        .pop()
        .map_or_else(|| PathBuf::from("pg_dump"), |(_, program)| program)
}
