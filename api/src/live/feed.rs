//! What happened, in the order in which the relay passed it on: read by each process that has somebody who watches, and
//! handed to the groups that it concerns.

use std::{sync::Arc, time::Duration};

use serde::Deserialize;
use serde_json::{Value as Json, json};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::{bell, hub::Hub};
use crate::{fault::Fault, state::App, tenancy::SystemReason};

/// Something that happened: (position, id, organization, type, version, at, object, event, registration).
type Row = (
    i64,
    Uuid,
    Uuid,
    String,
    i32,
    String,
    Uuid,
    Option<Uuid>,
    Option<Uuid>,
);

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub position: i64,
    pub id: Uuid,
    pub org: Uuid,
    pub event_type: String,
    pub version: i32,
    pub at: String,
    pub object: Uuid,
    pub event: Option<Uuid>,
    pub registration: Option<Uuid>,
}

impl From<Row> for Item {
    fn from(row: Row) -> Self {
        let (position, id, org, event_type, version, at, object, event, registration) = row;
        Self {
            position,
            id,
            org,
            event_type,
            version,
            at,
            object,
            event,
            registration,
        }
    }
}

impl Item {
    /// Whatever it is about, each once.
    pub fn keys(&self) -> Vec<Uuid> {
        let mut keys = vec![self.object, self.org];
        keys.extend(self.event);
        keys.extend(self.registration);
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}

/// An answer of `live_feed`.
#[derive(Debug, Deserialize)]
pub(super) struct Page {
    pub upto: i64,
    pub head: i64,
    pub oldest: i64,
    items: Vec<Row>,
}

impl Page {
    pub fn items(&mut self) -> impl Iterator<Item = Arc<Item>> + use<> {
        std::mem::take(&mut self.items)
            .into_iter()
            .map(|row| Arc::new(Item::from(row)))
    }
}

/// Asks `live_feed`.
pub(super) async fn read(app: &App, request: &Json) -> Result<Page, Fault> {
    let answer = app
        .door
        .decide_as_system(SystemReason::Live, "live_feed", request)
        .await?;
    serde_json::from_value(answer)
        .map_err(|error| Fault::Internal(format!("what happened cannot be read: {error}")))
}

/// Rows that are looked at at a time.
const PAGE: u64 = 1_000;
/// How often it is looked whether or not a bell rang: bells may be lost, and then this is the whole delay.
const LOOK: Duration = Duration::from_millis(400);
/// After trouble.
const TROUBLE: Duration = Duration::from_millis(500);
/// In how many such times each group where only the last state counts has looked whether it still holds: ten seconds.
const ROUND: usize = 25;
/// For how long it goes on when nobody watches any more.
const LINGER: Duration = Duration::from_secs(30);

/// Follows what happens for as long as somebody watches here. One at a time in a process.
pub(super) async fn follow(app: App, hub: Arc<Hub>) {
    let listening = tokio::spawn(bell::listen(app.clone()));
    let types = app.live.topics().types();
    let mut last = None;
    let mut alone_since = None;
    let (mut looked, mut time) = (Instant::now(), 0);
    loop {
        let after = last.unwrap_or(0);
        let limit = if last.is_some() { PAGE } else { 0 };
        let request = json!({ "after": after, "limit": limit, "types": types });
        let pause = match read(&app, &request).await {
            Ok(mut page) => {
                let more = last.is_some() && page.upto < page.head;
                last = Some(page.upto);
                hub.dispatch(&app, page.items(), page.upto);
                if more {
                    continue;
                }
                LOOK
            }
            Err(error) => {
                tracing::warn!(%error, "what happens cannot be followed; tried again soon");
                TROUBLE
            }
        };
        if looked.elapsed() >= LOOK {
            (looked, time) = (Instant::now(), time + 1);
            hub.look(&app, time, ROUND);
        }
        match hub.is_empty() {
            false => alone_since = None,
            true => {
                let since = *alone_since.get_or_insert_with(Instant::now);
                if since.elapsed() > LINGER && hub.nobody_follows() {
                    break;
                }
            }
        }
        tokio::select! {
            () = sleep(pause) => {}
            () = app.live.bell().notified() => {}
            () = app.live.stopping().cancelled() => break,
        }
    }
    listening.abort();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_as_the_function_writes_them() {
        let text = r#"{"upto": 8, "head": 9, "oldest": 2, "items": [[7, "00000000-0000-7000-8000-000000000001",
            "00000000-0000-7000-8000-000000000002", "event.updated", 1, "2026-11-21T20:00:00+00:00",
            "00000000-0000-7000-8000-000000000003", "00000000-0000-7000-8000-000000000003", null]]}"#;
        let mut page: Page = serde_json::from_str(text).unwrap();
        let items: Vec<_> = page.items().collect();
        assert_eq!((items[0].position, items[0].keys().len()), (7, 2));
    }
}
