//! The kills see what they are for: without what keeps a step from being done twice it is done twice, and the judge says so.

use eventsphere_migration::functions::FILES;

use super::{gates::Gate, judge, kill_at, till::Till};
use crate::storms::farm::Farm;

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
