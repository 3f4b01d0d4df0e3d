-- Faults in the books, over all tenants; no row when each payment and each refund is booked as it stands, once, and
-- nobody got back more than was paid; when disputes and fees are booked as they stand (ledger_checks), and the documents
-- say what the registrations cost (invoice_checks).
-- Called from: tests after every scenario, as es_system.
-- Raises: nothing. It reads everything: not for a request.
-- after: ledger_entries
-- after: invoice_checks
-- after: ledger_checks

create or replace function public.check_ledger_integrity()
returns table (fault text, object_id uuid, detail text)
language sql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
  select
    'capture_differs_from_payment', p.id,
    format('payment %s %s, booked %s %s', p.captured_minor, p.currency, coalesce(l.amount, 0), coalesce(l.currency, ''))
  from payments p
  left join (
    select payment_id, sum(amount_minor) as amount, min(currency) as currency
    from ledger_entries
    where kind = 'capture'
    group by payment_id
  ) l on l.payment_id = p.id
  where p.captured_minor <> coalesce(l.amount, 0)
    or l.currency <> p.currency

  union all
  -- Promised always; paid when it is done; returned when it came to nothing.
  select 'refund_booked_otherwise', r.id, format('refund is %s, booked: %s', r.status, coalesce(l.kinds, 'nothing'))
  from refunds r
  left join (
    select refund_id, string_agg(kind, ' ' order by kind) as kinds, min(amount_minor) as least, max(amount_minor) as most
    from ledger_entries
    where refund_id is not null
      and kind <> 'platform_fee_returned'
    group by refund_id
  ) l on l.refund_id = r.id
  where l.kinds is distinct from case
      when r.status in ('requested', 'in_transit') then 'refund_promised'
      when r.status in ('done', 'external') then 'refund_paid refund_promised'
      else 'refund_promised refund_returned'
    end
    or l.least <> r.amount_minor
    or l.most <> r.amount_minor

  union all
  select 'more_refunded_than_captured', p.id, format('captured %s, refunds %s', p.captured_minor, sum(r.amount_minor))
  from payments p
  join refunds r on r.payment_id = p.id and r.status in ('requested', 'in_transit', 'done', 'external')
  group by p.id
  having sum(r.amount_minor) > p.captured_minor

  union all
  select 'refund_in_another_currency', r.id, format('refund %s, payment %s', r.currency, p.currency)
  from refunds r
  join payments p on p.id = r.payment_id
  where r.currency <> p.currency

  union all
  -- One settlement is one set of tickets: who paid in full and is alive is confirmed.
  select 'paid_and_not_confirmed', r.id, format('total %s, paid %s', r.total_minor, es.paid_minor(r.id))
  from registrations r
  where r.status = 'pending_payment'
    and r.total_minor > 0
    and es.paid_minor(r.id) >= r.total_minor

  union all
  select f.fault, f.object_id, f.detail from es.ledger_faults() f

  union all
  select f.fault, f.object_id, f.detail from es.invoice_faults() f
$body$;

alter function public.check_ledger_integrity() owner to es_system;
revoke execute on function public.check_ledger_integrity() from public;
