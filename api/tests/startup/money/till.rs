//! Somebody who sells for money over servers that are killed, and buyers who go through it to the end.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
    time::{Duration, Instant},
};

use aws_lc_rs::hmac;
use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::{
    harness::Server,
    storms::{
        ask::{Desk, Who},
        farm::Farm,
        stage::Organizer,
    },
};

/// Longest that anything may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// The key of the account's webhooks.
const SECRET: &str = "whsec-of-more-than-sixteen";
/// What a ticket costs, in cents.
pub const PRICE: i64 = 1000;

/// A shop, and where its servers listen.
pub struct Till {
    pub desk: Desk,
    pub database: Client,
    pub staff: Who,
    event: Value,
    kind: Value,
    /// Key of the account, as its webhook's address has it.
    account: String,
}

/// Somebody who buys, from placing to the money's way back.
pub struct Buyer {
    /// The registration, as the API calls it.
    registration: Value,
    /// Its key.
    pub key: String,
    guest: Who,
    /// The payment, as the API calls it.
    payment: Value,
    /// The provider's reference of the payment.
    pub reference: String,
}

/// The UUID in an id of the API.
fn uuid(id: &Value) -> String {
    let text = id.as_str().expect("an id");
    let (_, key) = eventsphere_graphql::global_id::decode(text).expect("an id");
    key.to_string()
}

impl Till {
    /// Over the first server of the farm.
    pub async fn open(farm: &Farm, first: &Server) -> Self {
        let database = farm.admin().await;
        let organizer = Organizer::signed_up(first, &database, "till").await;
        let event = organizer
            .event("paid", json!({ "holdSeconds": 3600 }))
            .await;
        let hall = organizer.pool(&event, 10_000, None).await;
        let kind = organizer.sells(&event, PRICE, &[&hall]).await;
        organizer.publish(&event).await;
        let account = json!({
            "provider": "sandbox", "name": "Till",
            "credentials": [{ "credential": "webhook_secret", "value": SECRET }],
        });
        let made = organizer
            .does("createPaymentAccount", "webhookUrl", account)
            .await;
        let url = made["webhookUrl"].as_str().expect("an address");
        let token = organizer
            .api_token(&["events:read", "payments:read", "payments:write"])
            .await;
        let ports = Arc::new([AtomicU16::new(first.port), AtomicU16::new(0)]);
        Self {
            desk: Desk::new(ports, Arc::default()),
            database,
            staff: Who::Staff(token),
            event,
            kind,
            account: url.rsplit('/').next().expect("a key").to_owned(),
        }
    }

    /// Listens there from now on; 0 is nowhere.
    pub fn listens(&self, at: usize, port: u16) {
        self.desk.ports[at].store(port, Ordering::Relaxed);
    }

    /// Places and confirms: money is waited for.
    pub async fn buyer(&self) -> Buyer {
        let key = uuid::Uuid::new_v4();
        let input = json!({
            "eventId": self.event, "buyer": { "name": "Bo Buyer", "email": format!("{key}@example.org") },
            "lines": [{ "ticketTypeId": self.kind, "quantity": 1 }], "idempotencyKey": key,
        });
        let desk = &self.desk;
        let placed = desk
            .insist(0, &Who::Visitor, "placeRegistration", &input)
            .await;
        let secret = placed["guestSecret"].as_str().expect("a secret").to_owned();
        let registration = placed["registration"]["id"].clone();
        let guest = Who::Guest(secret);
        let input = json!({ "registrationId": registration, "idempotencyKey": key });
        let confirmed = desk.insist(1, &guest, "confirmRegistration", &input).await;
        assert_eq!(
            confirmed["registration"]["status"], "PENDING_PAYMENT",
            "{confirmed:#}"
        );
        Buyer {
            key: uuid(&registration),
            registration,
            guest,
            payment: Value::Null,
            reference: String::new(),
        }
    }

    /// Starts a payment, under one key, until the provider has answered.
    pub async fn start(&self, buyer: &mut Buyer) {
        let input = json!({
            "registrationId": buyer.registration, "idempotencyKey": uuid::Uuid::new_v4(),
        });
        let deadline = Instant::now() + PATIENCE;
        loop {
            let made = self
                .desk
                .insist(0, &buyer.guest, "createPayment", &input)
                .await;
            if let Some(reference) = made["payment"]["providerReference"].as_str() {
                buyer.reference = reference.to_owned();
                buyer.payment = made["payment"]["id"].clone();
                return;
            }
            assert!(Instant::now() < deadline, "no provider answers: {made:#}");
            pause().await;
        }
    }

    /// Presses a button of the sandbox's page until it has done what it says.
    pub async fn press(&self, buyer: &Buyer, button: &str, status: &str) {
        let deadline = Instant::now() + PATIENCE;
        for at in (0..2).cycle() {
            assert!(Instant::now() < deadline, "{button} does nothing");
            let port = self.desk.ports[at].load(Ordering::Relaxed);
            let url = format!("http://127.0.0.1:{port}/sandbox/pay/{}", buyer.reference);
            let form = self.desk.http.post(url).body(format!("outcome={button}"));
            let form = form.header("content-type", "application/x-www-form-urlencoded");
            let answer = match form.send().await {
                Ok(answer) => answer.text().await.unwrap_or_default(),
                Err(_) => String::new(),
            };
            let stands = [
                format!("data-status=\"{status}\""),
                format!("role=\"status\">{status}"),
            ];
            if stands.iter().any(|text| answer.contains(text)) {
                return;
            }
            pause().await;
        }
    }

    /// Sends an event to the account's webhook as the provider signs it, until it is taken.
    pub async fn tell(&self, at: usize, body: &str) {
        let deadline = Instant::now() + PATIENCE;
        for at in [at, 1 - at].into_iter().cycle() {
            assert!(Instant::now() < deadline, "nobody takes {body}");
            let port = self.desk.ports[at].load(Ordering::Relaxed);
            let url = format!("http://127.0.0.1:{port}/webhooks/sandbox/{}", self.account);
            let seconds = chrono::Utc::now().timestamp();
            let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
            let tag = hmac::sign(&key, format!("{seconds}.{body}").as_bytes());
            let hex: String = tag
                .as_ref()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            let sent = self
                .desk
                .http
                .post(url)
                .header("sandbox-signature", format!("t={seconds},v1={hex}"))
                .body(body.to_owned())
                .send()
                .await;
            if sent.is_ok_and(|answer| answer.status().is_success()) {
                return;
            }
            pause().await;
        }
    }

    /// Gives back, by a member, under one key; whether it was promised.
    pub async fn refund(&self, buyer: &Buyer, amount: Option<i64>) -> bool {
        let amount =
            amount.map(|minor| json!({ "minorUnits": minor.to_string(), "currencyCode": "EUR" }));
        let input = json!({
            "paymentId": buyer.payment, "amount": amount, "idempotencyKey": uuid::Uuid::new_v4(),
        });
        let told = self
            .desk
            .insist(1, &self.staff, "refundPayment", &input)
            .await;
        told["userErrors"] == json!([])
    }

    pub async fn number(&self, sql: &str) -> i64 {
        let sql = format!("select ({sql})::bigint");
        let row = self.database.query_one(&sql, &[]).await;
        row.unwrap_or_else(|error| panic!("{error}: {sql}")).get(0)
    }

    /// Waits until that number is as it should be. Workers that were killed are dead for the others at once.
    pub async fn until(&self, what: &str, sql: &str, wanted: i64) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.bury().await;
            let found = self.number(sql).await;
            if found == wanted {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "{what}: {found}, not {wanted}: {sql}\n{}",
                self.waiting().await
            );
            pause().await;
        }
    }

    /// A worker that has not said for longer than it ever is silent that it is there was killed.
    pub async fn bury(&self) {
        let sql = "update job_workers set beat_at = beat_at - interval '1 hour' where beat_at < es.clock() - interval '8 seconds'";
        self.database.execute(sql, &[]).await.expect("aged");
    }

    /// All that works now was killed.
    pub async fn bury_all(&self) {
        let sql = "update job_workers set beat_at = beat_at - interval '1 hour'";
        self.database.execute(sql, &[]).await.expect("aged");
    }

    async fn waiting(&self) -> String {
        let sql = "select string_agg(concat_ws(' ', kind, status, attempts, failure, payload), E'\\n') from jobs where status <> 'done'";
        let row = self.database.query_one(sql, &[]).await.expect("jobs");
        row.get::<_, Option<String>>(0).unwrap_or_default()
    }
}

pub async fn pause() {
    tokio::time::sleep(Duration::from_millis(20)).await;
}
