//! What is done with a registration after it was placed.

use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::{
    harness::{As, outcome},
    shop::Shop,
};

/// A code as the program would have signed it.
pub fn signed(item: Uuid) -> Json {
    json!({ "ticket_id": Uuid::now_v7(), "item_id": item, "code": Uuid::new_v4() })
}

/// A secret's hash.
pub fn secret() -> String {
    Uuid::new_v4().simple().to_string()
}

impl Shop {
    /// Changes settings of the event.
    pub async fn set(&self, mut settings: Json) {
        settings["event_id"] = json!(self.event);
        let answer = self
            .db
            .call(&self.organizer(), "update_event", &settings)
            .await;
        assert_eq!(outcome(&answer), "updated", "{answer}");
    }

    pub async fn extend(&self, who: &As, registration: Uuid) -> Json {
        let request = json!({ "registration_id": registration });
        self.db.call(who, "extend_registration", &request).await
    }

    /// Approves, with codes for everything that the database names.
    pub async fn approve(&self, registrations: &[Uuid], policy: &str) -> Json {
        let organizer = self.organizer();
        let mut tickets = vec![];
        for registration in registrations {
            let signed = self.tickets(&organizer, *registration).await;
            tickets.extend(signed.as_array().expect("a list").clone());
        }
        let request = json!({ "registration_ids": registrations, "tickets": tickets, "error_policy": policy });
        self.db
            .call(&organizer, "approve_registrations", &request)
            .await
    }

    pub async fn reject(&self, registrations: &[Uuid], policy: &str) -> Json {
        let request =
            json!({ "registration_ids": registrations, "reason": "full", "error_policy": policy });
        self.db
            .call(&self.organizer(), "reject_registrations", &request)
            .await
    }

    /// Changes, with a code for every unit that the change names.
    pub async fn change(&self, who: &As, registration: Uuid, changes: Json) -> Json {
        let mut request = changes;
        request["registration_id"] = json!(registration);
        let named: Vec<Json> = ["swaps", "adds", "reassigns"]
            .iter()
            .filter_map(|kind| request[*kind].as_array())
            .flatten()
            .filter_map(|one| one["item_id"].as_str()?.parse().ok())
            .map(signed)
            .collect();
        request["tickets"] = json!(named);
        self.db.call(who, "change_registration", &request).await
    }

    pub async fn swap(&self, who: &As, registration: Uuid, item: Uuid, to: Uuid) -> Json {
        let swaps = json!([{ "item_id": item, "ticket_type_id": to }]);
        self.change(who, registration, json!({ "swaps": swaps }))
            .await
    }

    pub async fn add(&self, who: &As, registration: Uuid, ticket_type: Uuid) -> Json {
        let adds = json!([{ "item_id": Uuid::now_v7(), "ticket_type_id": ticket_type }]);
        self.change(who, registration, json!({ "adds": adds }))
            .await
    }

    pub async fn cancel_units(&self, who: &As, registration: Uuid, items: &[Uuid]) -> Json {
        let request = json!({ "registration_id": registration, "item_ids": items });
        self.db.call(who, "cancel_registration", &request).await
    }

    /// Offers a ticket; the answer and the hash of the secret.
    pub async fn offer(&self, who: &As, ticket: Uuid) -> (Json, String) {
        let secret = secret();
        let request = json!({
            "ticket_id": ticket, "recipient_email": "next@example.com", "secret_hash": secret,
            "subject": "A ticket", "body": "for you",
        });
        (self.db.call(who, "transfer_ticket", &request).await, secret)
    }

    /// Accepts as a guest, who gets the secret that comes back.
    pub async fn accept(&self, secret_hash: &str) -> (Json, As) {
        let own = secret();
        let request = json!({
            "secret_hash": secret_hash, "name": "Nina Next", "guest_secret_hash": own,
            "tickets": [{ "ticket_id": Uuid::now_v7(), "code": Uuid::new_v4() }],
        });
        let visitor = As::visitor(self.org);
        let answer = self.db.call(&visitor, "accept_transfer", &request).await;
        (answer, As::guest(self.org, &own))
    }

    /// Keys of the units that count, in their order.
    pub async fn units(&self, registration: Uuid) -> Vec<Uuid> {
        self.keys(&format!(
            "select string_agg(id::text, ',' order by position) from registration_items \
             where registration_id = '{registration}' and cancelled_at is null"
        ))
        .await
    }

    /// Keys of the tickets in force, in the order of their places.
    pub async fn valid_tickets(&self, registration: Uuid) -> Vec<Uuid> {
        self.keys(&format!(
            "select string_agg(t.id::text, ',' order by i.position) from tickets t \
             join registration_items i on i.id = t.item_id \
             where t.registration_id = '{registration}' and t.status = 'valid'"
        ))
        .await
    }

    async fn keys(&self, sql: &str) -> Vec<Uuid> {
        let text = self.db.ask(sql).await.unwrap_or_default();
        text.split(',')
            .filter(|key| !key.is_empty())
            .map(|key| key.parse().expect("a key"))
            .collect()
    }

    pub async fn total(&self, registration: Uuid) -> i64 {
        let sql = format!("select total_minor from registrations where id = '{registration}'");
        self.db.ask_number(&sql).await
    }

    pub async fn claimed(&self, pool: Uuid) -> i64 {
        let sql = format!("select claimed from capacity_pools where id = '{pool}'");
        self.db.ask_number(&sql).await
    }

    /// Two types at these prices that draw from one pool of that size, on sale.
    pub async fn two_types(places: i32, prices: [i64; 2]) -> (Self, Uuid, [Uuid; 2]) {
        let shop = Self::draft().await;
        let pool = shop.pool(Some(places)).await;
        let pools = &[pool];
        let one = shop
            .sells(crate::shop::Sold {
                price: prices[0],
                pools,
            })
            .await;
        let two = shop
            .sells(crate::shop::Sold {
                price: prices[1],
                pools,
            })
            .await;
        shop.publish().await;
        (shop, pool, [one, two])
    }

    /// Placed and confirmed, free of charge.
    pub async fn confirmed(&self, wishes: &[(Uuid, i64)]) -> (Uuid, As) {
        let (registration, guest) = self.placed(wishes).await;
        let answer = self.confirm(&guest, registration).await;
        assert_eq!(outcome(&answer), "confirmed", "{answer}");
        (registration, guest)
    }
}
