//! The table permissions x roles, as it is lived: over HTTP, and in PostgreSQL alone with the program's checks left out.

use std::collections::BTreeSet;

use eventsphere::tenancy::permissions::{ROLES, permissions_of};
use eventsphere_graphql::{
    catalog::{Catalog, Entity},
    global_id,
    verb::{Generated, Verb},
};
use serde_json::json;
use tokio_postgres::Client;

use super::{
    ask::Who,
    inputs::{Place, Said, document, input},
    reads::of_nothing,
    rows::Rows,
    world::{AUDITOR, Side, TOKEN_SCOPES, World, reading, world},
};
use crate::harness::TestApp;

/// Everybody who acts for the organization, with what they may do by the table.
pub(super) fn actors(side: &Side) -> Vec<(Who, Vec<&'static str>)> {
    let mut all: Vec<_> = ROLES
        .iter()
        .map(|role| (side.member(role.key).clone(), permissions_of(role.key)))
        .collect();
    all.push((side.member("auditor").clone(), AUDITOR.to_vec()));
    all.push((side.token.clone(), TOKEN_SCOPES.to_vec()));
    all
}

pub(super) fn may(held: &[&str], scope: Option<&String>) -> bool {
    scope.is_none_or(|scope| held.contains(&scope.as_str()))
}

#[tokio::test]
async fn each_role_reads_exactly_what_its_permissions_open() {
    let (app, world) = reading().await;
    let catalog = &app.app.engine.catalog;
    let rows = Rows::read(&app.database.admin().await, &world.a).await;
    let mut cases = 0;
    for (who, held) in actors(&world.a) {
        for entity in catalog.entities.values() {
            cases += roots_agree(&app, &who, entity, &rows, &held).await;
        }
    }
    println!("reads by role: {cases}");
}

/// What somebody without the permission still finds of entities that ask for none: their own place.
fn rows_need(entity: &Entity) -> Option<String> {
    let own_place = ["members", "roles"].contains(&entity.table.as_str());
    let need = entity.scope.clone();
    need.or(own_place.then(|| "members:read".to_owned()))
}

/// Asks the entity by its root fields and by `node`; how many questions it was.
async fn roots_agree(
    app: &TestApp,
    who: &Who,
    entity: &Entity,
    rows: &Rows,
    held: &[&str],
) -> usize {
    let mut ids: Vec<_> = rows
        .keys(entity)
        .into_iter()
        .map(|key| global_id::encode(entity.tag, key))
        .collect();
    // Somebody else's rather than one's own: the owner came first, and has the role of that name.
    if let Some(owners) = rows
        .of(entity)
        .iter()
        .position(|(_, row)| row["key"] == "owner")
    {
        ids.swap(0, owners);
    }
    let refused = match may(held, entity.scope.as_ref()) {
        true => vec![],
        false => vec!["FORBIDDEN"],
    };
    let open = may(held, rows_need(entity).as_ref());
    let mut questions = 0;
    let variables = json!({ "id": ids[0] });
    if let Some(root) = &entity.root_one {
        let query = format!("query($id: ID!) {{ {root}(id: $id) {{ id }} }}");
        let answer = who.asks(app, &query, &variables).await;
        assert_eq!(answer.codes(), refused, "{} {root}", who.name);
        assert_eq!(
            answer.text.contains(&ids[0]),
            open,
            "{} {root} {}",
            who.name,
            answer.text
        );
        questions += 1;
    }
    if let Some(root) = &entity.root_many {
        let query = format!("{{ {root}(first: 1) {{ totalCount nodes {{ id }} }} }}");
        let answer = who.asks(app, &query, &json!({})).await;
        assert_eq!(answer.codes(), refused, "{} {root}", who.name);
        let total = &answer.json()["data"][root]["totalCount"];
        assert_eq!(
            *total == json!(ids.len()),
            open,
            "{} {root} {total}",
            who.name
        );
        questions += 1;
    }
    // Devices and names are the person's own, whatever the role.
    if rows_need(entity).is_some() {
        let query = "query($id: ID!) { node(id: $id) { id } }";
        let answer = who.asks(app, query, &variables).await;
        assert_eq!(
            answer.text.contains(&ids[0]),
            open,
            "{} {} {}",
            who.name,
            entity.name,
            answer.text
        );
        questions += 1;
    }
    questions
}

#[tokio::test]
async fn each_mutation_is_forbidden_exactly_when_the_permission_is_missing() {
    let (app, world) = world().await;
    let catalog = &app.app.engine.catalog;
    let mut cases = 0;
    for (who, held) in actors(&world.a) {
        for verb in catalog.verbs.values() {
            let Some(scope) = &verb.scope else { continue };
            let answer = attempt(&app, &who, catalog, verb, world).await;
            let forbidden = answer.codes() == ["FORBIDDEN"];
            let missing = !held.contains(&scope.as_str());
            // Some answer as a value of theirs what only people may do, whatever the permission.
            assert_eq!(
                forbidden, missing,
                "{} {} {}",
                who.name, verb.name, answer.text
            );
            cases += 1;
        }
    }
    println!("mutations by role: {cases}");
}

/// With ids of nothing: what is allowed finds nothing, what is not is not even looked for.
async fn attempt(
    app: &TestApp,
    who: &Who,
    catalog: &Catalog,
    verb: &Verb,
    world: &World,
) -> super::ask::Answer {
    let id = |(_, name): &Place| {
        let entity = &catalog.entities[name];
        Some(of_nothing(&global_id::encode(entity.tag, world.a.org)))
    };
    let variables = json!({ "input": input(catalog, verb, Said::Needed, &id) });
    who.asks(app, &document(catalog, verb), &variables).await
}

/// A transaction as the door makes it, in the weak role, with these permissions and no person.
async fn act(client: &Client, side: &Side, held: &[&str]) {
    let sql = format!(
        "begin; select set_config('es.user', '', true), set_config('es.org', '{}', true), \
         set_config('es.permissions', '{}', true), set_config('es.guest', '', true), \
         set_config('es.revealed', '', true), set_config('es.actor', 'test', true), \
         set_config('role', 'es_member', true)",
        side.org,
        held.join(",")
    );
    client.batch_execute(&sql).await.expect("a role");
}

#[tokio::test]
async fn the_database_alone_lets_each_role_read_the_same() {
    let (app, world) = reading().await;
    let catalog = &app.app.engine.catalog;
    let client = app.database.admin().await;
    for (who, held) in actors(&world.a) {
        act(&client, &world.a, &held).await;
        for entity in catalog.entities.values() {
            let sql = format!("select count(*) from {}", entity.table);
            let seen: i64 = client.query_one(&sql, &[]).await.expect("a count").get(0);
            let open = match entity.table.as_str() {
                // Without a person there is nobody's device.
                "device_sessions" => false,
                // Names of fellow members are read through them.
                "users" => held.contains(&"members:read"),
                _ => may(&held, rows_need(entity).as_ref()),
            };
            assert_eq!(seen > 0, open, "{} {}: {seen}", who.name, entity.table);
        }
        client.batch_execute("rollback").await.expect("an end");
    }
}

#[tokio::test]
async fn the_database_alone_lets_each_role_write_the_same() {
    let (app, world) = reading().await;
    let catalog = &app.app.engine.catalog;
    let client = app.database.admin().await;
    let generated: Vec<(&Verb, &Generated)> = catalog
        .verbs
        .values()
        .filter_map(|verb| verb.generated.as_ref().map(|kind| (verb, kind)))
        .collect();
    let mut opened = BTreeSet::new();
    for (who, held) in actors(&world.a) {
        for (verb, kind) in &generated {
            let scope = verb.scope.as_deref().expect("a scope");
            // Reading comes with writing in every role; here the two are taken apart.
            let open = held.contains(&scope);
            let written = write(&client, &world.a, &held, catalog, kind).await;
            assert_eq!(written, open, "{} {}", who.name, verb.name);
            if written {
                opened.insert(&verb.name);
            }
        }
    }
    let all: BTreeSet<_> = generated.iter().map(|(verb, _)| &verb.name).collect();
    assert_eq!(opened, all, "writes that somebody could do");
}

/// Tries the statement on a row that can take it, undone afterwards.
async fn write(
    client: &Client,
    side: &Side,
    held: &[&str],
    catalog: &Catalog,
    kind: &Generated,
) -> bool {
    let (Generated::Create(name) | Generated::Update(name) | Generated::Delete(name)) = kind;
    let entity = &catalog.entities[name];
    let writes = entity.writes.as_ref().expect("writes");
    let (table, key) = (&entity.table, &entity.key);
    let tenant = if table == "organizations" {
        "id"
    } else {
        "org_id"
    };
    let whose = format!("{tenant} = '{}'", side.org);
    // Found by the administrator: the role may not read everything that could need a row.
    let unused = format!(
        "select {key} from {table} where {whose} and {} order by {key} limit 1",
        unused(table)
    );
    let row: uuid::Uuid = client
        .query_one(&unused, &[])
        .await
        .unwrap_or_else(|error| panic!("{error}: {unused}"))
        .get(0);
    let unused = format!("{key} = '{row}'");
    client.batch_execute("begin").await.expect("a transaction");
    let sql = match kind {
        Generated::Update(_) => {
            let set: Vec<_> = writes
                .update
                .iter()
                .map(|column| format!("{column} = {column}"))
                .collect();
            format!("update {table} set {} where {whose}", set.join(", "))
        }
        Generated::Delete(_) => format!("delete from {table} where {unused}"),
        // What was there once fits: it is taken out by the owner and put in again by the role.
        Generated::Create(_) => {
            let columns = ["org_id".to_owned()]
                .into_iter()
                .chain(writes.create.clone())
                .collect::<Vec<_>>()
                .join(", ");
            let kept = format!(
                "create temporary table kept on commit drop as select {columns} from {table} where {unused}; \
                 grant select on kept to es_member; delete from {table} where {unused}"
            );
            client
                .batch_execute(&kept)
                .await
                .unwrap_or_else(|error| panic!("{error}: {kept}"));
            format!("insert into {table} ({columns}) select {columns} from kept")
        }
    };
    let role = format!(
        "select set_config('es.user', '', true), set_config('es.org', '{}', true), \
         set_config('es.permissions', '{}', true), set_config('role', 'es_member', true)",
        side.org,
        held.join(",")
    );
    client.batch_execute(&role).await.expect("a role");
    let written = client.execute(&sql, &[]).await;
    client.batch_execute("rollback").await.expect("an end");
    match written {
        Ok(rows) => rows > 0,
        Err(error) => {
            let code = error.code().map(|code| code.code().to_owned());
            assert_eq!(code.as_deref(), Some("42501"), "{error}: {sql}");
            false
        }
    }
}

/// Rows of the table that nothing else needs.
fn unused(table: &str) -> &'static str {
    match table {
        "ticket_types" => {
            "not exists (select from registration_items i where i.ticket_type_id = ticket_types.id)"
        }
        "capacity_pools" => {
            "kind = 'stock' and not exists (select from pool_claims c where c.pool_id = capacity_pools.id)"
        }
        "price_tiers" => {
            "not exists (select from registration_items i where i.tier_id = price_tiers.id)"
        }
        "promo_codes" => {
            "not exists (select from registrations r where r.promo_code_id = promo_codes.id)"
        }
        "check_in_lists" => {
            "not exists (select from check_ins c where c.list_id = check_in_lists.id)"
        }
        _ => "true",
    }
}

#[tokio::test]
async fn who_may_only_look_at_registrations_cannot_change_one() {
    let (app, world) = world().await;
    let admin = app.database.admin().await;
    let sql = "select id from registrations where org_id = $1 and status = $2 limit 1";
    for (status, verb) in [
        ("confirmed", "cancelRegistration"),
        ("held", "confirmRegistration"),
    ] {
        let key = admin
            .query_one(sql, &[&world.a.org, &status])
            .await
            .expect("a registration")
            .get(0);
        let id = global_id::encode(app.app.engine.catalog.entities["Registration"].tag, key);
        let mut type_name = verb.to_owned();
        type_name[..1].make_ascii_uppercase();
        let query = format!(
            "mutation($input: {type_name}Input!) {{ {verb}(input: $input) {{ registration {{ status }} userErrors {{ code }} }} }}"
        );
        let mut done = vec![];
        // The weak first: what they cannot do is still to be done.
        for (who, held) in actors(&world.a).into_iter().rev() {
            let input = json!({ "registrationId": id, "idempotencyKey": crate::harness::key() });
            let answer = who.asks(&app, &query, &json!({ "input": input })).await;
            let did = answer.json()["data"][verb]["userErrors"] == json!([]);
            let may = held.contains(&"registrations:write");
            assert_eq!(did, may, "{} {verb} {}", who.name, answer.text);
            done.push(did);
        }
        assert!(done.contains(&true) && done.contains(&false));
    }
}
