-- The books: what money moved, a row for each movement with both of its accounts. Rows are never changed (a trigger holds
-- that); what is undone is booked the other way round. Accounts, per organization: `provider` (money that a payment
-- provider holds for it), `buyer` (what a registration has paid and may still get back), `refunds` (promised to buyers
-- and not yet gone), `disputes` (taken back by a provider until a dispute is decided), `fees` (what providers and the platform
-- took), `platform` (what the platform has to get).
-- What a registration has paid (R6) is the balance of its `buyer` account: captured, less refunds that are done, on
-- their way or requested, and less disputes that were lost.
-- Called from: settle_payment, request_refund, settle_refund; disputes and fees are booked by files of their own. With the payment's registration locked.
-- Raises: 23505 when a payment is captured or a refund settled a second time: the last net below the locks.

create or replace function es.book_capture(p_payment payments)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  insert into ledger_entries (
    org_id, kind, debit, credit, amount_minor, currency, event_id, registration_id, payment_id
  )
  values (
    p_payment.org_id, 'capture', 'provider', 'buyer', p_payment.captured_minor, p_payment.currency,
    p_payment.event_id, p_payment.registration_id, p_payment.id
  );
end
$body$;

-- One step of a refund: refund_promised, refund_paid or refund_returned.
create or replace function es.book_refund(p_refund refunds, p_kind text)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  insert into ledger_entries (
    org_id, kind, debit, credit, amount_minor, currency, event_id, registration_id, payment_id, refund_id
  )
  values (
    p_refund.org_id, p_kind,
    case p_kind when 'refund_promised' then 'buyer' else 'refunds' end,
    case p_kind when 'refund_promised' then 'refunds' when 'refund_paid' then 'provider' else 'buyer' end,
    p_refund.amount_minor, p_refund.currency,
    p_refund.event_id, p_refund.registration_id, p_refund.payment_id, p_refund.id
  );
end
$body$;

-- Minor units that the registration has paid, less what goes back.
create or replace function es.paid_minor(p_registration uuid)
returns bigint
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return (
    select coalesce(
      sum(case when l.credit = 'buyer' then l.amount_minor when l.debit = 'buyer' then -l.amount_minor else 0 end), 0
    )::bigint
    from ledger_entries l
    where l.registration_id = p_registration
  );
end
$body$;

-- The same of one payment, without what a dispute holds back: what of it could be refunded.
create or replace function es.refundable_minor(p_payment uuid)
returns bigint
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return (
    select coalesce(
      sum(
        case when l.credit in ('buyer', 'disputes') then l.amount_minor else 0 end
        - case when l.debit in ('buyer', 'disputes') then l.amount_minor else 0 end
      ),
      0
    )::bigint
    from ledger_entries l
    where l.payment_id = p_payment
  );
end
$body$;

alter function es.book_capture(payments) owner to es_verbs;
alter function es.book_refund(refunds, text) owner to es_verbs;
alter function es.paid_minor(uuid) owner to es_verbs;
alter function es.refundable_minor(uuid) owner to es_verbs;
revoke execute on function es.book_capture(payments) from public;
revoke execute on function es.book_refund(refunds, text) from public;
revoke execute on function es.paid_minor(uuid) from public;
revoke execute on function es.refundable_minor(uuid) from public;
grant execute on function es.paid_minor(uuid) to es_system;
grant execute on function es.refundable_minor(uuid) to es_system;
