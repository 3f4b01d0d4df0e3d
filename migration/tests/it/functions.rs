//! Function files are applied when their text changes, all or none, and can be taken back.

use eventsphere_migration::{
    down,
    functions::{FunctionFile, apply, drop_all},
};

use crate::common::{Database, count, run, texts};

const ONE: FunctionFile = FunctionFile {
    name: "one",
    text: "-- One.
create or replace function public.one(venue venues) returns int language sql set search_path = pg_catalog, pg_temp
as 'select 1';
revoke execute on function public.one(venues) from public;
alter function public.one(venues) owner to es_verbs;",
};
const TWO: FunctionFile = FunctionFile {
    name: "a_two",
    text: "-- Needs one when it is made.
-- after: one
create or replace function es.two(x int default 1) returns int language sql set search_path = pg_catalog, pg_temp
as 'select 2 * public.one(null::public.venues)';
revoke execute on function es.two(int) from public;",
};

#[tokio::test]
async fn files_are_applied_once_until_they_change() {
    let database = Database::migrated().await;
    let mut connection = database.connect().await;
    run(
        &mut connection,
        "set role es_owner; set search_path = public, pg_temp",
    )
    .await;
    drop_all(&mut connection)
        .await
        .expect("those of the program");

    let first = apply(&mut connection, &[TWO, ONE]).await.expect("apply");
    assert_eq!(first.applied, ["one", "a_two"]);
    assert_eq!(count(&mut connection, "select es.two()::int8").await, 2);
    assert!(
        apply(&mut connection, &[TWO, ONE])
            .await
            .expect("again")
            .applied
            .is_empty()
    );

    let changed = FunctionFile {
        name: "one",
        text: ONE.text.replace("select 1", "select 5").leak(),
    };
    assert_eq!(
        apply(&mut connection, &[TWO, changed])
            .await
            .expect("changed")
            .applied,
        ["one"]
    );
    assert_eq!(count(&mut connection, "select es.two()::int8").await, 10);

    let fewer = apply(&mut connection, &[changed]).await.expect("fewer");
    assert_eq!(
        (fewer.applied.len(), fewer.removed),
        (0, vec!["a_two".to_owned()])
    );
    assert_eq!(count(&mut connection, "select es.two()::int8").await, 10);

    let made = texts(
        &mut connection,
        "select unnest(signatures) from es.function_digests order by name desc",
    )
    .await;
    assert_eq!(made, ["one(venues)", "es.two(integer)"]);
    drop_all(&mut connection).await.expect("drop");
    let left = "select count(*) from pg_proc where proname in ('one', 'two')
        and pronamespace in ('public'::regnamespace, 'es'::regnamespace)";
    assert_eq!(count(&mut connection, left).await, 0);
    drop(connection);
    database.end().await;
}

#[tokio::test]
async fn a_broken_file_changes_nothing() {
    let database = Database::migrated().await;
    let mut connection = database.connect().await;
    run(
        &mut connection,
        "set role es_owner; set search_path = public, pg_temp",
    )
    .await;
    drop_all(&mut connection)
        .await
        .expect("those of the program");
    let broken = FunctionFile {
        name: "z",
        text: "create function public.z() returns int language plpgsql as 'begin retrun 1; end'",
    };
    let error = apply(&mut connection, &[ONE, broken])
        .await
        .expect_err("it is broken")
        .to_string();
    assert!(error.contains("sql/functions/z.sql"), "{error}");
    assert_eq!(
        count(&mut connection, "select count(*) from es.function_digests").await,
        0
    );
    assert_eq!(
        count(
            &mut connection,
            "select count(*) from pg_proc where proname = 'one'"
        )
        .await,
        0
    );
    drop(connection);
    database.end().await;
}

#[tokio::test]
async fn functions_that_lean_on_a_table_do_not_keep_it_from_going() {
    let database = Database::migrated().await;
    let mut connection = database.connect().await;
    run(
        &mut connection,
        "set role es_owner; set search_path = public, pg_temp",
    )
    .await;
    apply(&mut connection, &[ONE, TWO]).await.expect("apply");
    down(&database.admin, u32::MAX).await.expect("down");
    drop(connection);
    database.end().await;
}
