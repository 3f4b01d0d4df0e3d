//! Every order of every connection, and cursors of another organization's rows put into one's own pages.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use eventsphere_graphql::{
    catalog::{Catalog, Entity},
    global_id,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    ask::Who,
    document::{Path, all_paths},
    filters::{parent, split},
    reads::{Secrets, ask_all},
    rows::Rows,
    world::{World, reading},
};
use crate::harness::TestApp;

const A_DOCUMENT: usize = 9;

/// One order of one connection: the default one when nothing is named.
struct Case<'a> {
    name: String,
    path: Path<'a>,
    entity: &'a Entity,
    parent: Option<String>,
    order: Option<String>,
}

impl Case<'_> {
    fn ask(&self, alias: &str, arguments: &str, inner: &str) -> String {
        let order = self.order.as_ref();
        let order = order.map_or(String::new(), |order| format!(", orderBy: [{order}]"));
        self.path.ask(alias, &format!("{arguments}{order}"), inner)
    }
}

/// Every order of every connection, each way to it that leads to a row of B.
fn cases<'a>(catalog: &'a Catalog, rows: &Rows) -> Vec<Case<'a>> {
    let mut cases = vec![];
    for entity in catalog.entities.values() {
        let columns = entity.columns.iter().filter(|column| column.orderable);
        let orders: Vec<Option<String>> = columns
            .flat_map(|column| {
                ["ASC", "DESC"].map(|way| Some(format!("{}_{way}", column.name.to_uppercase())))
            })
            .chain([None])
            .collect();
        for path in all_paths(catalog, entity) {
            let mut there = rows.of(entity).iter();
            let parent = there
                .find_map(|(_, row)| parent(catalog, &path, row, rows))
                .unwrap_or_else(|| panic!("the world has no row at the end of {}", path.name()));
            for order in &orders {
                cases.push(Case {
                    name: format!("{}({})", path.name(), order.as_deref().unwrap_or("default")),
                    path: path.clone(),
                    entity,
                    parent: parent.clone(),
                    order: order.clone(),
                });
            }
        }
    }
    cases
}

const PAGE: &str = "totalCount edges { cursor node { id } } nodes { id } \
     pageInfo { startCursor endCursor hasNextPage hasPreviousPage }";

/// Cursors of B's first rows, by B's owner: the positive control of every order.
async fn cursors(
    app: &TestApp,
    world: &World,
    cases: &[Case<'_>],
    secrets: &Secrets,
) -> Vec<(String, bool)> {
    let mut questions = vec![];
    for chunk in cases.chunks(A_DOCUMENT) {
        let (mut header, mut body, mut variables) = (String::new(), String::new(), json!({}));
        for (index, case) in chunk.iter().enumerate() {
            let alias = format!("c{index}");
            header += &case.path.variable(&alias);
            body += &case.ask(&alias, "first: 30", PAGE);
            variables[format!("{alias}_parent")] = json!(case.parent);
        }
        let header = if header.is_empty() {
            header
        } else {
            format!("({header})")
        };
        questions.push((
            world.b.member("owner").clone(),
            format!("query{header} {{ {body} }}"),
            variables,
        ));
    }
    let answers = ask_all(app, questions).await;
    let mut found = vec![];
    let mut barren: Vec<&String> = vec![];
    for (chunk, (_, _, answer)) in cases.chunks(A_DOCUMENT).zip(&answers) {
        let data = &answer.json()["data"];
        for (index, case) in chunk.iter().enumerate() {
            let page = case.path.connection(data, &format!("c{index}"));
            let edges = page["edges"].as_array().cloned().unwrap_or_default();
            if edges.is_empty() || edges[0]["cursor"] != page["pageInfo"]["startCursor"] {
                barren.push(&case.name);
            }
            let closed = secrets.closed(case.entity);
            let id = |edge: &Value| edge["node"]["id"].as_str().unwrap_or_default().to_owned();
            let chosen = edges.iter().find(|edge| closed.contains(&id(edge)));
            let cursor = chosen
                .or(edges.first())
                .and_then(|edge| edge["cursor"].as_str());
            found.push((cursor.unwrap_or_default().to_owned(), chosen.is_some()));
        }
    }
    println!("orders: {} of {}", cases.len() - barren.len(), cases.len());
    assert!(
        barren.is_empty(),
        "nothing to see for the owner: {barren:?}"
    );
    found
}

/// The same place, of a row that does not exist.
fn of_nothing(cursor: &str) -> String {
    with_key(cursor, |key| {
        let mut key = *key.as_bytes();
        key[15] ^= 1;
        Uuid::from_bytes(key)
    })
}

/// The cursor with another key in it.
fn with_key(cursor: &str, other: fn(Uuid) -> Uuid) -> String {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).expect("a cursor");
    let mut parts: Vec<Value> = serde_json::from_slice(&bytes).expect("parts");
    let key = parts.last().and_then(Value::as_str);
    let key: Uuid = key.and_then(|key| key.parse().ok()).expect("a key");
    *parts.last_mut().expect("a key") = json!(other(key));
    URL_SAFE_NO_PAD.encode(json!(parts).to_string())
}

/// The positive control of cursors: beside each of B's first rows, on the one side or the other, B's owner finds it.
async fn the_owner_pages(app: &TestApp, world: &World, all: &[(&Case<'_>, &String)]) {
    let owner = world.b.member("owner");
    let mut barren = vec![];
    for chunk in all.chunks(A_DOCUMENT / 2) {
        let (mut header, mut body, mut variables) = (String::new(), String::new(), json!({}));
        for (index, (case, cursor)) in chunk.iter().enumerate() {
            for (side, size) in [("after", "first"), ("before", "last")] {
                for end in ["low", "high"] {
                    let alias = format!("{side}_{end}{index}");
                    header += &format!("${alias}: String! {}", case.path.variable(&alias));
                    body += &case.ask(&alias, &format!("{size}: 2, {side}: ${alias}"), PAGE);
                    let moved: fn(Uuid) -> Uuid = match end {
                        "low" => |_| Uuid::nil(),
                        _ => |_| Uuid::max(),
                    };
                    variables[&alias] = json!(with_key(cursor, moved));
                    variables[format!("{alias}_parent")] = json!(case.parent);
                }
            }
        }
        let query = format!("query({header}) {{ {body} }}");
        let answer = owner.asks(app, &query, &variables).await;
        let data = &answer.json()["data"];
        for (index, (case, _)) in chunk.iter().enumerate() {
            for side in ["after", "before"] {
                let found = ["low", "high"].iter().any(|end| {
                    let alias = format!("{side}_{end}{index}");
                    case.path.connection(data, &alias)["nodes"] != json!([])
                });
                if !found {
                    barren.push(format!("{} {side}", case.name));
                }
            }
        }
    }
    assert!(barren.is_empty(), "no page for the owner: {barren:?}");
}

/// A cursor of a public row is met again by whoever may see that row.
fn closed<'a, 'b>(all: &[Chosen<'a, 'b>]) -> Vec<Chosen<'a, 'b>> {
    all.iter().filter(|chosen| chosen.3).cloned().collect()
}

/// An order, a cursor, a parent to page through, and whether the cursor's row is closed to visitors.
type Chosen<'a, 'b> = (&'b Case<'a>, String, Option<String>, bool);

/// A page after and one before the cursor, in the connection of that parent.
fn pages(chosen: &[Chosen<'_, '_>], turn: fn(&str) -> String) -> (String, Value) {
    let (mut header, mut body, mut variables) = (String::new(), String::new(), json!({}));
    for (index, (case, cursor, parent, _)) in chosen.iter().enumerate() {
        for (side, arguments) in [("after", "first: 5, after"), ("before", "last: 5, before")] {
            let alias = format!("{side}{index}");
            header += &format!("${alias}: String! {}", case.path.variable(&alias));
            body += &case.ask(&alias, &format!("{arguments}: ${alias}"), PAGE);
            variables[&alias] = json!(turn(cursor));
            variables[format!("{alias}_parent")] = json!(parent);
        }
    }
    (format!("query({header}) {{ {body} }}"), variables)
}

part!(
    a_foreign_cursor_leads_through_ones_own_rows_only,
    ORDERS,
    orders
);

async fn orders() {
    let (app, world) = reading().await;
    let catalog = &app.app.engine.catalog;
    let secrets = Secrets::read(&app, world).await;
    let cases = cases(catalog, &secrets.rows);
    let cursors = cursors(&app, world, &cases, &secrets).await;
    let chosen = cases.iter().zip(cursors.iter().map(|(cursor, _)| cursor));
    let by_default: Vec<_> = chosen.filter(|(case, _)| case.order.is_none()).collect();
    the_owner_pages(&app, world, &by_default).await;
    let all: Vec<Chosen<'_, '_>> = cases
        .iter()
        .zip(cursors)
        .map(|(case, (cursor, closed))| {
            // Through one's own parent: through a foreign one there is nothing to page.
            let own = case.path.parent().and_then(|parent| {
                let keys = secrets.own.keys(parent);
                keys.first().map(|key| global_id::encode(parent.tag, *key))
            });
            (case, cursor, own, closed)
        })
        .collect();
    let (roots, nested): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|(case, ..)| case.path.parent().is_none());
    let (insiders, outsiders) = split(world);
    let mut questions: Vec<(Who, String, Value)> = vec![];
    for (people, chosen, size) in [
        (insiders.as_slice(), &roots, A_DOCUMENT),
        (&outsiders, &closed(&roots), 4),
        (&insiders[..1], &nested, A_DOCUMENT),
        (&outsiders[1..2], &closed(&nested), 4),
    ] {
        for chunk in chosen.chunks(size) {
            let turns = [str::to_owned as fn(&str) -> String, of_nothing];
            let turns = turns.map(|turn| pages(chunk, turn));
            for who in people {
                for (query, variables) in &turns {
                    questions.push((who.clone(), query.clone(), variables.clone()));
                }
            }
        }
    }
    let answers = ask_all(&app, questions).await;
    let mut own_rows = 0;
    for pair in answers.chunks(2) {
        let (who, query, foreign) = &pair[0];
        secrets.of(world, who).check(who, query, foreign);
        assert_eq!(*foreign, pair[1].2, "{} {query}", who.name);
        own_rows += foreign.text.matches("\"node\"").count();
    }
    assert!(own_rows > 0, "nobody paged through anything");
}
