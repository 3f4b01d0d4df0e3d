//! A shop that takes money, for tests of payments, invoices and the books.

use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::{
    harness::{As, outcome},
    shop::Shop,
};

pub const MONEY: &str = "events:read,events:write,registrations:read,registrations:write,payments:read,payments:write,\
                     payment_accounts:read,payment_accounts:write";

/// A shop that takes money, with something to sell for it.
pub struct Till {
    pub shop: Shop,
    pub account: Uuid,
    pub ticket_type: Uuid,
}

pub fn id(answer: &Json, key: &str) -> Uuid {
    let text = answer[key].as_str();
    text.and_then(|text| text.parse().ok())
        .unwrap_or_else(|| panic!("no {key} in {answer}"))
}

impl Till {
    pub async fn open(places: i32) -> Self {
        let (shop, _, [ticket_type, _]) = Shop::two_types(places, [1000, 0]).await;
        let till = Self {
            account: Uuid::now_v7(),
            shop,
            ticket_type,
        };
        let request = json!({
            "account_id": till.account, "provider": "sandbox", "name": "Till", "sealed": "00",
        });
        let member = till.member();
        let db = &till.shop.db;
        let made = db.call(&member, "create_payment_account", &request).await;
        assert_eq!(outcome(&made), "created");
        till
    }

    pub fn member(&self) -> As {
        As::member(self.shop.user, self.shop.org, MONEY)
    }

    pub fn system(&self) -> As {
        As {
            org: Some(self.shop.org),
            ..As::system()
        }
    }

    /// Confirmed, and waiting for money.
    pub async fn pending(&self) -> (Uuid, As) {
        let (registration, guest) = self.shop.placed(&[(self.ticket_type, 1)]).await;
        let answer = self.shop.confirm(&guest, registration).await;
        assert_eq!(outcome(&answer), "pending_payment", "{answer}");
        (registration, guest)
    }

    pub async fn start(&self, guest: &As, registration: Uuid, more: Json) -> Json {
        let mut request = json!({ "registration_id": registration });
        for (key, value) in more.as_object().expect("an object") {
            request[key] = value.clone();
        }
        self.shop.db.call(guest, "start_payment", &request).await
    }

    pub async fn started(&self, guest: &As, registration: Uuid) -> Uuid {
        let answer = self.start(guest, registration, json!({})).await;
        assert_eq!(outcome(&answer), "started", "{answer}");
        let payment = id(&answer, "payment_id");
        let request = json!({ "payment_id": payment, "provider_reference": payment.to_string() });
        let opened = self
            .shop
            .db
            .call(&self.system(), "payment_opened", &request)
            .await;
        assert_eq!(outcome(&opened), "opened");
        payment
    }

    /// As the program does: signs what is asked for, and says it again.
    pub async fn say(&self, payment: Uuid, status: &str, more: Json) -> Json {
        let mut request = json!({
            "payment_id": payment, "account_id": self.account, "provider_reference": payment.to_string(), "status": status,
        });
        for (key, value) in more.as_object().expect("an object") {
            request[key] = value.clone();
        }
        let db = &self.shop.db;
        let answer = db.call(&self.system(), "settle_payment", &request).await;
        if outcome(&answer) != "tickets_needed" {
            return answer;
        }
        let items = answer["items"].as_array().expect("items");
        request["tickets"] = items
            .iter()
            .map(|item| json!({ "ticket_id": Uuid::new_v4(), "item_id": item, "code": Uuid::new_v4() }))
            .collect();
        db.call(&self.system(), "settle_payment", &request).await
    }

    pub async fn refund(&self, payment: Uuid, amount: Option<i64>) -> Json {
        let request = json!({ "payment_id": payment, "amount_minor": amount, "reason": "ill" });
        self.shop
            .db
            .call(&self.member(), "request_refund", &request)
            .await
    }

    pub async fn end_refund(&self, refund: Uuid, status: &str) -> Json {
        let request = json!({
            "refund_id": refund, "account_id": self.account, "status": status, "provider_reference": refund.to_string(),
        });
        self.shop
            .db
            .call(&self.system(), "settle_refund", &request)
            .await
    }

    pub async fn state(&self, guest: &As, registration: Uuid) -> String {
        self.shop
            .db
            .select(
                guest,
                "select public.registration_payment_state($1::uuid)",
                &[&registration.to_string()],
            )
            .await
            .expect("answered")
            .expect("a state")
    }

    pub async fn events(&self, kind: &str) -> i64 {
        let sql = format!("select count(*) from outbox where type = '{kind}'");
        self.shop.db.ask_number(&sql).await
    }

    /// Stock and books are whole.
    pub async fn assert_whole(&self) {
        self.shop.db.assert_whole().await;
        let faults = self
            .shop
            .db
            .select(
                &As::system(),
                "select string_agg(concat_ws(' ', fault, object_id, detail), E'\\n') from check_ledger_integrity()",
                &[],
            )
            .await
            .expect("checked");
        assert_eq!(faults, None, "the books are broken");
    }
}
