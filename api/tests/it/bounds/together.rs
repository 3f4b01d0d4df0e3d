//! Visitors whose requests wait at the same time share a flight, and nobody else ever does. A lock holds the only
//! connection's flight, so that others wait; what they are told is what they are told alone.

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio_postgres::Client;

use super::until;
use crate::harness::{Caller, EventSetup, Organizer, TestApp};

const LOCK: &str = "begin; lock table events in access exclusive mode";
/// Statements of this database that wait for a lock.
const STUCK: &str = "select count(*) from pg_stat_activity where datname = current_database() \
    and wait_event_type = 'Lock' and application_name = 'eventsphere'";

const PAGE: &str = "query($id: ID!) {
  event(id: $id) {
    id slug title
    organization { slug }
    ticketTypes(first: 5) { nodes { id name available } }
    sessions(first: 5) { totalCount nodes { title sessionSpeakers(first: 3) { nodes { speaker { name } } } } }
  }
  organizations(first: 3) { nodes { slug } }
}";

async fn served() -> TestApp {
    TestApp::start_with(&[
        ("DATABASE_POOL_SIZE", "1"),
        ("DATABASE_WAIT_MS", "20000"),
        ("VISITOR_CONCURRENCY", "50"),
        ("TENANT_CONCURRENCY", "50"),
        ("VISITOR_STATEMENT_TIMEOUT_MS", "10000"),
    ])
    .await
}

/// Three events for everybody and a draft; their ids and one of no event.
async fn events_of(organizer: &Organizer) -> Vec<Value> {
    let mut ids = vec![];
    for (slug, published) in [
        ("one", true),
        ("two", true),
        ("three", true),
        ("draft", false),
    ] {
        let setup = EventSetup {
            slug: slug.to_owned(),
            published,
            ..EventSetup::default()
        };
        ids.push(organizer.event(&setup).await["id"].clone());
    }
    let nobody = uuid::Uuid::from_u128(7);
    ids.push(json!(eventsphere_graphql::global_id::encode(11, nobody)));
    ids
}

/// What somebody is told, and what it cost.
async fn told(caller: &Caller, query: &str, variables: &Value) -> (Value, Value) {
    let answer = caller.send(query, variables.clone()).await;
    assert!(answer.get("errors").is_none(), "{answer}");
    let cost = &answer["extensions"]["cost"];
    (
        answer["data"].clone(),
        json!([cost["requested"], cost["actual"]]),
    )
}

/// What those who ask are told alone, and then all at once behind one that is stuck. `meanwhile` is done when all wait.
async fn alone_and_together(
    app: &TestApp,
    pool: usize,
    asking: &[(Caller, &str, Value)],
    meanwhile: impl AsyncFnOnce(&Client),
) {
    // A plan is known when it is asked for the second time.
    let mut alone = vec![];
    for (caller, query, variables) in asking {
        told(caller, query, variables).await;
        alone.push(told(caller, query, variables).await);
    }
    assert_eq!(app.app.door.shared().counts(), (0, 0));
    let admin = app.database.admin().await;
    admin.batch_execute(LOCK).await.expect("a lock");
    let (first, query, variables) = &asking[0];
    let (first, together, ()) = tokio::join!(
        told(first, query, variables),
        async {
            until("it is stuck", async || app.database.count(STUCK).await == 1).await;
            join_all(
                asking
                    .iter()
                    .map(|(caller, query, variables)| told(caller, query, variables)),
            )
            .await
        },
        async {
            let waiting = || app.app.door.pools()[pool].waiting;
            until("all wait", async || waiting() == Some(asking.len())).await;
            meanwhile(&admin).await;
            admin.batch_execute("rollback").await.expect("let go");
        }
    );
    assert_eq!(first, alone[0]);
    for ((together, alone), (_, query, variables)) in together.iter().zip(&alone).zip(asking) {
        assert_eq!(together, alone, "{query} {variables}");
    }
}

fn asking(
    caller: &Caller,
    query: &'static str,
    ids: &[Value],
) -> Vec<(Caller, &'static str, Value)> {
    let one = |id: &Value| (caller.clone(), query, json!({ "id": id }));
    ids.iter().map(one).collect()
}

#[tokio::test]
async fn visitors_who_wait_are_served_by_one_statement_each_with_their_own() {
    let app = served().await;
    let ids = events_of(&app.organizer("acme").await).await;
    let mut all = asking(&app.visitor(), PAGE, &ids);
    // One of them asks what another asks.
    all.extend(asking(&app.visitor(), PAGE, &ids[1..2]));
    alone_and_together(&app, 0, &all, async |_| {}).await;
    assert_eq!(app.app.door.shared().counts(), (1, 6));
}

#[tokio::test]
async fn who_asks_by_an_address_shares_only_with_who_asks_the_same() {
    let app = served().await;
    let organizer = app.organizer("acme").await;
    for slug in ["open", "hidden"] {
        let setup = EventSetup {
            slug: slug.to_owned(),
            visibility: if slug == "hidden" {
                "UNLISTED"
            } else {
                "PUBLIC"
            },
            ..EventSetup::default()
        };
        organizer.event(&setup).await;
    }
    // An unlisted event is opened to who knows its address; the organization's list of events would show it to the other.
    let query = "query($slug: String!) {
      eventBySlug(organizationSlug: \"acme\", slug: $slug) { slug }
      events(first: 5) { totalCount nodes { slug } }
    }";
    let ask = |slug: &str| (app.visitor(), query, json!({ "slug": slug }));
    let all = [
        ask("open"),
        ask("hidden"),
        ask("open"),
        ask("hidden"),
        ask("hidden"),
    ];
    alone_and_together(&app, 0, &all, async |_| {}).await;
    assert_eq!(app.app.door.shared().counts(), (2, 5));
}

#[tokio::test]
async fn members_and_people_never_share_a_flight() {
    let app = served().await;
    let acme = app.organizer("acme").await;
    let rival = app.organizer("rival").await;
    let ids = events_of(&acme).await;
    let mut all = asking(&acme.caller, PAGE, &ids);
    all.extend(asking(&acme.caller, PAGE, &ids));
    all.extend(asking(&rival.caller, PAGE, &ids));
    alone_and_together(&app, 2, &all, async |_| {}).await;

    let (person, _) = app.person("ada@guests.example").await;
    let (other, _) = app.person("bob@guests.example").await;
    let me = "{ me { email } events(first: 5) { totalCount } }";
    let ask = |caller: &Caller| (caller.clone(), me, json!({}));
    let guest = app.visitor().with_guest(&"ab".repeat(32));
    let all = [
        ask(&person),
        ask(&other),
        ask(&person),
        ask(&guest),
        ask(&guest),
    ];
    alone_and_together(&app, 1, &all, async |_| {}).await;
    assert_eq!(app.app.door.shared().counts(), (0, 0));
}

#[tokio::test]
async fn where_a_shared_flight_fails_each_flies_alone() {
    let app = served().await;
    let ids = events_of(&app.organizer("acme").await).await;
    let all = asking(&app.visitor(), PAGE, &ids);
    let next = app.database.admin().await;
    let canceller = app.database.admin().await;
    alone_and_together(&app, 0, &all, async |admin| {
        // Whoever locks next comes before the shared flight, which is ended while it waits.
        let locking = next.batch_execute(LOCK);
        let ending = async {
            let queued = "select count(*) from pg_locks where relation = 'events'::regclass \
                and mode = 'AccessExclusiveLock' and not granted";
            until("the next is queued", async || app.database.count(queued).await == 1).await;
            admin.batch_execute("rollback").await.expect("let go");
            let shared = "select count(pg_cancel_backend(pid)) from pg_stat_activity \
                where datname = current_database() and wait_event_type = 'Lock' and query like '%level0%'";
            until("it is ended", async || {
                let row = canceller.query_one(shared, &[]).await.expect("ended");
                row.get::<_, i64>(0) == 1
            })
            .await;
            until("it has failed", async || app.app.door.shared().counts() == (1, 5)).await;
        };
        let (locked, ()) = tokio::join!(locking, ending);
        locked.expect("a lock");
        next.batch_execute("rollback").await.expect("let go");
    })
    .await;
    assert_eq!(app.app.door.shared().counts(), (1, 5));
}

#[tokio::test]
async fn who_waits_too_long_for_a_place_is_told_so() {
    let app = TestApp::start_with(&[
        ("DATABASE_POOL_SIZE", "1"),
        ("DATABASE_WAIT_MS", "300"),
        ("VISITOR_CONCURRENCY", "50"),
        ("VISITOR_STATEMENT_TIMEOUT_MS", "10000"),
    ])
    .await;
    let ids = events_of(&app.organizer("acme").await).await;
    let visitor = app.visitor();
    let ask = |id: &Value| {
        let (visitor, id) = (visitor.clone(), id.clone());
        async move { visitor.send(PAGE, json!({ "id": id })).await }
    };
    ask(&ids[0]).await;
    let admin = app.database.admin().await;
    admin.batch_execute(LOCK).await.expect("a lock");
    let (first, ()) = tokio::join!(ask(&ids[0]), async {
        until("it is stuck", async || app.database.count(STUCK).await == 1).await;
        let late = ask(&ids[1]).await;
        assert_eq!(
            late["errors"][0]["extensions"]["code"], "UNAVAILABLE",
            "{late}"
        );
        admin.batch_execute("rollback").await.expect("let go");
    });
    assert_eq!(first["data"]["event"]["slug"], "one", "{first}");
}
