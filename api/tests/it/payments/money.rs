//! The ways of money when all goes well, or as people do.

use std::{path::Path, process::Stdio};

use serde_json::{Value, json};
use tokio::process::Command;

use super::{Stage, Worker};
use crate::harness::{TestApp, key};
use eventsphere::payments::ISO;

#[tokio::test]
async fn a_buyer_pays_at_the_sandbox_is_confirmed_and_gets_it_back_in_two_parts() {
    let stage = Stage::new().await;
    let worker = Worker::start(&stage.app);
    let buyer = stage.buyer().await;
    let paying = stage.pay(&buyer).await;
    stage.becomes(&buyer, "PENDING_PAYMENT", "UNPAID").await;
    stage.press(&paying, "succeed").await;
    let paid = stage.becomes(&buyer, "CONFIRMED", "PAID").await;
    assert_eq!(paid["paid"]["minorUnits"], "1000");
    assert_eq!(paid["tickets"]["nodes"], json!([{ "status": "VALID" }]));

    let member = &stage.organizer.caller;
    let selection = "refund { status amount { minorUnits } } payment { id }";
    let input = json!({
        "paymentId": paying.id, "amount": { "minorUnits": "300", "currencyCode": "EUR" }, "reason": "late",
        "idempotencyKey": key(),
    });
    let first = member.does("refundPayment", selection, input.clone()).await;
    let again = member.does("refundPayment", selection, input.clone()).await;
    assert_eq!(again["payment"], first["payment"]);
    assert_eq!(
        stage.number("select count(*) from refunds").await,
        1,
        "the same key is the same refund"
    );
    stage
        .becomes(&buyer, "CONFIRMED", "PARTIALLY_REFUNDED")
        .await;
    let rest = json!({ "paymentId": paying.id, "idempotencyKey": key() });
    member.does("refundPayment", selection, rest).await;
    stage.becomes(&buyer, "CONFIRMED", "REFUNDED").await;
    settled(&stage, 2).await;
    let over = json!({ "paymentId": paying.id, "idempotencyKey": key() });
    let refused = member.tries("refundPayment", selection, over).await;
    assert_eq!(refused["userErrors"][0]["code"], "NOTHING_TO_REFUND");
    let books = member
        .ask(
            "{ ledgerEntries { nodes { kind debit credit amount { minorUnits currencyCode } } } }",
            json!({}),
        )
        .await;
    assert_eq!(books["ledgerEntries"]["nodes"].as_array().unwrap().len(), 5);
    worker.stop().await;
    stage.assert_whole().await;
}

/// Waits until so many refunds are done.
async fn settled(stage: &Stage, many: i64) {
    for _ in 0..1500 {
        if stage
            .number("select count(*) from refunds where status = 'done'")
            .await
            == many
        {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("refunds are not done");
}

#[tokio::test]
async fn the_script_of_the_paid_ticket_runs_from_nothing_to_refund() {
    let app = TestApp::start_with(&[("PAYMENT_SANDBOX", "on")]).await;
    eventsphere::jobs::register(&app.app).await.expect("kinds");
    let worker = Worker::start(&app);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/paid.sh");
    let run = Command::new(script)
        .arg(&app.url)
        .stdin(Stdio::null())
        .output();
    let run = run.await.expect("a shell");
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{said}{complaint}");
    assert_eq!(complaint, "");
    assert_eq!(
        said.lines().filter(|line| line.starts_with("ok  ")).count(),
        10,
        "{said}"
    );
    worker.stop().await;
}

#[tokio::test]
async fn a_card_may_ask_back_be_declined_and_another_be_tried() {
    let stage = Stage::new().await;
    let worker = Worker::start(&stage.app);
    let buyer = stage.buyer().await;
    let first = stage.pay(&buyer).await;
    stage.press(&first, "decline").await;
    let second = stage.pay(&buyer).await;
    let page = stage.press(&second, "challenge").await;
    assert!(page.contains("is it you?"), "{page}");
    stage.press(&second, "approve").await;
    let paid = stage.becomes(&buyer, "CONFIRMED", "PAID").await;
    let mut statuses: Vec<_> = paid["payments"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|payment| payment["status"].as_str().unwrap().to_owned())
        .collect();
    statuses.sort();
    // The decline may still be on its way.
    assert_eq!(statuses[1], "SUCCEEDED", "{statuses:?}");
    worker.stop().await;
    stage.assert_whole().await;
}

#[tokio::test]
async fn r18_a_webhook_that_never_comes_loses_no_sale() {
    let stage = Stage::new().await;
    let worker = Worker::start(&stage.app);
    let buyer = stage.buyer().await;
    let paying = stage.pay(&buyer).await;
    stage.press(&paying, "silent").await;
    // Twenty seconds have gone.
    let admin = stage.app.database.admin().await;
    let sql = "update payments set check_at = clock_timestamp()";
    admin.execute(sql, &[]).await.unwrap();
    stage.becomes(&buyer, "CONFIRMED", "PAID").await;
    assert_eq!(stage.number("select count(*) from payment_events").await, 0);
    worker.stop().await;
    stage.assert_whole().await;
}

#[tokio::test]
async fn r16_a_refund_made_at_the_sandbox_itself_is_booked() {
    let stage = Stage::new().await;
    let worker = Worker::start(&stage.app);
    let (buyer, paying) = stage.paid().await;
    let url = format!("{}/sandbox/refund/{}", stage.app.url, paying.reference);
    let request = |token: &str| {
        let request = stage.app.http().post(&url).bearer_auth(token);
        request.json(&json!({ "amount_minor": 250 })).send()
    };
    assert_eq!(request("guessed").await.unwrap().status(), 401);
    let secret = format!("{}north", super::SECRET);
    assert_eq!(request(&secret).await.unwrap().status(), 201);
    let refunded = stage
        .becomes(&buyer, "CONFIRMED", "PARTIALLY_REFUNDED")
        .await;
    let refund = &refunded["payments"]["nodes"][0]["refunds"]["nodes"][0];
    assert_eq!(refund["status"], "EXTERNAL");
    worker.stop().await;
    stage.assert_whole().await;
}

#[tokio::test]
async fn one_key_is_one_payment_and_strangers_start_none() {
    let stage = Stage::new().await;
    let buyer = stage.buyer().await;
    let input = json!({ "registrationId": buyer.registration, "idempotencyKey": key() });
    let selection = "payment { id status }";
    let first = buyer
        .caller
        .does("createPayment", selection, input.clone())
        .await;
    let again = buyer
        .caller
        .does("createPayment", selection, input.clone())
        .await;
    assert_eq!(first["payment"]["id"], again["payment"]["id"]);
    assert_eq!(stage.number("select count(*) from payments").await, 1);
    assert_eq!(
        stage.number("select count(*) from sandbox_payments").await,
        1
    );

    let stranger = stage.app.visitor();
    let input = json!({ "registrationId": buyer.registration, "idempotencyKey": key() });
    let refused = stranger.tries("createPayment", selection, input).await;
    assert_eq!(refused["userErrors"][0]["code"], "REGISTRATION_NOT_FOUND");
    let seen = stranger
        .send(
            "query($id: ID!) { node(id: $id) { id } }",
            json!({ "id": first["payment"]["id"] }),
        )
        .await;
    assert_eq!(seen["data"]["node"], Value::Null);
}

#[tokio::test]
async fn keys_of_accounts_are_sealed_and_shown_to_nobody() {
    let stage = Stage::new().await;
    let secret = format!("{}north", super::SECRET);
    let admin = stage.app.database.admin().await;
    for table in [
        "payment_account_secrets",
        "audit_log",
        "payment_accounts",
        "idempotency_keys",
    ] {
        let sql = format!(
            "select count(*) from {table} t where t::text like '%' || $1 || '%' or encode(t::text::bytea, 'escape') like '%' || $1 || '%'"
        );
        let found: i64 = admin.query_one(&sql, &[&secret]).await.unwrap().get(0);
        assert_eq!(found, 0, "{table}");
    }
    let sealed: Vec<u8> = admin
        .query_one("select sealed from payment_account_secrets", &[])
        .await
        .unwrap()
        .get(0);
    assert!(!String::from_utf8_lossy(&sealed).contains(super::SECRET));

    let member = &stage.organizer.caller;
    let accounts = member
        .ask(
            "{ paymentAccounts { nodes { id provider name active } } }",
            json!({}),
        )
        .await;
    assert!(!accounts.to_string().contains(super::SECRET));
    let update = json!({ "paymentAccountId": stage.account_id, "active": false });
    member
        .does("updatePaymentAccount", "paymentAccount { active }", update)
        .await;
    let buyer = stage.buyer().await;
    let input = json!({ "registrationId": buyer.registration, "idempotencyKey": key() });
    let refused = buyer
        .caller
        .tries("createPayment", "payment { id }", input)
        .await;
    assert_eq!(refused["userErrors"][0]["code"], "NO_PAYMENT_ACCOUNT");

    for (input, code) in [
        (
            json!({ "provider": "nobody", "name": "x" }),
            "PROVIDER_UNKNOWN",
        ),
        (
            json!({ "provider": "sandbox", "name": "x", "credentials": [{ "credential": "webhook_secret", "value": "short" }] }),
            "CREDENTIALS_INVALID",
        ),
        (
            json!({ "provider": "sandbox", "name": "x", "credentials": [{ "credential": "other", "value": "0123456789abcdef" }] }),
            "CREDENTIALS_INVALID",
        ),
        (
            json!({ "provider": "sandbox", "name": "north till" }),
            "NAME_TAKEN",
        ),
    ] {
        let refused = member
            .tries("createPaymentAccount", "paymentAccount { id }", input)
            .await;
        assert_eq!(refused["userErrors"][0]["code"], code);
    }
}

#[tokio::test]
async fn amounts_have_the_same_places_here_and_in_the_database() {
    let app = TestApp::start().await;
    let admin = app.database.admin().await;
    // Every code that there could be, so that a currency added on one side is found.
    let sql = "select a || b || c, es.money_text(1234567, a || b || c)
        from regexp_split_to_table('ABCDEFGHIJKLMNOPQRSTUVWXYZ', '') a,
             regexp_split_to_table('ABCDEFGHIJKLMNOPQRSTUVWXYZ', '') b,
             regexp_split_to_table('ABCDEFGHIJKLMNOPQRSTUVWXYZ', '') c";
    let rows = admin.query(sql, &[]).await.expect("amounts");
    assert_eq!(rows.len(), 26 * 26 * 26);
    for row in rows {
        let (currency, there): (String, String) = (row.get(0), row.get(1));
        let here = ISO.text(1_234_567, &currency).expect("an amount");
        assert_eq!(here, there, "{currency}");
    }
}
