-- The way of a refund after it was promised (R15).
-- begin_refund: {refund_id}. Marks that the provider is about to be told; committed before the call (R19).
--   Outcomes: begun (account_id, provider, payment_reference, payment_id, amount_minor, currency, reason, told_before: true
--   when an earlier attempt may have reached the provider, which is then asked first), ended, refund_not_found.
-- settle_refund: {refund_id, status: in_transit, done or failed, provider_reference?, failure?, inbox_id?}, or of a refund
--   that the provider says it made: {account_id, payment_reference, provider_reference, status, amount_minor, currency,
--   inbox_id?}, which may be one of ours whose answer was lost (then `refund_id` is there too) or one made at the provider
--   (R16: external).
--   Outcomes: settled (refund_id, status), already, pending, refund_not_found, payment_not_found, payment_not_settled (it has
--     not come in here yet), differs (message).
-- Called from: jobs of payments, as es_system in the organization. Locks: registration, payment, refund.
-- Raises: 22P02.

-- Locks the registration and the payment of a refund, then the refund. What an account says is of its own refunds only.
create or replace function es.lock_refund(p_refund uuid, p_account uuid)
returns refunds
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_found refunds;
begin
  select r.*
  into v_found
  from refunds r
  join payments p on p.id = r.payment_id
  where r.id = p_refund
    and r.org_id = es.current_org()
    and (p_account is null or p.account_id = p_account);
  perform from registrations r where r.id = v_found.registration_id for no key update;
  perform from payments p where p.id = v_found.payment_id for no key update;
  select r.* into v_found from refunds r where r.id = v_found.id for no key update;
  return v_found;
end
$body$;

create or replace function public.begin_refund(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_found constant refunds := es.lock_refund((p_request ->> 'refund_id')::uuid, null);
  v_payment payments;
begin
  if v_found.id is null then
    return jsonb_build_object('outcome', 'refund_not_found');
  end if;
  if v_found.status not in ('requested', 'in_transit') then
    return jsonb_build_object('outcome', 'ended', 'status', v_found.status);
  end if;
  update refunds r set status = 'in_transit' where r.id = v_found.id and r.status = 'requested';
  select p.* into v_payment from payments p where p.id = v_found.payment_id;
  return jsonb_build_object(
    'outcome', 'begun', 'account_id', v_payment.account_id, 'provider', v_payment.provider,
    'payment_reference', v_payment.provider_reference, 'payment_id', v_payment.id, 'amount_minor', v_found.amount_minor,
    'currency', v_found.currency, 'reason', v_found.reason, 'told_before', v_found.status = 'in_transit'
  );
end
$body$;

-- Ends a locked refund: its money is gone, or stays with us.
create or replace function es.end_refund(p_refund refunds, p_to text, p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  update refunds r
  set
    status = p_to,
    provider_reference = coalesce(r.provider_reference, p_request ->> 'provider_reference'),
    failure = left(p_request ->> 'failure', 200),
    settled_at = es.clock(),
    check_at = null
  where r.id = p_refund.id;
  perform es.book_refund(p_refund, case when p_to = 'failed' then 'refund_returned' else 'refund_paid' end);
  if p_to <> 'failed' then
    perform emit_event(
      p_refund.org_id, 'payment.refunded', 'payment', p_refund.payment_id,
      jsonb_build_object(
        'event_id', p_refund.event_id, 'registration_id', p_refund.registration_id, 'refund_id', p_refund.id,
        'amount_minor', p_refund.amount_minor, 'currency', p_refund.currency
      )
    );
  end if;
  perform record_audit(
    p_refund.org_id, 'refund.' || p_to, 'refund', p_refund.id,
    jsonb_build_object('status', p_refund.status), jsonb_build_object('status', p_to, 'failure', p_request ->> 'failure')
  );
  if p_to <> 'failed' then
    perform es.return_platform_fee(p_refund.payment_id, p_refund.id, null);
    perform es.credit_refund(p_refund);
  end if;
  return jsonb_build_object('outcome', 'settled', 'refund_id', p_refund.id, 'status', p_to);
end
$body$;

-- Calls off what was asked for last and the provider has not heard of, until so much of a locked payment is left.
create or replace function es.call_off_refunds(p_payment uuid, p_needed bigint, p_failure text)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_rival refunds;
begin
  for v_rival in
    select r.*
    from refunds r
    where r.payment_id = p_payment
      and r.status = 'requested'
    order by r.created_at desc, r.id
    for no key update
  loop
    exit when es.refundable_minor(p_payment) >= p_needed;
    update refunds r
    set status = 'cancelled', settled_at = es.clock(), check_at = null, failure = p_failure
    where r.id = v_rival.id;
    perform es.book_refund(v_rival, 'refund_returned');
  end loop;
end
$body$;

-- R16: a refund that nobody asked us for is matched to its payment and booked; requests of ours that no longer fit beside
-- it, and that the provider has not heard of, are called off.
create or replace function es.take_external_refund(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_payment payments;
  v_made refunds;
  v_amount constant bigint := (p_request ->> 'amount_minor')::bigint;
begin
  select p.* into v_payment
  from payments p
  where p.org_id = es.current_org()
    and p.account_id = (p_request ->> 'account_id')::uuid
    and p.provider_reference = p_request ->> 'payment_reference';
  if v_payment.id is null then
    return jsonb_build_object('outcome', 'payment_not_found');
  end if;
  perform from registrations r where r.id = v_payment.registration_id for no key update;
  select p.* into v_payment from payments p where p.id = v_payment.id for no key update;
  -- The word that the money came in is still on its way.
  if v_payment.status <> 'succeeded' then
    return jsonb_build_object('outcome', 'payment_not_settled');
  end if;
  select r.* into v_made
  from refunds r
  where r.payment_id = v_payment.id
    and r.provider_reference = p_request ->> 'provider_reference'
  for no key update;
  if found then
    return es.settle_known_refund(v_made, p_request);
  end if;
  if p_request ->> 'status' <> 'done' then
    return jsonb_build_object('outcome', 'pending');
  end if;
  perform es.call_off_refunds(v_payment.id, v_amount, 'refunded_elsewhere');
  if v_amount is null or v_amount not between 1 and es.refundable_minor(v_payment.id)
    or p_request ->> 'currency' <> v_payment.currency
  then
    return jsonb_build_object(
      'outcome', 'differs', 'message', format('a refund of %s %s was made elsewhere', v_amount, p_request ->> 'currency')
    );
  end if;
  insert into refunds (org_id, event_id, registration_id, payment_id, status, amount_minor, currency, settled_at)
  values (
    v_payment.org_id, v_payment.event_id, v_payment.registration_id, v_payment.id, 'external', v_amount,
    v_payment.currency, es.clock()
  )
  returning * into v_made;
  perform es.book_refund(v_made, 'refund_promised');
  return es.end_refund(v_made, 'external', p_request);
end
$body$;

-- What is settled stays as it is, but for what first failed and then was done after all: the money is gone.
create or replace function es.settle_known_refund(p_refund refunds, p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  if p_refund.status not in ('requested', 'in_transit') then
    return jsonb_build_object('outcome', 'already', 'refund_id', p_refund.id, 'status', p_refund.status);
  end if;
  if p_request ->> 'status' in ('done', 'failed') then
    return es.end_refund(p_refund, p_request ->> 'status', p_request);
  end if;
  update refunds r
  set
    status = 'in_transit',
    provider_reference = coalesce(r.provider_reference, p_request ->> 'provider_reference')
  where r.id = p_refund.id;
  return jsonb_build_object('outcome', 'pending', 'refund_id', p_refund.id);
end
$body$;

create or replace function public.settle_refund(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_found refunds;
  v_outcome jsonb;
begin
  if p_request ->> 'refund_id' is not null then
    v_found := es.lock_refund((p_request ->> 'refund_id')::uuid, (p_request ->> 'account_id')::uuid);
  end if;
  v_outcome := case
    when v_found.id is not null then es.settle_known_refund(v_found, p_request)
    when p_request ->> 'payment_reference' is null then jsonb_build_object('outcome', 'refund_not_found')
    else es.take_external_refund(p_request)
  end;
  perform es.end_payment_event((p_request ->> 'inbox_id')::uuid, v_outcome);
  return v_outcome;
end
$body$;

alter function es.lock_refund(uuid, uuid) owner to es_verbs;
alter function public.begin_refund(jsonb) owner to es_verbs;
alter function es.end_refund(refunds, text, jsonb) owner to es_verbs;
alter function es.call_off_refunds(uuid, bigint, text) owner to es_verbs;
alter function es.take_external_refund(jsonb) owner to es_verbs;
alter function es.settle_known_refund(refunds, jsonb) owner to es_verbs;
alter function public.settle_refund(jsonb) owner to es_verbs;
revoke execute on function es.lock_refund(uuid, uuid) from public;
revoke execute on function public.begin_refund(jsonb) from public;
revoke execute on function es.end_refund(refunds, text, jsonb) from public;
revoke execute on function es.call_off_refunds(uuid, bigint, text) from public;
revoke execute on function es.take_external_refund(jsonb) from public;
revoke execute on function es.settle_known_refund(refunds, jsonb) from public;
revoke execute on function public.settle_refund(jsonb) from public;
grant execute on function public.begin_refund(jsonb) to es_system;
grant execute on function public.settle_refund(jsonb) to es_system;
