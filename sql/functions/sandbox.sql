-- The sandbox: what a payment provider outside would keep for itself. It knows accounts and our keys of payments, nothing
-- of registrations; what it does becomes known to the rest by its webhooks and its answers alone.
-- sandbox_create: {org_id, account_id, reference, amount_minor, currency, description, return_url?}. The same reference is
--   the same payment. Answers its state.
-- sandbox_payment: {id} or {org_id, account_id, reference}. Answers {id, org_id, account_id, reference, status, amount_minor,
--   refunded_minor, currency, description, return_url, failure, refunds: [{id, reference, status, amount_minor}]}, or null.
-- sandbox_act: {id, to: challenge, succeeded, failed or cancelled, failure?, deliveries: [{after_seconds, event}]}. Outcomes:
--   done, unchanged (it was over already), each with its state (payment).
-- sandbox_refund: {payment_id, account_id, reference?, amount_minor, status, deliveries}. The same reference is the same
--   refund; of what is disputed nothing goes back. Outcomes: refunded (id, status), refused (failure), payment_not_found.
-- sandbox_dispute: {payment_id, id, to: open, won or lost, amount_minor, fee_minor, deliveries}. A payment is disputed once,
--   all that is left of it, and then decided once. Outcomes: done, refused (failure), payment_not_found.
-- sandbox_list: {account_id, from, to}. What an account's statement says: the states of its payments of that time.
-- Each delivery is a job `sandbox.deliver` with the event, written in the same transaction.
-- Called from: the sandbox provider, as es_system, bound to no organization.
-- Raises: 22P02.

create or replace function es.sandbox_state(p_payment sandbox_payments)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return (
    select to_jsonb(p_payment) - array['created_at', 'updated_at']
      || jsonb_build_object(
        'refunded_minor', coalesce(sum(f.amount_minor) filter (where f.status <> 'failed'), 0),
        'refunds', coalesce(
          jsonb_agg(
            jsonb_build_object('id', f.id, 'reference', f.reference, 'status', f.status, 'amount_minor', f.amount_minor)
            order by f.created_at, f.id
          ) filter (where f.id is not null),
          '[]'
        ),
        'dispute', (
          select jsonb_build_object('id', d.id, 'status', d.status, 'amount_minor', d.amount_minor, 'fee_minor', d.fee_minor)
          from sandbox_disputes d
          where d.payment_id = p_payment.id
        )
      )
    from (select) as one
    left join sandbox_refunds f on f.payment_id = p_payment.id
  );
end
$body$;

create or replace function es.sandbox_deliver(p_org uuid, p_account uuid, p_deliveries jsonb)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  perform es.enqueue_jobs(jsonb_agg(jsonb_build_object(
    'kind', 'sandbox.deliver', 'org_id', p_org, 'after_seconds', one.delivery -> 'after_seconds',
    'payload', jsonb_build_object('account_id', p_account, 'event', one.delivery -> 'event')
  )))
  from jsonb_array_elements(p_deliveries) as one (delivery)
  having count(*) > 0;
end
$body$;

create or replace function public.sandbox_create(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_found sandbox_payments;
begin
  insert into sandbox_payments (org_id, account_id, reference, amount_minor, currency, description, return_url)
  values (
    (p_request ->> 'org_id')::uuid, (p_request ->> 'account_id')::uuid, (p_request ->> 'reference')::uuid,
    (p_request ->> 'amount_minor')::bigint, p_request ->> 'currency', p_request ->> 'description',
    p_request ->> 'return_url'
  )
  on conflict on constraint sandbox_payments_reference_key do nothing;
  select p.*
  into v_found
  from sandbox_payments p
  where p.org_id = (p_request ->> 'org_id')::uuid
    and p.account_id = (p_request ->> 'account_id')::uuid
    and p.reference = (p_request ->> 'reference')::uuid;
  return es.sandbox_state(v_found);
end
$body$;

create or replace function public.sandbox_payment(p_request jsonb)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_found sandbox_payments;
begin
  -- A statement for each, so that each has an index.
  if p_request ->> 'id' is not null then
    select p.* into v_found from sandbox_payments p where p.id = (p_request ->> 'id')::uuid;
  else
    select p.*
    into v_found
    from sandbox_payments p
    where p.org_id = (p_request ->> 'org_id')::uuid
      and p.account_id = (p_request ->> 'account_id')::uuid
      and p.reference = (p_request ->> 'reference')::uuid;
  end if;
  if v_found.id is null then
    return null;
  end if;
  return es.sandbox_state(v_found);
end
$body$;

create or replace function public.sandbox_act(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_found sandbox_payments;
begin
  select p.* into v_found from sandbox_payments p where p.id = (p_request ->> 'id')::uuid for no key update;
  if v_found.status is null or v_found.status in ('succeeded', 'failed', 'cancelled') then
    return jsonb_build_object('outcome', 'unchanged', 'payment', es.sandbox_state(v_found));
  end if;
  update sandbox_payments p
  set
    status = p_request ->> 'to',
    failure = p_request ->> 'failure',
    updated_at = es.clock()
  where p.id = v_found.id
  returning * into v_found;
  perform es.sandbox_deliver(v_found.org_id, v_found.account_id, p_request -> 'deliveries');
  return jsonb_build_object('outcome', 'done', 'payment', es.sandbox_state(v_found));
end
$body$;

create or replace function public.sandbox_refund(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_found sandbox_payments;
  v_made sandbox_refunds;
begin
  select p.*
  into v_found
  from sandbox_payments p
  where p.id = (p_request ->> 'payment_id')::uuid
    and p.account_id = (p_request ->> 'account_id')::uuid
  for no key update;
  if not found then
    return jsonb_build_object('outcome', 'payment_not_found');
  end if;
  select f.*
  into v_made
  from sandbox_refunds f
  where f.payment_id = v_found.id
    and f.reference = (p_request ->> 'reference')::uuid;
  if found then
    return jsonb_build_object('outcome', 'refunded', 'id', v_made.id, 'status', v_made.status);
  end if;
  if v_found.status <> 'succeeded'
    or exists (select from sandbox_disputes d where d.payment_id = v_found.id and d.status <> 'won')
    or (p_request ->> 'amount_minor')::bigint
      > v_found.amount_minor - (es.sandbox_state(v_found) ->> 'refunded_minor')::bigint
  then
    return jsonb_build_object('outcome', 'refused', 'failure', 'amount_not_available');
  end if;
  insert into sandbox_refunds (id, org_id, payment_id, reference, status, amount_minor)
  values (
    (p_request ->> 'id')::uuid, v_found.org_id, v_found.id, (p_request ->> 'reference')::uuid, p_request ->> 'status',
    (p_request ->> 'amount_minor')::bigint
  )
  returning * into v_made;
  perform es.sandbox_deliver(v_found.org_id, v_found.account_id, p_request -> 'deliveries');
  return jsonb_build_object('outcome', 'refunded', 'id', v_made.id, 'status', v_made.status);
end
$body$;

create or replace function public.sandbox_dispute(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_found sandbox_payments;
  v_dispute sandbox_disputes;
  v_left bigint;
  v_to constant text := p_request ->> 'to';
begin
  select p.* into v_found from sandbox_payments p where p.id = (p_request ->> 'payment_id')::uuid for no key update;
  if not found then
    return jsonb_build_object('outcome', 'payment_not_found');
  end if;
  select d.* into v_dispute from sandbox_disputes d where d.payment_id = v_found.id;
  v_left := v_found.amount_minor - (es.sandbox_state(v_found) ->> 'refunded_minor')::bigint;
  if v_to = 'open' and v_dispute.id is null and v_found.status = 'succeeded' and v_left > 0
    and v_left = (p_request ->> 'amount_minor')::bigint
  then
    insert into sandbox_disputes (id, org_id, payment_id, amount_minor, fee_minor)
    values ((p_request ->> 'id')::uuid, v_found.org_id, v_found.id, v_left, (p_request ->> 'fee_minor')::bigint);
  elsif v_to in ('won', 'lost') and v_dispute.status = 'open' then
    update sandbox_disputes d set status = v_to, updated_at = es.clock() where d.id = v_dispute.id;
  else
    return jsonb_build_object('outcome', 'refused', 'failure', 'not_disputable');
  end if;
  perform es.sandbox_deliver(v_found.org_id, v_found.account_id, p_request -> 'deliveries');
  return jsonb_build_object('outcome', 'done');
end
$body$;

create or replace function public.sandbox_list(p_request jsonb)
returns jsonb
language sql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
  select coalesce(jsonb_agg(es.sandbox_state(p) order by p.created_at, p.id), '[]')
  from sandbox_payments p
  where p.account_id = (p_request ->> 'account_id')::uuid
    and p.created_at >= (p_request ->> 'from')::timestamptz
    and p.created_at < (p_request ->> 'to')::timestamptz
$body$;

alter function es.sandbox_state(sandbox_payments) owner to es_system;
alter function public.sandbox_dispute(jsonb) owner to es_system;
alter function public.sandbox_list(jsonb) owner to es_system;
revoke execute on function public.sandbox_dispute(jsonb) from public;
revoke execute on function public.sandbox_list(jsonb) from public;
alter function es.sandbox_deliver(uuid, uuid, jsonb) owner to es_system;
alter function public.sandbox_create(jsonb) owner to es_system;
alter function public.sandbox_payment(jsonb) owner to es_system;
alter function public.sandbox_act(jsonb) owner to es_system;
alter function public.sandbox_refund(jsonb) owner to es_system;
revoke execute on function es.sandbox_state(sandbox_payments) from public;
revoke execute on function es.sandbox_deliver(uuid, uuid, jsonb) from public;
revoke execute on function public.sandbox_create(jsonb) from public;
revoke execute on function public.sandbox_payment(jsonb) from public;
revoke execute on function public.sandbox_act(jsonb) from public;
revoke execute on function public.sandbox_refund(jsonb) from public;
