//! What changes, told as it changes: over real WebSockets and event streams, fed by a worker of this process. Processes that
//! are killed are in `tests/startup/live.rs`; that nobody is told of what is not theirs, in `fence/live.rs`.

mod clients;
mod codes;
mod fanning;
mod limits;
mod order;
pub mod socket;
mod standing;
pub mod stream;
mod watching;

use serde_json::{Value, json};

use crate::{
    harness::{Database, EventSetup, Organizer, TestApp},
    jobs::{Worker, until},
};
use socket::Socket;

/// A registration that was placed or changed.
pub const REGISTRATIONS: &str = "subscription($registrationId: ID, $eventId: ID, $after: String) {
    registrationChanged(registrationId: $registrationId, eventId: $eventId, after: $after) {
        id type version at cursor registration { id status } } }";
/// What is left.
pub const AVAILABILITY: &str =
    "subscription($eventId: ID!) { availabilityChanged(eventId: $eventId) {
    type cursor event { title ticketTypes { nodes { available saleStatus } } } } }";

/// A server with a worker, an organizer and an event on sale.
pub struct Stage {
    pub app: TestApp,
    pub organizer: Organizer,
    pub event: Value,
    worker: Worker,
}

impl Stage {
    pub async fn set(settings: &[(&str, &str)]) -> Self {
        let app = TestApp::over(Database::fresh().await, settings).await;
        let worker = Worker::start(&app);
        let organizer = app.organizer("north").await;
        let setup = EventSetup {
            places: 50,
            ..EventSetup::default()
        };
        let event = organizer.event(&setup).await;
        let stage = Self {
            app,
            organizer,
            event,
            worker,
        };
        stage.passed_on().await;
        stage
    }

    /// Waits until what happened so far was passed on, so that it is no news to whoever begins to watch now.
    pub async fn passed_on(&self) {
        let unsent = "select count(*) from outbox where sent_at is null";
        until("all is passed on", async || {
            self.app.database.count(unsent).await == 0
        })
        .await;
    }

    /// The organizer, over a WebSocket.
    pub async fn member(&self) -> Socket {
        Socket::with_token(&self.app.url, &self.organizer.token).await
    }

    /// Somebody takes a place: guest secret and id of the registration.
    pub async fn place(&self) -> (String, Value) {
        let placed = self
            .app
            .visitor()
            .place(&self.event, &self.event["types"][0], 1)
            .await;
        assert_eq!(placed["userErrors"], json!([]), "{placed:#}");
        let secret = placed["guestSecret"].as_str().expect("a secret").to_owned();
        (secret, placed["registration"]["id"].clone())
    }

    pub async fn end(self) {
        self.worker.stop().await;
    }
}
