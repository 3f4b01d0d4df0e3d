//! Stripe as others understood it: the adapter against localstripe (`tools/localstripe`), a server for tests that speaks
//! Stripe's API and sends webhooks signed as Stripe signs them, to our own route.

use std::{collections::BTreeMap, path::Path, process::Stdio, time::Duration};

use serde_json::{Value, json};
use tokio::process::{Child, Command};

use super::{Buyer, Stage, Worker, peers::settings};
use crate::{
    guides::answers_as_printed,
    harness::{Database, EventSetup, TestApp, key},
};

const SECRET: &str = "sk_test_12345";
const HOOKS: &str = "whsec_for_localstripe";

/// A running localstripe with somebody who sells by it.
struct Shop {
    stage: Stage,
    url: String,
    _child: Child,
}

impl Shop {
    async fn open() -> Self {
        let (url, child) = serve().await;
        let urls = format!("stripe={url}");
        let settings = [("PAYMENT_URLS", urls.as_str())];
        let app = TestApp::over(Database::fresh().await, &settings).await;
        eventsphere::jobs::register(&app.app).await.expect("kinds");
        let organizer = app.organizer("north").await;
        let setup = EventSetup {
            price: 1000,
            ..EventSetup::default()
        };
        let event = organizer.event(&setup).await;
        let credentials =
            super::peers::keys(&[("secret_key", SECRET), ("publishable_key", "pk_test_12345")]);
        let input = json!({ "provider": "stripe", "name": "Cards", "credentials": credentials });
        let made = organizer
            .caller
            .does(
                "createPaymentAccount",
                "webhookUrl paymentAccount { id live }",
                input,
            )
            .await;
        let hooks = made["webhookUrl"].as_str().expect("an address").to_owned();
        // As one does it: the endpoint is made at Stripe, and its secret said here.
        let credentials = super::peers::keys(&[("webhook_secret", HOOKS)]);
        let account_id = made["paymentAccount"]["id"].clone();
        let input = json!({ "paymentAccountId": account_id, "credentials": credentials });
        let member = &organizer.caller;
        member
            .does("updatePaymentAccount", "paymentAccount { live }", input)
            .await;
        endpoint(app.http(), &url, &hooks).await;
        let stage = Stage {
            account: hooks.rsplit('/').next().expect("a key").to_owned(),
            account_id,
            app,
            organizer,
            event,
        };
        Self {
            stage,
            url,
            _child: child,
        }
    }

    async fn ask(&self, path: &str, form: &[(&str, &str)]) -> (u16, Value) {
        ask(self.stage.app.http(), &self.url, path, form).await
    }

    /// Starts to pay; the payment, and the client secret that the page has.
    async fn start(&self, buyer: &Buyer) -> (Value, String) {
        let input = json!({ "registrationId": buyer.registration, "idempotencyKey": key() });
        let selection = "payment { id status checkoutUrl providerReference }";
        let made = buyer.caller.does("createPayment", selection, input).await;
        let payment = made["payment"].clone();
        assert_eq!(payment["status"], "PENDING", "{payment:#}");
        let settings = settings(&self.stage, &payment).await;
        let secret = settings["secret"].as_str().expect("a client secret");
        let reference = payment["providerReference"].as_str().expect("a reference");
        assert!(secret.starts_with(reference), "{secret}");
        (payment.clone(), secret.to_owned())
    }

    async fn confirm(&self, payment: &Value, card: &str) -> (u16, Value) {
        let reference = payment["providerReference"].as_str().unwrap();
        confirm(self.stage.app.http(), &self.url, reference, card).await
    }

    async fn until(&self, sql: &str, expected: i64) {
        for _ in 0..1500 {
            if self.stage.number(sql).await == expected {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(self.stage.number(sql).await, expected, "{sql}");
    }
}

async fn ask(http: &reqwest::Client, url: &str, path: &str, form: &[(&str, &str)]) -> (u16, Value) {
    let request = http.post(format!("{url}{path}"));
    let answer = request.bearer_auth(SECRET).form(form).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// What Stripe's form does with a card: the status of the answer, and the intent or error.
async fn confirm(http: &reqwest::Client, url: &str, reference: &str, card: &str) -> (u16, Value) {
    let form = [
        ("type", "card"),
        ("card[number]", card),
        ("card[exp_month]", "12"),
        ("card[exp_year]", "2034"),
        ("card[cvc]", "123"),
    ];
    let (_, method) = ask(http, url, "/v1/payment_methods", &form).await;
    let intent = format!("/v1/payment_intents/{reference}");
    let method = method["id"].as_str().expect("a payment method");
    let (status, _) = ask(http, url, &intent, &[("payment_method", method)]).await;
    assert_eq!(status, 200);
    ask(http, url, &format!("{intent}/confirm"), &[]).await
}

/// Has the endpoint for webhooks made at Stripe, as one does in its dashboard.
async fn endpoint(http: &reqwest::Client, url: &str, hooks: &str) {
    let form = [("url", hooks), ("secret", HOOKS)];
    let request = http.post(format!("{url}/_config/webhooks/ours"));
    let told = request.form(&form).send().await.unwrap();
    assert!(told.status().is_success());
}

/// Starts the server on a free port, once its packages are there.
async fn serve() -> (String, Child) {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tools");
    let installed = Command::new(tools.join("install.sh"))
        .arg("localstripe")
        .status()
        .await
        .expect("the tool's installer");
    assert!(installed.success(), "packages of tools/localstripe");
    // Somebody else may take the port before it does.
    for _ in 0..5 {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        if let Some(child) = listening(&tools, port).await {
            return (format!("http://127.0.0.1:{port}"), child);
        }
    }
    panic!("localstripe does not listen");
}

/// The server on that port; nothing when it could not have it.
async fn listening(tools: &Path, port: u16) -> Option<Child> {
    let mut child = Command::new("python3")
        .env("PYTHONPATH", tools.join("localstripe/.venv"))
        .args([
            "-m",
            "localstripe",
            "--from-scratch",
            "--port",
            &port.to_string(),
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("localstripe");
    // A minute: where much else runs, Python needs more than ten seconds to load it.
    for _ in 0..3_000 {
        if child.try_wait().expect("its state").is_some() {
            return None;
        }
        if tokio::net::TcpStream::connect(("127.0.0.1", port))
            .await
            .is_ok()
        {
            return Some(child);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    None
}

#[tokio::test]
async fn a_card_is_charged_at_localstripe_its_webhook_believed_and_the_money_given_back() {
    let shop = Shop::open().await;
    let worker = Worker::start(&shop.stage.app);
    let buyer = shop.stage.buyer().await;
    let (payment, _) = shop.start(&buyer).await;
    let (status, intent) = shop.confirm(&payment, "4242424242424242").await;
    assert_eq!((status, &intent["status"]), (200, &json!("succeeded")));
    let paid = shop.stage.becomes(&buyer, "CONFIRMED", "PAID").await;
    assert_eq!(paid["paid"]["minorUnits"], "1000");
    let applied = "select count(*) from payment_events where status = 'applied'";
    assert_eq!(
        shop.stage.number(applied).await,
        1,
        "the webhook came first"
    );

    let member = &shop.stage.organizer.caller;
    for amount in [Some("300"), None] {
        let mut input = json!({ "paymentId": payment["id"], "idempotencyKey": key() });
        if let Some(minor) = amount {
            input["amount"] = json!({ "minorUnits": minor, "currencyCode": "EUR" });
        }
        member.does("refundPayment", "refund { id }", input).await;
    }
    shop.stage.becomes(&buyer, "CONFIRMED", "REFUNDED").await;
    shop.until("select count(*) from refunds where status = 'done'", 2)
        .await;
    let reference = payment["providerReference"].as_str().unwrap();
    let listed = format!("{}/v1/refunds?payment_intent={reference}", shop.url);
    let listed = shop
        .stage
        .app
        .http()
        .get(listed)
        .bearer_auth(SECRET)
        .send()
        .await
        .unwrap();
    let listed: Value = listed.json().await.unwrap();
    let mut amounts: Vec<i64> = listed["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|refund| refund["amount"].as_i64().unwrap())
        .collect();
    amounts.sort_unstable();
    assert_eq!(amounts, [300, 700]);
    worker.stop().await;
    let held = "select sum(case when debit = 'provider' then amount_minor when credit = 'provider' then -amount_minor
        else 0 end) from ledger_entries";
    assert_eq!(shop.stage.number(held).await, 0);
    assert_eq!(
        shop.stage
            .number("select count(*) from check_ledger_integrity()")
            .await,
        0
    );
}

#[tokio::test]
async fn a_declined_card_leaves_the_payment_open_and_one_that_asks_back_pays() {
    let shop = Shop::open().await;
    let worker = Worker::start(&shop.stage.app);
    let buyer = shop.stage.buyer().await;
    let (first, _) = shop.start(&buyer).await;
    let (status, error) = shop.confirm(&first, "4000000000000341").await;
    assert_eq!(
        (status, &error["error"]["code"]),
        (402, &json!("card_declined"))
    );
    shop.until(
        "select count(*) from payment_events where status = 'applied'",
        1,
    )
    .await;
    let waiting = shop
        .stage
        .becomes(&buyer, "PENDING_PAYMENT", "UNPAID")
        .await;
    assert_eq!(waiting["payments"]["nodes"][0]["status"], "PENDING");

    let (second, secret) = shop.start(&buyer).await;
    let (_, intent) = shop.confirm(&second, "4000002500003155").await;
    assert_eq!(intent["status"], "requires_action");
    shop.stage
        .becomes(&buyer, "PENDING_PAYMENT", "UNPAID")
        .await;
    let path = format!(
        "/v1/payment_intents/{}/_authenticate",
        second["providerReference"].as_str().unwrap()
    );
    let form = [("client_secret", secret.as_str()), ("success", "true")];
    let (_, intent) = shop.ask(&path, &form).await;
    assert_eq!(intent["status"], "succeeded");
    shop.stage.becomes(&buyer, "CONFIRMED", "PAID").await;
    worker.stop().await;
}

#[tokio::test]
async fn one_who_follows_the_page_about_payments_sells_a_ticket_and_gives_money_back() {
    let (url, _child) = serve().await;
    let urls = format!("stripe={url}");
    let app = TestApp::over(Database::fresh().await, &[("PAYMENT_URLS", urls.as_str())]).await;
    eventsphere::jobs::register(&app.app).await.expect("kinds");
    eventsphere::demo::fill(&app.app, 10)
        .await
        .expect("demo data");
    let worker = Worker::start(&app);
    let page = include_str!("../../../../docs/payments.md")
        .replace("\"sk_test_...\"", &format!("\"{SECRET}\""))
        .replace("\"pk_test_...\"", "\"pk_test_12345\"")
        .replace("\"whsec_...\"", &format!("\"{HOOKS}\""));
    let (before, after) = page.split_once("\n8. Open").expect("the step of paying");
    let mut names = BTreeMap::new();
    answers_as_printed(&app, "payments.md", before, &mut names).await;

    let admin = app.database.admin().await;
    let sql = "select account_id::text, provider_reference from payments where provider = 'stripe'";
    let row = admin.query_one(sql, &[]).await.expect("one payment");
    let (account, reference): (String, String) = (row.get(0), row.get(1));
    let hooks = format!("{}/webhooks/stripe/{account}", app.url);
    endpoint(app.http(), &url, &hooks).await;
    let (status, _) = confirm(app.http(), &url, &reference, "4242424242424242").await;
    assert_eq!(status, 200);
    let paid = "select count(*) from payments where provider = 'stripe' and status = 'succeeded'";
    crate::jobs::until("the webhook is believed", async || {
        app.database.count(paid).await == 1
    })
    .await;
    answers_as_printed(&app, "payments.md", after, &mut names).await;
    worker.stop().await;
}
