//! Root fields: what they list and how many they count is exactly what is one's own, by the rows themselves.

use std::collections::BTreeSet;

use eventsphere_graphql::catalog::{Catalog, Entity};
use serde_json::{Value, json};

use super::{
    ask::Who,
    document::{asking_for, scalars},
    reads::{Secrets, ask_all},
    rows::Rows,
    world::{Side, World, reading, world},
};

fn functions(catalog: &Catalog, side: &Side, event: &str) -> Vec<(String, String)> {
    let functions = catalog.functions.values();
    functions
        .map(|function| {
            let own = scalars(&catalog.entities[&function.entity]);
            let inner = match function.many {
                true => format!("totalCount nodes {{ {own} }}"),
                false => own,
            };
            let arguments = match asking_for(&function.field, side.tag, event) {
                none if none.is_empty() => none,
                some => format!("({some})"),
            };
            (
                function.field.clone(),
                format!("{{ {}{arguments} {{ {inner} }} }}", function.field),
            )
        })
        .collect()
}

part!(
    functions_give_ones_own_and_no_closed_thing_of_another,
    FUNCTIONS,
    given_by_functions
);
part!(
    lists_and_counts_are_those_of_the_rows_that_are_really_there,
    LISTS,
    lists
);

async fn given_by_functions() {
    let (app, world) = reading().await;
    let catalog = &app.app.engine.catalog;
    let secrets = Secrets::read(&app, world).await;
    let mut questions = vec![];
    for who in world.strangers() {
        for side in [&world.a, &world.b] {
            for event in ["open", "closed", "draft", "archived", "nothing"] {
                for (_, query) in functions(catalog, side, event) {
                    questions.push((who.clone(), query, json!({})));
                }
            }
        }
    }
    for (who, query, answer) in ask_all(&app, questions).await {
        secrets.of(world, &who).check(&who, &query, &answer);
    }
    let mut answered = BTreeSet::new();
    for who in world.b.everybody() {
        for (field, query) in functions(catalog, &world.b, "closed") {
            let answer = who.asks(&app, &query, &json!({})).await;
            let value = &answer.json()["data"][&field];
            if !value.is_null() && value["totalCount"] != json!(0) {
                answered.insert(field);
            }
        }
    }
    let all: BTreeSet<String> = catalog.functions.keys().cloned().collect();
    assert_eq!(
        answered, all,
        "functions that answered their rightful caller"
    );
}

#[tokio::test]
async fn an_unlisted_event_is_open_for_the_one_question_that_names_it() {
    let (app, world) = world().await;
    let tag = world.b.tag;
    let named = format!(
        "{{ eventBySlug(organizationSlug: \"{tag}-society\", slug: \"{tag}-unlisted-day\") {{ id title }} }}"
    );
    let listed = "{ events(first: 20) { totalCount nodes { id title } } }";
    for who in [
        Who::anonymous(),
        world.a.buyer.clone(),
        world.a.guest.clone(),
    ] {
        let found = who.asks(&app, &named, &json!({})).await.json();
        let id = found["data"]["eventBySlug"]["id"].clone();
        assert!(id.is_string(), "{} {found}", who.name);
        // Many enough to meet every connection of the pool again.
        for _ in 0..12 {
            let later = who.asks(&app, listed, &json!({})).await;
            let by_id = "query($id: ID!) { event(id: $id) { id } node(id: $id) { id } }";
            let by_id = who.asks(&app, by_id, &json!({ "id": id })).await;
            assert!(
                !later.text.contains("bilbao unlisted day"),
                "{} {}",
                who.name,
                later.text
            );
            assert_eq!(by_id.json()["data"], json!({ "event": null, "node": null }));
        }
    }
    // A member of another organization acts there, and finds none of it.
    let member = world.a.member("owner").asks(&app, &named, &json!({})).await;
    assert_eq!(member.json()["data"]["eventBySlug"], Value::Null);
}

/// Ids that a connection lists, over all its pages, and what it counts.
async fn listed(
    app: &crate::harness::TestApp,
    who: &Who,
    entity: &Entity,
) -> Option<(BTreeSet<String>, i64)> {
    let root = entity.root_many.as_ref().expect("a root connection");
    let query = format!(
        "query($after: String) {{ {root}(first: 100, after: $after) {{ totalCount nodes {{ id }} pageInfo {{ hasNextPage endCursor }} }} }}"
    );
    let (mut ids, mut after) = (BTreeSet::new(), Value::Null);
    loop {
        let answer = who
            .asks(app, &query, &json!({ "after": after }))
            .await
            .json();
        let page = &answer["data"][root];
        let nodes = page["nodes"].as_array()?;
        ids.extend(
            nodes
                .iter()
                .filter_map(|node| node["id"].as_str().map(str::to_owned)),
        );
        if page["pageInfo"]["hasNextPage"] != json!(true) {
            return Some((ids, page["totalCount"].as_i64()?));
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

fn ids(rows: &Rows, entity: &Entity) -> BTreeSet<String> {
    let keys = rows.keys(entity).into_iter();
    keys.map(|key| eventsphere_graphql::global_id::encode(entity.tag, key))
        .collect()
}

async fn lists() {
    let (app, world): (_, &World) = reading().await;
    let catalog = &app.app.engine.catalog;
    let admin = app.database.admin().await;
    let (a, b) = (
        Rows::read(&admin, &world.a).await,
        Rows::read(&admin, &world.b).await,
    );
    let public = [
        Rows::public(&admin, &world.a).await,
        Rows::public(&admin, &world.b).await,
    ];
    let with_root = catalog
        .entities
        .values()
        .filter(|entity| entity.root_many.is_some());
    let mut compared = 0;
    for entity in with_root {
        for (side, rows) in [(&world.a, &a), (&world.b, &b)] {
            let owner = side.member("owner");
            let (found, total) = listed(&app, owner, entity)
                .await
                .expect("a list for the owner");
            let expected = ids(rows, entity);
            assert!(!expected.is_empty(), "the world has no {}", entity.name);
            assert_eq!(found, expected, "{} {}", owner.name, entity.name);
            assert_eq!(total, found.len() as i64, "{} {}", owner.name, entity.name);
            compared += 1;
        }
        if let Some((found, total)) = listed(&app, &Who::anonymous(), entity).await {
            let expected: BTreeSet<_> = public.iter().flat_map(|rows| ids(rows, entity)).collect();
            assert_eq!(found, expected, "anonymous {}", entity.name);
            assert_eq!(total, found.len() as i64, "anonymous {}", entity.name);
            compared += 1;
        }
    }
    println!("lists compared: {compared}");
}
