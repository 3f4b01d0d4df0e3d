//! An organization with a published event to buy at, and buyers.

use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::harness::{As, Db, outcome};

pub const ORGANIZER: &str = "events:read,events:write,registrations:read,registrations:write";
/// How long the shop holds places, in seconds.
pub const HOLD: i64 = 900;

/// An organization, its owner and an event.
#[derive(Clone)]
pub struct Shop {
    pub db: Db,
    pub user: Uuid,
    pub org: Uuid,
    pub event: Uuid,
    pub occurrence: Uuid,
}

/// Something to sell: its price and the pools it draws from.
pub struct Sold<'a> {
    pub price: i64,
    pub pools: &'a [Uuid],
}

fn id(answer: &Json, key: &str) -> Uuid {
    answer[key]
        .as_str()
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| panic!("no {key} in {answer}"))
}

pub async fn sign_up(db: &Db) -> Uuid {
    let user = Uuid::now_v7();
    db.run(&format!(
        "insert into users (id, email, name) values ('{user}', '{user}@example.com', 'Ada')"
    ))
    .await;
    user
}

impl Shop {
    /// An event that is not yet published and has nothing to sell.
    pub async fn draft() -> Self {
        Self::draft_in(&Db::new().await).await
    }

    pub async fn draft_in(db: &Db) -> Self {
        let user = sign_up(db).await;
        let founder = As {
            org: None,
            ..As::attendee(user, Uuid::nil())
        };
        let made = db
            .call(
                &founder,
                "create_organization",
                &json!({ "name": "Acme", "slug": format!("acme-{}", user.simple()), "time_zone": "Europe/Berlin" }),
            )
            .await;
        let org = id(&made, "organization_id");
        let event = json!({
            "title": "Conference",
            "slug": "conference",
            "starts_at": "2035-03-20T09:00:00+01:00",
            "ends_at": "2035-03-20T18:00:00+01:00",
            "hold_seconds": HOLD,
        });
        let made = db
            .call(&As::member(user, org, ORGANIZER), "create_event", &event)
            .await;
        Self {
            db: db.clone(),
            user,
            org,
            event: id(&made, "event_id"),
            occurrence: id(&made, "occurrence_id"),
        }
    }

    /// A published event with one free ticket type that draws from one pool; the type.
    pub async fn simple(capacity: i32) -> (Self, Uuid) {
        Self::simple_in(&Db::new().await, capacity).await
    }

    pub async fn simple_in(db: &Db, capacity: i32) -> (Self, Uuid) {
        let shop = Self::draft_in(db).await;
        let pool = shop.pool(Some(capacity)).await;
        let ticket_type = shop
            .sells(Sold {
                price: 0,
                pools: &[pool],
            })
            .await;
        shop.publish().await;
        (shop, ticket_type)
    }

    pub fn organizer(&self) -> As {
        As::member(self.user, self.org, ORGANIZER)
    }

    pub async fn publish(&self) {
        let answer = self.change_status("published").await;
        assert_eq!(outcome(&answer), "changed", "{answer}");
    }

    /// Where an event is called off its registrations are cancelled too, as the job does it.
    pub async fn change_status(&self, to: &str) -> Json {
        if to == "cancelled" {
            return self.call_off().await;
        }
        let text = self
            .db
            .select(
                &self.organizer(),
                "select public.change_event_status($1::uuid, $2)::text",
                &[&self.event.to_string(), to],
            )
            .await
            .expect("answered");
        serde_json::from_str(&text.expect("an answer")).expect("JSON")
    }

    async fn call_off(&self) -> Json {
        let request = json!({ "event_id": self.event });
        let organizer = self.organizer();
        let answer = self.db.call(&organizer, "cancel_event", &request).await;
        let system = As {
            org: Some(self.org),
            ..As::system()
        };
        loop {
            let request = json!({ "event_id": self.event, "limit": 100 });
            let left = self.db.call(&system, "event_to_cancel", &request).await;
            let live = left["registrations"].as_array().expect("a list");
            if live.is_empty() || answer["outcome"] != "changed" {
                return answer;
            }
            for id in live {
                let request = json!({ "registration_id": id });
                self.db.call(&system, "cancel_for_event", &request).await;
            }
        }
    }

    pub async fn pool(&self, capacity: Option<i32>) -> Uuid {
        let id = Uuid::now_v7();
        let capacity = capacity.map_or("null".to_owned(), |capacity| capacity.to_string());
        self.db
            .run(&format!(
                "insert into capacity_pools (id, org_id, event_id, name, capacity) \
                 values ('{id}', '{}', '{}', 'Seats', {capacity})",
                self.org, self.event
            ))
            .await;
        id
    }

    pub async fn sells(&self, sold: Sold<'_>) -> Uuid {
        let id = Uuid::now_v7();
        self.db
            .run(&format!(
                "insert into ticket_types (id, org_id, event_id, name, price_minor, currency) \
                 select '{id}', org_id, id, 'Ticket', {}, currency from events where id = '{}'",
                sold.price, self.event
            ))
            .await;
        for pool in sold.pools {
            self.db
                .run(&format!(
                    "insert into ticket_type_pools (org_id, event_id, ticket_type_id, pool_id) \
                     values ('{}', '{}', '{id}', '{pool}')",
                    self.org, self.event
                ))
                .await;
        }
        id
    }

    /// Asks for units of ticket types, in this order.
    pub fn request(&self, wishes: &[(Uuid, i64)]) -> Json {
        let items: Vec<_> = wishes
            .iter()
            .map(|(ticket_type, quantity)| json!({ "ticket_type_id": ticket_type, "quantity": quantity }))
            .collect();
        json!({
            "event_id": self.event,
            "buyer": { "name": "Bo Buyer", "email": "bo@example.com" },
            "items": items,
            "idempotency_key": Uuid::new_v4().to_string(),
            "argument_hash": "00",
        })
    }

    /// A visitor places; the answer, and who may go on with it.
    pub async fn place(&self, wishes: &[(Uuid, i64)]) -> (Json, As) {
        let secret_hash = Uuid::new_v4().simple().to_string();
        let mut request = self.request(wishes);
        request["guest_secret_hash"] = json!(secret_hash);
        let answer = self
            .db
            .call(&As::visitor(self.org), "place_registration", &request)
            .await;
        (answer, As::guest(self.org, &secret_hash))
    }

    /// A visitor places and must get it; the registration and its guest.
    pub async fn placed(&self, wishes: &[(Uuid, i64)]) -> (Uuid, As) {
        let (answer, guest) = self.place(wishes).await;
        assert_eq!(outcome(&answer), "placed", "{answer}");
        (id(&answer, "registration_id"), guest)
    }

    /// Confirms, with a ticket for each item that the database names.
    pub async fn confirm(&self, who: &As, registration: Uuid) -> Json {
        let tickets = self.tickets(who, registration).await;
        let request = json!({ "registration_id": registration, "tickets": tickets });
        self.db.call(who, "confirm_registration", &request).await
    }

    /// Tickets as the program would have signed them.
    pub async fn tickets(&self, who: &As, registration: Uuid) -> Json {
        let text = self
            .db
            .select(
                who,
                "select coalesce(jsonb_agg(jsonb_build_object( \
                   'ticket_id', gen_random_uuid(), 'item_id', item_id, 'code', gen_random_uuid() \
                 )), '[]')::text \
                 from public.registration_items_to_issue($1::uuid)",
                &[&registration.to_string()],
            )
            .await
            .expect("answered");
        serde_json::from_str(&text.expect("an answer")).expect("JSON")
    }

    pub async fn cancel(&self, who: &As, registration: Uuid) -> Json {
        let request = json!({ "registration_id": registration, "reason": "ill" });
        self.db.call(who, "cancel_registration", &request).await
    }

    pub async fn status(&self, registration: Uuid) -> String {
        let sql = format!("select status from registrations where id = '{registration}'");
        self.db.ask(&sql).await.expect("a registration")
    }

    /// What a visitor is shown as left; none when unlimited.
    pub async fn available(&self, ticket_type: Uuid) -> Option<i64> {
        self.db
            .select(
                &As::visitor(self.org),
                "select public.ticket_type_available($1::uuid)::text",
                &[&ticket_type.to_string()],
            )
            .await
            .expect("answered")
            .map(|text| text.parse().expect("a number"))
    }

    pub async fn sale_status(&self, ticket_type: Uuid) -> String {
        self.db
            .select(
                &As::visitor(self.org),
                "select public.ticket_type_sale_status($1::uuid)",
                &[&ticket_type.to_string()],
            )
            .await
            .expect("answered")
            .expect("a status")
    }

    pub async fn sweep(&self) -> i64 {
        self.db
            .select(
                &As::system(),
                "select public.expire_registrations(1000)::text",
                &[],
            )
            .await
            .expect("swept")
            .and_then(|text| text.parse().ok())
            .expect("a number")
    }

    /// Units sold or held right now.
    pub async fn taken(&self) -> i64 {
        self.db
            .ask_number(&format!(
                "select count(*) from registration_items i join registrations r on r.id = i.registration_id \
                 where r.event_id = '{}' and (r.status in ('confirmed', 'pending_approval', 'pending_payment') \
                 or (r.status = 'held' and r.expires_at > es.clock()))",
                self.event
            ))
            .await
    }
}
