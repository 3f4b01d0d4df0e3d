//! One statement in one flight: what the program sends to PostgreSQL for a request, counted on the wire.

use std::time::Duration;

use eventsphere::tenancy::Actor;
use eventsphere_graphql::plan::Flight;
use serde_json::{Value, json};
use tokio::time::timeout;
use uuid::Uuid;

use crate::harness::{Asked, Caller, Database, EventSetup, TestApp, Wire};

const SYNC: &str = "(sync)";
const PATIENCE: Duration = Duration::from_secs(20);

/// A server whose database is behind a wire.
async fn wired() -> (TestApp, Wire) {
    let (database, wire) = Wire::before(Database::fresh().await).await;
    (TestApp::over(database, &[]).await, wire)
}

/// What a caller's request sends when its statement is known, after the first of its kind, which is parsed in its own
/// flight, and a second, which is prepared, while no answer comes before the flight's one sync has left.
async fn flight_of(wire: &Wire, caller: &Caller, query: &str, variables: &Value) -> Vec<String> {
    let first = caller.ask(query, variables.clone()).await;
    caller.ask(query, variables.clone()).await;
    wire.take();
    wire.withhold();
    let known = timeout(PATIENCE, caller.ask(query, variables.clone()))
        .await
        .expect("everything is sent before the first answer is read");
    wire.release();
    assert_eq!(first, known);
    wire.take()
        .into_iter()
        .map(|asked| match asked {
            Asked::Prepared(sql) => format!("prepare {sql}"),
            Asked::Ran(sql) | Asked::Said(sql) => sql,
            Asked::Ended => SYNC.to_owned(),
        })
        .collect()
}

/// The flight's statements by their first words.
fn words(flight: &[String]) -> Vec<&str> {
    let known = [
        "select set_config(",
        "select es.open_as_guest(",
        "select es.reveal_event(",
        "with level1 as",
    ];
    flight
        .iter()
        .map(|sql| {
            known
                .into_iter()
                .find(|start| sql.starts_with(start))
                .unwrap_or(sql)
        })
        .collect()
}

const NESTED: &str = "query($slug: String!) {
  events(first: 2) {
    totalCount
    pageInfo { hasNextPage endCursor }
    edges { cursor node {
      title
      sessions(first: 3) { nodes { title speakers(first: 3) { nodes { name sessions(first: 2) { nodes { title } } } } } }
      ticketTypes { nodes { name price { amount } available } }
    } }
  }
  eventBySlug(organizationSlug: \"acme\", slug: $slug) { title organization { name } }
}";

#[tokio::test]
async fn an_operation_is_one_statement_in_one_flight() {
    let (app, wire) = wired().await;
    let organizer = app.organizer("acme").await;
    organizer.event(&EventSetup::default()).await;
    let hidden = EventSetup {
        slug: "hidden".to_owned(),
        visibility: "UNLISTED",
        ..EventSetup::default()
    };
    organizer.event(&hidden).await;

    let lists =
        "{ events { nodes { title sessions { nodes { title } } } } node(id: \"x\") { id } }";
    let flight = flight_of(&wire, &app.visitor(), lists, &json!({})).await;
    assert_eq!(words(&flight), ["with level1 as", SYNC]);

    let variables = json!({ "slug": "hidden" });
    let flight = flight_of(&wire, &app.visitor(), NESTED, &variables).await;
    assert_eq!(
        words(&flight),
        ["select es.reveal_event(", "with level1 as", SYNC]
    );
}

#[tokio::test]
async fn a_guest_secret_travels_in_the_same_flight() {
    let (app, wire) = wired().await;
    let organizer = app.organizer("acme").await;
    let event = organizer.event(&EventSetup::default()).await;
    let placed = app.visitor().place(&event, &event["types"][0], 2).await;
    let secret = placed["guestSecret"].as_str().expect("a guest secret");
    let guest = app.visitor().with_guest(secret);

    let query = "query($id: ID!) {
      registration(id: $id) { status items { nodes { price { minorUnits } attendee { name } } } }
      eventBySlug(organizationSlug: \"acme\", slug: \"rust-day\") { title }
    }";
    let variables = json!({ "id": placed["registration"]["id"] });
    let flight = flight_of(&wire, &guest, query, &variables).await;
    assert_eq!(
        words(&flight),
        [
            "select set_config(",
            "select es.open_as_guest(",
            "select es.reveal_event(",
            "with level1 as",
            SYNC
        ]
    );
    let seen = guest.ask(query, variables).await;
    assert_eq!(
        seen["registration"]["items"]["nodes"]
            .as_array()
            .map(Vec::len),
        Some(2)
    );
}

#[tokio::test]
async fn what_is_asked_by_its_key_is_planned_once() {
    let app = TestApp::start().await;
    let organizer = app.organizer("kept").await;
    let event = organizer.event(&EventSetup::default()).await;
    let placed = app.visitor().place(&event, &event["types"][0], 1).await;
    let secret = placed["guestSecret"].as_str().expect("a secret");
    let guest = app.visitor().with_guest(secret);
    let query = "query($id: ID!) { registration(id: $id) { status tickets { nodes { code } } } }";
    for _ in 0..8 {
        let asked = json!({ "id": placed["registration"]["id"] });
        guest.ask(query, asked).await;
    }
    // One after the other they were all served by one connection, and so is this.
    let flight = Flight {
        sql: "select concat(sum(custom_plans), ' and ', sum(generic_plans)) from pg_prepared_statements \
              where statement like '%from registrations t1%' and statement like '%from tickets%'"
            .into(),
        fresh: true,
        ..Flight::default()
    };
    let attendee = Actor::attendee(Uuid::now_v7(), Uuid::now_v7());
    let row = app.app.door.read(&attendee, &flight).await.expect("a row");
    let plans = row.column(0).expect("a text");
    // The first was not prepared yet.
    assert_eq!(String::from_utf8_lossy(plans), "0 and 7");
}

#[tokio::test]
async fn members_pay_no_further_statement_while_their_standing_is_known() {
    let (app, wire) = wired().await;
    let organizer = app.organizer("acme").await;
    organizer.event(&EventSetup::default()).await;
    let query = "{ events { nodes { registrations { totalCount nodes { tickets { nodes { code } } } } } } }";
    let flight = flight_of(&wire, &organizer.caller, query, &json!({})).await;
    assert_eq!(
        words(&flight),
        ["select set_config(", "with level1 as", SYNC]
    );
}

#[tokio::test]
async fn a_reader_who_goes_away_leaves_nothing_behind() {
    let (app, wire) = wired().await;
    let visitor = app.visitor();
    let query = "{ events { totalCount } }";
    // Parsed at first, then prepared, then known.
    visitor.ask(query, json!({})).await;
    visitor.ask(query, json!({})).await;
    wire.take();

    wire.stop();
    let leaving = {
        let visitor = visitor.clone();
        tokio::spawn(async move { visitor.send(query, json!({})).await })
    };
    wire.seen(|asked| *asked == Asked::Ended).await;
    leaving.abort();
    assert!(leaving.await.is_err());
    wire.release();

    assert_eq!(
        visitor.ask(query, json!({})).await["events"]["totalCount"],
        0
    );
    let open = "select count(*) from pg_stat_activity where datname = current_database() and state like 'idle in%'";
    assert_eq!(app.database.count(open).await, 0);
}

#[tokio::test]
async fn a_verb_is_finished_for_a_client_who_goes_away() {
    let (app, wire) = wired().await;
    let organizer = app.organizer("acme").await;
    // Who the caller is, is known from here on: the next thing said is the verb's.
    organizer.caller.ask("{ viewer { id } }", json!({})).await;

    wire.stop();
    let leaving = {
        let caller = organizer.caller.clone();
        let input = json!({ "input": { "name": "Grace" } });
        tokio::spawn(async move {
            let query = "mutation($input: CreateSpeakerInput!) { createSpeaker(input: $input) { speaker { id } } }";
            caller.send(query, input).await
        })
    };
    wire.spoken().await;
    leaving.abort();
    assert!(leaving.await.is_err());
    wire.release();

    let written = async {
        while app.database.count("select count(*) from speakers").await == 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, written)
        .await
        .expect("the verb went on to its end");
}
