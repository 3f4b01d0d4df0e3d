//! Accounts whose keys change while there are payments by them.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{
    SECRET, Stage,
    contract::{Started, Trial},
    now,
    peers::{PayPal, Paystack, Peer, Stripe, Toss, keys, stripe::RESTRICTED},
    signed,
};
use crate::harness::{TestApp, key};

impl Trial {
    async fn changes(&self, credentials: Value) -> Value {
        let input =
            json!({ "paymentAccountId": self.stage.account_id, "credentials": credentials });
        let member = &self.stage.organizer.caller;
        member
            .tries("updatePaymentAccount", "paymentAccount { live }", input)
            .await
    }
}

fn code(answer: &Value) -> &str {
    answer["userErrors"][0]["code"].as_str().unwrap_or("")
}

async fn paid(peer: &Arc<dyn Peer>) -> (Trial, Started) {
    let trial = Trial::of(peer.clone()).await;
    let started = trial.started().await;
    peer.pay(&trial.stage, &started.payment, &started.key, false)
        .await;
    trial.come_back(&started).await;
    trial
        .stage
        .becomes(&started.buyer, "CONFIRMED", "PAID")
        .await;
    (trial, started)
}

#[tokio::test]
async fn keys_that_do_not_find_what_was_paid_are_refused() {
    let peers: [Arc<dyn Peer>; 4] = [
        Arc::new(Stripe::default()),
        Arc::new(PayPal::default()),
        Arc::new(Paystack::default()),
        Arc::new(Toss::default()),
    ];
    for peer in peers {
        let name = peer.kind().name;
        let (trial, started) = paid(&peer).await;
        let refused = trial.changes(peer.credentials(true)).await;
        assert_eq!(code(&refused), "KEYS_OF_ANOTHER", "{name}: {refused:#}");
        // Another account at the provider: the keys are let in, and know nothing of us.
        let deals = std::mem::take(&mut peer.books().open().deals);
        let rolled = match name {
            "paypal" => keys(&[("client_secret", "another secret of the same app")]),
            "toss" => keys(&[("client_key", "test_ck_of_another_account")]),
            "stripe" => keys(&[("publishable_key", "pk_test_of_another_account")]),
            // It has but one.
            _ => json!([]),
        };
        if name != "paystack" && name != "paypal" {
            let refused = trial.changes(rolled).await;
            assert_eq!(code(&refused), "KEYS_OF_ANOTHER", "{name}: {refused:#}");
        }
        peer.books().open().deals = deals;
        let same = trial.changes(peer.credentials(false)).await;
        assert_eq!(code(&same), "", "{name}: {same:#}");
        trial.refunds(&started, None).await;
        trial.end().await;
    }
}

#[tokio::test]
async fn test_money_never_becomes_real_money_and_a_silent_provider_leaves_the_keys_as_they_are() {
    let peer: Arc<dyn Peer> = Arc::new(Stripe::default());
    let (trial, started) = paid(&peer).await;
    let live = keys(&[
        ("secret_key", "sk_live_51H8gKLkdI"),
        ("publishable_key", "pk_live_51H8gKLkdI"),
    ]);
    assert_eq!(code(&trial.changes(live).await), "MODE_FIXED");
    peer.books().down(true);
    let other = keys(&[("secret_key", "sk_test_51H8gKLkdI")]);
    assert_eq!(code(&trial.changes(other).await), "PROVIDER_SILENT");
    // What proves webhooks opens nothing: it can be mended whoever is silent.
    let hooks = trial
        .changes(keys(&[("webhook_secret", "whsec_of_another_endpoint")]))
        .await;
    assert_eq!(code(&hooks), "", "{hooks:#}");
    peer.books().down(false);
    trial.refunds(&started, None).await;
    trial.end().await;
}

#[tokio::test]
async fn r15_a_refund_that_the_keys_do_not_allow_is_made_as_soon_as_they_do() {
    let peer: Arc<dyn Peer> = Arc::new(Stripe::default());
    let (trial, started) = paid(&peer).await;
    let changed = trial.changes(keys(&[("secret_key", RESTRICTED)])).await;
    assert_eq!(code(&changed), "", "{changed:#}");
    trial.refund(&started, None).await;
    let tried = "select count(*) from jobs where kind = 'payments.refund' and status = 'scheduled' and failure is not null";
    trial.until(tried, 1).await;
    let waits = "select count(*) from refunds where status = 'in_transit'";
    assert_eq!(trial.stage.number(waits).await, 1);
    trial.changes(peer.credentials(false)).await;
    let admin = trial.stage.app.database.admin().await;
    let soon = "update jobs set run_at = es.clock() where kind = 'payments.refund'";
    admin.execute(soon, &[]).await.expect("soon");
    trial
        .until("select count(*) from refunds where status = 'done'", 1)
        .await;
    trial.end().await;
}

async fn tells(app: &TestApp, account: &str, secret: &str) -> u16 {
    let body = r#"{"id":"evt_nothing","type":"nothing.happened","data":{}}"#;
    let url = format!("{}/webhooks/sandbox/{account}", app.url);
    let request = app.http().post(url).body(body);
    let signature = signed(secret, now(), body);
    let answer = request.header("sandbox-signature", signature).send().await;
    answer.expect("an answer").status().as_u16()
}

#[tokio::test]
async fn a_secret_that_is_changed_holds_here_at_once_and_elsewhere_within_seconds() {
    let stage = Stage::new().await;
    let settings = [("PAYMENT_SANDBOX", "on")];
    let elsewhere = TestApp::over(stage.app.database.again(), &settings).await;
    let (old, new) = (format!("{SECRET}north"), "what it is signed with now");
    for app in [&stage.app, &elsewhere] {
        assert_eq!(tells(app, &stage.account, &old).await, 200);
    }
    let input = json!({
        "paymentAccountId": stage.account_id,
        "credentials": [{ "credential": "webhook_secret", "value": new }],
    });
    let member = &stage.organizer.caller;
    let selection = "paymentAccount { id }";
    member.does("updatePaymentAccount", selection, input).await;
    let changed = Instant::now();
    assert_eq!(tells(&stage.app, &stage.account, new).await, 200);
    assert_eq!(tells(&stage.app, &stage.account, &old).await, 400);
    // What is asked for all the while is not believed any longer for that.
    while tells(&elsewhere, &stage.account, new).await != 200 {
        assert!(changed.elapsed() < Duration::from_secs(8), "still the old");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(tells(&elsewhere, &stage.account, &old).await, 400);

    // Nothing is remembered of whether buyers may pay by it.
    let input = json!({ "paymentAccountId": stage.account_id, "active": false });
    member.does("updatePaymentAccount", selection, input).await;
    let visitor = elsewhere.visitor();
    let placed = visitor
        .place(&stage.event, &stage.event["types"][0], 1)
        .await;
    let guest = visitor.with_guest(placed["guestSecret"].as_str().expect("a secret"));
    guest.confirm(&placed["registration"]["id"]).await;
    let input = json!({
        "registrationId": placed["registration"]["id"], "paymentAccountId": stage.account_id, "idempotencyKey": key(),
    });
    let refused = guest.tries("createPayment", "payment { id }", input).await;
    assert_eq!(code(&refused), "NO_PAYMENT_ACCOUNT", "{refused:#}");
}
