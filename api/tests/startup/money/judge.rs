//! What must be true of money and of what it bought, after everything.

use super::till::Till;

/// One set of tickets, one confirmation and one letter of it, one invoice for what is confirmed; none of it for others; each
/// payment told once.
const REGISTRATIONS: &str = "
select concat_ws(' ', n.id, n.status, n.tickets, n.confirmed, n.letters, n.invoices, n.paid, n.told) as fault
from (
  select
    r.id, r.status,
    (select count(*) from tickets t where t.registration_id = r.id) as tickets,
    (select count(*) from outbox o where o.type = 'registration.confirmed' and o.object_id = r.id) as confirmed,
    (
      select count(*) from message_deliveries m where m.kind = 'registration_confirmed' and m.registration_id = r.id
    ) as letters,
    (select count(*) from invoices i where i.registration_id = r.id and i.kind = 'invoice') as invoices,
    (select count(*) from payments p where p.registration_id = r.id and p.status = 'succeeded') as paid,
    (
      select count(*)
      from outbox o
      join payments p on p.id = o.object_id
      where o.type = 'payment.succeeded'
        and p.registration_id = r.id
    ) as told
  from registrations r
) n
where n.told <> n.paid
  or array[n.tickets, n.confirmed, n.letters, n.invoices]
    <> array_fill(case n.status when 'confirmed' then 1 else 0 end::bigint, array[4])";

/// Each payment as the provider holds it, beside the books.
const PROVIDER: &str = "
select concat_ws(' ', s.reference, 'theirs', s.held, 'ours', coalesce(l.held, 0)) as fault
from (
  select
    p.reference,
    case p.status when 'succeeded' then p.amount_minor else 0 end
      - coalesce((select sum(r.amount_minor) from sandbox_refunds r where r.payment_id = p.id and r.status = 'succeeded'), 0)
      - coalesce(
        (
          select d.fee_minor + case d.status when 'won' then 0 else d.amount_minor end
          from sandbox_disputes d
          where d.payment_id = p.id
        ),
        0
      ) as held
  from sandbox_payments p
) s
full join (
  select
    e.payment_id,
    sum(case when e.debit = 'provider' then e.amount_minor when e.credit = 'provider' then -e.amount_minor else 0 end) as held
  from ledger_entries e
  group by e.payment_id
) l on l.payment_id = s.reference
where coalesce(s.held, 0) <> coalesce(l.held, 0)";

const FAULTS: [&str; 6] = [
    "select concat_ws(' ', fault, object_id, detail) as fault from check_stock_integrity()",
    "select concat_ws(' ', fault, object_id, detail) as fault from check_ledger_integrity()",
    "select concat_ws(' ', 'event', status, detail) as fault from payment_events where status not in ('applied', 'ignored')",
    "select concat_ws(' ', 'dead', kind, failure) as fault from jobs where status = 'dead'",
    REGISTRATIONS,
    PROVIDER,
];

/// Nothing is left to do of money, and nobody is left to be told.
pub async fn quiet(till: &Till) {
    let jobs = "select count(*) from jobs where status in ('ready', 'running', 'scheduled')
        and (kind like 'payments.%' or kind like 'sandbox.%' or kind like 'messages.follow') and kind <> 'payments.poll'
        and kind <> 'payments.reconcile_all'";
    till.until("all is applied", jobs, 0).await;
    let outbox = "select count(*) from outbox where sent_at is null";
    till.until("all is relayed", outbox, 0).await;
    till.until("all is written", jobs, 0).await;
}

/// Everything that is not as it should be.
pub async fn faults(till: &Till) -> Vec<String> {
    let mut found = vec![];
    for sql in FAULTS {
        let rows = till.database.query(sql, &[]).await;
        let rows = rows.unwrap_or_else(|error| panic!("{error}: {sql}"));
        found.extend(rows.iter().map(|row| row.get::<_, String>(0)));
    }
    found
}

/// Panics with everything that is not as it should be.
pub async fn whole(till: &Till) {
    let found = faults(till).await;
    assert!(found.is_empty(), "{found:#?}");
}
