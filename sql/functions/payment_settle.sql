-- Takes over what a provider says of a payment, however it came to be known (webhook, question, answer to a call), in
-- whatever order and however often: what is settled stays as it is (R5). What was captured is booked; a registration that
-- is paid thereby (R6) is confirmed with its tickets in the same transaction.
-- Request: {payment_id or (account_id, provider_reference), provider_reference?, status: pending, succeeded, failed or
--   cancelled, captured_minor?, currency?, failure?, tickets?: [{ticket_id, item_id, code}], inbox_id?, asked?: true when
--   the provider was asked}. Codes are signed by the program for the items that tickets_needed named.
-- Outcomes: settled (status, registration_id, registration_status, owed_back?), already (status), pending,
--   tickets_needed (event_id, occurrence_id, items; nothing was written), payment_not_found, differs (message; nothing
--   was written: the provider names another currency, or nothing captured).
-- Called from: jobs of payments, as es_system in the payment's organization. Locks: registration, payment, pools.
-- Raises: ES400 when tickets do not match the items; 22P02.

-- Books the money of a locked payment.
create or replace function es.capture_payment(p_payment payments, p_request jsonb, p_now timestamptz)
returns payments
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_paid payments;
begin
  update payments p
  set
    status = 'succeeded',
    captured_minor = coalesce((p_request ->> 'captured_minor')::bigint, p.amount_minor),
    provider_reference = coalesce(p.provider_reference, p_request ->> 'provider_reference'),
    failure = null,
    succeeded_at = p_now,
    check_at = null,
    checked_at = p_now
  where p.id = p_payment.id
  returning * into v_paid;
  perform es.book_capture(v_paid);
  perform emit_event(
    v_paid.org_id, 'payment.succeeded', 'payment', v_paid.id,
    jsonb_build_object(
      'event_id', v_paid.event_id, 'registration_id', v_paid.registration_id, 'amount_minor', v_paid.captured_minor,
      'currency', v_paid.currency
    )
  );
  perform record_audit(
    v_paid.org_id, 'payment.succeeded', 'payment', v_paid.id,
    jsonb_build_object('status', p_payment.status, 'captured_minor', p_payment.captured_minor),
    jsonb_build_object('status', v_paid.status, 'captured_minor', v_paid.captured_minor)
  );
  return v_paid;
end
$body$;

-- R8: takes the stock of a locked, expired registration again, at its old prices. Null when it has it, else why not.
create or replace function es.revive(p_found registrations, p_event events, p_now timestamptz)
returns text
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_cart constant es.priced_cart := es.kept_cart(p_found.id, '{}');
  v_code promo_codes;
  v_pools record;
  v_problem jsonb;
begin
  if not p_event.revives_late_payments or p_event.last_payment_at < p_now then
    return 'too_late';
  end if;
  if p_event.status <> 'published' or (es.choose_occurrence(p_event.id, p_found.occurrence_id, p_now)).problem is not null then
    return 'event_over';
  end if;
  v_code := es.code_of(p_found, false, p_now);
  v_pools := es.pools_of_whole(p_found, v_cart.units, v_code, false, p_now);
  perform es.lock_pools(es.claimed_pools(array[p_found.id]) || v_pools.pools);
  perform es.release_claims(array[p_found.id], es.claimed_pools(array[p_found.id]), es.clock());
  v_problem := es.take_again(p_found, v_cart, v_code, null, es.clock());
  return v_problem ->> 'outcome';
end
$body$;

-- What money that is there now does to its locked registration: why it is owed back, or null.
create or replace function es.apply_payment(p_found registrations, p_event events, p_tickets jsonb, p_now timestamptz)
returns text
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_paid constant bigint := es.paid_minor(p_found.id);
  v_reason text;
begin
  if p_found.status in ('pending_payment', 'expired') and v_paid >= p_found.total_minor then
    if p_found.status = 'expired' then
      v_reason := es.revive(p_found, p_event, p_now);
    end if;
    if v_reason is null then
      perform es.apply_confirmation(p_found, p_event, 'confirmed', p_tickets, p_now);
    end if;
  elsif p_found.status = 'expired' then
    v_reason := 'too_late';
  elsif p_found.status not in ('pending_payment', 'confirmed') then
    -- R7: on record as owed back; nobody's status changes silently.
    v_reason := 'registration_' || p_found.status;
  end if;
  if v_reason is null and v_paid > p_found.total_minor then
    v_reason := 'overpaid';
  end if;
  return v_reason;
end
$body$;

-- Items that get tickets if this payment comes in; none when it does not settle its registration.
create or replace function es.items_to_settle(p_found registrations, p_captured bigint)
returns uuid[]
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return (
    select coalesce(array_agg(i.id order by i.position), '{}')
    from registration_items i
    where i.registration_id = p_found.id
      and i.cancelled_at is null
      and p_found.status in ('pending_payment', 'expired')
      and es.paid_minor(p_found.id) + p_captured >= p_found.total_minor
  );
end
$body$;

create or replace function es.settle_captured(p_found registrations, p_payment payments, p_request jsonb, p_now timestamptz)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_captured constant bigint := coalesce((p_request ->> 'captured_minor')::bigint, p_payment.amount_minor);
  v_items uuid[];
  v_event events;
  v_paid payments;
  v_reason text;
begin
  if v_captured <= 0 or coalesce(p_request ->> 'currency', p_payment.currency) <> p_payment.currency then
    return jsonb_build_object(
      'outcome', 'differs',
      'message', format('%s %s of %s %s', v_captured, p_request ->> 'currency', p_payment.amount_minor, p_payment.currency)
    );
  end if;
  v_items := es.items_to_settle(p_found, v_captured);
  if not v_items <@ array(
    select (given.ticket ->> 'item_id')::uuid
    from jsonb_array_elements(coalesce(p_request -> 'tickets', '[]')) as given (ticket)
  ) then
    return jsonb_build_object(
      'outcome', 'tickets_needed', 'event_id', p_found.event_id, 'occurrence_id', p_found.occurrence_id, 'items', v_items
    );
  end if;
  select e.* into v_event from events e where e.id = p_found.event_id;
  v_paid := es.capture_payment(p_payment, p_request, p_now);
  v_reason := es.apply_payment(
    p_found, v_event,
    (
      select coalesce(jsonb_agg(given.ticket), '[]')
      from jsonb_array_elements(coalesce(p_request -> 'tickets', '[]')) as given (ticket)
      where (given.ticket ->> 'item_id')::uuid = any (v_items)
    ),
    p_now
  );
  perform es.book_platform_fee(
    v_paid,
    case v_reason
      when 'overpaid' then v_paid.captured_minor - (es.paid_minor(p_found.id) - p_found.total_minor)
      else case when v_reason is null then v_paid.captured_minor else 0 end
    end
  );
  if v_reason is not null then
    update payments p set owed_back = v_reason where p.id = v_paid.id;
    perform record_audit(
      v_paid.org_id, 'payment.owed_back', 'payment', v_paid.id, null, jsonb_build_object('owed_back', v_reason)
    );
  end if;
  -- R8: what bought nothing goes back by itself where the event says so; and R17, where there is no event any more.
  if v_reason is not null and (
    (p_found.status = 'expired' and v_event.refunds_late_payments)
    or (p_found.status = 'cancelled' and p_found.cancel_reason = 'event_cancelled')
  ) then
    perform es.promise_refund(v_paid, v_paid.captured_minor, v_reason, p_now);
  end if;
  return jsonb_build_object(
    'outcome', 'settled', 'status', 'succeeded', 'registration_id', p_found.id, 'owed_back', v_reason,
    'registration_status', (select r.status from registrations r where r.id = p_found.id)
  );
end
$body$;

-- What is not money: still open, or nothing came of it.
create or replace function es.settle_uncaptured(p_payment payments, p_request jsonb, p_now timestamptz)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_to constant text := p_request ->> 'status';
  v_over constant boolean := v_to in ('failed', 'cancelled');
begin
  update payments p
  set
    status = case when v_over or p.status = 'created' then v_to else p.status end,
    provider_reference = coalesce(p.provider_reference, p_request ->> 'provider_reference'),
    checkout_url = coalesce(p.checkout_url, p_request ->> 'checkout_url'),
    failure = case when v_over then left(p_request ->> 'failure', 200) else p.failure end,
    checked_at = case when p_request ->> 'asked' = 'true' then p_now else p.checked_at end,
    check_at = case when v_over then null else p.check_at end
  where p.id = p_payment.id;
  if not v_over then
    return jsonb_build_object('outcome', 'pending');
  end if;
  perform emit_event(
    p_payment.org_id, 'payment.failed', 'payment', p_payment.id,
    jsonb_build_object('event_id', p_payment.event_id, 'registration_id', p_payment.registration_id, 'status', v_to)
  );
  perform record_audit(
    p_payment.org_id, 'payment.' || v_to, 'payment', p_payment.id,
    jsonb_build_object('status', p_payment.status), jsonb_build_object('status', v_to, 'failure', p_request ->> 'failure')
  );
  return jsonb_build_object('outcome', 'settled', 'status', v_to, 'registration_id', p_payment.registration_id);
end
$body$;

create or replace function es.try_to_settle_payment(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_id uuid;
  v_registration uuid;
  v_found registrations;
  v_payment payments;
  v_now timestamptz;
begin
  -- A statement for each, so that each has an index.
  if p_request ->> 'payment_id' is not null then
    select p.id, p.registration_id
    into v_id, v_registration
    from payments p
    where p.org_id = es.current_org()
      and p.id = (p_request ->> 'payment_id')::uuid
      and p.account_id = coalesce((p_request ->> 'account_id')::uuid, p.account_id);
  else
    select p.id, p.registration_id
    into v_id, v_registration
    from payments p
    where p.org_id = es.current_org()
      and p.account_id = (p_request ->> 'account_id')::uuid
      and p.provider_reference = p_request ->> 'provider_reference';
  end if;
  if v_id is null then
    return jsonb_build_object('outcome', 'payment_not_found');
  end if;
  perform pg_advisory_xact_lock_shared(es.event_lock(r.event_id)) from registrations r where r.id = v_registration;
  select r.* into v_found from registrations r where r.id = v_registration for no key update;
  select p.* into v_payment from payments p where p.id = v_id for no key update;
  v_now := es.clock();
  -- R5: a success stays one, whatever is heard of it later.
  if v_payment.status = 'succeeded' or v_payment.status = p_request ->> 'status' and v_payment.status <> 'pending' then
    return jsonb_build_object('outcome', 'already', 'status', v_payment.status);
  end if;
  if p_request ->> 'status' = 'succeeded' then
    return es.settle_captured(v_found, v_payment, p_request, v_now);
  end if;
  if v_payment.status in ('failed', 'cancelled') then
    return jsonb_build_object('outcome', 'already', 'status', v_payment.status);
  end if;
  return es.settle_uncaptured(v_payment, p_request, v_now);
end
$body$;

create or replace function public.settle_payment(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_outcome constant jsonb := es.try_to_settle_payment(p_request);
begin
  if v_outcome ->> 'outcome' <> 'tickets_needed' then
    perform es.end_payment_event((p_request ->> 'inbox_id')::uuid, v_outcome);
  end if;
  return v_outcome;
end
$body$;

alter function es.capture_payment(payments, jsonb, timestamptz) owner to es_verbs;
alter function es.revive(registrations, events, timestamptz) owner to es_verbs;
alter function es.apply_payment(registrations, events, jsonb, timestamptz) owner to es_verbs;
alter function es.items_to_settle(registrations, bigint) owner to es_verbs;
alter function es.settle_captured(registrations, payments, jsonb, timestamptz) owner to es_verbs;
alter function es.settle_uncaptured(payments, jsonb, timestamptz) owner to es_verbs;
alter function es.try_to_settle_payment(jsonb) owner to es_verbs;
alter function public.settle_payment(jsonb) owner to es_verbs;
revoke execute on function es.capture_payment(payments, jsonb, timestamptz) from public;
revoke execute on function es.revive(registrations, events, timestamptz) from public;
revoke execute on function es.apply_payment(registrations, events, jsonb, timestamptz) from public;
revoke execute on function es.items_to_settle(registrations, bigint) from public;
revoke execute on function es.settle_captured(registrations, payments, jsonb, timestamptz) from public;
revoke execute on function es.settle_uncaptured(payments, jsonb, timestamptz) from public;
revoke execute on function es.try_to_settle_payment(jsonb) from public;
revoke execute on function public.settle_payment(jsonb) from public;
grant execute on function public.settle_payment(jsonb) to es_system;
