//! Every event several times, in any order, at once.

use std::sync::Arc;

use eventsphere_migration::functions::FILES;
use serde_json::json;

use super::{Stage, Worker};
use crate::harness::{at_once, key};

/// What R5 is, in the function that settles.
const R05: &str = "  if v_payment.status = 'succeeded' or v_payment.status = p_request ->> 'status' and v_payment.status <> 'pending' then
    return jsonb_build_object('outcome', 'already', 'status', v_payment.status);
  end if;
";

/// Every event three times, shuffled, at once, over two workers; whatever is not as it should be afterwards.
async fn storm(stage: Arc<Stage>) -> Vec<String> {
    const BUYERS: usize = 6;
    let mut bodies = vec![];
    for turn in 0..BUYERS {
        let buyer = stage.buyer().await;
        let paying = stage.pay(&buyer).await;
        stage.press(&paying, "silent").await;
        for round in 0..3 {
            // A provider that repeats itself under one key, one that does under new keys, and one that takes it back.
            let event = |kind: &str| format!("evt_{kind}_{turn}");
            bodies.push(stage.told(&paying, &event("paid"), "payment.succeeded"));
            bodies.push(stage.told(
                &paying,
                &event(&format!("again{round}")),
                "payment.succeeded",
            ));
            bodies.push(stage.told(&paying, &event("failed"), "payment.failed"));
            bodies.push(stage.told(&paying, &event("new"), "payment.looked_at"));
        }
    }
    // As random as keys are, and another order each time.
    bodies.sort_by_cached_key(|_| key());
    let workers = [Worker::start(&stage.app), Worker::start(&stage.app)];
    let bodies = Arc::new(bodies);
    let statuses = at_once(12, |lane| {
        let (stage, bodies) = (stage.clone(), bodies.clone());
        async move {
            let mut statuses = vec![];
            for body in bodies.iter().skip(lane).step_by(12) {
                statuses.push(stage.deliver(body).await);
            }
            statuses
        }
    })
    .await;
    assert!(
        statuses.concat().iter().all(|status| *status == 200),
        "{statuses:?}"
    );
    let confirmed = "select count(*) from registrations where status = 'confirmed'";
    let buyers = i64::try_from(BUYERS).unwrap();
    for _ in 0..1500 {
        if stage.number(confirmed).await == buyers {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    // Each event has an end, at its first try: a word that comes again is nothing that goes wrong.
    let open = "select count(*) from payment_events where status not in ('applied', 'ignored')";
    let failed = "select count(*) from jobs where kind = 'payments.apply' and failure is not null";
    for _ in 0..500 {
        if stage.number(open).await == 0 || stage.number(failed).await > 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let mut faults = vec![];
    let counts = [
        (confirmed, buyers),
        ("select count(*) from payment_events", 6 * buyers),
        (open, 0),
        (failed, 0),
        (
            "select count(*) from outbox where type = 'registration.confirmed'",
            buyers,
        ),
        (
            "select count(*) from outbox where type = 'payment.succeeded'",
            buyers,
        ),
        ("select count(*) from ledger_entries", buyers),
        ("select count(*) from tickets", buyers),
        ("select count(*) from invoices", buyers),
        (
            "select count(*) from payments where status = 'succeeded'",
            buyers,
        ),
        ("select count(*) from check_ledger_integrity()", 0),
    ];
    for (sql, expected) in counts {
        let found = stage.number(sql).await;
        if found != expected {
            faults.push(format!("{found}, not {expected}: {sql}"));
        }
    }
    for worker in workers {
        worker.stop().await;
    }
    faults
}

#[tokio::test]
async fn r18_events_three_times_shuffled_and_at_once_have_the_effect_of_each_once() {
    let stage = Arc::new(Stage::new().await);
    assert_eq!(storm(stage.clone()).await, [""; 0]);
    stage.assert_whole().await;
}

#[tokio::test]
async fn r05_taken_out_the_storm_sees_it_with_the_nets_below_and_without() {
    let settle = FILES.iter().find(|file| file.name == "payment_settle");
    let settle = settle.expect("the function").text;
    assert!(settle.contains(R05), "the rule is written otherwise");
    let broken = format!("set role es_owner; {}; reset role", settle.replace(R05, ""));
    let no_nets = "drop index ledger_entries_capture_key; alter table payments drop constraint payments_captured_by_status";
    for nets in [true, false] {
        let stage = Arc::new(Stage::new().await);
        let admin = stage.app.database.admin().await;
        admin.batch_execute(&broken).await.expect("broken");
        if !nets {
            admin.batch_execute(no_nets).await.expect("no nets");
        }
        let faults = storm(stage).await;
        assert!(!faults.is_empty(), "nothing was seen; nets: {nets}");
        println!("nets: {nets}: {faults:#?}");
    }
}

#[tokio::test]
async fn r15_two_members_who_refund_at_once_give_back_what_came_in() {
    let stage = Stage::new().await;
    let worker = Worker::start(&stage.app);
    let (_, paying) = stage.paid().await;
    let member = stage.organizer.caller.clone();
    let said = at_once(6, |_| {
        let (member, id) = (member.clone(), paying.id.clone());
        async move {
            let input = json!({
                "paymentId": id, "amount": { "minorUnits": "400", "currencyCode": "EUR" }, "idempotencyKey": key(),
            });
            member.tries("refundPayment", "refund { id }", input).await
        }
    })
    .await;
    let done = said.iter().filter(|payload| !payload["refund"].is_null());
    assert_eq!(done.count(), 2, "{said:#?}");
    for _ in 0..1500 {
        if stage
            .number("select count(*) from refunds where status = 'done'")
            .await
            == 2
        {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    worker.stop().await;
    assert_eq!(
        stage.number("select count(*) from sandbox_refunds").await,
        2
    );
    stage.assert_whole().await;
}

/// All that the sandbox has to tell of what happened there, instead of its telling it.
async fn told_by_the_sandbox(stage: &Stage) -> Vec<String> {
    let admin = stage.app.database.admin().await;
    let taken =
        "delete from jobs where kind = 'sandbox.deliver' returning (payload -> 'event')::text";
    let rows = admin.query(taken, &[]).await.expect("events");
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn r16_r18_whatever_is_told_comes_three_times_shuffled_and_at_once_and_counts_once() {
    const BUYERS: usize = 6;
    let stage = Arc::new(Stage::new().await);
    let secret = format!("{}north", super::SECRET);
    let mut buyers = vec![];
    for turn in 0..BUYERS {
        // Nobody works yet: paid, a part given back at the sandbox, the rest disputed and decided, before a word is heard.
        let buyer = stage.buyer().await;
        let paying = stage.pay(&buyer).await;
        stage.press(&paying, "succeed").await;
        let url = format!("{}/sandbox/refund/{}", stage.app.url, paying.reference);
        let refund = stage.app.http().post(url).bearer_auth(&secret);
        let refund = refund.json(&json!({ "amount_minor": 300 })).send().await;
        assert_eq!(refund.expect("an answer").status(), 201);
        stage.press(&paying, "dispute").await;
        let ends = ["won", "lost"][turn % 2];
        let url = format!("{}/sandbox/dispute/{}", stage.app.url, paying.reference);
        let ended = stage.app.http().post(url).bearer_auth(&secret);
        let ended = ended.json(&json!({ "outcome": ends })).send().await;
        assert_eq!(ended.expect("an answer").status(), 200);
        buyers.push((buyer, ["PARTIALLY_REFUNDED", "REFUNDED"][turn % 2]));
    }
    let events = told_by_the_sandbox(&stage).await;
    assert_eq!(events.len(), 4 * BUYERS);
    let mut bodies = [events.clone(), events.clone(), events].concat();
    bodies.sort_by_cached_key(|_| key());
    let workers = [Worker::start(&stage.app), Worker::start(&stage.app)];
    let bodies = Arc::new(bodies);
    at_once(12, |lane| {
        let (stage, bodies) = (stage.clone(), bodies.clone());
        async move {
            for body in bodies.iter().skip(lane).step_by(12) {
                assert_eq!(stage.deliver(body).await, 200);
            }
        }
    })
    .await;
    for (buyer, state) in &buyers {
        stage.becomes(buyer, "CONFIRMED", state).await;
    }
    let many = i64::try_from(BUYERS).unwrap();
    let applied = "select count(*) from payment_events where status = 'applied' and told = 3";
    for _ in 0..1500 {
        if stage.number(applied).await == 4 * many {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    for (sql, expected) in [
        (applied, 4 * many),
        ("select count(*) from jobs where status = 'dead'", 0),
        ("select count(*) from tickets", many),
        (
            "select count(*) from refunds where status = 'external'",
            many,
        ),
        ("select count(*) from disputes where status <> 'open'", many),
        (
            "select count(*) from outbox where type = 'registration.confirmed'",
            many,
        ),
        (
            "select count(*) from outbox where type = 'payment.refunded'",
            many,
        ),
    ] {
        assert_eq!(stage.number(sql).await, expected, "{sql}");
    }
    for worker in workers {
        worker.stop().await;
    }
    stage.assert_whole().await;
}
