//! Under row level security an index serves a condition only if its operator is leakproof. PostgreSQL is asked how it
//! would answer each filter of the API, as a member and, where visitors may ask, as a visitor.

use eventsphere_graphql::{Scalar, catalog::Column};
use sqlx::PgConnection;

use crate::common::{Database, run, texts};

pub const ORG: &str = "00000000-0000-7000-8000-000000000001";

/// Rows enough for an index to pay: random values, spread over five organizations. Checks and keys are dropped, for
/// only the plan is asked, and what the values mean plays no part in it. Triggers rest for the same reason: what they would
/// write elsewhere is of no event that exists.
pub async fn fill(connection: &mut PgConnection, table: &str) {
    let drops = texts(
        connection,
        &format!(
            "select format('alter table {table} drop constraint %I', conname)
             from pg_constraint
             where conrelid = '{table}'::regclass and contype in ('c', 'f')"
        ),
    )
    .await;
    run(connection, &drops.join(";")).await;
    let columns = texts(
        connection,
        &format!(
            "select format('%I', attname) || ' ' || case
               when attname = 'org_id' then format('(''{{%s,%s,%s,%s,%s}}''::uuid[])[1 + mod(n, 5)]',
                 '{ORG}', es.new_id(), es.new_id(), es.new_id(), es.new_id())
               -- What visitors may see, so that their policy does not decide the plan.
               when attname = 'visibility' then '''public'''
               when attname = 'status' and attrelid = 'events'::regclass then '''published'''
               else case format_type(atttypid, null)
                 when 'uuid' then 'gen_random_uuid()'
                 when 'timestamp with time zone' then 'now() - random() * interval ''1 year'''
                 when 'text' then 'md5(random()::text)'
                 when 'text[]' then '''{{}}'''
                 when 'jsonb' then '''{{}}''::jsonb'
                 when 'boolean' then 'false'
                 when 'bytea' then 'sha256(convert_to(random()::text, ''UTF8''))'
                 else '(random() * 1000)::int'
               end
             end
             from pg_attribute
             where attrelid = '{table}'::regclass and attnum > 0 and not attisdropped
               -- Those follow from the others.
               and attgenerated = ''"
        ),
    )
    .await;
    let (names, values): (Vec<_>, Vec<_>) = columns
        .iter()
        .filter_map(|column| column.split_once(' '))
        .unzip();
    run(
        connection,
        &format!(
            "set session_replication_role = replica;
             insert into {table} ({}) select {} from generate_series(1, 8000) as n on conflict do nothing;
             reset session_replication_role;
             analyze {table}",
            names.join(", "),
            values.join(", ")
        ),
    )
    .await;
}

/// An operator of the API and a value that suits the column.
fn conditions(column: &Column) -> Vec<String> {
    let name = &column.name;
    match column.scalar {
        Scalar::Id(_) => vec![format!("{name} = '00000000-0000-7000-8000-000000000001'")],
        Scalar::DateTime => vec![
            format!("{name} > '2100-01-01'"),
            format!("{name} = '2100-01-01'"),
        ],
        Scalar::String => vec![
            format!("{name} = 'x'"),
            format!("{name} ^@ 'x'"),
            format!("{name} > 'x'"),
        ],
        Scalar::Enum(_) => vec![
            format!("{name} = 'x'"),
            format!("{name} = any ('{{x,y}}'::text[])"),
        ],
        _ => vec![format!("{name} = 1")],
    }
}

#[tokio::test]
async fn every_filter_uses_an_index_under_row_level_security() {
    let database = Database::migrated().await;
    let mut connection = database.connect().await;
    let declarations = eventsphere_entities::declarations();
    for declaration in &declarations {
        if declaration
            .entity
            .columns
            .iter()
            .any(|column| column.filterable)
        {
            fill(&mut connection, &declaration.entity.table).await;
        }
    }
    let mut unserved = vec![];
    let mut asked = 0;
    for declaration in declarations {
        let entity = declaration.entity;
        let scope = entity.scope.clone().unwrap_or_default();
        let roles: &[&str] = match entity.table.as_str() {
            "events" => &["es_member", "es_attendee", "es_public"],
            _ => &["es_member"],
        };
        for role in roles {
            run(
                &mut connection,
                &format!(
                    "begin;
                     select set_config('es.org', '{ORG}', true),
                       set_config('es.permissions', '{scope}', true), set_config('role', '{role}', true)"
                ),
            )
            .await;
            // Without a root connection it is only asked behind a parent.
            let parent = match entity.root_many.is_none() && entity.column("event_id").is_some() {
                true => format!("event_id = '{ORG}' and "),
                false => String::new(),
            };
            for column in entity.columns.iter().filter(|column| column.filterable) {
                for condition in conditions(column) {
                    let explain = format!(
                        "explain select id from {} where {parent}{condition}",
                        entity.table
                    );
                    let plan = texts(&mut connection, &explain).await;
                    let served = plan.iter().any(|line| {
                        line.contains("Index Cond:")
                            && (line.contains(&format!("({} ", column.name))
                                // The rows of one parent are few enough to be read.
                                || !parent.is_empty() && line.contains("event_id = "))
                    });
                    if !served {
                        unserved.push(format!(
                            "{role} {}: {condition}\n{}",
                            entity.table,
                            plan.join("\n")
                        ));
                    }
                    asked += 1;
                }
            }
            run(&mut connection, "rollback").await;
        }
    }
    assert!(unserved.is_empty(), "{}", unserved.join("\n"));
    assert!(asked > 50, "{asked}");
    drop(connection);
    database.end().await;
}

#[tokio::test]
async fn what_a_buyer_owns_is_looked_up_not_searched_for() {
    let database = Database::migrated().await;
    let mut connection = database.connect().await;
    let tables = [
        "registrations",
        "registration_items",
        "tickets",
        "attendees",
        "check_ins",
    ];
    for table in tables {
        fill(&mut connection, table).await;
    }
    run(
        &mut connection,
        &format!(
            "begin;
             select set_config('es.user', '{ORG}', true), set_config('es.guest', '{ORG}', true),
               set_config('role', 'es_attendee', true)"
        ),
    )
    .await;
    for table in tables {
        let plan = texts(&mut connection, &format!("explain select id from {table}")).await;
        assert!(
            !plan.iter().any(|line| line.contains("Seq Scan")),
            "{table}:\n{}",
            plan.join("\n")
        );
    }
    run(&mut connection, "rollback").await;
    drop(connection);
    database.end().await;
}

/// Whether a line of the plan has all of these words.
fn has(plan: &[String], words: &[&str]) -> bool {
    plan.iter()
        .any(|line| words.iter().all(|word| line.contains(word)))
}

#[tokio::test]
async fn search_finds_by_its_indexes() {
    let database = Database::migrated().await;
    let mut connection = database.connect().await;
    fill(&mut connection, "events").await;
    // As the function asks, which runs as this role.
    run(&mut connection, "set role es_system").await;
    for (condition, index) in [
        (
            "es.search_document(title, summary, description) @@ to_tsquery('simple', 'lantern:*')",
            "events_search_idx",
        ),
        (
            "'lantern' operator(extensions.<%) es.search_words(title)",
            "events_words_idx",
        ),
    ] {
        let explain = format!("explain select id from events where {condition}");
        let plan = texts(&mut connection, &explain).await;
        assert!(has(&plan, &["Bitmap Index Scan", index]), "{plan:#?}");
    }
    drop(connection);
    database.end().await;
}

#[tokio::test]
async fn related_rows_and_groups_below_a_parent_are_looked_up() {
    let database = Database::migrated().await;
    let mut connection = database.connect().await;
    let tables = ["events", "ticket_types", "registrations", "tickets"];
    for table in tables {
        fill(&mut connection, table).await;
    }
    for table in &tables[1..] {
        // Each at an event, as in life.
        run(
            &mut connection,
            &format!(
                "update {table} t set event_id = e.id, org_id = e.org_id
                 from (select id, org_id, row_number() over () as n from events) e,
                   (select id, row_number() over () as n from {table}) x
                 where x.id = t.id and e.n = x.n;
                 analyze {table}"
            ),
        )
        .await;
    }
    run(
        &mut connection,
        &format!(
            "begin;
             -- With so few rows a hash of all of them may be cheaper, when the autovacuum was there before.
             set local enable_hashjoin = off;
             set local enable_mergejoin = off;
             select set_config('es.org', '{ORG}', true),
               set_config('es.permissions', 'events:read,registrations:read', true), set_config('role', 'es_member', true)"
        ),
    )
    .await;
    let of_event = |table: &str| {
        format!(
            "select t.status, date_trunc('day', t.created_at at time zone e.time_zone)::date as k1, count(*)
             from {table} t left join events e on e.id = t.event_id where t.event_id = '{ORG}' group by 1, 2"
        )
    };
    for (asked, words) in [
        (of_event("registrations"), ["Index Cond:", "event_id = "]),
        (of_event("tickets"), ["Index Cond:", "event_id = "]),
        (
            "select t.id from events t where exists (select 1 from ticket_types r where r.event_id = t.id
               and r.price_minor >= 0) order by t.starts_at, t.id limit 20"
                .to_owned(),
            ["Index Cond:", "event_id = t.id"],
        ),
        (
            "select t.id from registrations t where exists (select 1 from events r where r.id = t.event_id
               and r.title > '0') order by t.placed_at, t.id limit 20"
                .to_owned(),
            ["Index Cond:", "id = t.event_id"],
        ),
    ] {
        let plan = texts(&mut connection, &format!("explain {asked}")).await;
        assert!(has(&plan, &words), "{asked}\n{plan:#?}");
    }
    run(&mut connection, "rollback").await;
    drop(connection);
    database.end().await;
}
