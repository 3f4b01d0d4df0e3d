//! Reconciliations: the books held against what the sandbox lists.

use serde_json::{Value, json};

use super::{Stage, Worker};
use crate::harness::key;

const READ: &str = "query($id: ID!) { reconciliation(id: $id) { status whole compared differing failure finishedAt
    differences { nodes { kind providerReference ours { minorUnits } theirs { minorUnits } payment { id } } } } }";

impl Stage {
    /// Compares all that there is; what came of it.
    pub async fn reconcile(&self) -> Value {
        // Begun a day ago: of the last minutes nothing is said yet.
        let admin = self.app.database.admin().await;
        admin
            .batch_execute(
                "update payments set created_at = clock_timestamp() - interval '1 day'
                 where created_at > clock_timestamp() - interval '1 hour';
                 update sandbox_payments set created_at = clock_timestamp() - interval '1 day'
                 where created_at > clock_timestamp() - interval '1 hour'",
            )
            .await
            .expect("long ago");
        let member = &self.organizer.caller;
        let input = json!({ "paymentAccountId": self.account_id, "idempotencyKey": key() });
        let made = member
            .does("reconcilePayments", "reconciliation { id status }", input)
            .await;
        self.reconciled(&made["reconciliation"]["id"]).await
    }

    async fn reconciled(&self, id: &Value) -> Value {
        for _ in 0..1500 {
            let read = self.organizer.caller.ask(READ, json!({ "id": id })).await;
            let run = &read["reconciliation"];
            if run["status"] != "RUNNING" {
                return run.clone();
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        panic!("it runs for ever");
    }
}

#[tokio::test]
async fn what_the_sandbox_lists_is_what_is_booked_and_what_is_not_is_told() {
    let stage = Stage::new().await;
    let worker = Worker::start(&stage.app);
    let (_, paying) = stage.paid().await;
    let (_, second) = stage.paid().await;
    let input = json!({
        "paymentId": paying.id, "amount": { "minorUnits": "300", "currencyCode": "EUR" }, "idempotencyKey": key(),
    });
    let member = &stage.organizer.caller;
    member.does("refundPayment", "refund { id }", input).await;
    let done = "select count(*) from refunds where status = 'done'";
    for _ in 0..1500 {
        if stage.number(done).await == 1 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let same = stage.reconcile().await;
    assert_eq!(same["status"], "DONE", "{same:#}");
    assert_eq!(
        (&same["compared"], &same["differing"]),
        (&json!(2), &json!(0))
    );
    assert_eq!(same["whole"], true);

    // Somebody at the provider took more, gave back what nobody told us, and took money that we never heard of.
    let admin = stage.app.database.admin().await;
    let elsewhere = format!(
        "update sandbox_payments set amount_minor = 1100 where id = '{}';
         insert into sandbox_refunds (org_id, payment_id, status, amount_minor)
         select org_id, id, 'succeeded', 50 from sandbox_payments where id = '{}';
         insert into sandbox_payments (org_id, account_id, reference, status, amount_minor, currency, description, created_at)
         select org_id, account_id, gen_random_uuid(), 'succeeded', 700, 'EUR', 'x', created_at + interval '1 day'
         from sandbox_payments where id = '{}'",
        second.reference, paying.reference, paying.reference
    );
    admin.batch_execute(&elsewhere).await.expect("elsewhere");
    let found = stage.reconcile().await;
    assert_eq!(found["differing"], 3, "{found:#}");
    let nodes = found["differences"]["nodes"].as_array().unwrap();
    let mut told: Vec<_> = nodes
        .iter()
        .map(|one| {
            let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
            (
                word(&one["kind"]),
                word(&one["ours"]["minorUnits"]),
                word(&one["theirs"]["minorUnits"]),
                one["payment"]["id"].clone(),
            )
        })
        .collect();
    told.sort_by(|one, other| one.0.cmp(&other.0));
    let word = str::to_owned;
    assert_eq!(
        told,
        [
            (
                word("CAPTURED"),
                word("1000"),
                word("1100"),
                second.id.clone()
            ),
            (
                word("REFUNDED"),
                word("300"),
                word("350"),
                paying.id.clone()
            ),
            (word("UNKNOWN_HERE"), word("0"), word("700"), Value::Null),
        ]
    );
    worker.stop().await;
}

#[tokio::test]
async fn the_clock_asks_for_every_account_that_took_money_and_strangers_see_nothing_of_it() {
    let stage = Stage::new().await;
    let worker = Worker::start(&stage.app);
    stage.paid().await;
    let admin = stage.app.database.admin().await;
    let job = "select es.enqueue_jobs('[{\"kind\": \"payments.reconcile_all\"}]')";
    admin.batch_execute(job).await.expect("a job");
    let runs = "select count(*) from reconciliations where status = 'done'";
    for _ in 0..1500 {
        if stage.number(runs).await == 1 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(stage.number(runs).await, 1);
    let list = "{ reconciliations { nodes { id } } }";
    let own = stage.organizer.caller.ask(list, json!({})).await;
    let id = &own["reconciliations"]["nodes"][0]["id"];
    let other = stage.app.organizer("south").await;
    let none = other.caller.ask(list, json!({})).await;
    assert_eq!(none["reconciliations"]["nodes"], json!([]));
    let seen = other.caller.ask(READ, json!({ "id": id })).await;
    assert_eq!(seen["reconciliation"], Value::Null);
    let input = json!({ "paymentAccountId": stage.account_id, "idempotencyKey": key() });
    let refused = other
        .caller
        .tries("reconcilePayments", "reconciliation { id }", input)
        .await;
    assert_eq!(
        refused["userErrors"][0]["code"],
        "PAYMENT_ACCOUNT_NOT_FOUND"
    );
    worker.stop().await;
}
