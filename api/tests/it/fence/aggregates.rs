//! Every aggregate of every connection, by every key: the owner counts exactly the rows that are there, others count
//! nothing of them, and who lacks the scope is refused.

use eventsphere_graphql::{
    aggregates::{Aggregates, Grouping},
    catalog::{Catalog, Entity},
    declare::camel_case,
    global_id,
};
use serde_json::{Value, json};

use super::{
    ask::Who,
    document::{Path, all_paths},
    filters::{parent, split},
    permissions::{actors, may},
    reads::{Secrets, ask_all, of_nothing},
    rows::Rows,
    world::reading,
};

const A_DOCUMENT: usize = 10;

/// One connection, grouped in one way.
struct Case<'a> {
    path: Path<'a>,
    entity: &'a Entity,
    declared: &'a Aggregates,
    by: Option<&'a Grouping>,
    parent: Option<String>,
    order: &'static str,
}

const ORDERS: [&str; 4] = ["KEY_ASC", "KEY_DESC", "COUNT_ASC", "COUNT_DESC"];

impl Case<'_> {
    fn name(&self) -> String {
        let by = self.by.map(Grouping::shown).unwrap_or_default();
        format!("{}({by})", self.path.name())
    }

    /// Everything that is told of a group.
    fn ask(&self) -> String {
        let declared = self.declared;
        let mut fields = "count ".to_owned();
        for money in &declared.money {
            fields += &format!("{money}Sum {{ minorUnits currencyCode amount }} ");
        }
        for column in &declared.numbers {
            fields += &format!("{}Sum ", camel_case(column));
        }
        for column in &declared.extremes {
            let field = camel_case(column);
            fields += &format!("{field}Min {field}Max ");
        }
        let order = self.order;
        let arguments = match self.by {
            None => format!("(orderBy: {order})"),
            Some(by) => {
                fields += &match by {
                    Grouping::Relation(name) => format!("{name} {{ __typename id }}"),
                    other => other.field(),
                };
                format!("(groupBy: [{}], first: 50, orderBy: {order})", by.shown())
            }
        };
        format!("aggregates{arguments} {{ truncated groups {{ {fields} }} }}")
    }
}

fn cases<'a>(catalog: &'a Catalog, rows: &Rows) -> Vec<Case<'a>> {
    let mut cases = vec![];
    for entity in catalog.entities.values() {
        let Some(declared) = &entity.aggregates else {
            continue;
        };
        let keys = declared.groupings.iter().map(Some);
        for by in std::iter::once(None).chain(keys) {
            for path in all_paths(catalog, entity) {
                let mut there = rows.of(entity).iter();
                let parent = there
                    .find_map(|(_, row)| parent(catalog, &path, row, rows))
                    .unwrap_or_else(|| {
                        panic!("the world has no row at the end of {}", path.name())
                    });
                cases.push(Case {
                    path,
                    entity,
                    declared,
                    by,
                    parent,
                    order: ORDERS[cases.len() % ORDERS.len()],
                });
            }
        }
    }
    cases
}

fn document(cases: &[Case<'_>], turn: fn(&str) -> String) -> (String, Value) {
    let (mut header, mut body, mut variables) = (String::new(), String::new(), json!({}));
    for (index, case) in cases.iter().enumerate() {
        let alias = format!("c{index}");
        header += &case.path.variable(&alias);
        body += &case.path.ask(&alias, "first: 0", &case.ask());
        if let Some(parent) = &case.parent {
            variables[format!("{alias}_parent")] = json!(turn(parent));
        }
    }
    let header = if header.is_empty() {
        header
    } else {
        format!("({header})")
    };
    (format!("query{header} {{ {body} }}"), variables)
}

/// How many rows of the side stand at the end of the path.
fn there(catalog: &Catalog, case: &Case<'_>, rows: &Rows) -> i64 {
    let of_parent =
        |row: &Value| parent(catalog, &case.path, row, rows) == Some(case.parent.clone());
    let all = rows.of(case.entity).iter();
    all.filter(|(_, row)| of_parent(row)).count() as i64
}

part!(the_owner_counts_the_rows_that_are_there, OWNERS, owners);
part!(nobody_counts_what_belongs_to_another, STRANGERS, strangers);

async fn owners() {
    let (app, world) = reading().await;
    let catalog = &app.app.engine.catalog;
    let rows = Rows::read(&app.database.admin().await, &world.b).await;
    let cases = cases(catalog, &rows);
    let mut barren = vec![];
    for chunk in cases.chunks(A_DOCUMENT) {
        let (query, variables) = document(chunk, str::to_owned);
        let answer = world.b.member("owner").asks(&app, &query, &variables).await;
        let data = &answer.json()["data"];
        for (index, case) in chunk.iter().enumerate() {
            let found = &case.path.connection(data, &format!("c{index}"))["aggregates"];
            let groups = found["groups"].as_array().cloned().unwrap_or_default();
            let counted: i64 = groups
                .iter()
                .filter_map(|group| group["count"].as_i64())
                .sum();
            // Which rows a function gives is its own affair.
            let expected = match case.path.is_function() {
                true => counted.max(1),
                false => there(catalog, case, &rows),
            };
            assert!(expected > 0, "{}", case.name());
            assert_eq!(counted, expected, "{} {}", case.name(), answer.text);
            let told = |group: &Value| case.by.is_none_or(|by| !group[by.field()].is_null());
            if !groups.iter().any(told) {
                barren.push(case.name());
            }
        }
    }
    println!(
        "aggregates: {} of {}",
        cases.len() - barren.len(),
        cases.len()
    );
    // A relation or an instant that is absent in the one parent that was asked is found through the root.
    let only_there = |name: &String| {
        let (path, by) = name.split_once('(').expect("a name");
        let entity = cases
            .iter()
            .find(|case| case.path.name() == path)
            .expect("a case")
            .entity;
        let elsewhere = cases.iter().filter(|case| case.entity.name == entity.name);
        elsewhere
            .filter(|case| case.name().ends_with(&format!("({by}")))
            .all(|case| barren.contains(&case.name()))
    };
    let never: Vec<_> = barren.iter().filter(|name| only_there(name)).collect();
    assert!(never.is_empty(), "told nobody anything: {never:?}");
}

async fn strangers() {
    let (app, world) = reading().await;
    let catalog = &app.app.engine.catalog;
    let secrets = Secrets::read(&app, world).await;
    let cases = cases(catalog, &secrets.rows);
    let (insiders, outsiders) = split(world);
    let mut questions: Vec<(Who, String, Value)> = vec![];
    for (people, size) in [(&insiders, A_DOCUMENT), (&outsiders, 4)] {
        for chunk in cases.chunks(size) {
            let turns = [str::to_owned as fn(&str) -> String, of_nothing];
            let turns = turns.map(|turn| document(chunk, turn));
            for who in people {
                for (query, variables) in &turns {
                    questions.push((who.clone(), query.clone(), variables.clone()));
                }
            }
        }
    }
    for pair in ask_all(&app, questions).await.chunks(2) {
        let (who, query, foreign) = &pair[0];
        secrets.of(world, who).check(who, query, foreign);
        // A public parent is there for everybody, and what it has is counted for nobody.
        match outsiders.iter().any(|known| known.name == who.name) {
            true => assert!(!foreign.text.contains("\"count\""), "{} {query}", who.name),
            false => assert_eq!(*foreign, pair[1].2, "{} {query}", who.name),
        }
    }
}

#[tokio::test]
async fn who_lacks_the_scope_is_refused() {
    let (app, world) = reading().await;
    let catalog = &app.app.engine.catalog;
    let rows = Rows::read(&app.database.admin().await, &world.a).await;
    let mut asked = 0;
    for case in cases(catalog, &rows) {
        for (who, held) in actors(&world.a) {
            // The scope of the numbers, of the rows, and of whatever the key or its zone leads to.
            let mut scopes = vec![Some(case.declared.scope.clone()), case.entity.scope.clone()];
            let leads_to = match case.by {
                Some(Grouping::Relation(name)) => Some(name),
                Some(Grouping::Time(..)) => case
                    .declared
                    .zone
                    .as_ref()
                    .and_then(|zone| zone.relation.as_ref()),
                _ => None,
            };
            if let Some(relation) = leads_to.and_then(|name| case.entity.key_relation(name)) {
                scopes.push(super::document::target(catalog, relation).scope.clone());
            }
            if let Some(parent) = case.path.parent() {
                scopes.push(parent.scope.clone());
            }
            let open = scopes.iter().all(|scope| may(&held, scope.as_ref()));
            let (query, variables) = document(std::slice::from_ref(&case), str::to_owned);
            let answer = who.asks(&app, &query, &variables).await;
            let told = answer.text.contains("\"count\"");
            // Behind a parent there may be nothing for them for another reason: they do not see the parent.
            // Nor does a function give anything of B.
            let behind = case.path.parent().is_some() || case.path.is_function();
            let right = told == open || (behind && !told);
            assert!(right, "{} {}: {}", who.name, case.name(), answer.text);
            asked += 1;
        }
    }
    println!("aggregates by role: {asked}");
}

#[tokio::test]
async fn a_parent_of_another_is_no_parent() {
    let (app, world) = reading().await;
    let catalog = &app.app.engine.catalog;
    let rows = Rows::read(&app.database.admin().await, &world.b).await;
    let event = &catalog.entities["Event"];
    let id = global_id::encode(event.tag, rows.keys(event)[0]);
    let query = "query($id: ID!) { registrations(filter: { eventId: { eq: $id } }) { aggregates { groups { count } } } }";
    let answer = world
        .a
        .member("owner")
        .asks(&app, query, &json!({ "id": id }))
        .await;
    let groups = answer.json()["data"]["registrations"]["aggregates"]["groups"].clone();
    assert_eq!(groups, json!([{ "count": 0 }]));
}
