//! R19: whenever a provider is called, our row is committed and nobody has it locked.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use serde_json::json;
use tokio_postgres::Client;
use uuid::Uuid;

use super::{
    Stage, Worker,
    between::{Asked, Between, behind},
};
use crate::harness::key;

/// Looks into the database at each call.
struct Watched {
    looker: Arc<OnceLock<Client>>,
    calls: Arc<AtomicUsize>,
}

impl Watched {
    /// The row of that table is there for everybody, in that state, and can be locked at once, with its registration.
    async fn stands(&self, table: &str, id: Uuid, state: &str) {
        let sql = format!(
            "select 1 from {table} t join registrations r on r.id = t.registration_id
             where t.id = $1 and ({state}) for update of t, r nowait"
        );
        let looker = self.looker.get().expect("somebody looks");
        let row = looker.query_opt(&sql, &[&id]).await;
        let row = row.unwrap_or_else(|error| panic!("{table} {id} is locked: {error:?}"));
        assert!(row.is_some(), "{table} {id} is not committed");
        self.calls.fetch_add(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Between for Watched {
    async fn look(&self, asked: Asked<'_>) {
        let (table, id, state) = match asked {
            Asked::Create(order) => ("payments", order.id, "t.status = 'created'"),
            Asked::Fetch(order) => ("payments", order.id, "true"),
            Asked::Refund(refund) => ("refunds", refund.id, "t.status = 'in_transit'"),
        };
        self.stands(table, id, state).await;
    }
}

#[tokio::test]
async fn r19_at_each_call_to_a_provider_our_row_is_committed_and_nobody_holds_it() {
    let (looker, calls) = (Arc::new(OnceLock::new()), Arc::new(AtomicUsize::new(0)));
    let watched = behind(Watched {
        looker: looker.clone(),
        calls: calls.clone(),
    });
    let stage = Stage::with(|parts| parts.payments.providers = vec![watched]).await;
    let admin = stage.app.database.admin().await;
    assert!(looker.set(admin).is_ok(), "once");
    let worker = Worker::start(&stage.app);
    let buyer = stage.buyer().await;
    let paying = stage.pay(&buyer).await;
    stage.press(&paying, "silent").await;
    let admin = stage.app.database.admin().await;
    let soon = "update payments set check_at = clock_timestamp()";
    admin.execute(soon, &[]).await.unwrap();
    stage.becomes(&buyer, "CONFIRMED", "PAID").await;
    let input = json!({ "paymentId": paying.id, "idempotencyKey": key() });
    let member = &stage.organizer.caller;
    member.does("refundPayment", "refund { id }", input).await;
    let done = "select count(*) from refunds where status = 'done'";
    for _ in 0..1500 {
        if stage.number(done).await == 1 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(stage.number(done).await, 1);
    assert!(
        calls.load(Ordering::SeqCst) >= 3,
        "made, asked about, given back"
    );
    worker.stop().await;
    stage.assert_whole().await;
}
