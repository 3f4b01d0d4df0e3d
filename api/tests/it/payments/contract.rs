//! One contract for all providers. Each is a stand-in that answers in the wire format of its provider and keeps books; whatever
//! gets lost, comes twice or is made up, money is booked once, and the books say what the provider says.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    Buyer, Stage, Worker,
    peers::{Offline, PayPal, Paystack, Peer, Stripe, Told, Toss},
};
use crate::harness::{Database, EventSetup, TestApp, key};

/// Longest that a provider is waited for here, in milliseconds.
const LIMIT: &str = "1000";

/// A provider with somebody who sells by it.
pub struct Trial {
    pub stage: Stage,
    peer: Arc<dyn Peer>,
    worker: Worker,
}

/// A payment that was started.
pub struct Started {
    pub payment: Value,
    pub key: String,
    pub buyer: Buyer,
}

impl Trial {
    pub async fn of(peer: Arc<dyn Peer>) -> Self {
        let kind = peer.kind();
        let url = peer.serve().await;
        let urls = match url.is_empty() {
            true => String::new(),
            false => format!("{}={url}", kind.name),
        };
        let settings = [
            ("PAYMENT_URLS", urls.as_str()),
            ("PAYMENT_TIMEOUT_MS", LIMIT),
        ];
        let app = TestApp::over(Database::fresh().await, &settings).await;
        eventsphere::jobs::register(&app.app).await.expect("kinds");
        let organizer = app.organizer("north").await;
        let setup = EventSetup {
            price: kind.price,
            currency: kind.currency,
            places: 50,
            ..EventSetup::default()
        };
        let event = organizer.event(&setup).await;
        let input = json!({
            "provider": kind.name, "name": "Till", "credentials": peer.credentials(false),
        });
        let made = organizer
            .caller
            .does(
                "createPaymentAccount",
                "webhookUrl paymentAccount { id live }",
                input,
            )
            .await;
        assert_eq!(made["paymentAccount"]["live"], kind.name == "offline");
        let hooks = made["webhookUrl"].as_str().expect("an address");
        let worker = Worker::start(&app);
        let stage = Stage {
            account: hooks.rsplit('/').next().expect("a key").to_owned(),
            account_id: made["paymentAccount"]["id"].clone(),
            app,
            organizer,
            event,
        };
        Self {
            stage,
            peer,
            worker,
        }
    }

    async fn start(&self, buyer: Buyer, key: &str) -> Started {
        let input = json!({ "registrationId": buyer.registration, "idempotencyKey": key });
        let selection =
            "payment { id status checkoutUrl instructions dueAt failure providerReference }";
        let made = buyer.caller.does("createPayment", selection, input).await;
        let admin = self.stage.app.database.admin().await;
        let sql = "select id::text from payments order by created_at desc, id desc limit 1";
        let row = admin.query_one(sql, &[]).await.expect("a payment");
        Started {
            payment: made["payment"].clone(),
            key: row.get(0),
            buyer,
        }
    }

    pub async fn started(&self) -> Started {
        let started = self.start(self.stage.buyer().await, &key()).await;
        assert_eq!(
            started.payment["status"], "PENDING",
            "{:#}",
            started.payment
        );
        started
    }

    pub async fn come_back(&self, started: &Started) {
        let brings = self.peer.brings(&started.key);
        self.come_back_with(started, &brings).await;
    }

    pub async fn come_back_with(&self, started: &Started, brings: &str) {
        let url = format!(
            "{}/payments/return/{}{brings}",
            self.stage.app.url, started.key
        );
        let answer = self.stage.app.http().get(url).send().await.expect("a page");
        assert_eq!(answer.status(), 200);
    }

    async fn tell(&self, key: &str, told: Told, forged: bool) -> u16 {
        let hook = self.peer.hook(key, told, forged);
        self.send(&hook.headers, &hook.body).await
    }

    pub async fn send(&self, headers: &[(&'static str, String)], body: &str) -> u16 {
        let name = self.peer.kind().name;
        let url = format!(
            "{}/webhooks/{name}/{}",
            self.stage.app.url, self.stage.account
        );
        let mut request = self.stage.app.http().post(url).body(body.to_owned());
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        request.send().await.expect("an answer").status().as_u16()
    }

    /// The clock has come to where the provider is asked.
    pub async fn poll(&self) {
        let admin = self.stage.app.database.admin().await;
        for table in ["payments", "refunds"] {
            let sql = format!(
                "update {table} set check_at = clock_timestamp() where status in ('created', 'pending', 'in_transit', 'requested')"
            );
            admin.execute(&sql, &[]).await.unwrap();
        }
        let sql = "select due_payment_checks('{\"limit\": 200}')";
        admin.execute(sql, &[]).await.unwrap();
    }

    /// Waits until the provider gave something back, whose answer is lost.
    async fn returned(&self, started: &Started) {
        for _ in 0..1500 {
            let returned = |deal: &mut super::peers::Deal| !deal.returned.is_empty();
            if self
                .peer
                .books()
                .open()
                .deal(&started.key)
                .is_some_and(returned)
            {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        panic!("nothing was given back");
    }

    pub async fn until(&self, sql: &str, expected: i64) {
        for _ in 0..1500 {
            if self.stage.number(sql).await == expected {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        assert_eq!(self.stage.number(sql).await, expected, "{sql}");
    }

    pub async fn refund(&self, started: &Started, amount: Option<i64>) {
        let mut input = json!({ "paymentId": started.payment["id"], "idempotencyKey": key() });
        if let Some(minor) = amount {
            let currency = self.peer.kind().currency;
            input["amount"] = json!({ "minorUnits": minor.to_string(), "currencyCode": currency });
        }
        let member = &self.stage.organizer.caller;
        member
            .does("refundPayment", "refund { id status }", input)
            .await;
    }

    /// Stock and books are whole, and the provider holds what we think.
    pub async fn end(self) {
        self.worker.stop().await;
        let stage = &self.stage;
        assert_eq!(stage.app.database.stock_faults().await, 0);
        assert_eq!(
            stage
                .number("select count(*) from check_ledger_integrity()")
                .await,
            0
        );
        let ours = "select coalesce(sum(case when debit = 'provider' then amount_minor when credit = 'provider'
            then -amount_minor else 0 end), 0) from ledger_entries";
        let theirs = self.peer.books().held();
        assert_eq!(theirs, stage.number(ours).await * self.peer.kind().units);
    }
}

impl Trial {
    /// Gives back what is left, or so much, and waits until the provider has done it.
    pub async fn refunds(&self, started: &Started, amount: Option<i64>) {
        let done = "select count(*) from refunds where status = 'done'";
        let expected = self.stage.number(done).await + 1;
        self.refund(started, amount).await;
        for _ in 0..300 {
            // Where the provider only takes it on, it is asked again.
            self.poll().await;
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            if self.stage.number(done).await == expected {
                return;
            }
        }
        panic!("it is never given back");
    }
}

/// A payment that is told under loss is one; declined and forged ones bring nothing; what is told three times is booked once.
async fn pays_once(peer: Arc<dyn Peer>) {
    let trial = Trial::of(peer.clone()).await;
    let kind = peer.kind();

    // The first calls are done and their answers lost.
    let buyer = trial.stage.buyer().await;
    let once = key();
    peer.books().lose(9);
    let lost = trial.start(buyer, &once).await;
    peer.books().lose(0);
    assert_eq!(
        lost.payment["status"],
        if kind.hears { "CREATED" } else { "PENDING" }
    );
    let mut started = trial.start(lost.buyer, &once).await;
    assert_eq!(
        started.payment["status"], "PENDING",
        "{:#}",
        started.payment
    );
    assert_eq!(trial.stage.number("select count(*) from payments").await, 1);

    if kind.tells {
        peer.pay(&trial.stage, &started.payment, &started.key, true)
            .await;
        assert_eq!(trial.tell(&started.key, Told::Declined, true).await, 400);
        trial.come_back(&started).await;
        let declined = trial
            .stage
            .becomes(&started.buyer, "PENDING_PAYMENT", "UNPAID")
            .await;
        assert_eq!(declined["payments"]["nodes"][0]["status"], kind.declined);
        if kind.declined == "FAILED" {
            started = trial.start(started.buyer, &key()).await;
        }
        forged(&trial, &started).await;
    }
    peer.pay(&trial.stage, &started.payment, &started.key, false)
        .await;
    if kind.needs_return {
        trial.come_back(&started).await;
    }
    if kind.tells {
        let hook = peer.hook(&started.key, Told::Paid, false);
        for _ in 0..3 {
            assert_eq!(trial.send(&hook.headers, &hook.body).await, 200);
        }
        assert_eq!(
            trial
                .stage
                .number("select count(*) from payment_events")
                .await,
            1
        );
    }
    let paid = trial
        .stage
        .becomes(&started.buyer, "CONFIRMED", "PAID")
        .await;
    assert_eq!(paid["tickets"]["nodes"], json!([{ "status": "VALID" }]));
    if kind.tells {
        trial.come_back(&started).await;
    }
    assert_eq!(
        trial
            .stage
            .number("select count(*) from ledger_entries")
            .await,
        1
    );
    let confirmed = "select count(*) from outbox where type = 'registration.confirmed'";
    assert_eq!(trial.stage.number(confirmed).await, 1);
    trial.end().await;
}

/// Made up, changed on the way, or signed by somebody else.
async fn forged(trial: &Trial, started: &Started) {
    let peer = &trial.peer;
    peer.pay(&trial.stage, &started.payment, &started.key, true)
        .await;
    assert_eq!(trial.tell(&started.key, Told::Paid, true).await, 400);
    let hook = peer.hook(&started.key, Told::Paid, false);
    if !hook.headers.is_empty() {
        let changed = hook.body.replacen("\"id\"", "\"iD\"", 1);
        assert_ne!(changed, hook.body);
        assert_eq!(trial.send(&hook.headers, &changed).await, 400);
        let again = serde_json::from_str::<Value>(&hook.body).unwrap();
        let again = serde_json::to_string_pretty(&json!([again])).unwrap();
        assert_eq!(trial.send(&hook.headers, &again).await, 400);
        assert_eq!(trial.send(&[], &hook.body).await, 400);
    }
    assert_eq!(trial.send(&hook.headers, "").await, 400);
    assert_eq!(
        trial
            .stage
            .number("select count(*) from payment_events")
            .await,
        0
    );
    assert_eq!(
        trial
            .stage
            .number("select count(*) from ledger_entries")
            .await,
        0
    );
}

/// Who never comes back, and of whom no webhook tells, is found by asking; who pays too late too.
async fn loses_no_sale(peer: Arc<dyn Peer>) {
    let trial = Trial::of(peer.clone()).await;
    let silent = trial.started().await;
    peer.pay(&trial.stage, &silent.payment, &silent.key, false)
        .await;
    // What is done by asking is done, and nobody hears of it.
    peer.books().lose(2);
    trial.poll().await;
    trial
        .until(
            "select count(*) from payments where status = 'succeeded'",
            1,
        )
        .await;
    peer.books().lose(0);
    trial
        .stage
        .becomes(&silent.buyer, "CONFIRMED", "PAID")
        .await;

    let late = trial.started().await;
    let admin = trial.stage.app.database.admin().await;
    let sql = "update registrations set expires_at = clock_timestamp() - interval '2 hours' where status = 'pending_payment'";
    admin.execute(sql, &[]).await.unwrap();
    trial
        .until(
            "select count(*) from registrations where status = 'expired'",
            1,
        )
        .await;
    peer.pay(&trial.stage, &late.payment, &late.key, false)
        .await;
    trial.come_back(&late).await;
    trial.stage.becomes(&late.buyer, "CONFIRMED", "PAID").await;
    trial.end().await;
}

/// A part, whose answer is lost, and the rest: each goes back once.
async fn gives_back_once(peer: Arc<dyn Peer>) {
    let trial = Trial::of(peer.clone()).await;
    let kind = peer.kind();
    let started = trial.started().await;
    peer.pay(&trial.stage, &started.payment, &started.key, false)
        .await;
    trial.come_back(&started).await;
    trial
        .stage
        .becomes(&started.buyer, "CONFIRMED", "PAID")
        .await;

    let part = kind.price / 4;
    peer.books().lose(9);
    trial.refund(&started, Some(part)).await;
    if kind.tells {
        trial.returned(&started).await;
    }
    peer.books().lose(0);
    let done = "select count(*) from refunds where status = 'done'";
    trial.poll().await;
    by_hand(&trial).await;
    trial.until(done, 1).await;
    trial
        .stage
        .becomes(&started.buyer, "CONFIRMED", "PARTIALLY_REFUNDED")
        .await;

    if kind.tells {
        // Members give a part back in the provider's own pages.
        peer.give_back(&started.key, part * kind.units);
        assert_eq!(trial.tell(&started.key, Told::Returned, false).await, 200);
        assert_eq!(trial.tell(&started.key, Told::Returned, false).await, 200);
        trial
            .until("select count(*) from refunds where status = 'external'", 1)
            .await;
    }
    trial.refund(&started, None).await;
    trial
        .until("select count(*) from refunds where status = 'requested'", 0)
        .await;
    trial.poll().await;
    by_hand(&trial).await;
    trial.until(done, 2).await;
    trial
        .stage
        .becomes(&started.buyer, "CONFIRMED", "REFUNDED")
        .await;
    trial.end().await;
}

/// What went back at the provider, and nobody told us of, is found when the books are held against it.
async fn tells_what_went_back(peer: Arc<dyn Peer>) {
    let trial = Trial::of(peer.clone()).await;
    let kind = peer.kind();
    let started = trial.started().await;
    peer.pay(&trial.stage, &started.payment, &started.key, false)
        .await;
    trial.come_back(&started).await;
    trial
        .stage
        .becomes(&started.buyer, "CONFIRMED", "PAID")
        .await;
    let same = trial.stage.reconcile().await;
    assert_eq!(same["differing"], 0, "{same:#}");
    let part = kind.price / 4;
    trial.refunds(&started, Some(part)).await;
    let same = trial.stage.reconcile().await;
    assert_eq!(
        (&same["compared"], &same["differing"]),
        (&json!(1), &json!(0))
    );

    peer.give_back(&started.key, part * kind.units);
    let found = trial.stage.reconcile().await;
    let difference = &found["differences"]["nodes"][0];
    assert_eq!(found["differing"], 1, "{found:#}");
    assert_eq!(difference["kind"], "REFUNDED");
    assert_eq!(difference["ours"]["minorUnits"], part.to_string());
    assert_eq!(difference["theirs"]["minorUnits"], (2 * part).to_string());
    assert_eq!(trial.tell(&started.key, Told::Returned, false).await, 200);
    trial
        .until("select count(*) from refunds where status = 'external'", 1)
        .await;
    let same = trial.stage.reconcile().await;
    assert_eq!(same["differing"], 0, "{same:#}");
    trial.end().await;
}

/// A dispute is matched to its payment, however often it is told.
async fn hears_of_disputes(peer: Arc<dyn Peer>) {
    let trial = Trial::of(peer.clone()).await;
    let started = trial.started().await;
    peer.pay(&trial.stage, &started.payment, &started.key, false)
        .await;
    trial.come_back(&started).await;
    trial
        .stage
        .becomes(&started.buyer, "CONFIRMED", "PAID")
        .await;
    let hook = peer.hook(&started.key, Told::Disputed, false);
    for _ in 0..2 {
        assert_eq!(trial.send(&hook.headers, &hook.body).await, 200);
    }
    let ended = "select count(*) from payment_events where status in ('applied', 'ignored')";
    trial.until(ended, 1).await;
    assert_eq!(trial.tell(&started.key, Told::Disputed, true).await, 400);
    trial.worker.stop().await;
}

/// What the provider has to be asked about first is not lost when it cannot answer: it is to be sent again.
async fn comes_again(peer: Arc<dyn Peer>) {
    let trial = Trial::of(peer.clone()).await;
    let started = trial.started().await;
    peer.pay(&trial.stage, &started.payment, &started.key, false)
        .await;
    let hook = peer.hook(&started.key, Told::Paid, false);
    peer.books().down(true);
    assert_eq!(trial.send(&hook.headers, &hook.body).await, 503);
    let events = "select count(*) from payment_events";
    assert_eq!(trial.stage.number(events).await, 0);
    peer.books().down(false);
    assert_eq!(trial.send(&hook.headers, &hook.body).await, 200);
    trial.until(events, 1).await;
    trial.come_back(&started).await;
    trial
        .stage
        .becomes(&started.buyer, "CONFIRMED", "PAID")
        .await;
    trial.end().await;
}

/// Where no provider sends the money, a member does.
async fn by_hand(trial: &Trial) {
    if trial.peer.kind().name != "offline" {
        return;
    }
    let member = &trial.stage.organizer.caller;
    let open = "select count(*) from refunds where status = 'in_transit'";
    trial.until(open, 1).await;
    let all = member
        .ask(
            "{ refunds { nodes { id status amount { minorUnits } } } }",
            json!({}),
        )
        .await;
    let nodes = all["refunds"]["nodes"].as_array().unwrap();
    let refund = nodes
        .iter()
        .find(|refund| refund["status"] == "IN_TRANSIT")
        .unwrap();
    let input = json!({ "refundId": refund["id"], "idempotencyKey": key() });
    member
        .does("markRefundSent", "refund { status }", input)
        .await;
    let again = json!({ "refundId": refund["id"], "idempotencyKey": key() });
    let again = member.tries("markRefundSent", "refund { id }", again).await;
    assert_eq!(again["userErrors"][0]["code"], "REFUND_OVER");
    let mut inner = trial.peer.books().open();
    let number = inner.next();
    let amount = refund["amount"]["minorUnits"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    inner.deals[0].returned.push(super::peers::Returned {
        id: number.to_string(),
        note: None,
        amount,
    });
}

/// Keys that the provider does not take fail the payment at once, and say so.
async fn wrong_keys(peer: Arc<dyn Peer>) {
    let trial = Trial::of(peer.clone()).await;
    let input = json!({
        "paymentAccountId": trial.stage.account_id, "credentials": peer.credentials(true),
    });
    let member = &trial.stage.organizer.caller;
    member
        .does("updatePaymentAccount", "paymentAccount { id }", input)
        .await;
    let started = trial.start(trial.stage.buyer().await, &key()).await;
    assert_eq!(started.payment["status"], "FAILED");
    assert_eq!(started.payment["failure"], "account_misconfigured");
    trial.end().await;
}

#[tokio::test]
async fn r03_who_pays_by_bank_transfer_keeps_the_places_until_the_due_date() {
    let trial = Trial::of(Arc::new(Offline::default())).await;
    let started = trial.started().await;
    let said = started.payment["instructions"]
        .as_str()
        .expect("instructions");
    assert!(
        said.starts_with("DE02 1203 0000 0000 2020 51, for REG-"),
        "{said}"
    );
    assert_eq!(started.payment["checkoutUrl"], Value::Null);
    let days = "select extract(day from r.expires_at - now()) from registrations r join payments p on p.registration_id = r.id
        where p.due_at = r.expires_at";
    assert_eq!(trial.stage.number(days).await, 9);

    // Nothing came: the places are free again.
    let admin = trial.stage.app.database.admin().await;
    let sql = "update registrations set expires_at = clock_timestamp() - interval '1 second' where status = 'pending_payment'";
    admin.execute(sql, &[]).await.unwrap();
    trial.poll().await;
    trial
        .until(
            "select count(*) from registrations where status = 'expired'",
            1,
        )
        .await;

    let input = json!({
        "paymentId": started.payment["id"], "amount": { "minorUnits": "400", "currencyCode": "EUR" }, "idempotencyKey": key(),
    });
    let member = &trial.stage.organizer.caller;
    let selection = "payment { status owedBack captured { minorUnits } }";
    let marked = member.does("markPaymentReceived", selection, input).await;
    assert_eq!(marked["payment"]["captured"]["minorUnits"], "400");
    assert_eq!(marked["payment"]["owedBack"], "too_late");
    let again = json!({ "paymentId": started.payment["id"], "idempotencyKey": key() });
    let again = member
        .tries("markPaymentReceived", "payment { id }", again)
        .await;
    assert_eq!(again["userErrors"][0]["code"], "ALREADY_RECEIVED");
    let stranger = trial.stage.app.visitor();
    let input = json!({ "paymentId": started.payment["id"], "idempotencyKey": key() });
    let refused = stranger
        .send("mutation($input: MarkPaymentReceivedInput!) { markPaymentReceived(input: $input) { payment { id } } }",
            json!({ "input": input }))
        .await;
    assert!(refused["errors"].is_array(), "{refused:#}");
    trial.worker.stop().await;
}

macro_rules! contract {
    ($($name:ident: $peer:expr => $($term:ident),+;)+) => {
        $(mod $name {
            use super::*;

            $(#[tokio::test]
            async fn $term() {
                super::$term(Arc::new($peer)).await;
            })+
        })+
    };
}

contract! {
    stripe: Stripe::default() => pays_once, loses_no_sale, gives_back_once, tells_what_went_back, hears_of_disputes, wrong_keys;
    paypal: PayPal::default() => pays_once, loses_no_sale, gives_back_once, tells_what_went_back, hears_of_disputes, comes_again, wrong_keys;
    paystack: Paystack::default() => pays_once, loses_no_sale, gives_back_once, tells_what_went_back, hears_of_disputes, wrong_keys;
    toss: Toss::default() => pays_once, loses_no_sale, gives_back_once, tells_what_went_back, comes_again;
    offline: Offline::default() => pays_once, loses_no_sale, gives_back_once;
}
