//! What only TossPayments does: the merchant confirms, after comparing, and money may come into a virtual account days later.

use std::sync::Arc;

use serde_json::json;

use super::{
    contract::Trial,
    peers::{
        Peer, Stand, Toss,
        toss::{DUE, SECRET},
    },
};

const SUCCEEDED: &str = "select count(*) from payments where status = 'succeeded'";

#[tokio::test]
async fn money_is_taken_for_the_order_and_the_amount_that_were_asked_for_and_no_other() {
    let peer = Arc::new(Toss::default());
    let trial = Trial::of(peer.clone()).await;
    let started = trial.started().await;
    let other = trial.started().await;
    for one in [&started, &other] {
        peer.pay(&trial.stage, &one.payment, &one.key, false).await;
    }
    let right = peer.brings(&started.key);
    let less = right.replace("amount=15000", "amount=14999");
    assert_ne!(less, right);
    for brings in [
        less,
        peer.brings(&other.key),
        "?code=PAY_PROCESS_CANCELED".to_owned(),
    ] {
        // Toss is told nothing: it would say yes to what the buyer agreed to there.
        peer.books().open().deal(&started.key).unwrap().stand = Stand::Open;
        trial.come_back_with(&started, &brings).await;
        assert_eq!(trial.stage.number(SUCCEEDED).await, 0);
    }
    assert!(
        peer.books().open().answers.is_empty(),
        "nothing was confirmed"
    );
    peer.books().open().deal(&started.key).unwrap().stand = Stand::Agreed;
    trial.come_back_with(&started, &right).await;
    assert_eq!(trial.stage.number(SUCCEEDED).await, 1);
    trial
        .stage
        .becomes(&started.buyer, "CONFIRMED", "PAID")
        .await;
    trial.end().await;
}

#[tokio::test]
async fn a_deposit_is_waited_for_believed_with_its_secret_and_given_back_elsewhere() {
    let peer = Arc::new(Toss::default());
    let trial = Trial::of(peer.clone()).await;
    let started = trial.started().await;
    peer.pay(&trial.stage, &started.payment, &started.key, false)
        .await;
    peer.chooses_account(&started.key);
    trial.come_back(&started).await;
    trial
        .stage
        .becomes(&started.buyer, "PENDING_PAYMENT", "UNPAID")
        .await;
    let waits = format!(
        "select count(*) from payments p join registrations r on r.id = p.registration_id
        where p.due_at = '{DUE}' and r.expires_at = p.due_at and p.instructions like '%X6505636518308%'"
    );
    assert_eq!(trial.stage.number(&waits).await, 1);

    let deposit = |secret: &str| {
        json!({
            "createdAt": "2026-01-03T10:00:00.000000", "secret": secret, "orderId": started.key, "status": "DONE",
            "transactionKey": "9FF15E1A29D0E77C218F57262BFA4986",
        })
        .to_string()
    };
    assert_eq!(trial.send(&[], &deposit("ps_of_somebody_else")).await, 400);
    peer.books().open().deal(&started.key).unwrap().stand = Stand::Paid;
    assert_eq!(trial.send(&[], &deposit(SECRET)).await, 200);
    trial
        .stage
        .becomes(&started.buyer, "CONFIRMED", "PAID")
        .await;

    // Toss wants the buyer's bank account; members give it back there, and we hear of it.
    trial.refund(&started, None).await;
    let failed = "select count(*) from refunds where status = 'failed' and failure = 'refund_account_needed'";
    trial.until(failed, 1).await;
    peer.give_back(&started.key, 15_000);
    let told = peer.hook(&started.key, super::peers::Told::Returned, false);
    assert_eq!(trial.send(&told.headers, &told.body).await, 200);
    trial
        .stage
        .becomes(&started.buyer, "CONFIRMED", "REFUNDED")
        .await;
    trial.end().await;
}
