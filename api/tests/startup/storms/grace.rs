//! A server that is asked to stop in the middle of a batch: everybody in it and in the line behind it is answered.

use std::sync::{Arc, atomic::AtomicU16};

use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_postgres::Client;

use super::{
    ask::{Desk, Unanswered, Who, is_done, stable},
    farm::Farm,
    judge,
    stage::{self, Stage},
};
use crate::harness::{Server, signal};

const BUYERS: usize = 24;

/// A number of the metrics page.
fn metric(page: &str, name: &str) -> u64 {
    let line = page.lines().find(|line| line.starts_with(name));
    let number = line.and_then(|line| line.rsplit(' ').next()?.parse().ok());
    number.unwrap_or_else(|| panic!("no {name} in {page}"))
}

fn inputs(stage: &Stage) -> Vec<Value> {
    (0..BUYERS)
        .map(|_| {
            json!({
                "eventId": stage.plain.id, "buyer": { "name": "Bo", "email": "bo@example.org" },
                "lines": [{ "ticketTypeId": stage.plain.types[0], "quantity": 1 }],
                "idempotencyKey": uuid::Uuid::new_v4(),
            })
        })
        .collect()
}

/// A server with a page of metrics, all its buyers in a batch that waits for a lock of that connection or in the line
/// behind it.
struct Stuck {
    farm: Farm,
    server: Server,
    desk: Desk,
    inputs: Vec<Value>,
    holder: Client,
    asking: JoinSet<(usize, Result<Value, Unanswered>)>,
}

async fn stuck() -> Stuck {
    let (farm, first) = Farm::new().await;
    let stage = stage::build(&first, &farm.admin().await).await;
    assert!(first.end("TERM").success());
    let mut command = farm.serve();
    command.env("METRICS_BIND", "127.0.0.1:0");
    let server = Server::spawn(command);
    let metrics = server
        .said
        .iter()
        .find_map(|line| line.split("metrics at ").nth(1))
        .expect("an address")
        .to_owned();
    let holder = farm.admin().await;
    holder
        .batch_execute("begin; select from capacity_pools for update")
        .await
        .expect("locked");
    let port = || AtomicU16::new(server.port);
    let desk = Desk::new(Arc::new([port(), port()]), Arc::default());
    let inputs = inputs(&stage);
    let mut asking = JoinSet::new();
    for (number, input) in inputs.iter().cloned().enumerate() {
        let desk = desk.clone();
        asking.spawn(async move {
            let sent = desk.send(0, &Who::Visitor, "placeRegistration", &input);
            (number, sent.await)
        });
    }
    loop {
        let page = desk.http.get(&metrics).send().await.expect("metrics");
        let page = page.text().await.expect("metrics");
        if metric(&page, "eventsphere_operations_inside ") == BUYERS as u64 {
            break;
        }
        tokio::task::yield_now().await;
    }
    Stuck {
        farm,
        server,
        desk,
        inputs,
        holder,
        asking,
    }
}

/// All call again under the same keys, at a server that is started anew; what each is told.
async fn again(stuck: &Stuck) -> (Server, Vec<Value>) {
    let server = Server::spawn(stuck.farm.serve());
    for port in stuck.desk.ports.iter() {
        port.store(server.port, std::sync::atomic::Ordering::Relaxed);
    }
    let mut told = vec![];
    for input in &stuck.inputs {
        let payload = stuck
            .desk
            .insist(0, &Who::Visitor, "placeRegistration", input)
            .await;
        assert!(is_done(&payload), "{payload}");
        told.push(stable(&payload));
    }
    let database = stuck.farm.admin().await;
    judge::whole(&database).await;
    let row = database
        .query_one("select count(*) from registrations", &[])
        .await;
    assert_eq!(row.expect("counted").get::<_, i64>(0), BUYERS as i64);
    (server, told)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asked_to_stop_in_the_middle_of_a_batch_everybody_is_served_first() {
    let mut stuck = stuck().await;
    signal("TERM", stuck.server.pid());
    stuck.server.wait_for("stopping");
    stuck.holder.batch_execute("commit").await.expect("let go");
    let asking = std::mem::take(&mut stuck.asking);
    let mut first = vec![Value::Null; BUYERS];
    for (number, answer) in asking.join_all().await {
        first[number] = stable(&answer.expect("an answer"));
    }
    assert!(stuck.server.ended().success());
    let (server, told) = again(&stuck).await;
    assert_eq!(told, first);
    assert!(server.end("TERM").success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asked_to_stop_while_nothing_moves_it_ends_and_everybody_can_come_again() {
    let mut stuck = stuck().await;
    signal("TERM", stuck.server.pid());
    // In order, though what it does cannot be finished: nobody lets go of the lock.
    assert!(stuck.server.ended().success());
    let asking = std::mem::take(&mut stuck.asking);
    for (_, answer) in asking.join_all().await {
        assert!(
            matches!(answer, Err(Unanswered::Later(_) | Unanswered::Lost)),
            "{answer:?}"
        );
    }
    stuck.holder.batch_execute("commit").await.expect("let go");
    let (server, told) = again(&stuck).await;
    assert_eq!(told, again(&stuck).await.1);
    assert!(server.end("TERM").success());
}
