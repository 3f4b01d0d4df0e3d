//! The kills see what they are for: without what keeps a step from being done twice it is done twice, and the judge says so.

use eventsphere_migration::functions::FILES;

use super::{
    gates::Gate,
    judge, kill_at,
    till::{Buyer, Till},
};
use crate::{harness::Server, storms::farm::Farm};

/// The functions of a file without what is named there.
fn without(name: &str, changes: &[(&str, &str)]) -> String {
    let file = FILES.iter().find(|file| file.name == name);
    let mut text = file.expect("the functions").text.to_owned();
    for (rule, instead) in changes {
        assert!(text.contains(rule), "{name} is written otherwise: {rule}");
        text = text.replace(rule, instead);
    }
    format!("set role es_owner; {text}; reset role;")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r05_r18_an_event_that_does_not_end_with_its_effect_takes_money_twice() {
    let ends = (
        "  where e.id = p_inbox\n    and e.status <> 'applied';",
        "  where false;",
    );
    let once = (
        "  if v_payment.status = 'succeeded' or v_payment.status = p_request ->> 'status' and v_payment.status <> 'pending' then",
        "  if false then",
    );
    let broken = [
        without("payment_events", &[ends]),
        without("payment_settle", &[once]),
        "drop index ledger_entries_capture_key;
         alter table payments drop constraint payments_captured_by_status;"
            .to_owned(),
    ]
    .concat();
    let (farm, server) = Farm::new().await;
    let till = Till::open(&farm, &server).await;
    let gate = Gate::new(farm.admin().await).await;
    let admin = farm.admin().await;
    admin.batch_execute(&broken).await.expect("broken");
    let mut buyer = till.buyer().await;
    till.start(&mut buyer).await;
    let name = "a webhook was applied";
    gate.shut(name).await;
    till.press(&buyer, "succeed", "succeeded").await;
    let server = kill_at(&till, &farm, &gate, name, (server, true)).await;
    let twice = "select count(*) from ledger_entries where kind = 'capture'";
    till.until("it is booked twice", twice, 2).await;
    let faults = judge::faults(&till).await;
    assert!(!faults.is_empty(), "nothing was seen");
    assert!(server.end("TERM").success());
}

/// A shop whose database was broken so, and somebody who has started to pay.
async fn shop(broken: &str) -> (Farm, Server, Till, Buyer) {
    let (farm, server) = Farm::new().await;
    let till = Till::open(&farm, &server).await;
    let admin = farm.admin().await;
    admin.batch_execute(broken).await.expect("broken");
    let mut buyer = till.buyer().await;
    till.start(&mut buyer).await;
    (farm, server, till, buyer)
}

async fn pays(till: &Till, buyer: &Buyer) {
    till.press(buyer, "succeed", "succeeded").await;
    let paid = "select count(*) from registrations where status = 'confirmed'";
    till.until("it is confirmed", paid, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn money_that_is_booked_and_told_nobody_is_seen() {
    let told = (
        "perform emit_event(\n    v_paid.org_id, 'payment.succeeded'",
        "perform jsonb_build_array(\n    v_paid.org_id, 'payment.succeeded'",
    );
    let (_farm, server, till, buyer) = shop(&without("payment_settle", &[told])).await;
    pays(&till, &buyer).await;
    judge::quiet(&till).await;
    let faults = judge::faults(&till).await;
    assert!(
        faults.len() == 1 && faults[0].contains(&buyer.key),
        "{faults:#?}"
    );
    assert!(server.end("TERM").success());
}

/// A provider that remembers no key of ours and tells of no refund gives a part of the money back, and the server is killed
/// before it has noted that. How often it has given back when the refund has ended, and whether the judge finds fault.
async fn given_back_by_a_forgetful_provider(broken: &str) -> (i64, bool) {
    let knows = (
        "    and f.reference = (p_request ->> 'reference')::uuid;\n  if found then",
        "    and f.reference = (p_request ->> 'reference')::uuid;\n  if false then",
    );
    let tells = (
        "  returning * into v_made;\n  perform es.sandbox_deliver(v_found.org_id, v_found.account_id, p_request -> 'deliveries');",
        "  returning * into v_made;",
    );
    let forgetful = [
        without("sandbox", &[knows, tells]),
        "alter table sandbox_refunds drop constraint sandbox_refunds_reference_key;".to_owned(),
        broken.to_owned(),
    ]
    .concat();
    let (farm, server, till, buyer) = shop(&forgetful).await;
    pays(&till, &buyer).await;
    let gate = Gate::new(farm.admin().await).await;
    let name = "the refund is booked";
    gate.shut(name).await;
    assert!(till.refund(&buyer, Some(300)).await, "it is promised");
    let server = kill_at(&till, &farm, &gate, name, (server, true)).await;
    let done = "select count(*) from refunds where status = 'done'";
    till.until("it is given back", done, 1).await;
    let times = till.number("select count(*) from sandbox_refunds").await;
    judge::quiet(&till).await;
    let faults = judge::faults(&till).await;
    assert!(server.end("TERM").success());
    (times, !faults.is_empty())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r15_who_does_not_ask_before_it_tells_again_gives_money_back_twice() {
    assert_eq!(given_back_by_a_forgetful_provider("").await, (1, false));
    let asks = ("v_found.status = 'in_transit'\n  );", "false\n  );");
    let broken = without("refund_settle", &[asks]);
    let twice = given_back_by_a_forgetful_provider(&broken).await;
    assert_eq!(twice, (2, true));
}
