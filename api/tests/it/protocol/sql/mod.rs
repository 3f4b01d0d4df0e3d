//! The statements of the main shapes, as they were when somebody last looked at them. After a change that is meant:
//! `INSTA_UPDATE=always cargo test -p eventsphere --test it -- protocol::sql`, and the difference goes into the review.

mod layout;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use eventsphere::assemble;
use eventsphere_entities::ticket_types;
use eventsphere_graphql::{
    Catalog, Engine, Incoming, Verb,
    catalog::Entity,
    declare,
    engine::{Columns, Denied, FieldError, Gate, Host, Outcome, ReadFailure},
    global_id,
    guard::Limits,
    plan::Flight,
};
use serde_json::{Value, json};
use uuid::Uuid;

/// Lets everything pass and keeps what it was to read.
#[derive(Default)]
struct Recorder {
    seen: Arc<Mutex<Vec<String>>>,
    flights: Arc<Mutex<Vec<Flight>>>,
    visitor: bool,
    outcome: Outcome,
}

impl Gate for Recorder {
    fn admit(&self, _: &Entity) -> Result<(), Denied> {
        Ok(())
    }

    fn reaches(&self, _: &Entity) -> bool {
        true
    }

    fn holds(&self, _: &str) -> Result<(), Denied> {
        Ok(())
    }

    fn standing(&self) -> Arc<str> {
        self.visitor.to_string().into()
    }

    fn stands_for_nobody(&self) -> bool {
        self.visitor
    }

    fn counts_stop(&self) -> bool {
        self.visitor
    }

    fn cost_ceiling(&self) -> u64 {
        50_000
    }

    fn may_introspect(&self) -> bool {
        true
    }
}

#[async_trait]
impl Host for Recorder {
    async fn read(&self, flight: &Flight) -> Result<Box<dyn Columns>, ReadFailure> {
        self.flights.lock().expect("the list").push(flight.clone());
        let mut seen = self.seen.lock().expect("the list");
        for prelude in &flight.preludes {
            seen.push(format!("{}\n-- {:?}", prelude.sql, prelude.params));
        }
        let mut params = String::new();
        for (at, param) in flight.params.iter().enumerate() {
            params += &format!("\n-- ${}: {param:?}", at + 1);
        }
        seen.push(format!("{}{params}", layout::lines(&flight.sql)));
        Ok(Box::new(()))
    }

    async fn verb(
        &self,
        _: &Verb,
        _: Value,
    ) -> Result<(Outcome, Option<Box<dyn Host>>), FieldError> {
        Ok((self.outcome.clone(), None))
    }

    fn request_id(&self) -> &str {
        "snapshot"
    }
}

fn engine() -> Engine {
    assemble::engine(&assemble::verbs()).expect("an engine")
}

/// Over columns of every kind, nullable ones among them; the API's own orders have none yet.
fn things() -> Engine {
    use ticket_types::{Column, DOCS, Entity};
    let columns = || {
        [
            Column::Name,
            Column::PriceMinor,
            Column::Hidden,
            Column::Position,
            Column::SalesStartAt,
        ]
    };
    let declaration = declare::<Entity>("Thing", 1, &DOCS)
        .root("thing", "things")
        .filter(columns())
        .order(columns())
        .done();
    let mut catalog = Catalog::default();
    catalog.add_entity(declaration.entity).expect("an entity");
    Engine::new(catalog, Limits::default()).expect("an engine")
}

async fn compiled_for(host: Recorder, query: &str, variables: Value) -> String {
    compiled_by(&engine(), host, query, variables).await
}

async fn compiled_by(engine: &Engine, host: Recorder, query: &str, variables: Value) -> String {
    let document = engine.document(query, &host).await;
    let document = document.unwrap_or_else(|answer| panic!("{}", answer.body));
    let incoming = Incoming {
        operation_name: None,
        variables: variables.as_object().cloned().unwrap_or_default(),
    };
    let answer = engine.execute(&document, &incoming, &host).await;
    assert!(!answer.body.contains("\"errors\""), "{}", answer.body);
    let seen = host.seen.lock().expect("the list");
    seen.join("\n\n")
}

async fn compiled(query: &str, variables: Value) -> String {
    compiled_for(Recorder::default(), query, variables).await
}

fn id(tag: u8) -> String {
    global_id::encode(tag, Uuid::from_u128(u128::from(tag) << 100 | 7))
}

/// The number of a type in ids.
fn tag(name: &str) -> u8 {
    engine().catalog.entities[name].tag
}

#[tokio::test]
async fn event_page() {
    let query = "query($id: ID!) {
      event(id: $id) {
        id title startsAt status
        organization { name }
        venue { name city }
        ticketTypes { nodes { name available price { amount currencyCode } } }
        sessions(first: 50, orderBy: [STARTS_AT_ASC]) { nodes { title startsAt speakers { nodes { name } } } }
      }
    }";
    let id = id(tag("Event"));
    insta::assert_snapshot!(compiled(query, json!({ "id": id })).await);
}

#[tokio::test]
async fn organizer_list() {
    let query = "query($id: ID!) {
      event(id: $id) {
        registrations(first: 50) {
          totalCount
          pageInfo { hasNextPage endCursor }
          nodes {
            confirmationNumber status total { minorUnits }
            tickets { nodes { code status ticketType { name } } }
          }
        }
      }
    }";
    let id = id(tag("Event"));
    insta::assert_snapshot!(compiled(query, json!({ "id": id })).await);
}

#[tokio::test]
async fn discovery() {
    let query = "query($from: DateTime!) {
      events(
        first: 20
        filter: { startsAt: { gte: $from }, or: [{ status: { in: [PUBLISHED, COMPLETED] } }, { title: { startsWith: \"Rust\" } }] }
        orderBy: [STARTS_AT_ASC, TITLE_DESC]
      ) {
        totalCount
        edges { cursor node { title organization { name slug } ticketTypes(first: 3) { nodes { name } } } }
      }
    }";
    let host = Recorder {
        visitor: true,
        ..Recorder::default()
    };
    let from = json!({ "from": "2027-05-04T18:00:00+02:00" });
    insta::assert_snapshot!(compiled_for(host, query, from).await);
}

/// Every param is read by the request's own place, but for what is the same for all.
#[tokio::test]
async fn an_event_page_for_several_visitors() {
    let query = "query($id: ID!, $from: DateTime!) {
      event(id: $id) {
        id title organization { name }
        ticketTypes(first: 3) { nodes { name } }
        sessions(first: 5, filter: { title: { startsWith: \"Op\" } }) { totalCount nodes { title speakers { nodes { name } } } }
      }
      events(first: 2, filter: { startsAt: { gte: $from } }) { totalCount nodes { title } }
      organizations(first: 1) { nodes { slug } }
    }";
    let host = || Recorder {
        visitor: true,
        ..Recorder::default()
    };
    let engine = engine();
    let ask =
        |day: u32| json!({ "id": id(tag("Event")), "from": format!("2027-05-{day:02}T18:00:00Z") });
    // What is compiled for the first request is not known to come again.
    compiled_by(&engine, host(), query, ask(1)).await;
    let known = host();
    let flights = known.flights.clone();
    compiled_by(&engine, known, query, ask(2)).await;
    let flight = flights.lock().expect("the list")[0].clone();
    let joint = flight.joint.clone().expect("a plan to share");
    let many = joint.flight(&[&flight, &flight]).expect("a flight for two");
    let text = format!("{}\n-- {:?}", layout::lines(&many.sql), many.params);
    insta::assert_snapshot!(text);
}

#[tokio::test]
async fn event_by_slug() {
    let query = "query($slug: String!) {
      eventBySlug(organizationSlug: \"acme\", slug: $slug) { title ticketTypes { nodes { available } } }
    }";
    insta::assert_snapshot!(compiled(query, json!({ "slug": "rust-day" })).await);
}

#[tokio::test]
async fn node_and_nodes() {
    let query = "query($id: ID!, $ids: [ID!]!) {
      node(id: $id) { id __typename ... on Event { title } ... on Venue { name } }
      nodes(ids: $ids) { id ... on Event { title } ... on Speaker { speaker: name } }
    }";
    let (event, speaker) = (id(tag("Event")), id(tag("Speaker")));
    let variables = json!({ "id": event, "ids": [speaker, event, "nonsense"] });
    insta::assert_snapshot!(compiled(query, variables).await);
}

#[tokio::test]
async fn payload_of_a_mutation() {
    let query = "mutation($input: UpdateVenueInput!) {
      updateVenue(input: $input) { venue { name city organization { slug } } userErrors { code } query { events { totalCount } } }
    }";
    let host = Recorder {
        outcome: Outcome::new().entity("venue", Uuid::from_u128(7)),
        ..Recorder::default()
    };
    let input = json!({ "input": { "id": id(tag("Venue")), "name": "Hall" } });
    insta::assert_snapshot!(compiled_for(host, query, input).await);
}

#[tokio::test]
async fn keyset_page_of_a_mixed_order_with_nulls() {
    let engine = things();
    let query = "query($c: String) {
      things(first: 10, after: $c, orderBy: [SALES_START_AT_DESC, POSITION_ASC, NAME_DESC]) {
        edges { cursor node { name } }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      }
    }";
    let first = compiled_by(&engine, Recorder::default(), query, json!({})).await;
    let print = first.split("json_build_array('").nth(1).expect("a cursor");
    let print = print.split('\'').next().expect("a fingerprint");
    let key = Uuid::from_u128(7).to_string();
    for (name, instant) in [
        ("some", Some("2027-01-01 00:00:00.000001+00")),
        ("null", None),
    ] {
        let parts = json!([print, instant, "3", "a'b", key]);
        let cursor = URL_SAFE_NO_PAD.encode(parts.to_string());
        let page = compiled_by(&engine, Recorder::default(), query, json!({ "c": cursor })).await;
        insta::assert_snapshot!(format!("keyset_after_{name}"), page);
    }
}

#[tokio::test]
async fn every_operator() {
    let query = "query($event: ID!) {
      events(first: 1, filter: {
        title: { eq: \"a\", ne: \"b\", lt: \"c\", lte: \"d\", gt: \"e\", gte: \"f\", startsWith: \"g\", in: [\"h\"], notIn: [\"i\"], isNull: false }
        status: { eq: DRAFT, ne: CANCELLED, in: [PUBLISHED], notIn: [ARCHIVED] }
        venueId: { eq: $event, ne: $event, in: [$event], notIn: [$event], isNull: true }
      }) { totalCount }
    }";
    let event = id(tag("Venue"));
    insta::assert_snapshot!(
        "operators",
        compiled(query, json!({ "event": event })).await
    );
    let query = "{
      things(first: 1, filter: {
        position: { eq: 1, ne: 2, lt: 3, lte: 4, gt: 5, gte: 6, in: [7], notIn: [8] }
        priceMinor: { eq: \"1\", in: [2, \"3\"] }
        hidden: { eq: true, ne: false }
        salesStartAt: { eq: \"2027-05-04T18:00:00+02:00\", in: [\"2027-05-04T18:00:00Z\"], lte: \"2027-05-04T18:00:00.5Z\" }
        and: [{ or: [{ name: { eq: \"a\" } }, { not: { name: { isNull: true } } }] }, { not: { or: [] } }]
      }) { totalCount }
    }";
    let page = compiled_by(&things(), Recorder::default(), query, json!({})).await;
    insta::assert_snapshot!("operators_of_numbers_and_groups", page);
}
