//! What was not signed by the provider, for this account, just now, byte for byte, has no effect.

use super::{SECRET, Stage, Worker, now, signed};
use crate::harness::TestApp;

#[tokio::test]
async fn r18_forged_webhooks_are_refused_and_change_nothing() {
    let stage = Stage::new().await;
    let other = Stage::over(
        TestApp::over_changed(
            stage.app.database.again(),
            &[("PAYMENT_SANDBOX", "on")],
            |_| {},
        )
        .await,
        "south",
    )
    .await;
    let worker = Worker::start(&stage.app);
    let buyer = stage.buyer().await;
    let paying = stage.pay(&buyer).await;
    let body = stage.told(&paying, "evt_forged", "payment.succeeded");
    let secret = format!("{SECRET}north");
    let good = signed(&secret, now(), &body);

    let changed = body.replacen("1000", "1001", 1);
    let spaced = body.replacen("\":", "\": ", 1);
    let theirs = signed(&format!("{SECRET}south"), now(), &body);
    let old = signed(&secret, now() - 301, &body);
    let ahead = signed(&secret, now() + 310, &body);
    let moved = good.replacen("t=", "t=1", 1);
    let cut = good[..good.len() - 2].to_owned();
    let forged: [(&str, Option<&str>, &str); 9] = [
        ("a byte changed", Some(&good), &changed),
        ("written again", Some(&good), &spaced),
        ("another tenant's key", Some(&theirs), &body),
        ("old", Some(&old), &body),
        ("from the future", Some(&ahead), &body),
        ("another time", Some(&moved), &body),
        ("a shorter signature", Some(&cut), &body),
        ("no signature", None, &body),
        ("an empty one", Some("t=,v1="), &body),
    ];
    for (what, signature, body) in forged {
        assert_eq!(
            stage.send(&stage.account, signature, body).await,
            400,
            "{what}"
        );
    }
    // Whole and true, but sent to somebody else, or to nobody.
    assert_eq!(stage.send(&other.account, Some(&good), &body).await, 400);
    let nobody = uuid::Uuid::now_v7().to_string();
    for account in [nobody.as_str(), "x"] {
        assert_eq!(stage.send(account, Some(&good), &body).await, 404);
    }
    assert_eq!(stage.number("select count(*) from payment_events").await, 0);
    assert_eq!(stage.number("select count(*) from ledger_entries").await, 0);
    stage.becomes(&buyer, "PENDING_PAYMENT", "UNPAID").await;

    // Signed by another organization for its own account, but speaking of this payment: it is theirs to say nothing of.
    assert_eq!(stage.send(&other.account, Some(&theirs), &body).await, 200);
    assert_eq!(stage.send(&stage.account, Some(&good), &body).await, 200);
    // The sandbox was not asked: what it signed is believed.
    stage.becomes(&buyer, "CONFIRMED", "PAID").await;
    worker.stop().await;
    let unmatched = "select count(*) from payment_events where status = 'unmatched'";
    assert_eq!(stage.number(unmatched).await, 1);
    assert_eq!(stage.number("select count(*) from ledger_entries").await, 1);
}

#[tokio::test]
async fn who_sends_much_that_is_forged_is_not_listened_to_for_a_while() {
    let stage = Stage::new().await;
    let mut statuses = vec![];
    for _ in 0..340 {
        statuses.push(stage.send(&stage.account, Some("t=1,v1=00"), "{}").await);
    }
    assert_eq!(statuses[0], 400);
    assert_eq!(statuses[339], 429);
}
