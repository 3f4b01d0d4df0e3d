//! A shop on a database of its own; there are two of them that differ in nothing but ids.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    beside::Beside,
    counter,
    wishes::{What, Who, Wish},
};
use crate::{
    harness::{As, Db, code, outcome},
    shop::{Shop, Sold},
};

/// What became of a cart.
#[derive(Clone)]
struct Held {
    registration: Uuid,
    buyer: As,
    items: Vec<String>,
}

pub struct Twin {
    pub shop: Shop,
    types: Vec<Uuid>,
    elsewhere: Uuid,
    /// Events of the same organization: one where people wait, one with prices of every kind.
    beside: [Beside; 2],
    /// What ids are called in both worlds.
    names: Mutex<Vec<(String, String)>>,
    held: Mutex<HashMap<usize, Held>>,
}

/// Accounts are the same in both worlds. The address of the first is proved.
pub fn user(number: usize) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + number as u128)
}

impl Twin {
    pub async fn new() -> Self {
        let db = Db::new().await;
        let shop = Shop::draft_in(&db).await;
        let elsewhere = Shop::draft_in(&db).await;
        let hall = shop.pool(Some(60)).await;
        let meals = shop.pool(Some(14)).await;
        let balcony = shop.pool(Some(7)).await;
        let endless = shop.pool(None).await;
        let mut types = vec![];
        for (price, pools) in [
            (0, vec![hall]),
            (0, vec![hall, meals]),
            (0, vec![endless]),
            (700, vec![hall]),
            (0, vec![balcony, hall]),
            // Hidden, over, inactive.
            (0, vec![hall]),
            (0, vec![hall]),
            (0, vec![hall]),
        ] {
            let sold = Sold {
                price,
                pools: &pools,
            };
            types.push(shop.sells(sold).await);
        }
        let faults = [
            (5, "hidden = true"),
            (6, "sales_end_at = '2020-01-01 00:00+00'"),
            (7, "active = false"),
        ];
        for (at, fault) in faults {
            let id = types[at];
            db.run(&format!(
                "update ticket_types set {fault} where id = '{id}'"
            ))
            .await;
        }
        for number in 0..2 {
            db.run(&format!(
                "insert into users (id, email, name, email_verified_at) values ('{}', 'user{number}@example.com', 'U', {})",
                user(number),
                if number == 0 { "es.clock()" } else { "null" }
            ))
            .await;
        }
        shop.publish().await;
        let mut names = vec![
            (shop.event.to_string(), "event".to_owned()),
            (hall.to_string(), "hall".to_owned()),
            (meals.to_string(), "meals".to_owned()),
            (balcony.to_string(), "balcony".to_owned()),
            (endless.to_string(), "endless".to_owned()),
        ];
        for (at, id) in types.iter().enumerate() {
            names.push((id.to_string(), format!("type {at}")));
        }
        let beside = [Beside::queue(&shop).await, Beside::rich(&shop).await];
        for (number, event) in beside.iter().enumerate() {
            names.extend(event.names(&format!("beside {number}")));
        }
        Self {
            elsewhere: elsewhere.event,
            shop,
            types,
            beside,
            names: Mutex::new(names),
            held: Mutex::default(),
        }
    }

    /// What happens between two batches: a place is freed where people wait, and offered if somebody comes by.
    pub async fn meanwhile(&self, round: usize) {
        let queue = &self.beside[0];
        queue
            .shop
            .db
            .run(&format!(
                "update capacity_pools set capacity = capacity + 2 where id = '{}'",
                queue.pools[0]
            ))
            .await;
        if round % 3 == 1 {
            queue.shop.serve(1).await;
        }
    }

    fn held(&self, cart: usize) -> Option<Held> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.get(&cart).cloned()
    }

    /// Ids replaced by what they are called in both worlds.
    pub fn neutral(&self, text: &str) -> String {
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        names
            .iter()
            .fold(text.to_owned(), |text, (id, name)| text.replace(id, name))
    }

    fn actor(&self, wish: &Wish) -> As {
        let stranger = "0123456789abcdef0123456789abcdef";
        match wish.who {
            Who::Visitor if placed_cart(wish).is_some() => As::visitor(self.shop.org),
            // Visitors confirm nothing: the role may not even ask.
            Who::Visitor => As {
                guest_hash: None,
                ..As::guest(self.shop.org, stranger)
            },
            Who::User(number) => As::attendee(user(number), self.shop.org),
            Who::Guest(None) => As::guest(self.shop.org, stranger),
            Who::Guest(Some(cart)) => match self.held(cart) {
                Some(held) => held.buyer,
                None => As::guest(self.shop.org, stranger),
            },
        }
    }

    fn request(&self, wish: &Wish) -> (&'static str, Json) {
        let mut request = match &wish.what {
            What::Place {
                cart,
                event,
                occurrence,
                lines,
                buyer,
                more,
            } => {
                let (event, date, types) = match event {
                    0 => (self.shop.event, self.shop.occurrence, &self.types),
                    1 => (self.elsewhere, self.shop.occurrence, &self.types),
                    number => {
                        let beside = &self.beside[number - 2];
                        (beside.shop.event, beside.shop.occurrence, &beside.types)
                    }
                };
                let items: Vec<Json> = lines
                    .iter()
                    .map(|(kind, quantity, people)| {
                        let kind = types[kind % types.len()];
                        json!({ "ticket_type_id": kind, "quantity": quantity, "attendees": people })
                    })
                    .collect();
                let mut request = json!({
                    "event_id": event,
                    "occurrence_id": occurrence.map(|which| match which {
                        0 => date,
                        _ => Uuid::from_u128(1),
                    }),
                    "buyer": buyer,
                    "items": items,
                });
                for (name, value) in more.as_object().into_iter().flatten() {
                    request[name] = value.clone();
                }
                if wish.who == Who::Visitor {
                    request["guest_secret_hash"] = json!(format!("{cart:032x}"));
                }
                request
            }
            What::Confirm {
                cart,
                people,
                short,
            } => {
                let held = self.held(*cart);
                let items = held.as_ref().map_or(vec![], |held| held.items.clone());
                let tickets: Vec<Json> = items
                    .iter()
                    .skip(usize::from(*short))
                    .map(|item| json!({ "ticket_id": Uuid::now_v7(), "item_id": item, "code": Uuid::new_v4() }))
                    .collect();
                let named = match (people, items.first()) {
                    (true, Some(item)) => {
                        json!([{ "item_id": item, "name": "Named Late", "email": "late@example.com" }])
                    }
                    _ => json!([]),
                };
                json!({
                    "registration_id": held.map_or(Uuid::from_u128(2), |held| held.registration),
                    "attendees": named,
                    "tickets": tickets,
                })
            }
        };
        request["idempotency_key"] = json!(wish.key);
        request["argument_hash"] = json!(wish.hash);
        match wish.what {
            What::Place { .. } => ("place", request),
            What::Confirm { .. } => ("confirm", request),
        }
    }

    async fn alone(&self, wish: &Wish) -> Json {
        let (verb, request) = self.request(wish);
        let function = format!("{verb}_registration");
        let who = self.actor(wish);
        match self.shop.db.try_call(&who, &function, &request).await {
            Ok(answer) => answer,
            Err(error) => match code(&error).as_str() {
                "ES409" => json!({ "outcome": "key_conflict" }),
                other => json!({ "outcome": other }),
            },
        }
    }

    /// Each in a transaction of its own.
    pub async fn one_by_one(&self, wishes: &[Wish]) -> Vec<Json> {
        let mut told = vec![];
        for wish in wishes {
            let answer = self.alone(wish).await;
            self.remember(wish, &answer).await;
            told.push(self.without_ids(answer));
        }
        told
    }

    /// All in one transaction; after an error one by one, as the server does. Whether it came to that.
    pub async fn at_once(&self, wishes: &[Wish]) -> (Vec<Json>, bool) {
        let mut verb = "";
        let batch: Vec<Json> = wishes
            .iter()
            .map(|wish| {
                let (function, request) = self.request(wish);
                verb = function;
                let who = self.actor(wish);
                json!({
                    "actor": who.actor,
                    "user_id": who.user,
                    "guest_hashes": who.guest_hash.into_iter().collect::<Vec<_>>(),
                    "request": request,
                })
            })
            .collect();
        let function = format!("{verb}_registrations");
        let who = counter(self.shop.org);
        let answers = self
            .shop
            .db
            .try_call(&who, &function, &Json::Array(batch))
            .await;
        let answers = match answers {
            Ok(answers) => answers,
            Err(error) => {
                eprintln!("served one by one: {error}");
                return (self.one_by_one(wishes).await, true);
            }
        };
        let answers = answers.as_array().expect("a list").clone();
        assert_eq!(answers.len(), wishes.len());
        let mut told = vec![];
        for (wish, answer) in wishes.iter().zip(answers) {
            self.remember(wish, &answer["outcome"]).await;
            if let (Some(items), Some(cart)) = (answer["items"].as_array(), placed_cart(wish)) {
                let held = self.held(cart).expect("remembered");
                assert_eq!(json!(held.items), json!(items), "the items that were told");
            }
            told.push(self.without_ids(answer["outcome"].clone()));
        }
        (told, false)
    }

    /// Who holds what, and what its id is called.
    async fn remember(&self, wish: &Wish, answer: &Json) {
        let Some(cart) = placed_cart(wish) else {
            return;
        };
        if outcome(answer) != "placed" || answer.get("replayed").is_some() {
            return;
        }
        let id = answer["registration_id"].as_str().expect("an id");
        let items = self
            .shop
            .db
            .ask(&format!(
                "select jsonb_agg(id order by position)::text from registration_items where registration_id = '{id}'"
            ))
            .await
            .expect("items");
        let held = Held {
            registration: id.parse().expect("an id"),
            buyer: match wish.who {
                Who::User(number) => As::attendee(user(number), self.shop.org),
                _ => As::guest(self.shop.org, &format!("{cart:032x}")),
            },
            items: serde_json::from_str(&items).expect("a list"),
        };
        self.names
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((id.to_owned(), format!("registration {cart}")));
        self.held
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(cart, held);
    }

    fn without_ids(&self, mut answer: Json) -> Json {
        for chance in ["confirmation_number", "expires_at"] {
            if answer[chance].is_string() {
                answer[chance] = json!("set");
            }
        }
        serde_json::from_str(&self.neutral(&answer.to_string())).expect("JSON")
    }
}

fn placed_cart(wish: &Wish) -> Option<usize> {
    match wish.what {
        What::Place { cart, .. } => Some(cart),
        What::Confirm { .. } => None,
    }
}
