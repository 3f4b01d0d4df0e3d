-- Chooses what providers are asked about, over all tenants: payments and refunds of which nothing was heard for a while (a
-- webhook that never comes loses no sale), and open payments whose registration is about to lose its places: nothing is
-- dropped before the provider was asked since. Each gets a job in its organization; the next question waits twice as
-- long as the last, 30 minutes at most, and after ten days nobody asks any more.
-- Request: {limit}. Answers {payments, refunds}: how many jobs were written.
-- Called from: the job payments.poll, as es_system.
-- after: ledger_entries
-- Raises: nothing. Locks rows of payments and refunds with skip locked and waits for nobody.

create or replace function public.due_payment_checks(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_now constant timestamptz := es.clock();
  v_limit constant integer := (p_request ->> 'limit')::integer;
  v_jobs jsonb;
  v_payments integer := 0;
  v_refunds integer := 0;
begin
  with due as (
    select p.id
    from payments p
    where p.check_at <= v_now
      or (
        p.status in ('created', 'pending')
        and p.registration_id = any (array(
          select r.id
          from registrations r
          where r.status = 'pending_payment'
            and r.expires_at <= v_now
        ))
        and es.asked_too_early(p, v_now)
        and p.check_at > v_now + interval '10 seconds'
      )
    order by p.check_at
    limit v_limit
    for no key update skip locked
  ),
  noted as (
    update payments p
    set
      checks = p.checks + 1,
      check_at = case
        when p.status in ('created', 'pending') and p.created_at > v_now - interval '10 days'
          then v_now + least(interval '20 seconds' * power(2, least(p.checks, 12)), interval '30 minutes')
      end
    from due
    where p.id = due.id
    returning p.id, p.org_id, p.status
  )
  select jsonb_agg(jsonb_build_object(
    'kind', 'payments.check', 'org_id', n.org_id, 'key', n.id, 'key_until', 'ended',
    'payload', jsonb_build_object('payment_id', n.id)
  ))
  into v_jobs
  from noted n
  where n.status in ('created', 'pending');
  if v_jobs is not null then
    v_payments := es.enqueue_jobs(v_jobs);
  end if;

  with due as (
    select r.id
    from refunds r
    where r.check_at <= v_now
    order by r.check_at
    limit v_limit
    for no key update skip locked
  ),
  noted as (
    update refunds r
    set check_at = v_now + interval '10 minutes'
    from due
    where r.id = due.id
    returning r.id, r.org_id
  )
  select jsonb_agg(jsonb_build_object(
    'kind', 'payments.refund', 'org_id', n.org_id, 'key', n.id, 'key_until', 'ended',
    'payload', jsonb_build_object('refund_id', n.id)
  ))
  into v_jobs
  from noted n;
  if v_jobs is not null then
    v_refunds := es.enqueue_jobs(v_jobs);
  end if;
  return jsonb_build_object('payments', v_payments, 'refunds', v_refunds);
end
$body$;

-- Whether the provider was not asked about an open payment since its registration ran out. Nobody waits longer than an
-- hour for a provider that does not answer: then a payment that comes after all is a late one (R8).
create or replace function es.asked_too_early(p_payment payments, p_now timestamptz)
returns boolean
language sql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
  select p_payment.status in ('created', 'pending') and exists (
    select
    from registrations r
    where r.id = p_payment.registration_id
      and r.expires_at > p_now - interval '1 hour'
      and (p_payment.checked_at is null or p_payment.checked_at < r.expires_at)
  )
$body$;

-- Whether the registration has an open payment that might have come in without our knowing, or is paid already (a change made
-- it cheaper) and only to be confirmed.
create or replace function es.payment_may_come(p_registration uuid, p_now timestamptz)
returns boolean
language sql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
  select exists (
    select
    from payments p
    where p.registration_id = p_registration
      and p.status in ('created', 'pending')
      and es.asked_too_early(p, p_now)
  )
  or exists (
    select
    from registrations r
    where r.id = p_registration
      and r.status = 'pending_payment'
      and es.paid_minor(r.id) >= greatest(r.total_minor, 1)
  )
$body$;

alter function public.due_payment_checks(jsonb) owner to es_system;
alter function es.asked_too_early(payments, timestamptz) owner to es_system;
alter function es.payment_may_come(uuid, timestamptz) owner to es_system;
revoke execute on function es.payment_may_come(uuid, timestamptz) from public;
revoke execute on function public.due_payment_checks(jsonb) from public;
revoke execute on function es.asked_too_early(payments, timestamptz) from public;
