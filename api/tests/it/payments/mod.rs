//! Money over HTTP: buyers pay at the sandbox, its webhooks come to our own route, workers apply them. What the database
//! itself decides is in `tests/sale/payments.rs`.

mod accounts;
mod between;
mod calling_off;
mod contract;
mod disputes;
mod doubts;
mod foreign;
mod forged;
mod invoices;
mod keys;
mod localstripe;
mod money;
mod pages;
mod peers;
mod reconciling;
mod returning;
mod storms;
mod toss;
mod trouble;
mod watched;

use std::time::Duration;

use aws_lc_rs::hmac;
use eventsphere::{jobs, payments::Provider};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::harness::{Caller, Database, EventSetup, Organizer, TestApp, key};

/// The key of the accounts' webhooks, followed by the organization's name.
const SECRET: &str = "whsec-of-sixteen-";

/// Workers of this process; they end with the test.
struct Worker {
    stopping: CancellationToken,
    task: JoinHandle<()>,
}

impl Worker {
    fn start(app: &TestApp) -> Self {
        let stopping = CancellationToken::new();
        let task = tokio::spawn(jobs::work(app.app.clone(), stopping.clone()));
        Self { stopping, task }
    }

    async fn stop(self) {
        self.stopping.cancel();
        self.task.await.expect("it ends");
    }
}

/// A server that takes money, with somebody who sells.
struct Stage {
    app: TestApp,
    organizer: Organizer,
    event: Value,
    /// Key of the account, as its webhook's address has it.
    account: String,
    account_id: Value,
}

/// A registration that waits for money, and its guest.
struct Buyer {
    caller: Caller,
    registration: Value,
}

/// A payment that was started.
struct Paying {
    id: Value,
    /// The provider's reference.
    reference: String,
    /// Our key of it, which the provider carries.
    key: String,
}

impl Stage {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut eventsphere::state::Parts)) -> Self {
        let settings = [("PAYMENT_SANDBOX", "on")];
        let database = Database::fresh().await;
        let app = TestApp::over_changed(database, &settings, change).await;
        jobs::register(&app.app).await.expect("kinds");
        Self::over(app, "north").await
    }

    async fn over(app: TestApp, slug: &str) -> Self {
        let organizer = app.organizer(slug).await;
        let setup = EventSetup {
            price: 1000,
            places: 50,
            ..EventSetup::default()
        };
        let event = organizer.event(&setup).await;
        let made = organizer
            .caller
            .does(
                "createPaymentAccount",
                "webhookUrl paymentAccount { id provider active }",
                json!({
                    "provider": "sandbox", "name": format!("{slug} till"),
                    "credentials": [{ "credential": "webhook_secret", "value": format!("{SECRET}{slug}") }],
                }),
            )
            .await;
        let url = made["webhookUrl"].as_str().expect("an address");
        Self {
            account: url.rsplit('/').next().expect("a key").to_owned(),
            account_id: made["paymentAccount"]["id"].clone(),
            app,
            organizer,
            event,
        }
    }

    async fn buyer(&self) -> Buyer {
        let visitor = self.app.visitor();
        let placed = visitor.place(&self.event, &self.event["types"][0], 1).await;
        let secret = placed["guestSecret"].as_str().expect("a secret");
        let caller = visitor.with_guest(secret);
        let registration = placed["registration"]["id"].clone();
        let confirmed = caller.confirm(&registration).await;
        assert_eq!(
            confirmed["registration"]["status"], "PENDING_PAYMENT",
            "{confirmed:#}"
        );
        Buyer {
            caller,
            registration,
        }
    }

    /// A buyer who has paid, and how.
    async fn paid(&self) -> (Buyer, Paying) {
        let buyer = self.buyer().await;
        let paying = self.pay(&buyer).await;
        self.press(&paying, "succeed").await;
        self.becomes(&buyer, "CONFIRMED", "PAID").await;
        (buyer, paying)
    }

    async fn pay(&self, buyer: &Buyer) -> Paying {
        let input = json!({ "registrationId": buyer.registration, "idempotencyKey": key() });
        let selection = "payment { id status checkoutUrl providerReference amount { minorUnits currencyCode } }";
        let made = buyer.caller.does("createPayment", selection, input).await;
        self.paying(&made["payment"]).await
    }

    async fn paying(&self, payment: &Value) -> Paying {
        assert_eq!(payment["status"], "PENDING", "{payment:#}");
        let reference = payment["providerReference"].as_str().expect("a reference");
        let url = format!("{}/sandbox/pay/{reference}", self.app.url);
        assert_eq!(payment["checkoutUrl"], json!(url));
        let admin = self.app.database.admin().await;
        let sql = "select id::text from payments where provider_reference = $1";
        let row = admin
            .query_one(sql, &[&reference])
            .await
            .expect("a payment");
        Paying {
            id: payment["id"].clone(),
            reference: reference.to_owned(),
            key: row.get(0),
        }
    }

    /// Presses a button of the sandbox's page; the page that follows.
    async fn press(&self, paying: &Paying, button: &str) -> String {
        let url = format!("{}/sandbox/pay/{}", self.app.url, paying.reference);
        let page = self.app.http().get(&url).send().await.expect("a page");
        let page = page.text().await.expect("text");
        assert!(page.contains(&format!("value=\"{button}\"")), "{page}");
        let body = format!("outcome={button}");
        let form = self.app.http().post(&url).body(body);
        let form = form.header("content-type", "application/x-www-form-urlencoded");
        let answer = form.send().await.expect("an answer");
        answer.text().await.expect("text")
    }

    /// The event that a provider sends of a payment.
    fn told(&self, paying: &Paying, event: &str, kind: &str) -> String {
        json!({
            "id": event, "type": kind,
            "data": { "id": paying.reference, "reference": paying.key, "amount_minor": 1000, "currency": "EUR" },
        })
        .to_string()
    }

    /// Sends bytes to the account's webhook under that signature; the status.
    async fn send(&self, account: &str, signature: Option<&str>, body: &str) -> u16 {
        let url = format!("{}/webhooks/sandbox/{account}", self.app.url);
        let mut request = self.app.http().post(url).body(body.to_owned());
        if let Some(signature) = signature {
            request = request.header("sandbox-signature", signature);
        }
        request.send().await.expect("an answer").status().as_u16()
    }

    async fn deliver(&self, body: &str) -> u16 {
        let signature = signed(&format!("{SECRET}north"), now(), body);
        self.send(&self.account, Some(&signature), body).await
    }

    async fn number(&self, sql: &str) -> i64 {
        let admin = self.app.database.admin().await;
        let sql = format!("select ({sql})::bigint");
        admin.query_one(&sql, &[]).await.expect("a number").get(0)
    }

    /// Waits until the buyer's registration stands so.
    async fn becomes(&self, buyer: &Buyer, status: &str, state: &str) -> Value {
        const READ: &str = "query($id: ID!) { registration(id: $id) {
            status paymentState paid { minorUnits } tickets { nodes { status } }
            payments { nodes { status failure owedBack captured { minorUnits } refunds { nodes { status amount { minorUnits } } } } }
        } }";
        let mut last = Value::Null;
        for _ in 0..1500 {
            let data = buyer
                .caller
                .ask(READ, json!({ "id": buyer.registration }))
                .await;
            last = data["registration"].clone();
            if last["status"] == status && last["paymentState"] == state {
                return last;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("never {status} and {state}: {last:#}");
    }

    /// Stock and books are whole, and nobody holds other money than we think.
    async fn assert_whole(&self) {
        assert_eq!(self.app.database.stock_faults().await, 0);
        let admin = self.app.database.admin().await;
        let faults = admin
            .query(
                "select fault || ' ' || detail from check_ledger_integrity()",
                &[],
            )
            .await
            .expect("checked");
        let faults: Vec<String> = faults.iter().map(|row| row.get(0)).collect();
        assert!(faults.is_empty(), "{faults:#?}");
        let theirs = "select coalesce(sum(p.amount_minor), 0) - coalesce((select sum(amount_minor) from sandbox_refunds
            where status = 'succeeded'), 0) - coalesce((select sum(fee_minor + case status when 'won' then 0 else amount_minor end)
            from sandbox_disputes), 0) from sandbox_payments p where p.status = 'succeeded'";
        let ours = "select coalesce(sum(case when debit = 'provider' then amount_minor when credit = 'provider'
            then -amount_minor else 0 end), 0) from ledger_entries";
        assert_eq!(
            self.number(theirs).await,
            self.number(ours).await,
            "the provider holds other money"
        );
    }
}

/// Seconds since 1970.
fn now() -> i64 {
    chrono::Utc::now().timestamp()
}

/// A header as the sandbox writes it.
fn signed(secret: &str, seconds: i64, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, format!("{seconds}.{body}").as_bytes());
    let hex: String = tag
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("t={seconds},v1={hex}")
}

/// The sandbox in the place of which another may stand.
fn sandbox() -> std::sync::Arc<dyn Provider> {
    std::sync::Arc::new(eventsphere::payments::Sandbox)
}
