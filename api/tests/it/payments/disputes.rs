//! Disputes: the buyer opens one on the sandbox's page, the sandbox tells of it and decides.

use serde_json::{Value, json};

use super::{SECRET, Stage, Worker};

const READ: &str = "{ disputes { nodes { id status reason withdrawnAt settledAt amount { minorUnits } fee { minorUnits }
    payment { id status } registration { paymentState } } } }";

impl Stage {
    async fn decide(&self, reference: &str, outcome: &str, secret: &str) -> u16 {
        let url = format!("{}/sandbox/dispute/{reference}", self.app.url);
        let sent = self.app.http().post(url).bearer_auth(secret);
        let sent = sent.json(&json!({ "outcome": outcome })).send().await;
        sent.expect("an answer").status().as_u16()
    }

    async fn disputes(&self, status: &str) -> Value {
        for _ in 0..1500 {
            let read = self.organizer.caller.ask(READ, json!({})).await;
            let one = &read["disputes"]["nodes"][0];
            if one["status"] == status {
                return one.clone();
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        panic!("never {status}");
    }
}

#[tokio::test]
async fn r16_a_dispute_at_the_sandbox_is_matched_booked_and_decided() {
    for (outcome, state, held) in [("lost", "REFUNDED", -1500), ("won", "PAID", -500)] {
        let stage = Stage::new().await;
        let worker = Worker::start(&stage.app);
        let (buyer, paying) = stage.paid().await;
        let page = stage.press(&paying, "dispute").await;
        assert!(page.contains("Your bank looks into it"), "{page}");
        assert!(!page.contains("<button"), "once: {page}");
        stage.becomes(&buyer, "CONFIRMED", "DISPUTED").await;
        let open = stage.disputes("OPEN").await;
        assert_eq!(open["payment"]["id"], paying.id);
        assert_eq!(open["amount"]["minorUnits"], "1000");
        assert_eq!(open["fee"]["minorUnits"], "1500");
        assert_eq!(open["registration"]["paymentState"], "DISPUTED");
        stage.assert_whole().await;

        let secret = format!("{SECRET}north");
        assert_eq!(
            stage.decide(&paying.reference, outcome, "guessed").await,
            401
        );
        assert_eq!(stage.decide(&paying.reference, "drawn", &secret).await, 400);
        assert_eq!(stage.decide(&paying.reference, outcome, &secret).await, 200);
        assert_eq!(stage.decide(&paying.reference, outcome, &secret).await, 409);
        let over = stage.disputes(&outcome.to_uppercase()).await;
        assert_ne!(over["settledAt"], Value::Null);
        let now = stage.becomes(&buyer, "CONFIRMED", state).await;
        assert_eq!(now["tickets"]["nodes"], json!([{ "status": "VALID" }]));
        let provider = "select coalesce(sum(case when debit = 'provider' then amount_minor when credit = 'provider'
            then -amount_minor else 0 end), 0) from ledger_entries";
        assert_eq!(stage.number(provider).await, held);
        let told = "select count(*) from outbox where type = 'payment.disputed'";
        assert_eq!(stage.number(told).await, 2);
        worker.stop().await;
        stage.assert_whole().await;
    }
}

#[tokio::test]
async fn buyers_see_that_it_is_disputed_and_not_what_members_see_of_it() {
    let stage = Stage::new().await;
    let worker = Worker::start(&stage.app);
    let (buyer, paying) = stage.paid().await;
    stage.press(&paying, "dispute").await;
    let id = stage.disputes("OPEN").await["id"].clone();
    let node = "query($id: ID!) { node(id: $id) { id } }";
    let other = stage.app.organizer("south").await;
    for caller in [&buyer.caller, &stage.app.visitor(), &other.caller] {
        let seen = caller.send(node, json!({ "id": id })).await;
        assert_eq!(seen["data"]["node"], Value::Null, "{seen:#}");
    }
    worker.stop().await;
}
