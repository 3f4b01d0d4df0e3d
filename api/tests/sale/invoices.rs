//! Invoices and credit notes: numbers without gaps, documents that are never changed and say what the registration costs.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use sqlx::postgres::PgPoolOptions;
use uuid::Uuid;

use crate::{
    harness::{As, all_at_once, code, outcome},
    overselling::without_lock,
    till::{Till, id},
};

/// How many are paid at the same moment.
const AT_ONCE: usize = 50;

impl Till {
    /// Placed, confirmed and paid.
    pub async fn paid(&self, units: i64) -> (Uuid, As, Uuid) {
        let (registration, guest) = self.shop.placed(&[(self.ticket_type, units)]).await;
        self.shop.confirm(&guest, registration).await;
        let payment = self.started(&guest, registration).await;
        let answer = self.say(payment, "succeeded", json!({})).await;
        assert_eq!(answer["registration_status"], "confirmed", "{answer}");
        (registration, guest, payment)
    }

    /// The documents of a registration, oldest first: `number reason total/tax`.
    pub async fn documents(&self, registration: Uuid) -> Vec<String> {
        let sql = format!(
            "select string_agg(concat_ws(' ', number, reason, total_minor || '/' || tax_minor), ',' \
             order by issued_at, kind, id) from invoices where registration_id = '{registration}'"
        );
        let text = self.shop.db.ask(&sql).await.unwrap_or_default();
        text.split(',')
            .filter(|one| !one.is_empty())
            .map(str::to_owned)
            .collect()
    }

    pub async fn this_year(&self) -> i64 {
        let sql = "select extract(year from es.clock() at time zone 'Europe/Berlin')";
        self.shop.db.ask_number(sql).await
    }
}

/// Pays so many registrations at the same moment, each over a connection of its own. Every third transaction is taken back
/// in its end; the errors that the others met.
async fn rush(till: &Till) -> Vec<String> {
    let options = till.shop.db.app.connect_options();
    let pool = PgPoolOptions::new()
        .max_connections(u32::try_from(AT_ONCE).expect("few"))
        .connect_with((*options).clone())
        .await
        .expect("connected");
    let mut requests = vec![];
    for _ in 0..AT_ONCE {
        let (registration, guest) = till.pending().await;
        let payment = till.started(&guest, registration).await;
        let items = format!(
            "select id::text from registration_items where registration_id = '{registration}'"
        );
        let item = till.shop.db.ask(&items).await;
        requests.push(json!({
            "payment_id": payment, "account_id": till.account, "status": "succeeded",
            "tickets": [{ "ticket_id": Uuid::new_v4(), "item_id": item, "code": Uuid::new_v4() }],
        }));
    }
    let (requests, org) = (Arc::new(requests), till.shop.org);
    let shared = pool.clone();
    let ends = all_at_once(AT_ONCE, AT_ONCE, move |number| {
        let (pool, requests) = (shared.clone(), requests.clone());
        async move {
            let mut tx = pool.begin().await?;
            sqlx::query(
                "select set_config('es.org', $1, true), set_config('role', 'es_system', true)",
            )
            .bind(org.to_string())
            .execute(&mut *tx)
            .await?;
            let answer: String =
                sqlx::query_scalar("select public.settle_payment($1::jsonb)::text")
                    .bind(requests[number].to_string())
                    .fetch_one(&mut *tx)
                    .await?;
            assert!(answer.contains("\"settled\""), "{answer}");
            match number % 3 {
                0 => tx.rollback().await,
                _ => tx.commit().await,
            }
        }
    })
    .await;
    pool.close().await;
    ends.iter()
        .filter_map(|end: &Result<(), sqlx::Error>| end.as_ref().err().map(code))
        .collect()
}

async fn numbers(till: &Till) -> (i64, i64, i64) {
    let ask = async |what: &str| {
        let sql = format!("select {what} from invoices where kind = 'invoice'");
        till.shop.db.ask_number(&sql).await
    };
    (
        ask("count(*)").await,
        ask("count(distinct series_number)").await,
        ask("coalesce(max(series_number), 0)").await,
    )
}

#[tokio::test]
async fn fifty_at_once_get_numbers_without_gaps_though_some_are_taken_back() {
    let till = Till::open(1000).await;
    for round in 1..=2 {
        assert_eq!(rush(&till).await, [""; 0]);
        let kept = i64::try_from(AT_ONCE - AT_ONCE.div_ceil(3)).expect("few") * round;
        assert_eq!(numbers(&till).await, (kept, kept, kept));
    }
    till.assert_whole().await;
}

#[tokio::test]
async fn without_the_lock_of_the_series_fifty_at_once_get_one_number_twice() {
    let till = Till::open(1000).await;
    let db = &till.shop.db;
    db.replace_function_file("invoice_issue", without_lock)
        .await;
    db.run(
        "alter table invoices drop constraint invoices_number_key; \
         alter table invoices drop constraint invoices_series_key",
    )
    .await;
    let mut seen = 0;
    for _ in 0..10 {
        let before = numbers(&till).await;
        rush(&till).await;
        let after = numbers(&till).await;
        seen += i64::from(after.0 - before.0 > after.1 - before.1);
    }
    assert!(seen >= 9, "only {seen} of 10 rushes gave a number twice");
    let faults =
        "select count(*) from check_ledger_integrity() where fault = 'invoice_numbers_have_gaps'";
    assert_eq!(db.ask_number(faults).await, 1, "the check sees it");
}

#[tokio::test]
async fn an_invoice_comes_with_the_confirmation_and_credit_notes_with_refunds() {
    let till = Till::open(10).await;
    let (registration, guest) = till.pending().await;
    assert!(till.documents(registration).await.is_empty());
    let payment = till.started(&guest, registration).await;
    till.say(payment, "succeeded", json!({})).await;
    till.say(payment, "succeeded", json!({})).await;
    let year = till.this_year().await;
    let mut expected = vec![format!("INV-{year}-000001 1000/0")];
    assert_eq!(till.documents(registration).await, expected);

    let refund = id(&till.refund(payment, Some(300)).await, "refund_id");
    assert_eq!(
        till.documents(registration).await,
        expected,
        "promised only"
    );
    till.end_refund(refund, "done").await;
    expected.push(format!("CN-{year}-000001 refund 300/0"));
    assert_eq!(till.documents(registration).await, expected);
    let refund = id(&till.refund(payment, Some(100)).await, "refund_id");
    till.end_refund(refund, "failed").await;
    assert_eq!(
        till.documents(registration).await,
        expected,
        "it came to nothing"
    );
    till.assert_whole().await;

    // What is left of it goes when the registration is cancelled, and is not credited again with the money.
    till.shop.cancel(&guest, registration).await;
    expected.push(format!("CN-{year}-000002 cancelled 700/0"));
    assert_eq!(till.documents(registration).await, expected);
    let refund = id(&till.refund(payment, None).await, "refund_id");
    till.end_refund(refund, "done").await;
    assert_eq!(till.documents(registration).await, expected);
    assert_eq!(till.state(&guest, registration).await, "refunded");
    till.assert_whole().await;
}

#[tokio::test]
async fn a_refund_of_what_was_paid_twice_credits_nothing() {
    let till = Till::open(10).await;
    let (registration, guest) = till.pending().await;
    let first = till.started(&guest, registration).await;
    let second = till.started(&guest, registration).await;
    till.say(first, "succeeded", json!({})).await;
    till.say(second, "succeeded", json!({})).await;
    let goodwill = id(&till.refund(first, Some(200)).await, "refund_id");
    let twice = id(&till.refund(second, None).await, "refund_id");
    till.end_refund(twice, "done").await;
    assert_eq!(
        till.documents(registration).await.len(),
        1,
        "it was too much"
    );
    till.end_refund(goodwill, "done").await;
    let documents = till.documents(registration).await;
    assert!(documents[1].ends_with("refund 200/0"), "{documents:?}");
    till.assert_whole().await;
}

#[tokio::test]
async fn a_change_of_what_is_confirmed_takes_the_invoice_back_and_writes_another() {
    let till = Till::open(10).await;
    let (registration, guest, _) = till.paid(3).await;
    let item = format!(
        "select id::text from registration_items where registration_id = '{registration}' limit 1"
    );
    let item = till.shop.db.ask(&item).await;
    let request = json!({ "registration_id": registration, "item_ids": [item] });
    let db = &till.shop.db;
    let answer = db.call(&guest, "cancel_registration", &request).await;
    assert_eq!(outcome(&answer), "units_cancelled", "{answer}");
    let year = till.this_year().await;
    assert_eq!(
        till.documents(registration).await,
        [
            format!("INV-{year}-000001 3000/0"),
            format!("CN-{year}-000001 changed 3000/0"),
            format!("INV-{year}-000002 2000/0"),
        ]
    );
    let lines = "select string_agg(l.description || ' ' || l.quantity || ' ' || l.total_minor, ',' order by i.issued_at, i.kind) \
                 from invoice_lines l join invoices i on i.id = l.invoice_id";
    assert_eq!(
        db.ask(lines).await.expect("lines"),
        "Ticket 3 3000,Ticket 3 3000,Ticket 2 2000"
    );
    till.assert_whole().await;
}

#[tokio::test]
async fn what_costs_nothing_has_no_invoice() {
    let (shop, free) = crate::shop::Shop::simple(5).await;
    let (registration, guest) = shop.confirmed(&[(free, 2)]).await;
    shop.cancel(&guest, registration).await;
    assert_eq!(shop.db.ask_number("select count(*) from invoices").await, 0);
}

#[tokio::test]
async fn nobody_changes_a_document() {
    let till = Till::open(5).await;
    let (_, guest, _) = till.paid(1).await;
    for table in ["invoices", "invoice_lines", "invoice_taxes"] {
        for sql in [
            format!("update {table} set created_at = created_at returning 'x'"),
            format!("delete from {table} returning 'x'"),
        ] {
            for who in [As::system(), till.system(), till.member(), guest.clone()] {
                let refused = till.shop.db.select(&who, &sql, &[]).await;
                let refused = refused.expect_err("refused");
                assert_eq!(code(&refused), "42501", "{}: {sql}", who.role);
            }
        }
    }
    for sql in [
        "update invoices set total_minor = 1, net_minor = 1",
        "delete from invoice_lines",
        "truncate invoices cascade",
    ] {
        let mut connection = till.shop.db.admin.acquire().await.unwrap();
        let owner = format!("begin; set local role es_owner; {sql}; commit");
        let refused = sqlx::raw_sql(sqlx::AssertSqlSafe(owner))
            .execute(&mut *connection)
            .await;
        assert_eq!(code(&refused.expect_err("refused")), "ES403", "{sql}");
        sqlx::raw_sql("rollback")
            .execute(&mut *connection)
            .await
            .unwrap();
    }
    till.assert_whole().await;
}

#[tokio::test]
async fn each_year_of_the_organizations_zone_begins_with_one() {
    let till = Till::open(9).await;
    till.paid(1).await;
    let year = till.this_year().await;
    // To half a second after midnight in Berlin, when it is still the old year in London.
    let seconds = format!(
        "select extract(epoch from make_timestamptz({}, 1, 1, 0, 0, 0.5, 'Europe/Berlin') - es.clock())",
        year + 1
    );
    let seconds = till.shop.db.ask_number(&seconds).await;
    till.shop.db.advance(seconds + 1).await;
    let (registration, ..) = till.paid(1).await;
    let documents = till.documents(registration).await;
    assert_eq!(documents, [format!("INV-{}-000001 1000/0", year + 1)]);
    till.assert_whole().await;
}

#[tokio::test]
async fn the_document_names_seller_and_buyer_as_they_were_then() {
    let till = Till::open(9).await;
    let db = &till.shop.db;
    db.run(
        "update organizations set legal_name = 'Acme GmbH', billing_address = 'Weg 1, Berlin', tax_number = 'DE1', country = 'DE'",
    )
    .await;
    till.paid(1).await;
    db.run("update organizations set legal_name = 'Other'; update events set title = 'Other'")
        .await;
    let text = "select concat_ws('|', seller_name, seller_address, seller_tax_number, seller_country, buyer_name, buyer_email, \
                event_title) from invoices";
    assert_eq!(
        db.ask(text).await.unwrap(),
        "Acme GmbH|Weg 1, Berlin|DE1|DE|Bo Buyer|bo@example.com|Conference"
    );
}

#[tokio::test]
async fn an_order_that_settles_nothing_draws_no_number() {
    let till = Till::open(9).await;
    let (registration, guest) = till.pending().await;
    let payment = till.started(&guest, registration).await;
    till.shop.cancel(&guest, registration).await;
    let answer: Json = till.say(payment, "succeeded", json!({})).await;
    assert_eq!(answer["owed_back"], "registration_cancelled");
    let refund = id(&till.refund(payment, None).await, "refund_id");
    till.end_refund(refund, "done").await;
    let series = "select count(*) from invoice_series";
    assert_eq!(till.shop.db.ask_number(series).await, 0);
    till.assert_whole().await;
}
