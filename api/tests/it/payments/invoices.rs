//! Invoices and credit notes as callers of the API read them. How they are written is in `tests/sale/invoices.rs`.

use serde_json::{Value, json};

use super::{Stage, Worker};
use crate::harness::{Organizer, key};

const OWN: &str = "query($id: ID!) { registration(id: $id) { invoices {
    nodes { id kind number reason issuedAt sellerName sellerAddress sellerTaxNumber sellerCountry buyerName buyerEmail eventTitle
      net { minorUnits } tax { minorUnits } total { minorUnits currencyCode } corrects { number } refund { status }
      creditNotes { nodes { number } } lines { nodes { kind description quantity total { minorUnits } } }
      taxes { nodes { name rateMillionths net { minorUnits } tax { minorUnits } } } } } } }";

async fn tax(organizer: &Organizer) {
    let rule = json!({ "name": "VAT", "rateMillionths": 190_000, "inclusive": true });
    organizer.caller.does("createTaxRule", "", rule).await;
    let seller = json!({
        "id": organizer.organization["id"], "legalName": "North GmbH", "billingAddress": "Weg 1\nBerlin", "taxNumber": "DE 1",
        "country": "DE",
    });
    organizer
        .caller
        .does("updateOrganization", "", seller)
        .await;
}

fn node<'a>(documents: &'a Value, kind: &str) -> &'a Value {
    let mut nodes = documents.as_array().expect("documents").iter();
    nodes
        .find(|one| one["kind"] == kind)
        .unwrap_or_else(|| panic!("no {kind} in {documents:#}"))
}

#[tokio::test]
async fn a_buyer_reads_the_invoice_and_the_credit_note_and_strangers_neither() {
    let stage = Stage::new().await;
    tax(&stage.organizer).await;
    let worker = Worker::start(&stage.app);
    let (buyer, paying) = stage.paid().await;
    let read = async || {
        let data = buyer.caller.ask(OWN, json!({ "id": buyer.registration }));
        data.await["registration"]["invoices"]["nodes"].clone()
    };
    let documents = read().await;
    let invoice = node(&documents, "INVOICE").clone();
    let year = stage
        .number("select extract(year from es.clock() at time zone o.time_zone) from organizations o limit 1")
        .await;
    assert_eq!(invoice["number"], format!("INV-{year}-000001"));
    assert_eq!(invoice["sellerName"], "North GmbH");
    assert_eq!(invoice["total"]["minorUnits"], "1000");
    assert_eq!(
        invoice["taxes"]["nodes"],
        json!([{ "name": "VAT", "rateMillionths": 190_000, "net": { "minorUnits": "840" }, "tax": { "minorUnits": "160" } }])
    );
    assert_eq!(invoice["lines"]["nodes"][0]["kind"], "TICKET");

    let some = json!({ "minorUnits": "250", "currencyCode": "EUR" });
    let input = json!({ "paymentId": paying.id, "amount": some, "idempotencyKey": key() });
    let member = &stage.organizer.caller;
    member.does("refundPayment", "refund { id }", input).await;
    for _ in 0..1500 {
        if read().await.as_array().map(Vec::len) == Some(2) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let documents = read().await;
    let note = node(&documents, "CREDIT_NOTE");
    assert_eq!(note["corrects"]["number"], invoice["number"]);
    assert_eq!(note["reason"], "refund");
    assert_eq!(note["refund"]["status"], "DONE");
    assert_eq!(
        (&note["total"]["minorUnits"], &note["tax"]["minorUnits"]),
        (&json!("250"), &json!("40"))
    );

    // Members find both by number and kind; nobody else finds either.
    let list = "query($number: String!) { invoices(filter: { number: { eq: $number } }) { nodes { id } } }";
    let named = json!({ "number": note["number"] });
    let found = member.ask(list, named.clone()).await;
    assert_eq!(found["invoices"]["nodes"], json!([{ "id": note["id"] }]));
    let other = stage.app.organizer("south").await;
    let stranger = stage.app.visitor();
    let second = stage.buyer().await;
    let by_id = "query($id: ID!) { node(id: $id) { id } }";
    for caller in [&other.caller, &stranger, &second.caller] {
        let seen = caller.send(by_id, json!({ "id": note["id"] })).await;
        assert_eq!(seen["data"]["node"], Value::Null, "{seen:#}");
        let seen = caller.send(list, named.clone()).await;
        // Who is nobody in an organization has no list at all.
        let list = &seen["data"]["invoices"];
        let none = list.is_null() || list["nodes"] == json!([]);
        assert!(none, "{seen:#}");
    }
    worker.stop().await;
    stage.assert_whole().await;
}
