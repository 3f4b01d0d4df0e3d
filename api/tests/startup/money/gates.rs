//! Points between two steps of pay, settle and refund at which a server can be held, and killed: a trigger waits for a lock
//! that the test has.

use std::time::{Duration, Instant};

use tokio_postgres::Client;

use super::till::pause;

const LOCK: i64 = 4711;

/// (what is about to happen, its table, by which statement, of which rows).
pub const GATES: [(&str, &str, &str, &str); 17] = [
    ("a payment is written", "payments", "insert", "true"),
    (
        "the provider makes it",
        "sandbox_payments",
        "insert",
        "true",
    ),
    (
        "its answer is noted",
        "payments",
        "update",
        "old.status = 'created' and new.status = 'pending'",
    ),
    (
        "the buyer pays",
        "sandbox_payments",
        "update",
        "new.status = 'succeeded'",
    ),
    ("a webhook is stored", "payment_events", "insert", "true"),
    (
        "a webhook was answered",
        "jobs",
        "delete",
        "old.kind = 'sandbox.deliver'",
    ),
    (
        "money is booked",
        "ledger_entries",
        "insert",
        "new.kind = 'capture'",
    ),
    ("the ticket is issued", "tickets", "insert", "true"),
    (
        "the confirmation is told",
        "outbox",
        "insert",
        "new.type = 'registration.confirmed'",
    ),
    (
        "the invoice is issued",
        "invoices",
        "insert",
        "new.kind = 'invoice'",
    ),
    (
        "a webhook was applied",
        "jobs",
        "delete",
        "old.kind = 'payments.apply'",
    ),
    ("a refund is promised", "refunds", "insert", "true"),
    (
        "the provider is to be told",
        "refunds",
        "update",
        "old.status = 'requested' and new.status = 'in_transit'",
    ),
    (
        "the provider gives back",
        "sandbox_refunds",
        "insert",
        "true",
    ),
    (
        "the refund is booked",
        "ledger_entries",
        "insert",
        "new.kind = 'refund_paid'",
    ),
    (
        "the credit note is issued",
        "invoices",
        "insert",
        "new.kind = 'credit_note'",
    ),
    (
        "a refund was told",
        "jobs",
        "delete",
        "old.kind = 'payments.refund'",
    ),
];

/// Whoever holds the lock.
pub struct Gate {
    keeper: Client,
}

impl Gate {
    /// Makes what waits; nothing does yet.
    pub async fn new(keeper: Client) -> Self {
        keeper
            .batch_execute(
                "create table es_test.gates (name text primary key);
                 grant select on es_test.gates to public;
                 create function es_test.gate() returns trigger language plpgsql as $$
                 begin
                   if exists (select from es_test.gates g where g.name = tg_argv[0]) then
                     perform pg_advisory_xact_lock_shared(4711);
                   end if;
                   if tg_op = 'DELETE' then
                     return old;
                   end if;
                   return new;
                 end
                 $$",
            )
            .await
            .expect("gates");
        for (number, (name, table, statement, rows)) in GATES.iter().enumerate() {
            let sql = format!(
                "create trigger gate_{number} before {statement} on {table} for each row when ({rows}) \
                 execute function es_test.gate('{name}')"
            );
            keeper.batch_execute(&sql).await.expect(name);
        }
        Self { keeper }
    }

    /// From now on whoever comes there waits.
    pub async fn shut(&self, name: &str) {
        let lock = format!("select pg_advisory_lock({LOCK})");
        self.keeper.batch_execute(&lock).await.expect("the lock");
        let sql = "insert into es_test.gates values ($1)";
        self.keeper.execute(sql, &[&name]).await.expect("shut");
    }

    /// Returns when somebody waits there.
    pub async fn somebody(&self, name: &str) {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let row = self.keeper.query_one(WAITING, &[]).await.expect("locks");
            if row.get::<_, i64>(0) > 0 {
                return;
            }
            assert!(Instant::now() < deadline, "nobody comes to: {name}");
            pause().await;
        }
    }

    /// Lets go on who waits, though whoever asked has died; or ends them.
    pub async fn open(&self, ends: bool) {
        let mut sql = "delete from es_test.gates;".to_owned();
        if ends {
            sql += "select pg_terminate_backend(l.pid) from pg_locks l where l.locktype = 'advisory' and l.objid = 4711 and not l.granted;";
        }
        self.keeper.batch_execute(&sql).await.expect("open");
        if ends {
            let deadline = Instant::now() + Duration::from_secs(20);
            while self
                .keeper
                .query_one(WAITING, &[])
                .await
                .expect("locks")
                .get::<_, i64>(0)
                > 0
            {
                assert!(Instant::now() < deadline, "they do not end");
                pause().await;
            }
        }
        let unlock = format!("select pg_advisory_unlock({LOCK})");
        self.keeper.batch_execute(&unlock).await.expect("unlocked");
    }
}

const WAITING: &str = "
select count(*)
from pg_locks l
join pg_database d on d.oid = l.database and d.datname = current_database()
where l.locktype = 'advisory'
  and l.objid = 4711
  and not l.granted";
