//! Those who watch, over processes that are killed: two servers on one database, each with clients of its own.

#[path = "../it/live/socket.rs"]
#[expect(dead_code, reason = "the other tests use the rest of it")]
mod socket;

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use self::socket::Socket;
use crate::{
    harness::{Server, signal},
    storms::{farm::Farm, stage::Organizer},
};

const QUERY: &str = "subscription($after: String) { registrationChanged(after: $after) {
    type cursor registration { id status } } }";
const PLACE: &str = "mutation($input: PlaceRegistrationInput!) { placeRegistration(input: $input) {
    registration { id } userErrors { code } } }";
/// Registrations in all.
const PLACED: usize = 120;

fn url(server: &Server) -> String {
    format!("http://127.0.0.1:{}", server.port)
}

/// Watches at the first server that lets it in, again and again, from its last cursor on, until it was told of so many.
async fn watch(
    urls: [String; 2],
    token: String,
    began: tokio::sync::oneshot::Sender<()>,
) -> Vec<Value> {
    let (mut told, mut cursor, mut turn, mut began) = (vec![], Value::Null, 0, Some(began));
    let deadline = Instant::now() + Duration::from_secs(90);
    while told.len() < PLACED {
        assert!(
            Instant::now() < deadline,
            "told of {} of {PLACED}",
            told.len()
        );
        let headers = [("sec-websocket-protocol", socket::PROTOCOL)];
        let opened = Socket::try_open(&urls[turn % 2], &headers).await;
        turn += 1;
        let Ok(mut socket) = opened else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let who = json!({ "Authorization": format!("Bearer {token}") });
        socket
            .say(json!({ "type": "connection_init", "payload": who }))
            .await;
        socket.begin("1", QUERY, json!({ "after": cursor })).await;
        while let Some(message) = socket.heard().await {
            if message["type"] == "connection_ack" {
                continue;
            }
            let mut said = message["payload"]["data"]["registrationChanged"].clone();
            assert!(said.is_object(), "{message:#}");
            cursor = said["cursor"].take();
            if said["type"] == "registration.held" {
                told.push(said["registration"]["id"].clone());
            }
            if let Some(began) = began.take() {
                let _ = began.send(());
            }
            if told.len() == PLACED {
                break;
            }
        }
    }
    told
}

#[tokio::test]
async fn a_killed_process_loses_nothing_for_those_who_come_back() {
    let (farm, first) = Farm::new().await;
    let database = farm.admin().await;
    let organizer = Organizer::signed_up(&first, &database, "live").await;
    let token = organizer
        .api_token(&["registrations:read", "events:read"])
        .await;
    let event = organizer.event("live", json!({})).await;
    let hall = organizer.pool(&event, 10_000, None).await;
    let kind = organizer.sells(&event, 0, &[&hall]).await;
    organizer.publish(&event).await;
    let second = Server::spawn(farm.serve());
    let urls = [url(&first), url(&second)];
    // Each begins at another server.
    let turned = [urls[1].clone(), urls[0].clone()];
    let mut watching = vec![];
    for urls in [urls.clone(), turned] {
        let (began, begins) = tokio::sync::oneshot::channel();
        watching.push(tokio::spawn(watch(urls, token.to_string(), began)));
        begins.await.expect("it watches");
    }
    let http = reqwest::Client::new();
    let mut placed = BTreeSet::new();
    let mut doomed = Some(first);
    for n in 0..PLACED {
        if n == PLACED / 3
            && let Some(mut doomed) = doomed.take()
        {
            signal("KILL", doomed.pid());
            doomed.ended();
        }
        let input = json!({
            "eventId": event, "buyer": { "name": "Vera", "email": "vera@example.org" },
            "lines": [{ "ticketTypeId": kind, "quantity": 1, "attendees": [{ "name": "V", "email": "v@example.org" }] }],
            "idempotencyKey": uuid::Uuid::new_v4().to_string(),
        });
        let body = json!({ "query": PLACE, "variables": { "input": input } });
        let answer = http
            .post(format!("{}/graphql", urls[1]))
            .json(&body)
            .send()
            .await
            .expect("an answer");
        let answer: Value = answer.json().await.expect("JSON");
        let id = &answer["data"]["placeRegistration"]["registration"]["id"];
        assert!(id.is_string(), "{answer:#}");
        assert!(placed.insert(id.to_string()));
    }
    for told in watching {
        let told = told.await.expect("it ends");
        let each: BTreeSet<String> = told.iter().map(Value::to_string).collect();
        assert_eq!(each, placed);
        assert_eq!(told.len(), PLACED, "nothing is told twice");
    }
}
