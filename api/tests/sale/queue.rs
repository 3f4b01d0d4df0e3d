//! What tests of holds and of the waitlist do at a shop.

use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::{
    harness::{As, outcome},
    shop::Shop,
};

/// How long an offer is kept, in seconds, when the event says nothing else.
pub const OFFER: i64 = 86_400;

pub fn id(answer: &Json, key: &str) -> Uuid {
    answer[key]
        .as_str()
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| panic!("no {key} in {answer}"))
}

fn key() -> Json {
    json!(Uuid::new_v4().to_string())
}

/// Somebody who waits.
#[derive(Clone, Debug)]
pub struct Waiting {
    pub entry: Uuid,
    pub guest: As,
}

impl Shop {
    /// Another date of the event.
    pub async fn another_date(&self, day: i32) -> Uuid {
        let id = Uuid::now_v7();
        self.db
            .run(&format!(
                "insert into occurrences (id, org_id, event_id, starts_at, ends_at) values ('{id}', '{}', '{}', \
                 '2035-04-{day:02}T09:00:00Z', '2035-04-{day:02}T18:00:00Z')",
                self.org, self.event
            ))
            .await;
        id
    }

    /// A pool of one date.
    pub async fn pool_at(&self, occurrence: Uuid, capacity: i32) -> Uuid {
        let pool = self.pool(Some(capacity)).await;
        self.db
            .run(&format!(
                "update capacity_pools set occurrence_id = '{occurrence}' where id = '{pool}'"
            ))
            .await;
        pool
    }

    pub async fn set_capacity(&self, pool: Uuid, capacity: i32) {
        self.db
            .run(&format!(
                "update capacity_pools set capacity = {capacity} where id = '{pool}'"
            ))
            .await;
    }

    /// A visitor places with more said than what and how many.
    pub async fn place_from(&self, wishes: &[(Uuid, i64)], more: Json) -> Json {
        let mut request = self.request(wishes);
        request["guest_secret_hash"] = json!(Uuid::new_v4().simple().to_string());
        for (name, value) in more.as_object().expect("an object") {
            request[name] = value.clone();
        }
        self.db
            .call(&As::visitor(self.org), "place_registration", &request)
            .await
    }

    /// Staff set places of a ticket type aside; the answer.
    pub async fn hold(&self, ticket_type: Uuid, quantity: i64, more: Json) -> Json {
        let mut request = json!({
            "event_id": self.event, "ticket_type_id": ticket_type, "quantity": quantity, "name": "Sponsors",
            "key_hash": Uuid::new_v4().simple().to_string(), "idempotency_key": key(), "argument_hash": "00",
        });
        for (name, value) in more.as_object().expect("an object") {
            request[name] = value.clone();
        }
        self.db
            .call(&self.organizer(), "create_hold", &request)
            .await
    }

    pub async fn change_hold(&self, hold: Uuid, changes: Json) -> Json {
        let mut request = changes;
        request["hold_id"] = json!(hold);
        request["idempotency_key"] = key();
        request["argument_hash"] = json!("00");
        self.db
            .call(&self.organizer(), "change_hold", &request)
            .await
    }

    pub async fn release_hold(&self, hold: Uuid) -> Json {
        let request = json!({ "hold_id": hold, "idempotency_key": key(), "argument_hash": "00" });
        self.db
            .call(&self.organizer(), "release_hold", &request)
            .await
    }

    /// A visitor of that name joins the waitlist; the answer, and who may go on with it.
    pub async fn join(&self, name: &str, wishes: &[(Uuid, i64)], more: Json) -> (Json, As) {
        let secret_hash = Uuid::new_v4().simple().to_string();
        let mut request = self.request(wishes);
        request["person"] = json!({ "name": name, "email": format!("{name}@example.com") });
        request["guest_secret_hash"] = json!(secret_hash);
        for (name, value) in more.as_object().expect("an object") {
            request[name] = value.clone();
        }
        let answer = self
            .db
            .call(&As::visitor(self.org), "join_waitlist", &request)
            .await;
        (answer, As::guest(self.org, &secret_hash))
    }

    /// The same, and they must be let in.
    pub async fn waits(&self, name: &str, wishes: &[(Uuid, i64)]) -> Waiting {
        let (answer, guest) = self.join(name, wishes, json!({})).await;
        assert_eq!(outcome(&answer), "joined", "{answer}");
        Waiting {
            entry: id(&answer, "entry_id"),
            guest,
        }
    }

    /// One of the verbs on an entry.
    pub async fn answers(&self, verb: &str, waiting: &Waiting) -> Json {
        let request = json!({
            "entry_id": waiting.entry, "idempotency_key": key(), "argument_hash": "00",
            "guest_secret_hash": Uuid::new_v4().simple().to_string(),
        });
        self.db.call(&waiting.guest, verb, &request).await
    }

    pub async fn prioritize(&self, entries: &[Uuid], priority: i64) -> Json {
        let request = json!({ "entry_ids": entries, "priority": priority });
        self.db
            .call(&self.organizer(), "prioritize_waitlist", &request)
            .await
    }

    /// Serves the waitlist of the event; how many offers were made.
    pub async fn serve(&self, limit: i64) -> i64 {
        self.db
            .select(
                &As::system(),
                "select public.serve_waitlist($1::uuid, $2::integer)::text",
                &[&self.event.to_string(), &limit.to_string()],
            )
            .await
            .expect("served")
            .and_then(|text| text.parse().ok())
            .expect("a number")
    }

    /// Clears away what was set aside and has expired.
    pub async fn clear(&self) -> i64 {
        self.db
            .select(
                &As::system(),
                "select public.expire_set_aside(1000)::text",
                &[],
            )
            .await
            .expect("cleared")
            .and_then(|text| text.parse().ok())
            .expect("a number")
    }

    pub async fn standing(&self, waiting: &Waiting) -> String {
        let sql = format!(
            "select status from waitlist_entries where id = '{}'",
            waiting.entry
        );
        self.db.ask(&sql).await.expect("an entry")
    }

    /// Places that are kept for offers that are open now.
    pub async fn offered(&self) -> i64 {
        self.db
            .ask_number(
                "select coalesce(sum(x.quantity), 0) from waitlist_offers o \
                 join waitlist_lines x on x.entry_id = o.entry_id \
                 where o.status = 'offered' and o.expires_at > es.clock()",
            )
            .await
    }

    pub async fn available_at(&self, ticket_type: Uuid, occurrence: Uuid) -> Option<i64> {
        self.db
            .select(
                &As::visitor(self.org),
                "select public.ticket_type_available_at($1::uuid, $2::uuid)::text",
                &[&ticket_type.to_string(), &occurrence.to_string()],
            )
            .await
            .expect("answered")
            .map(|text| text.parse().expect("a number"))
    }
}
