//! The program is killed in the middle of a rush: what was answered stays so, what was not is answered once, and the
//! stock adds up.

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::{Value, json};

use crate::harness::*;

/// Thirteen organizations with events on sale; see there.
const SHOPS: &str = include_str!("../../../bench/sql/sale.sql");
const BUYERS: usize = 24;
const PLACE: &str = "mutation($input: PlaceRegistrationInput!) { placeRegistration(input: $input) {
  guestSecret registration { id confirmationNumber } userErrors { code } } }";
const CONFIRM: &str =
    "mutation($input: ConfirmRegistrationInput!) { confirmRegistration(input: $input) {
  registration { id confirmationNumber tickets { nodes { code } } } userErrors { code } } }";

/// A request that was sent, and its answer if one came.
#[derive(Clone)]
struct Sent {
    body: Value,
    secret: Option<String>,
    answer: Option<Value>,
}

fn open(data: &Path) -> Server {
    let mut command = serve(data);
    for name in ["VISITOR_POINTS", "VISITOR_POINTS_PER_SECOND"] {
        command.env(name, "1000000000");
    }
    command.env("VISITOR_CONCURRENCY", "1000");
    Server::spawn(command)
}

/// The data of an answer without errors; nothing when none came.
async fn ask(
    client: &reqwest::Client,
    port: u16,
    body: &Value,
    secret: Option<&str>,
) -> Option<Value> {
    let mut request = client
        .post(format!("http://127.0.0.1:{port}/graphql"))
        .header("accept", "application/json")
        .json(body);
    if let Some(secret) = secret {
        request = request.header("x-guest-secret", secret);
    }
    let answer: Value = request.send().await.ok()?.json().await.ok()?;
    assert_eq!(answer["errors"], Value::Null, "{body} gave {answer}");
    Some(answer["data"].clone())
}

async fn event(port: u16) -> (Value, Value) {
    let query = "{ eventBySlug(organizationSlug: \"house-1\", slug: \"event-1\") { id ticketTypes { nodes { id } } } }";
    let found = ask(
        &reqwest::Client::new(),
        port,
        &json!({ "query": query }),
        None,
    )
    .await
    .expect("an answer");
    let event = &found["eventBySlug"];
    (
        event["id"].clone(),
        event["ticketTypes"]["nodes"][0]["id"].clone(),
    )
}

/// One buyer after the other until nobody answers.
async fn buy(
    port: u16,
    event: (Value, Value),
    sent: Arc<Mutex<Vec<Sent>>>,
    done: Arc<AtomicUsize>,
) {
    let client = reqwest::Client::new();
    let note = |body: &Value, secret: Option<&str>, answer: &Option<Value>| {
        sent.lock().expect("unbroken").push(Sent {
            body: body.clone(),
            secret: secret.map(str::to_owned),
            answer: answer.clone(),
        });
    };
    loop {
        let key = uuid::Uuid::new_v4().simple().to_string();
        let input = json!({
            "eventId": event.0, "buyer": { "name": "Bo Buyer", "email": format!("{key}@example.org") },
            "lines": [{ "ticketTypeId": event.1, "quantity": 1 }], "idempotencyKey": key,
        });
        let body = json!({ "query": PLACE, "variables": { "input": input } });
        let answer = ask(&client, port, &body, None).await;
        note(&body, None, &answer);
        let Some(answer) = answer else { return };
        let placed = &answer["placeRegistration"];
        let secret = placed["guestSecret"].as_str().expect("a secret");
        let input =
            json!({ "registrationId": placed["registration"]["id"], "idempotencyKey": key });
        let body = json!({ "query": CONFIRM, "variables": { "input": input } });
        let answer = ask(&client, port, &body, Some(secret)).await;
        note(&body, Some(secret), &answer);
        if answer.is_none() {
            return;
        }
        done.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_in_a_rush_nobody_is_answered_twice_differently() {
    let scratch = Scratch::new();
    let data = scratch.data();
    let mut server = open(&data);
    superuser(&data)
        .await
        .batch_execute(&format!("begin; set local role es_owner; {SHOPS}; commit"))
        .await
        .expect("shops");
    let sent = Arc::new(Mutex::new(vec![]));
    for round in 1..=2 {
        let event = event(server.port).await;
        let done = Arc::new(AtomicUsize::new(0));
        let buyers: Vec<_> = (0..BUYERS)
            .map(|_| {
                let storm = buy(server.port, event.clone(), sent.clone(), done.clone());
                tokio::spawn(storm)
            })
            .collect();
        while done.load(Ordering::Relaxed) < 60 * round {
            tokio::task::yield_now().await;
        }
        server.end("KILL");
        for buyer in buyers {
            buyer.await.expect("a buyer");
        }
        server = open(&data);
    }

    let client = reqwest::Client::new();
    let (mut lost, mut placed) = (0, 0);
    let all = sent.lock().expect("unbroken").clone();
    for one in all {
        let again = ask(&client, server.port, &one.body, one.secret.as_deref()).await;
        let again = again.expect("an answer");
        let before = match one.answer {
            Some(answer) => answer,
            // Nobody knows whether it was done; now it is, once.
            None => {
                lost += 1;
                let third = ask(&client, server.port, &one.body, one.secret.as_deref()).await;
                third.expect("an answer")
            }
        };
        assert_eq!(again, before, "answered differently: {}", one.body);
        placed += i64::from(one.body["query"] == PLACE);
    }
    assert!(lost > 0, "nobody was waiting when it was killed");
    let database = superuser(&data).await;
    let count =
        async |sql: &str| -> i64 { database.query_one(sql, &[]).await.expect("counted").get(0) };
    assert_eq!(
        count("select count(*) from check_stock_integrity()").await,
        0
    );
    assert_eq!(count("select count(*) from registrations").await, placed);
    assert_eq!(
        count("select count(*) from registrations where status not in ('held', 'confirmed')").await,
        0
    );
}
