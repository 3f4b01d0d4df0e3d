//! Money over real processes that are killed: between any two steps of pay, settle and refund, and in a storm of everybody at
//! once. After it the provider's books and ours are the same, and what was bought is there once.

mod broken;
mod gates;
mod judge;
mod storm;
mod till;

use self::{
    gates::{GATES, Gate},
    till::{Buyer, PRICE, Till},
};
use crate::{harness::Server, storms::farm::Farm};

/// Pays and gets it back, to the end, whoever is killed meanwhile.
async fn live(till: &Till, buyer: &mut Buyer) {
    till.start(buyer).await;
    till.press(buyer, "succeed", "succeeded").await;
    let paid = format!(
        "select count(*) from registrations where id = '{}' and status = 'confirmed'",
        buyer.key
    );
    till.until("it is confirmed", &paid, 1).await;
    assert!(till.refund(buyer, None).await, "it is promised");
    let refunded = format!(
        "select count(*) from refunds where registration_id = '{}' and status = 'done'",
        buyer.key
    );
    till.until("it is given back", &refunded, 1).await;
}

/// Kills the server when somebody waits at the gate, and starts another.
async fn kill_at(
    till: &Till,
    farm: &Farm,
    gate: &Gate,
    name: &str,
    (server, ends): (Server, bool),
) -> Server {
    gate.somebody(name).await;
    till.listens(0, 0);
    server.end("KILL");
    gate.open(ends).await;
    till.bury_all().await;
    let server = Server::spawn(farm.serve());
    till.listens(0, server.port);
    server
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r05_r15_r18_r19_killed_between_any_two_steps_money_moves_once_and_buys_once() {
    let (farm, mut server) = Farm::new().await;
    let till = Till::open(&farm, &server).await;
    let gate = Gate::new(farm.admin().await).await;
    for (number, (name, ..)) in GATES.iter().enumerate() {
        // The statement that waited is done though nobody hears of it, or it is not: every second gate the other way.
        let ends = number % 2 == 0;
        let mut buyer = till.buyer().await;
        gate.shut(name).await;
        let killing = kill_at(&till, &farm, &gate, name, (server, ends));
        let ((), next) = tokio::join!(live(&till, &mut buyer), killing);
        server = next;
        judge::quiet(&till).await;
        judge::whole(&till).await;
        let of = |table: &str| {
            format!(
                "select count(*) from {table} where registration_id = '{}'",
                buyer.key
            )
        };
        for (table, many) in [
            ("payments", 1),
            ("refunds", 1),
            ("invoices", 2),
            ("tickets", 1),
        ] {
            assert_eq!(till.number(&of(table)).await, many, "{table} after {name}");
        }
        let theirs = format!(
            "select count(*) from sandbox_refunds where payment_id = '{}' and amount_minor = {PRICE}",
            buyer.reference
        );
        assert_eq!(till.number(&theirs).await, 1, "{name}");
    }
    assert!(server.end("TERM").success());
}
