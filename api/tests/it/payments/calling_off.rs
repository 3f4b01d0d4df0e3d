//! R17 over HTTP: an event is called off, and everybody's money comes back by the sandbox but for what is kept.

use serde_json::json;

use super::{Stage, Worker};

#[tokio::test]
async fn r17_calling_an_event_off_cancels_refunds_and_tells_everybody_once() {
    let stage = Stage::new().await;
    let worker = Worker::start(&stage.app);
    let mut buyers = vec![];
    for _ in 0..3 {
        buyers.push(stage.paid().await.0);
    }
    let waiting = stage.buyer().await;
    worker.stop().await;
    let member = &stage.organizer.caller;
    let input = json!({
        "eventId": stage.event["id"], "keptFixed": { "minorUnits": "100", "currencyCode": "EUR" },
        "keptRateMillionths": 50_000,
    });
    let off = member
        .does("cancelEvent", "event { status }", input.clone())
        .await;
    assert_eq!(off["event"]["status"], "CANCELLED");
    // The work is for whoever runs jobs: here two, each of which may be cut off.
    let workers = [Worker::start(&stage.app), Worker::start(&stage.app)];
    for buyer in &buyers {
        let cancelled = stage.becomes(buyer, "CANCELLED", "PAID").await;
        let refund = &cancelled["payments"]["nodes"][0]["refunds"]["nodes"][0];
        assert_eq!(
            refund["amount"]["minorUnits"], "850",
            "1.00 and 5 % are kept"
        );
    }
    stage.becomes(&waiting, "CANCELLED", "UNPAID").await;
    let done = "select count(*) from refunds where status = 'done'";
    let letters = "select count(*) from message_deliveries where kind = 'event_cancelled'";
    for _ in 0..1500 {
        if stage.number(done).await == 3 && stage.number(letters).await == 3 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(
        stage.number(letters).await,
        3,
        "who only waited hears nothing"
    );
    member.does("cancelEvent", "", input).await;
    let read = "{ eventCancellations { nodes { registrations finishedAt keptRateMillionths keptFixed { minorUnits } } } }";
    let read = member.ask(read, json!({})).await;
    let off = &read["eventCancellations"]["nodes"][0];
    assert_eq!(
        (&off["registrations"], &off["keptFixed"]["minorUnits"]),
        (&json!(4), &json!("100"))
    );
    assert!(off["finishedAt"].is_string(), "{read:#}");
    for (sql, many) in [
        ("select count(*) from refunds", 3),
        ("select count(*) from sandbox_refunds", 3),
        (
            "select count(*) from invoices where kind = 'credit_note' and total_minor = 850",
            3,
        ),
        (
            "select count(*) from jobs where kind = 'events.cancel' and status <> 'done'",
            0,
        ),
    ] {
        assert_eq!(stage.number(sql).await, many, "{sql}");
    }
    for worker in workers {
        worker.stop().await;
    }
    stage.assert_whole().await;
}
