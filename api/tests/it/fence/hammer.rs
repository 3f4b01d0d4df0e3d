//! Everybody at once over the same server and the same connections: each answer holds the caller's rows only.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::{
    ask::Who,
    rows::Rows,
    world::{Side, World, events::EVENTS, world},
};
use crate::harness::{self, TestApp};

const ROUNDS: usize = 12;

/// What somebody asks again and again, and whose things must be in the answer.
struct Task<'a> {
    who: Who,
    side: Option<&'a Side>,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    /// Everything of the organization.
    Lists,
    /// Something new in it.
    Writes,
    /// What visitors see.
    Visits,
    /// One's own registrations.
    Registrations,
}

const LISTS: &str = "{ currentOrganization { slug } events(first: 50) { totalCount nodes { title } } \
     registrations(first: 50) { totalCount nodes { id confirmationNumber } } attendees(first: 50) { nodes { email } } }";
const VISITS: &str = "{ events(first: 50) { totalCount nodes { title } } currentOrganization { slug } viewer { email } }";
const REGISTRATIONS: &str = "{ myRegistrations(first: 10) { totalCount nodes { id buyerEmail tickets(first: 5) { nodes { code } } } } }";
const WRITES: &str = "mutation($input: CreateVenueInput!) { createVenue(input: $input) { venue { id name organization { slug } } \
     userErrors { code } query { currentOrganization { venues(first: 100) { nodes { name } } } } } }";

fn tasks(world: &World) -> Vec<Task<'_>> {
    let mut tasks = vec![];
    for side in [&world.a, &world.b] {
        let mut task = |who: &Who, kind| {
            tasks.push(Task {
                who: who.clone(),
                side: Some(side),
                kind,
            })
        };
        for role in ["owner", "admin", "viewer"] {
            task(side.member(role), Kind::Lists);
        }
        task(side.member("owner"), Kind::Writes);
        task(side.member("manager"), Kind::Writes);
        for who in [&side.buyer, &side.guest, &side.other_guest] {
            task(who, Kind::Registrations);
        }
    }
    for _ in 0..2 {
        tasks.push(Task {
            who: Who::anonymous(),
            side: None,
            kind: Kind::Visits,
        });
    }
    tasks
}

/// Texts of each side: the second's are forbidden to people of the first.
struct Texts {
    tags: [&'static str; 2],
    public: HashSet<String>,
}

async fn work(app: &TestApp, task: &Task<'_>, texts: &Texts, world: &World) -> usize {
    let mut seen = 0;
    for round in 0..ROUNDS {
        let (query, variables) = match task.kind {
            Kind::Lists => (LISTS, json!({})),
            Kind::Visits => (VISITS, json!({})),
            Kind::Registrations => (REGISTRATIONS, json!({})),
            Kind::Writes => {
                let tag = task.side.map_or("", |side| side.tag);
                let name = format!("{tag} {} {round} {}", task.who.name, harness::key());
                (WRITES, json!({ "input": { "name": name } }))
            }
        };
        let answer = task.who.asks(app, query, &variables).await;
        assert!(
            answer.codes().is_empty(),
            "{} {}",
            task.who.name,
            answer.text
        );
        match task.side {
            Some(side) => {
                let other = texts
                    .tags
                    .iter()
                    .find(|tag| **tag != side.tag)
                    .expect("the other");
                assert!(
                    answer.text.contains(side.tag),
                    "{} {}",
                    task.who.name,
                    answer.text
                );
                assert!(
                    !answer.text.contains(other),
                    "{} sees {other}: {}",
                    task.who.name,
                    answer.text
                );
                whole(&answer.json(), task, world);
            }
            None => {
                let body = answer.json();
                assert_eq!(body["data"]["viewer"], Value::Null);
                assert_eq!(body["data"]["currentOrganization"], Value::Null);
                for event in body["data"]["events"]["nodes"].as_array().expect("events") {
                    let title = event["title"].as_str().expect("a title");
                    assert!(texts.public.contains(title), "anonymous sees {title}");
                }
            }
        }
        seen += 1;
    }
    seen
}

/// Nothing of one's own is missing either: a connection with somebody else's settings would show less.
fn whole(body: &Value, task: &Task<'_>, world: &World) {
    let data = &body["data"];
    match task.kind {
        Kind::Lists => {
            assert_eq!(
                data["events"]["totalCount"],
                json!(EVENTS.len()),
                "{}",
                task.who.name
            );
            assert_ne!(
                data["registrations"]["nodes"],
                json!([]),
                "{}",
                task.who.name
            );
        }
        Kind::Registrations => {
            let name = task.who.name.split_once(&format!("-{}", world.a.tag));
            let name = name.or_else(|| task.who.name.split_once(&format!("-{}", world.b.tag)));
            let (name, _) = name.expect("a name");
            let nodes = data["myRegistrations"]["nodes"]
                .as_array()
                .expect("registrations");
            assert!(!nodes.is_empty(), "{}", task.who.name);
            for node in nodes {
                let email = node["buyerEmail"].as_str().expect("an address");
                assert!(
                    email.starts_with(&format!("{name}@")),
                    "{} sees {email}",
                    task.who.name
                );
            }
        }
        Kind::Writes | Kind::Visits => {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_at_once_over_the_same_connections_sees_their_own_rows_only() {
    let (app, world) = world().await;
    let admin = app.database.admin().await;
    let catalog = &app.app.engine.catalog;
    let mut public = Rows::public(&admin, &world.a).await.texts(catalog);
    public.extend(Rows::public(&admin, &world.b).await.texts(catalog));
    let texts = Texts {
        tags: [world.a.tag, world.b.tag],
        public,
    };
    let tasks = tasks(world);
    let work = tasks.iter().map(|task| work(&app, task, &texts, world));
    let answers: usize = futures_util::future::join_all(work).await.into_iter().sum();
    println!("answers under load: {answers}");
    let venues = "select count(*) from venues v join organizations o on o.id = v.org_id \
         where v.name like 'aachen %' and o.slug <> 'aachen-society' or v.name like 'bilbao %' and o.slug <> 'bilbao-society'";
    assert_eq!(
        app.database.count(venues).await,
        0,
        "a venue in the wrong organization"
    );
    assert_eq!(app.database.stock_faults().await, 0);
}
