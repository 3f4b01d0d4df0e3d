//! The counter: buyers who come together are served together, and nobody else waits for them.

use serde_json::{Value, json};

use crate::harness::{EventSetup, TestApp, at_once, key};

const MANY: [(&str, &str); 1] = [("VISITOR_CONCURRENCY", "1000")];

/// Connections of this database that wait for a lock.
const WAITING: &str = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";

async fn until(app: &TestApp, sql: &str, wanted: i64) {
    let database = app.database.admin().await;
    while database.query_one(sql, &[]).await.unwrap().get::<_, i64>(0) < wanted {
        tokio::task::yield_now().await;
    }
}

fn roomy() -> EventSetup {
    EventSetup {
        places: 500,
        ..EventSetup::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_meanwhile_is_served_together_and_other_tenants_do_not_wait() {
    let app = TestApp::start_with(&MANY).await;
    let (north, south) = (app.organizer("north").await, app.organizer("south").await);
    let (busy, calm) = (north.event(&roomy()).await, south.event(&roomy()).await);
    let visitor = app.visitor();

    // Somebody holds the stock of the north; all its buyers stand in line.
    let mut holder = app.database.admin().await;
    let lock = holder.transaction().await.unwrap();
    lock.execute(
        "select from capacity_pools where org_id = (select id from organizations where slug = 'north') for update",
        &[],
    )
    .await
    .unwrap();
    let (rush, sale) = (visitor.clone(), busy.clone());
    let buying = tokio::spawn(at_once(60, move |_| {
        let (visitor, event) = (rush.clone(), sale.clone());
        async move { visitor.place(&event, &event["types"][0], 1).await }
    }));
    until(&app, WAITING, 1).await;
    // The south sells, confirms and shows its page meanwhile: six times what the pool of connections holds.
    for _ in 0..6 {
        let placed = visitor.place(&calm, &calm["types"][0], 1).await;
        let guest = visitor.with_guest(placed["guestSecret"].as_str().unwrap());
        let confirmed = guest.confirm(&placed["registration"]["id"]).await;
        assert_eq!(confirmed["registration"]["status"], "CONFIRMED");
    }
    assert_eq!(app.database.count(WAITING).await, 1, "one batch at a time");
    lock.commit().await.unwrap();

    let placed: Vec<Value> = buying.await.unwrap();
    assert!(placed.iter().all(|one| one["userErrors"] == json!([])));
    let transactions = "select count(distinct r.xmin::text) from registrations r join organizations o on o.id = r.org_id \
                        where o.slug = 'north'";
    let transactions = app.database.count(transactions).await;
    // The first goes alone; the rest came while it waited.
    assert!(
        transactions <= 6,
        "60 buyers took {transactions} transactions"
    );
    assert_eq!(app.database.stock_faults().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_fails_is_served_one_by_one() {
    let app = TestApp::start_with(&MANY).await;
    let event = app.organizer("north").await.event(&roomy()).await;
    let database = app.database.admin().await;
    for function in ["place_registrations", "confirm_registrations"] {
        database
            .batch_execute(&format!(
                "create or replace function public.{function}(p_batch jsonb) returns jsonb language plpgsql \
                 as 'begin perform 1 / 0; end'"
            ))
            .await
            .unwrap();
    }
    let visitor = app.visitor();
    let statuses: Vec<Value> = at_once(20, move |_| {
        let (visitor, event) = (visitor.clone(), event.clone());
        async move {
            let placed = visitor.place(&event, &event["types"][0], 1).await;
            let guest = visitor.with_guest(placed["guestSecret"].as_str().expect("a secret"));
            let confirmed = guest.confirm(&placed["registration"]["id"]).await;
            confirmed["registration"]["status"].clone()
        }
    })
    .await;
    assert_eq!(statuses, vec![json!("CONFIRMED"); 20]);
    assert_eq!(app.database.stock_faults().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_takes_too_long_answers_everybody_and_the_line_goes_on() {
    let settings = [MANY[0], ("STATEMENT_TIMEOUT_MS", "700")];
    let app = TestApp::start_with(&settings).await;
    let event = app.organizer("north").await.event(&roomy()).await;
    let database = app.database.admin().await;
    database
        .batch_execute(
            "alter function public.place_registrations(jsonb) rename to place_quickly; \
             create function public.place_registrations(p_batch jsonb) returns jsonb language plpgsql \
             as 'begin perform pg_sleep(60); end'; \
             grant execute on function public.place_registrations(jsonb) to es_system",
        )
        .await
        .unwrap();
    let input = |key: String| {
        json!({
            "eventId": event["id"], "buyer": { "name": "Vera", "email": "vera@example.org" },
            "lines": [{ "ticketTypeId": event["types"][0], "quantity": 1 }], "idempotencyKey": key,
        })
    };
    let query = "mutation($input: PlaceRegistrationInput!) { placeRegistration(input: $input) { registration { id } } }";
    let requests: Vec<Value> = (0..12)
        .map(|_| json!({ "query": query, "variables": { "input": input(key()) } }))
        .collect();
    let (http, url) = (app.http().clone(), format!("{}/graphql", app.url));
    let codes: Vec<Value> = at_once(12, move |number| {
        let request = http.post(&url).json(&requests[number]);
        async move {
            let answer: Value = request.send().await.unwrap().json().await.unwrap();
            answer["errors"][0]["extensions"]["code"].clone()
        }
    })
    .await;
    assert_eq!(codes, vec![json!("TIMEOUT"); 12]);
    database
        .batch_execute(
            "drop function public.place_registrations(jsonb); \
             alter function public.place_quickly(jsonb) rename to place_registrations",
        )
        .await
        .unwrap();
    let placed = app.visitor().place(&event, &event["types"][0], 1).await;
    assert_eq!(placed["registration"]["status"], "HELD");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_goes_away_is_placed_all_the_same() {
    let app = TestApp::start_with(&MANY).await;
    let event = app.organizer("north").await.event(&roomy()).await;
    let mut holder = app.database.admin().await;
    let lock = holder.transaction().await.unwrap();
    lock.execute("select from capacity_pools for update", &[])
        .await
        .unwrap();
    let visitor = app.visitor();
    let leaving: Vec<_> = (0..5)
        .map(|_| {
            let (visitor, event) = (visitor.clone(), event.clone());
            tokio::spawn(async move { visitor.place(&event, &event["types"][0], 1).await })
        })
        .collect();
    until(&app, WAITING, 1).await;
    // Five operations have been begun: their requests count as under way.
    while app.app.throttle.inside() < 5 {
        tokio::task::yield_now().await;
    }
    for one in &leaving {
        one.abort();
    }
    lock.commit().await.unwrap();
    until(&app, "select count(*) from registrations", 5).await;
    assert_eq!(app.database.stock_faults().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_is_served_alone_by_their_permissions() {
    let app = TestApp::start_with(&MANY).await;
    let organizer = app.organizer("north").await;
    let event = organizer.event(&roomy()).await;
    let hidden = organizer
        .caller
        .does(
            "updateTicketType",
            "ticketType { id }",
            json!({ "id": event["types"][0], "hidden": true }),
        )
        .await;
    assert!(hidden["ticketType"]["id"].is_string());
    let refused = app.visitor().place(&event, &event["types"][0], 1).await;
    assert_eq!(refused["userErrors"][0]["code"], "TICKET_TYPE_NOT_FOUND");
    let placed = organizer.caller.place(&event, &event["types"][0], 1).await;
    assert_eq!(placed["registration"]["status"], "HELD", "{placed}");
    let confirmed = organizer
        .caller
        .confirm(&placed["registration"]["id"])
        .await;
    assert_eq!(
        confirmed["registration"]["status"], "CONFIRMED",
        "{confirmed}"
    );
    // What a person bought elsewhere is theirs, signed in.
    let (person, _) = app.person("somebody@else.example").await;
    let placed = person.place(&event, &event["types"][1], 1).await;
    assert_eq!(placed["guestSecret"], Value::Null);
    let stranger = app.visitor().confirm(&placed["registration"]["id"]).await;
    assert_eq!(stranger["userErrors"][0]["code"], "REGISTRATION_NOT_FOUND");
    let confirmed = person.confirm(&placed["registration"]["id"]).await;
    assert_eq!(
        confirmed["registration"]["status"], "CONFIRMED",
        "{confirmed}"
    );
}
