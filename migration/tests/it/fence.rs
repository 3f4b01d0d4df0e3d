//! Row level security at the level of SQL: two organizations with rows in every table, and who sees which.

use std::collections::BTreeMap;

use eventsphere_entities::permissions::{PERMISSIONS, ROLES, permissions_of};
use eventsphere_graphql::catalog::{Entity, Field, Relation};
use sqlx::{AssertSqlSafe, PgConnection};

use crate::common::{Database, count, run, tenant_tables, texts};

const SEED: &str = include_str!("common/seed.sql");

fn org(letter: char) -> String {
    id(letter, "0000000000aa")
}

fn id(letter: char, end: &str) -> String {
    format!("{letter}0000000-0000-7000-8000-{end:0>12}")
}

async fn two_organizations() -> Database {
    let database = Database::migrated().await;
    let mut connection = database.connect().await;
    run(&mut connection, "set role es_owner").await;
    for letter in ['a', 'b'] {
        // Addresses carry a doubled mark: the letter, and the mark itself.
        let seed = SEED
            .replace("@@", &format!("-{letter}\u{1}"))
            .replace("@example", "\u{1}example")
            .replace('@', &letter.to_string())
            .replace('\u{1}', "@");
        run(&mut connection, &seed).await;
    }
    database
}

/// Settings of a transaction, as the door makes them.
#[derive(Default)]
struct As {
    role: &'static str,
    user: String,
    org: String,
    permissions: String,
    guest: String,
    revealed: String,
}

impl As {
    fn role(role: &'static str) -> Self {
        Self {
            role,
            ..Self::default()
        }
    }

    fn member(letter: char, permissions: &[&str]) -> Self {
        Self {
            role: "es_member",
            user: id(letter, "1"),
            org: org(letter),
            permissions: permissions.join(","),
            ..Self::default()
        }
    }

    fn everything(letter: char) -> Self {
        let all: Vec<_> = PERMISSIONS
            .iter()
            .map(|permission| permission.code)
            .collect();
        Self::member(letter, &all)
    }

    async fn begin(&self, connection: &mut PgConnection) {
        run(
            connection,
            &format!(
                "begin;
                 select set_config('es.user', '{}', true), set_config('es.org', '{}', true),
                   set_config('es.permissions', '{}', true), set_config('es.guest', '{}', true),
                   set_config('es.revealed', '{}', true), set_config('role', '{}', true)",
                self.user, self.org, self.permissions, self.guest, self.revealed, self.role
            ),
        )
        .await;
    }

    /// Rows of a table that it sees, by the last four characters of the key, with the organization's letter.
    async fn sees(&self, connection: &mut PgConnection, table: &str) -> Vec<String> {
        self.begin(connection).await;
        let rows = texts(
            connection,
            &format!("select left(id::text, 1) || right(id::text, 2) from {table} order by 1"),
        )
        .await;
        run(connection, "rollback").await;
        rows
    }
}

/// How many rows of its own and of the other organization a role sees, table by table, where it may read at all.
async fn seen(connection: &mut PgConnection, who: &As, own: char) -> BTreeMap<String, (i64, i64)> {
    let mut found = BTreeMap::new();
    for (table, column) in tenant_tables(connection).await {
        who.begin(connection).await;
        let readable = texts(
            connection,
            &format!("select has_table_privilege(current_user, '{table}', 'select')::text"),
        )
        .await;
        if readable == ["true"] {
            let ours = format!(
                "select count(*) from {table} where {column} = '{}'",
                org(own)
            );
            // Neither filter nor join of ours: whatever else comes is the fence's fault.
            let others = format!(
                "select count(*) from {table} where {column} is distinct from '{}'",
                org(own)
            );
            let seen = (
                count(connection, &ours).await,
                count(connection, &others).await,
            );
            found.insert(table, seen);
        }
        run(connection, "rollback").await;
    }
    found
}

#[tokio::test]
async fn a_member_sees_all_of_the_own_organization_and_nothing_of_another() {
    let database = two_organizations().await;
    let mut connection = database.connect().await;
    for letter in ['a', 'b'] {
        let seen = seen(&mut connection, &As::everything(letter), letter).await;
        assert_eq!(
            seen.len(),
            63 - 1,
            "every declared table but users belongs to a tenant: {seen:?}"
        );
        for (table, (own, other)) in seen {
            assert!(own > 0, "{letter} sees nothing of its own {table}");
            assert_eq!(other, 0, "{letter} sees {table} of another");
        }
    }
    drop(connection);
    database.end().await;
}

#[tokio::test]
async fn the_owner_of_verbs_is_fenced_in_too() {
    let database = two_organizations().await;
    let mut connection = database.connect().await;
    let verbs = As {
        org: org('a'),
        ..As::role("es_verbs")
    };
    let inside = seen(&mut connection, &verbs, 'a').await;
    assert!(inside.len() > 20, "{inside:?}");
    for (table, (own, other)) in inside {
        assert!(own > 0, "verbs see nothing of their own {table}");
        assert_eq!(other, 0, "verbs see {table} of another");
    }
    for (table, (own, other)) in seen(&mut connection, &As::role("es_verbs"), 'a').await {
        assert_eq!(
            (own, other),
            (0, 0),
            "outside any organization verbs see {table}"
        );
    }
    drop(connection);
    database.end().await;
}

#[tokio::test]
async fn backfills_and_system_doors_see_everything() {
    let database = two_organizations().await;
    let mut connection = database.connect().await;
    for role in ["es_owner", "es_system"] {
        let seen = seen(&mut connection, &As::role(role), 'a').await;
        assert_eq!(seen.len(), tenant_tables(&mut connection).await.len());
        for (table, (own, other)) in seen {
            assert!(
                own > 0 && other > 0,
                "{role} sees {own} and {other} of {table}"
            );
        }
    }
    drop(connection);
    database.end().await;
}

#[tokio::test]
async fn a_permission_opens_its_tables_and_no_other() {
    let database = two_organizations().await;
    let mut connection = database.connect().await;
    let scopes: BTreeMap<String, Option<String>> = eventsphere_entities::declarations()
        .into_iter()
        .map(|declaration| (declaration.entity.table, declaration.entity.scope))
        .collect();
    for permission in PERMISSIONS {
        // A token: no user, so nothing is seen for being one's own.
        let token = As {
            user: String::new(),
            ..As::member('a', &[permission.code])
        };
        for (table, (own, other)) in seen(&mut connection, &token, 'a').await {
            let opened = match scopes.get(&table).cloned().flatten() {
                Some(scope) => scope == permission.code,
                None => table == "organizations",
            };
            assert_eq!(own > 0, opened, "{} and {table}", permission.code);
            assert_eq!(other, 0, "{} and {table}", permission.code);
        }
    }
    drop(connection);
    database.end().await;
}

#[tokio::test]
async fn a_member_without_permissions_still_finds_the_own_place() {
    let database = two_organizations().await;
    let mut connection = database.connect().await;
    let nobody = As::member('a', &permissions_of("nobody"));
    assert_eq!(nobody.sees(&mut connection, "organizations").await, ["aaa"]);
    assert_eq!(nobody.sees(&mut connection, "roles").await, ["a04"]);
    assert_eq!(nobody.sees(&mut connection, "members").await.len(), 1);
    assert_eq!(nobody.sees(&mut connection, "users").await, ["a01"]);
    assert_eq!(
        nobody.sees(&mut connection, "device_sessions").await,
        ["a03"]
    );
    assert!(nobody.sees(&mut connection, "events").await.is_empty());
    drop(connection);
    database.end().await;
}

#[tokio::test]
async fn somebody_who_works_in_two_organizations_acts_in_one() {
    let database = two_organizations().await;
    let mut connection = database.connect().await;
    run(
        &mut connection,
        &format!(
            "set role es_owner;
             insert into members (org_id, user_id, role_id) values ('{}', '{}', '{}');
             reset role",
            org('b'),
            id('a', "1"),
            id('b', "4")
        ),
    )
    .await;
    for (table, (_, other)) in seen(&mut connection, &As::everything('a'), 'a').await {
        assert_eq!(other, 0, "{table}");
    }
    // Acting in none, the same person finds both.
    let attendee = As {
        user: id('a', "1"),
        ..As::role("es_attendee")
    };
    assert_eq!(attendee.sees(&mut connection, "members").await.len(), 2);
    assert_eq!(
        attendee.sees(&mut connection, "roles").await,
        ["a04", "b04"]
    );
    drop(connection);
    database.end().await;
}

#[tokio::test]
async fn visitors_see_what_is_public_of_all_organizations() {
    let database = two_organizations().await;
    let mut connection = database.connect().await;
    let visitor = As::role("es_public");
    for (table, expected) in [
        ("events", vec!["ae1", "be1"]),
        ("occurrences", vec!["ac1", "bc1"]),
        ("sessions", vec!["ab1", "bb1"]),
        ("speakers", vec!["af1", "bf1"]),
        ("venues", vec!["a07", "b07"]),
        ("ticket_types", vec!["ad1", "ad5", "bd1", "bd5"]),
        ("ticket_type_add_ons", vec!["a71", "b71"]),
        ("organizations", vec!["aaa", "baa"]),
    ] {
        assert_eq!(
            visitor.sees(&mut connection, table).await,
            expected,
            "{table}"
        );
    }
    assert_eq!(
        visitor
            .sees(&mut connection, "session_speakers")
            .await
            .len(),
        2
    );
    assert_eq!(visitor.sees(&mut connection, "branding").await.len(), 2);
    let readable: Vec<_> = seen(&mut connection, &visitor, 'a')
        .await
        .into_keys()
        .collect();
    assert_eq!(
        readable,
        [
            "branding",
            "events",
            "occurrences",
            "organizations",
            "session_speakers",
            "sessions",
            "speakers",
            "ticket_type_add_ons",
            "ticket_types",
            "venues"
        ]
    );
    drop(connection);
    database.end().await;
}

#[tokio::test]
async fn an_unlisted_event_opens_with_its_parts_once_it_is_revealed() {
    let database = two_organizations().await;
    let mut connection = database.connect().await;
    let visitor = As {
        // The draft stays closed even when it is named.
        revealed: format!("{},{},{}", id('a', "e2"), id('a', "e3"), id('a', "e4")),
        ..As::role("es_public")
    };
    assert_eq!(
        visitor.sees(&mut connection, "events").await,
        ["ae1", "ae2", "be1"]
    );
    assert_eq!(
        visitor.sees(&mut connection, "sessions").await,
        ["ab1", "ab2", "bb1"]
    );
    assert_eq!(
        visitor.sees(&mut connection, "ticket_types").await,
        ["ad1", "ad2", "ad5", "bd1", "bd5"]
    );
    drop(connection);
    database.end().await;
}

#[tokio::test]
async fn buyers_see_their_own_registrations_and_what_these_open() {
    let database = two_organizations().await;
    let mut connection = database.connect().await;
    let buyer = As {
        user: id('a', "2"),
        ..As::role("es_attendee")
    };
    for (table, expected) in [
        ("registrations", vec!["a21"]),
        ("registration_items", vec!["a31"]),
        ("attendees", vec!["a11"]),
        ("check_ins", vec!["a51"]),
        ("events", vec!["ae1", "ae3", "be1"]),
        ("occurrences", vec!["ac1", "ac3", "bc1"]),
        ("venues", vec!["a07", "a08", "b07"]),
        ("ticket_types", vec!["ad1", "ad3", "ad5", "bd1", "bd5"]),
        ("users", vec!["a02"]),
        ("members", vec![]),
        ("device_sessions", vec![]),
    ] {
        assert_eq!(
            buyer.sees(&mut connection, table).await,
            expected,
            "{table}"
        );
    }
    assert_eq!(buyer.sees(&mut connection, "tickets").await.len(), 1);
    assert_eq!(
        buyer
            .sees(&mut connection, "event_online_access")
            .await
            .len(),
        1
    );
    drop(connection);
    database.end().await;
}

#[tokio::test]
async fn a_guest_secret_opens_one_registration() {
    let database = two_organizations().await;
    let mut connection = database.connect().await;
    let guest = As {
        guest: id('a', "22"),
        ..As::role("es_attendee")
    };
    assert_eq!(guest.sees(&mut connection, "registrations").await, ["a22"]);
    assert_eq!(guest.sees(&mut connection, "attendees").await, ["a12"]);
    // A kind that is hidden from visitors, because it is what the guest took.
    assert_eq!(
        guest.sees(&mut connection, "ticket_types").await,
        ["ad1", "ad5", "ad8", "bd1", "bd5"]
    );
    // Only held: the way in online stays closed.
    assert!(
        guest
            .sees(&mut connection, "event_online_access")
            .await
            .is_empty()
    );
    let nobody = As::role("es_attendee");
    assert!(
        nobody
            .sees(&mut connection, "registrations")
            .await
            .is_empty()
    );
    drop(connection);
    database.end().await;
}

#[tokio::test]
async fn members_cannot_write_into_another_organization() {
    let database = two_organizations().await;
    let mut connection = database.connect().await;
    let member = As::everything('a');
    for declaration in eventsphere_entities::declarations() {
        let entity = declaration.entity;
        let Some(writes) = entity.writes else {
            continue;
        };
        let tenant = if entity.table == "organizations" {
            "id"
        } else {
            "org_id"
        };
        let set: Vec<_> = writes
            .update
            .iter()
            .map(|column| format!("{column} = {column}"))
            .collect();
        let mut statements = vec![];
        if !set.is_empty() {
            statements.push(format!("update {} set {}", entity.table, set.join(", ")));
        }
        if writes.delete {
            statements.push(format!("delete from {}", entity.table));
        }
        for statement in statements {
            for (letter, touched) in [('b', false), ('a', true)] {
                member.begin(&mut connection).await;
                // What is sold blocks its deletion; the claims and items are not what is asked here.
                run(&mut connection, "reset role").await;
                if statement.starts_with("delete") {
                    run(
                        &mut connection,
                        "delete from check_ins; delete from ticket_transfers; delete from tickets; delete from pool_claims; delete from registration_items; \
                         delete from stock_holds; delete from waitlist_offers; delete from waitlist_lines",
                    )
                    .await;
                }
                run(&mut connection, "set local role es_member").await;
                let rows = sqlx::query(AssertSqlSafe(format!(
                    "{statement} where {tenant} = '{}'",
                    org(letter)
                )))
                .execute(&mut connection)
                .await
                .unwrap_or_else(|error| panic!("{error}\nin: {statement}"))
                .rows_affected();
                assert_eq!(rows > 0, touched, "{statement} in {letter}");
                run(&mut connection, "rollback").await;
            }
        }
    }
    for (letter, accepted) in [('b', false), ('a', true)] {
        member.begin(&mut connection).await;
        let made = sqlx::query(AssertSqlSafe(format!(
            "insert into venues (org_id, name) values ('{}', 'Barn')",
            org(letter)
        )))
        .execute(&mut connection)
        .await;
        assert_eq!(made.is_ok(), accepted, "{letter}: {made:?}");
        run(&mut connection, "rollback").await;
    }
    drop(connection);
    database.end().await;
}

#[tokio::test]
async fn a_key_cannot_point_into_another_organization() {
    let database = two_organizations().await;
    let mut connection = database.connect().await;
    let member = As::everything('a');
    for (letter, refused) in [('b', Some("session_speakers_speaker_fk")), ('a', None)] {
        member.begin(&mut connection).await;
        let made = sqlx::query(AssertSqlSafe(format!(
            "insert into session_speakers (org_id, event_id, session_id, speaker_id)
             values ('{}', '{}', '{}', '{}')",
            org('a'),
            id('a', "e1"),
            id('a', "b1"),
            id(letter, "f4")
        )))
        .execute(&mut connection)
        .await;
        let constraint = made
            .err()
            .and_then(|error| error.into_database_error())
            .and_then(|error| error.constraint().map(str::to_owned));
        assert_eq!(constraint.as_deref(), refused);
        run(&mut connection, "rollback").await;
    }
    drop(connection);
    database.end().await;
}

/// Everybody who asks: tokens with one permission each, members of each role, buyers, guests, visitors.
fn everybody() -> Vec<As> {
    let mut all = vec![
        As::everything('a'),
        As {
            user: id('a', "1"),
            ..As::role("es_attendee")
        },
        As {
            user: id('a', "2"),
            ..As::role("es_attendee")
        },
        As {
            guest: id('a', "22"),
            ..As::role("es_attendee")
        },
        As::role("es_public"),
        As {
            revealed: id('a', "e2"),
            ..As::role("es_public")
        },
    ];
    all.extend(
        ROLES
            .iter()
            .map(|role| As::member('a', &role.permissions())),
    );
    all.extend(PERMISSIONS.iter().map(|permission| As {
        user: String::new(),
        ..As::member('a', &[permission.code])
    }));
    all
}

/// Relations that the API promises never to be null.
fn promises(entity: &Entity) -> impl Iterator<Item = &Relation> {
    entity.fields.values().filter_map(|field| match field {
        Field::Relation(relation) if relation.required => Some(relation),
        _ => None,
    })
}

#[tokio::test]
async fn whoever_sees_a_row_sees_what_it_promises_to_lead_to() {
    let database = two_organizations().await;
    let mut connection = database.connect().await;
    let declarations = eventsphere_entities::declarations();
    let mut met = BTreeMap::new();
    for who in everybody() {
        who.begin(&mut connection).await;
        for entity in declarations.iter().map(|declaration| &declaration.entity) {
            for relation in promises(entity) {
                let may = format!(
                    "select (has_table_privilege(current_user, '{}', 'select')
                       and has_table_privilege(current_user, '{}', 'select'))::text",
                    entity.table, relation.target_table
                );
                if texts(&mut connection, &may).await != ["true"] {
                    continue;
                }
                let from = format!(
                    "from {} ours left join {} theirs on theirs.{} = ours.{}",
                    entity.table, relation.target_table, relation.to_column, relation.from_column
                );
                let broken = count(
                    &mut connection,
                    &format!("select count(*) {from} where theirs.id is null"),
                )
                .await;
                let name = format!("{}.{}", entity.name, relation.field);
                assert_eq!(
                    broken, 0,
                    "{name} as {} with [{}]",
                    who.role, who.permissions
                );
                *met.entry(name).or_insert(0) +=
                    count(&mut connection, &format!("select count(*) {from}")).await;
            }
        }
        run(&mut connection, "rollback").await;
    }
    let unmet: Vec<_> = met.iter().filter(|(_, rows)| **rows == 0).collect();
    assert!(unmet.is_empty() && met.len() > 20, "{unmet:?}");
    drop(connection);
    database.end().await;
}
