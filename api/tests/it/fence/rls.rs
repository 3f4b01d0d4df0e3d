//! Row level security with nothing else around it: every table, every weak role, no condition in the query.

use tokio_postgres::Client;

use super::{
    rows::{Rows, belongs, tables},
    world::{Side, reading},
};

const ROLES: [&str; 3] = ["es_public", "es_attendee", "es_member"];
const SETTINGS: [&str; 6] = [
    "es.user",
    "es.org",
    "es.permissions",
    "es.guest",
    "es.revealed",
    "es.actor",
];

/// Settings of a transaction, in the order of [`SETTINGS`].
type Given = [String; 6];

async fn count(client: &Client, role: &str, given: &Given, sql: &str) -> Result<i64, String> {
    client.batch_execute("begin").await.expect("a transaction");
    for (name, value) in SETTINGS.iter().zip(given) {
        client
            .execute("select set_config($1, $2, true)", &[name, value])
            .await
            .expect("a setting");
    }
    client
        .batch_execute(&format!("set local role {role}"))
        .await
        .expect("a role");
    let counted = client.query_one(sql, &[]).await;
    client.batch_execute("rollback").await.expect("an end");
    counted.map(|row| row.get(0)).map_err(|error| {
        error
            .code()
            .map_or_else(|| error.to_string(), |code| code.code().to_owned())
    })
}

/// Everything that anybody of A can have in the settings at once.
async fn all_of(client: &Client, side: &Side) -> Given {
    let one = |sql: String| async move {
        let row = client.query_one(&sql, &[]).await.expect("a value");
        row.get::<_, Option<String>>(0).unwrap_or_default()
    };
    let org = side.org;
    let codes = eventsphere::tenancy::permissions::PERMISSIONS;
    [
        one(format!("select user_id::text from registrations where org_id = '{org}' and user_id is not null limit 1")).await,
        org.to_string(),
        codes.iter().map(|permission| permission.code).collect::<Vec<_>>().join(","),
        one(format!("select string_agg(id::text, ',') from registrations where org_id = '{org}'")).await,
        one(format!("select string_agg(id::text, ',') from events where org_id = '{org}'")).await,
        "test".to_owned(),
    ]
}

/// The condition on rows of the side that are not public.
fn closed(public: &Rows, side: &Side, table: &str, columns: &[String]) -> Option<String> {
    let whose = belongs(table, columns, side.org)?;
    let open: Vec<String> = public
        .keys_of(table)
        .iter()
        .map(|key| format!("'{key}'"))
        .collect();
    let key = columns.iter().any(|column| column == "id");
    Some(match (key, open.is_empty()) {
        (true, false) => format!("({whose}) and id not in ({})", open.join(", ")),
        _ => whose,
    })
}

#[tokio::test]
async fn a_query_without_any_condition_shows_nothing_of_another() {
    let (app, world) = reading().await;
    let client = app.database.admin().await;
    let settings = all_of(&client, &world.a).await;
    let public = Rows::public(&client, &world.b).await;
    let rightful = all_of(&client, &world.b).await;
    let (mut asked, mut seen_by_owner) = (0, 0);
    for (table, columns) in tables(&client).await {
        let Some(closed) = closed(&public, &world.b, &table, &columns) else {
            continue;
        };
        let member_sees_nothing = belongs(&table, &columns, world.b.org).expect("whose");
        for role in ROLES {
            // A role that visitors take sees what is public; members see nothing of another organization at all.
            let condition = if role == "es_member" {
                &member_sees_nothing
            } else {
                &closed
            };
            let sql = among_all(&client, &table, condition).await;
            match count(&client, role, &settings, &sql).await {
                Ok(0) => {}
                Err(code) if code == "42501" => continue,
                other => panic!("{role} sees {other:?} of {table}"),
            }
            asked += 1;
            if count(&client, role, &rightful, &sql)
                .await
                .is_ok_and(|rows| rows > 0)
            {
                seen_by_owner += 1;
            }
        }
    }
    println!(
        "tables x roles behind row level security: {asked}, {seen_by_owner} with rows for the rightful"
    );
    assert!(
        seen_by_owner > 30,
        "the questions prove nothing: {seen_by_owner}"
    );
}

/// Counts how many of the rows that meet the condition are among all that the role sees. Which these are is found out
/// by the administrator: to the role the condition itself might look different.
async fn among_all(client: &Client, table: &str, condition: &str) -> String {
    let sql = format!("select t::text from {table} t where {condition}");
    let rows = client
        .query(&sql, &[])
        .await
        .unwrap_or_else(|error| panic!("{error}: {sql}"));
    let quoted = rows
        .iter()
        .map(|row| row.get::<_, String>(0).replace('\'', "''"));
    let wanted: Vec<String> = quoted.map(|row| format!("'{row}'")).collect();
    format!(
        "select count(*) from (select * from {table}) t where t::text = any (array[{}]::text[])",
        wanted.join(", ")
    )
}

#[tokio::test]
async fn without_settings_there_is_nothing_but_what_is_public() {
    let (app, world) = reading().await;
    let client = app.database.admin().await;
    let empty: Given = Default::default();
    let public = [
        Rows::public(&client, &world.a).await,
        Rows::public(&client, &world.b).await,
    ];
    for (table, _) in tables(&client).await {
        let open: usize = public.iter().map(|rows| rows.keys_of(&table).len()).sum();
        for role in ROLES {
            // What each permission means is no secret.
            if table == "permissions" || table == "seaql_migrations" {
                continue;
            }
            let expected = if role == "es_member" { 0 } else { open as i64 };
            match count(
                &client,
                role,
                &empty,
                &format!("select count(*) from {table}"),
            )
            .await
            {
                Ok(rows) => assert_eq!(rows, expected, "{role} and {table}"),
                Err(code) => assert_eq!(code, "42501", "{role} and {table}"),
            }
        }
    }
}

#[tokio::test]
async fn nonsense_in_the_settings_opens_nothing() {
    let (app, world) = reading().await;
    let client = app.database.admin().await;
    let public = [
        Rows::public(&client, &world.a).await,
        Rows::public(&client, &world.b).await,
    ];
    let own = world.a.org;
    for nonsense in [
        "x",
        "*",
        "' or true --",
        "00000000-0000-0000-0000-000000000000",
        "{}",
        "%",
        ",",
    ] {
        let mut settings = vec![SETTINGS.map(|_| nonsense.to_owned())];
        // Permissions of nothing, and an organization that is nearly one's own.
        settings.push(["", nonsense, "events:read,members:read", "", "", ""].map(str::to_owned));
        settings.push([
            "".into(),
            own.to_string(),
            nonsense.into(),
            "".into(),
            "".into(),
            "".into(),
        ]);
        for given in settings {
            for (table, _) in tables(&client).await {
                let open: usize = public.iter().map(|rows| rows.keys_of(&table).len()).sum();
                for role in ROLES {
                    if table == "permissions" {
                        continue;
                    }
                    let seen = count(
                        &client,
                        role,
                        &given,
                        &format!("select count(*) from {table}"),
                    )
                    .await;
                    // The name of the organization acted in is seen by whoever acts there.
                    let own = i64::from(
                        role == "es_member"
                            && given[1] == own.to_string()
                            && table == "organizations",
                    );
                    let most = if role == "es_member" {
                        own
                    } else {
                        open as i64
                    };
                    assert!(
                        seen.as_ref().map_or(true, |rows| *rows <= most),
                        "{role} {table} {given:?}: {seen:?}"
                    );
                }
            }
        }
    }
}
