//! Buyers: each places, extends, changes, hands on, confirms, cancels and waits, as the dice fall.

use std::sync::{Arc, Mutex, atomic::Ordering};

use serde_json::{Value, json};
use tokio_postgres::Client;

use super::{
    ask::{Desk, Who, is_done},
    stage::{Event, Stage, mailed_code},
};
use crate::dice::Dice;

/// What everybody can see.
pub struct Shared {
    pub stage: Stage,
    pub database: Client,
    /// Registrations that a member may decide on or cancel.
    pub known: Mutex<Vec<Value>>,
    /// Keys of holds.
    pub keys: Mutex<Vec<(usize, String)>>,
}

/// A registration of one's own.
struct Own {
    id: Value,
    guest: Who,
    event: usize,
    status: String,
    items: Vec<Value>,
    tickets: Vec<Value>,
}

/// Somebody who buys.
pub struct Person {
    pub desk: Desk,
    pub shared: Arc<Shared>,
    pub dice: Dice,
    own: Vec<Own>,
    waiting: Vec<(Value, Who)>,
}

/// The events by number, as carts name them.
pub fn event(stage: &Stage, number: usize) -> &Event {
    match number {
        0 => &stage.plain,
        1 => &stage.dates,
        2 => &stage.rich,
        3 => &stage.approved[0],
        4 => &stage.approved[1],
        _ => &stage.queue,
    }
}

fn nodes(of: &Value) -> Vec<Value> {
    of["nodes"].as_array().cloned().unwrap_or_default()
}

fn secret(payload: &Value) -> Who {
    Who::Guest(
        payload["guestSecret"]
            .as_str()
            .expect("a secret")
            .to_owned(),
    )
}

impl Person {
    pub fn new(desk: Desk, shared: Arc<Shared>, dice: Dice) -> Self {
        Self {
            desk,
            shared,
            dice,
            own: vec![],
            waiting: vec![],
        }
    }

    /// Goes on until it is enough.
    pub async fn live(mut self) {
        while !self.desk.signs.enough.load(Ordering::Relaxed) {
            match self.dice.below(10) {
                0 | 1 => self.wait().await,
                2..6 if self.own.len() < 4 => self.place().await,
                _ if self.own.is_empty() => self.place().await,
                _ => self.go_on().await,
            }
        }
    }

    async fn place(&mut self) {
        let number = [0, 0, 1, 2, 2, 3, 3, 4, 4, 5][self.dice.below(10)];
        let shared = self.shared.clone();
        let event = event(&shared.stage, number);
        let kind = match number {
            2 => 0,
            _ => self.dice.below(event.types.len()),
        };
        let mut lines =
            vec![json!({ "ticketTypeId": event.types[kind], "quantity": 1 + self.dice.below(3) })];
        let mut input = json!({
            "eventId": event.id,
            // Few addresses, so that limits by buyer are met.
            "buyer": { "name": "Bo Buyer", "email": format!("buyer{}@example.org", self.dice.below(6)) },
        });
        if !event.dates.is_empty() {
            input["occurrenceId"] = event.dates[self.dice.below(2)].clone();
        }
        if number == 2 {
            if self.dice.one_in(2) {
                lines.push(
                    json!({ "ticketTypeId": event.types[1], "quantity": 1 + self.dice.below(2) }),
                );
            }
            if self.dice.one_in(2) {
                input["code"] = json!("freebie");
            }
            if self.dice.one_in(4) {
                input["expectedTotal"] = json!({ "minorUnits": "500", "currencyCode": "EUR" });
            }
        }
        if number == 5 && self.dice.one_in(3) {
            input["code"] = json!("friends");
        }
        let key = {
            let keys = shared.keys.lock().expect("unbroken");
            let fitting: Vec<_> = keys.iter().filter(|(of, _)| *of == number).collect();
            let any = !fitting.is_empty() && self.dice.one_in(2);
            any.then(|| fitting[self.dice.below(fitting.len())].1.clone())
        };
        if let Some(key) = key {
            input["holdKey"] = json!(key);
        }
        input["lines"] = json!(lines);
        let payload = self
            .desk
            .call(&mut self.dice, &Who::Visitor, "placeRegistration", input)
            .await;
        if is_done(&payload) {
            self.keep(&payload, number);
        }
    }

    fn keep(&mut self, payload: &Value, event: usize) {
        let id = payload["registration"]["id"].clone();
        let mut known = self.shared.known.lock().expect("unbroken");
        known.push(id.clone());
        drop(known);
        let mut own = Own {
            id,
            guest: secret(payload),
            event,
            status: String::new(),
            items: vec![],
            tickets: vec![],
        };
        own.learn(&payload["registration"]);
        self.own.push(own);
    }

    /// One step with something that was bought.
    async fn go_on(&mut self) {
        let at = self.dice.below(self.own.len());
        let own = self.own.swap_remove(at);
        let (id, guest) = (own.id.clone(), own.guest.clone());
        let of = |verb: &'static str, more: Value| {
            let mut input = more;
            input["registrationId"] = id.clone();
            (verb, input)
        };
        let item = |dice: &mut Dice| own.items.get(dice.below(own.items.len().max(1))).cloned();
        let step = match (own.status.as_str(), self.dice.below(8)) {
            // It is left to run out.
            ("HELD", 0) => return,
            ("HELD", 1) => of("extendRegistration", json!({})),
            ("HELD", 2..5) => of("confirmRegistration", json!({})),
            ("CONFIRMED", 0 | 2) if !own.tickets.is_empty() => {
                self.hand_on(&own).await;
                of("confirmRegistration", json!({}))
            }
            ("CONFIRMED", 1) => match item(&mut self.dice) {
                Some(item) => {
                    let named =
                        json!([{ "itemId": item, "name": "Zoe", "email": "zoe@example.org" }]);
                    of("changeRegistration", json!({ "reassign": named }))
                }
                None => of("confirmRegistration", json!({})),
            },
            ("HELD" | "CONFIRMED" | "PENDING_APPROVAL" | "PENDING_PAYMENT", choice) => {
                match (choice, item(&mut self.dice)) {
                    (5, Some(item)) => of("cancelRegistration", json!({ "itemIds": [item] })),
                    (6, _) => of("cancelRegistration", json!({ "reason": "ill" })),
                    (3, _) if own.status != "HELD" => of("cancelRegistration", json!({})),
                    (7, Some(item)) if self.dice.one_in(2) => {
                        let types = &event(&self.shared.stage, own.event).types;
                        let to = &types[self.dice.below(types.len())];
                        let swap = json!([{ "itemId": item, "ticketTypeId": to }]);
                        of("changeRegistration", json!({ "swap": swap }))
                    }
                    (7 | 4, _) => {
                        let types = &event(&self.shared.stage, own.event).types;
                        let more = json!([{ "ticketTypeId": types[0], "quantity": 1 + self.dice.below(2) }]);
                        of("changeRegistration", json!({ "add": more }))
                    }
                    // Confirming again tells how it stands.
                    _ => of("confirmRegistration", json!({})),
                }
            }
            _ => return,
        };
        let payload = self.desk.call(&mut self.dice, &guest, step.0, step.1).await;
        let mut own = own;
        let gone = payload["userErrors"][0]["code"] == "HOLD_EXPIRED" && self.dice.one_in(2);
        own.learn(&payload["registration"]);
        if !gone {
            self.own.push(own);
        }
    }

    /// Offers a ticket; whoever was written to takes it or does not, or the offer is taken back.
    async fn hand_on(&mut self, own: &Own) {
        let ticket = &own.tickets[self.dice.below(own.tickets.len())];
        let to = format!("{}@example.org", uuid::Uuid::new_v4().simple());
        let input = json!({ "ticketId": ticket, "email": to });
        let payload = self
            .desk
            .call(&mut self.dice, &own.guest, "transferTicket", input)
            .await;
        if !is_done(&payload) {
            return;
        }
        let code = mailed_code(&self.shared.database, &to).await;
        let code = code.expect("who was told that it is offered finds the letter sent");
        let ends = ["acceptTransfer", "declineTransfer", "cancelTransfer"];
        let verb = match self.dice.one_in(2) {
            true => self.desk.rarest(ends),
            false => ends[self.dice.below(3)],
        };
        let (who, input) = match verb {
            "cancelTransfer" => (
                &own.guest,
                json!({ "transferId": payload["transfer"]["id"] }),
            ),
            "declineTransfer" => (&Who::Visitor, json!({ "code": code })),
            _ => (&Who::Visitor, json!({ "code": code, "name": "Nina Next" })),
        };
        self.desk.call(&mut self.dice, who, verb, input).await;
    }

    /// Joins the waitlist, or one step with an entry in it.
    async fn wait(&mut self) {
        if self.waiting.len() < 2 {
            let event = &self.shared.stage.queue;
            let who = uuid::Uuid::new_v4().simple().to_string();
            let input = json!({
                "eventId": event.id, "person": { "name": "Wil", "email": format!("{who}@example.org") },
                "lines": [{ "ticketTypeId": event.types[0], "quantity": 1 + self.dice.below(2) }],
            });
            let payload = self
                .desk
                .call(&mut self.dice, &Who::Visitor, "joinWaitlist", input)
                .await;
            if is_done(&payload) {
                self.waiting
                    .push((payload["waitlistEntry"]["id"].clone(), secret(&payload)));
            }
            return;
        }
        let at = self.dice.below(self.waiting.len());
        let (entry, guest) = self.waiting.swap_remove(at);
        let answers = ["acceptWaitlistOffer", "declineWaitlistOffer"];
        let verb = match self.dice.below(10) {
            0 => "leaveWaitlist",
            1..6 => self.desk.rarest(answers),
            _ => "acceptWaitlistOffer",
        };
        let input = json!({ "waitlistEntryId": entry });
        let payload = self.desk.call(&mut self.dice, &guest, verb, input).await;
        if is_done(&payload) {
            if verb == "acceptWaitlistOffer" {
                self.keep(&payload, 5);
            }
        } else if payload["userErrors"][0]["code"] == "NO_OFFER" && !self.dice.one_in(10) {
            self.waiting.push((entry, guest));
        }
    }
}

impl Own {
    /// What an answer shows of it.
    fn learn(&mut self, shown: &Value) {
        if let Some(status) = shown["status"].as_str() {
            self.status = status.to_owned();
        }
        if shown.get("items").is_some() {
            self.items = nodes(&shown["items"])
                .into_iter()
                .filter(|item| item["cancelledAt"].is_null())
                .map(|item| item["id"].clone())
                .collect();
        }
        if shown.get("tickets").is_some() {
            self.tickets = nodes(&shown["tickets"])
                .into_iter()
                .filter(|ticket| ticket["status"] == "VALID")
                .map(|ticket| ticket["id"].clone())
                .collect();
        }
    }
}
