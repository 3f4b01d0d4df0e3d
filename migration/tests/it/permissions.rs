//! The permission table and the built-in roles follow the program.

use eventsphere_entities::permissions::{PERMISSIONS, ROLES};
use eventsphere_migration::{permissions, up};

use crate::common::{Database, count, run, texts};

#[tokio::test]
async fn built_in_roles_of_old_organizations_follow() {
    let database = Database::migrated().await;
    let mut connection = database.connect().await;
    let codes = texts(
        &mut connection,
        "select code from permissions order by code",
    )
    .await;
    let mut expected: Vec<_> = PERMISSIONS
        .iter()
        .map(|permission| permission.code.to_owned())
        .collect();
    expected.sort();
    assert_eq!(codes, expected);

    run(
        &mut connection,
        "set role es_owner;
         insert into organizations (id, slug, name) values ('00000000-0000-7000-8000-00000000000a', 'old', 'Old');
         insert into roles (org_id, key, name, permissions, built_in) values
           ('00000000-0000-7000-8000-00000000000a', 'owner', 'Chief', '{events:read}', true),
           ('00000000-0000-7000-8000-00000000000a', 'viewer', 'Ours', '{audit:read}', false);
         insert into permissions (code, description, default_roles) values ('moon:read', 'Gone.', '{owner}');
         update permissions set description = 'Old words.' where code = 'events:read';
         reset role",
    )
    .await;
    let report = up(&database.admin).await.expect("up").permissions;
    assert_eq!((report.permissions, report.dropped), (1, 1));
    // All but `viewer`, which the organization made its own.
    assert_eq!(report.roles, ROLES.len() as u64 - 1);
    let owner = texts(
        &mut connection,
        "select name || ' ' || cardinality(permissions) from roles where key = 'owner'",
    )
    .await;
    assert_eq!(owner, [format!("Owner {}", PERMISSIONS.len())]);
    let own = texts(
        &mut connection,
        "select name from roles where key = 'viewer'",
    )
    .await;
    assert_eq!(own, ["Ours"]);
    assert_eq!(
        count(&mut connection, "select count(*) from roles").await,
        ROLES.len() as i64
    );

    run(&mut connection, "set role es_owner").await;
    let again = permissions::sync(&mut connection).await.expect("sync");
    assert_eq!(again, permissions::PermissionReport::default());
    drop(connection);
    database.end().await;
}
