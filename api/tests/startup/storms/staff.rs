//! Members: they set places aside and give them back, let codes reserve, approve, reject, cancel.

use std::sync::{Arc, atomic::Ordering};

use serde_json::{Value, json};

use super::{
    ask::{Desk, Who, is_done},
    people::{Shared, event},
};
use crate::dice::Dice;

/// Somebody of the organization.
pub struct Member {
    pub desk: Desk,
    pub shared: Arc<Shared>,
    pub dice: Dice,
    pub holds: Vec<(usize, Value)>,
}

impl Member {
    /// Goes on until it is enough.
    pub async fn live(mut self) {
        while !self.desk.signs.enough.load(Ordering::Relaxed) {
            match self.dice.below(10) {
                0 | 1 => self.set_aside().await,
                2 => self.reserve().await,
                3 => self.cancel().await,
                _ => self.decide().await,
            }
        }
    }

    async fn asks(&mut self, verb: &'static str, input: Value) -> Value {
        let who = Who::Staff(self.shared.stage.token.clone());
        self.desk.call(&mut self.dice, &who, verb, input).await
    }

    async fn set_aside(&mut self) {
        if self.holds.len() < 2 {
            let number = [0, 5][self.dice.below(2)];
            let shared = self.shared.clone();
            let event = event(&shared.stage, number);
            let mut input = json!({
                "eventId": event.id, "name": "Sponsors", "quantity": 1 + self.dice.below(4),
            });
            match self.dice.one_in(2) {
                true => input["ticketTypeId"] = event.types[0].clone(),
                false => input["capacityPoolId"] = event.pools[0].clone(),
            }
            if self.dice.one_in(2) {
                input["expiresAt"] = json!(self.soon().await);
            }
            let payload = self.asks("createHold", input).await;
            if is_done(&payload) {
                self.tell_key(number, &payload);
                self.holds.push((number, payload["hold"]["id"].clone()));
            }
            return;
        }
        let at = self.dice.below(self.holds.len());
        let (number, hold) = self.holds[at].clone();
        if self.dice.one_in(3) {
            self.holds.swap_remove(at);
            self.asks("releaseHold", json!({ "holdId": hold })).await;
            return;
        }
        let input = json!({
            "holdId": hold, "quantity": 1 + self.dice.below(6), "newKey": self.dice.one_in(3),
        });
        let payload = self.asks("changeHold", input).await;
        match is_done(&payload) {
            true => self.tell_key(number, &payload),
            false => drop(self.holds.swap_remove(at)),
        }
    }

    fn tell_key(&self, number: usize, payload: &Value) {
        if let Some(key) = payload["holdKey"].as_str() {
            let mut keys = self.shared.keys.lock().expect("unbroken");
            keys.push((number, key.to_owned()));
            // The newest are still good, mostly.
            let surplus = keys.len().saturating_sub(8);
            keys.drain(..surplus);
        }
    }

    /// Half a minute from what the database takes for now.
    async fn soon(&self) -> String {
        let sql = "select to_char(es.clock() at time zone 'UTC' + interval '40 seconds', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')";
        let row = self.shared.database.query_one(sql, &[]).await;
        row.expect("the time").get(0)
    }

    async fn reserve(&mut self) {
        let stage = &self.shared.stage;
        let pools = match self.dice.one_in(3) {
            true => json!([]),
            false => json!([stage.queue.pools[0]]),
        };
        let input = json!({ "promoCodeId": stage.friends, "capacityPoolIds": pools });
        self.asks("reservePromoCodeStock", input).await;
    }

    /// One of the newest that somebody placed.
    fn somebodys(&mut self) -> Option<Value> {
        let known = self.shared.known.lock().expect("unbroken");
        let newest = known.len().min(30);
        let at = self.dice.below(newest.max(1));
        known.iter().rev().nth(at).cloned()
    }

    async fn cancel(&mut self) {
        if let Some(id) = self.somebodys() {
            self.asks("cancelRegistration", json!({ "registrationId": id }))
                .await;
        }
    }

    async fn decide(&mut self) {
        let waiting = self.pending().await;
        let Some(first) = waiting.first().cloned() else {
            tokio::task::yield_now().await;
            return;
        };
        let verb = self.desk.rarest([
            "approveRegistration",
            "approveRegistrations",
            "rejectRegistration",
            "rejectRegistrations",
        ]);
        let input = match verb {
            "approveRegistration" | "rejectRegistration" => json!({ "registrationId": first }),
            _ => {
                let mut ids: Vec<Value> = waiting.into_iter().take(4).collect();
                // One that is probably refused.
                if self.dice.one_in(3) {
                    ids.extend(self.somebodys().filter(|id| !ids.contains(id)));
                }
                let policy = ["SKIP_FAILED", "REJECT_ALL"][self.dice.below(2)];
                json!({ "registrationIds": ids, "errorPolicy": policy })
            }
        };
        self.asks(verb, input).await;
    }

    /// Registrations that wait for a decision.
    async fn pending(&self) -> Vec<Value> {
        let query = "{ registrations(first: 6, filter: { status: { eq: PENDING_APPROVAL } }) { nodes { id } } }";
        for port in self.desk.ports.iter() {
            let asked = self
                .desk
                .http
                .post(format!(
                    "http://127.0.0.1:{}/graphql",
                    port.load(Ordering::Relaxed)
                ))
                .header("accept", "application/json")
                .bearer_auth(&self.shared.stage.token)
                .json(&json!({ "query": query }))
                .send();
            let Ok(answer) = asked.await else { continue };
            let Ok(answer) = answer.json::<Value>().await else {
                continue;
            };
            let nodes = answer["data"]["registrations"]["nodes"].as_array();
            return nodes
                .into_iter()
                .flatten()
                .map(|node| node["id"].clone())
                .collect();
        }
        vec![]
    }
}
