-- What the platform takes of an organization's payments: a share and a fixed amount, by the terms of the currency. Booked
-- with the capture of what was bought by it (what is owed back bears no fee), the fixed amount once a registration, never
-- more than came in. As far as money goes back, by a refund or a lost dispute, the fee does too, in proportion, unless the
-- terms say that it is kept.
-- Called from: settle_payment (es.book_platform_fee); settle_refund, settle_dispute (es.return_platform_fee), with the
--   registration locked.
-- Raises: 23505 when a fee is booked twice: the last net below the locks.
-- after: price_arithmetic

create or replace function es.book_platform_fee(p_payment payments, p_base bigint)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_terms platform_fee_terms;
  v_fee bigint;
begin
  if p_base <= 0 then
    return;
  end if;
  select t.* into v_terms
  from platform_fee_terms t
  where t.org_id = p_payment.org_id
    and t.currency = p_payment.currency;
  if not found then
    return;
  end if;
  v_fee := es.round_div(p_base::numeric * v_terms.rate_millionths, 1000000);
  if not exists (
    select from ledger_entries l where l.registration_id = p_payment.registration_id and l.kind = 'platform_fee'
  ) then
    v_fee := v_fee + v_terms.fixed_minor;
  end if;
  v_fee := least(v_fee, p_base);
  if v_fee <= 0 then
    return;
  end if;
  insert into ledger_entries (
    org_id, kind, debit, credit, amount_minor, currency, event_id, registration_id, payment_id, base_minor
  )
  values (
    p_payment.org_id, 'platform_fee', 'fees', 'platform', v_fee, p_payment.currency, p_payment.event_id,
    p_payment.registration_id, p_payment.id, case when v_terms.returned_on_refund then p_base end
  );
end
$body$;

-- What of the fee of a payment is to be given back after all that has gone by now: nothing of what was kept by the terms, and
-- nothing as long as only such money went back as bore no fee.
create or replace function es.platform_fee_to_return(p_payment uuid)
returns bigint
language sql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
  select coalesce(
    max(
      es.round_div(
        f.fee::numeric * greatest(0, least(f.base, f.gone - (f.captured - f.base))), f.base
      )
    ),
    0
  )::bigint
  from (
    select
      sum(l.amount_minor) filter (where l.kind = 'platform_fee') as fee,
      sum(l.base_minor) as base,
      sum(l.amount_minor) filter (where l.kind = 'capture') as captured,
      coalesce(sum(l.amount_minor) filter (where l.kind in ('refund_paid', 'dispute_lost')), 0) as gone
    from ledger_entries l
    where l.payment_id = p_payment
  ) f
  where f.base > 0
$body$;

create or replace function es.return_platform_fee(p_payment uuid, p_refund uuid, p_dispute uuid)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_due bigint;
begin
  select es.platform_fee_to_return(p_payment) - coalesce(sum(l.amount_minor), 0)
  into v_due
  from ledger_entries l
  where l.payment_id = p_payment
    and l.kind = 'platform_fee_returned';
  if v_due <= 0 then
    return;
  end if;
  insert into ledger_entries (
    org_id, kind, debit, credit, amount_minor, currency, event_id, registration_id, payment_id, refund_id, dispute_id
  )
  select
    l.org_id, 'platform_fee_returned', 'platform', 'fees', v_due, l.currency, l.event_id, l.registration_id, l.payment_id,
    p_refund, p_dispute
  from ledger_entries l
  where l.payment_id = p_payment
    and l.kind = 'platform_fee';
end
$body$;

alter function es.book_platform_fee(payments, bigint) owner to es_verbs;
alter function es.platform_fee_to_return(uuid) owner to es_verbs;
alter function es.return_platform_fee(uuid, uuid, uuid) owner to es_verbs;
revoke execute on function es.book_platform_fee(payments, bigint) from public;
revoke execute on function es.platform_fee_to_return(uuid) from public;
revoke execute on function es.return_platform_fee(uuid, uuid, uuid) from public;
grant execute on function es.platform_fee_to_return(uuid) to es_system;
