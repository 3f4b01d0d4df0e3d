-- What a provider says of a dispute: the buyer asks the money back by the bank or the provider. It is matched to its payment
-- before anything else changes (R16). Words may come in any order: what is decided stays so, and money that was withdrawn
-- and came back is booked both ways or not at all.
-- settle_dispute: {account_id, payment_reference or payment_id, provider_reference, status: open, won or lost, amount_minor,
--   currency, withdrawn?: whether the provider has taken the money back (null: nothing was said; what is lost, was),
--   fee_minor?: what the provider takes for it, reason?, inbox_id?}.
--   Outcomes: settled (dispute_id, status), already, payment_not_found, payment_not_settled (it has not come in here yet),
--     differs (message; nothing was written).
-- Tickets and the registration's status stay as they are: people decide what comes of it.
-- Called from: jobs of payments, as es_system in the organization. Locks: registration, payment, its refunds.
-- Raises: 22P02.

-- One movement of a dispute.
create or replace function es.book_dispute(p_dispute disputes, p_kind text, p_amount bigint)
returns void
language sql
set search_path = pg_catalog, public, es, pg_temp
as $body$
  insert into ledger_entries (
    org_id, kind, debit, credit, amount_minor, currency, event_id, registration_id, payment_id, dispute_id
  )
  values (
    p_dispute.org_id, p_kind,
    case p_kind
      when 'dispute_withdrawn' then 'disputes'
      when 'dispute_returned' then 'provider'
      when 'dispute_lost' then 'buyer'
      else 'fees'
    end,
    case when p_kind in ('dispute_withdrawn', 'dispute_fee') then 'provider' else 'disputes' end,
    p_amount, p_dispute.currency, p_dispute.event_id, p_dispute.registration_id, p_dispute.payment_id, p_dispute.id
  )
$body$;

-- The dispute of a locked payment by the provider's name for it, made where it is new.
create or replace function es.open_dispute(p_payment payments, p_request jsonb)
returns disputes
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_found disputes;
begin
  select d.*
  into v_found
  from disputes d
  where d.payment_id = p_payment.id
    and d.provider_reference = p_request ->> 'provider_reference'
  for no key update;
  if found then
    return v_found;
  end if;
  insert into disputes (
    org_id, event_id, registration_id, payment_id, provider_reference, amount_minor, currency, reason, created_at
  )
  values (
    p_payment.org_id, p_payment.event_id, p_payment.registration_id, p_payment.id, p_request ->> 'provider_reference',
    (p_request ->> 'amount_minor')::bigint, p_payment.currency, left(p_request ->> 'reason', 200), es.clock()
  )
  returning * into v_found;
  perform es.tell_of_dispute(v_found, null);
  return v_found;
end
$body$;

create or replace function es.tell_of_dispute(p_dispute disputes, p_before text)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  perform emit_event(
    p_dispute.org_id, 'payment.disputed', 'payment', p_dispute.payment_id,
    jsonb_build_object(
      'event_id', p_dispute.event_id, 'registration_id', p_dispute.registration_id, 'dispute_id', p_dispute.id,
      'status', p_dispute.status, 'amount_minor', p_dispute.amount_minor, 'currency', p_dispute.currency
    )
  );
  perform record_audit(
    p_dispute.org_id, 'dispute.' || p_dispute.status, 'dispute', p_dispute.id,
    case when p_before is not null then jsonb_build_object('status', p_before) end,
    jsonb_build_object('status', p_dispute.status, 'amount_minor', p_dispute.amount_minor, 'currency', p_dispute.currency)
  );
end
$body$;

-- Takes over what is new in the word; whether anything was.
create or replace function es.move_dispute(p_dispute disputes, p_request jsonb)
returns boolean
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_to constant text := case when p_dispute.status = 'open' then p_request ->> 'status' else p_dispute.status end;
  v_fee constant bigint := coalesce((p_request ->> 'fee_minor')::bigint, 0);
  v_now constant timestamptz := es.clock();
  v_withdraws constant boolean := p_dispute.withdrawn_at is null
    and (v_to = 'lost' or (v_to = 'open' and p_request ->> 'withdrawn' = 'true'));
  v_moved disputes;
begin
  if v_to = p_dispute.status and not v_withdraws and (v_fee = 0 or p_dispute.fee_minor > 0) then
    return false;
  end if;
  update disputes d
  set
    status = v_to,
    withdrawn_at = case when v_withdraws then v_now else d.withdrawn_at end,
    fee_minor = case when d.fee_minor = 0 then v_fee else d.fee_minor end,
    settled_at = case when v_to <> 'open' then coalesce(d.settled_at, v_now) end
  where d.id = p_dispute.id
  returning * into v_moved;
  if v_withdraws then
    perform es.book_dispute(v_moved, 'dispute_withdrawn', v_moved.amount_minor);
  end if;
  if v_moved.fee_minor <> p_dispute.fee_minor then
    perform es.book_dispute(v_moved, 'dispute_fee', v_moved.fee_minor);
  end if;
  if v_to <> p_dispute.status then
    if v_to = 'lost' then
      perform es.book_dispute(v_moved, 'dispute_lost', v_moved.amount_minor);
      perform es.return_platform_fee(v_moved.payment_id, null, v_moved.id);
    elsif v_moved.withdrawn_at is not null then
      perform es.book_dispute(v_moved, 'dispute_returned', v_moved.amount_minor);
    end if;
    perform es.tell_of_dispute(v_moved, p_dispute.status);
  end if;
  -- Promises that the provider has not heard of and that what is left does not cover any more.
  perform es.call_off_refunds(v_moved.payment_id, 0, 'disputed');
  return true;
end
$body$;

create or replace function es.try_to_settle_dispute(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_payment payments;
  v_dispute disputes;
  v_moved boolean;
  v_amount constant bigint := (p_request ->> 'amount_minor')::bigint;
begin
  if p_request ->> 'payment_id' is not null then
    select p.* into v_payment
    from payments p
    where p.org_id = es.current_org()
      and p.account_id = (p_request ->> 'account_id')::uuid
      and p.id = (p_request ->> 'payment_id')::uuid;
  else
    select p.* into v_payment
    from payments p
    where p.org_id = es.current_org()
      and p.account_id = (p_request ->> 'account_id')::uuid
      and p.provider_reference = p_request ->> 'payment_reference';
  end if;
  if v_payment.id is null then
    return jsonb_build_object('outcome', 'payment_not_found');
  end if;
  -- The word of it is still on its way.
  if v_payment.status <> 'succeeded' then
    return jsonb_build_object('outcome', 'payment_not_settled');
  end if;
  perform from registrations r where r.id = v_payment.registration_id for no key update;
  select p.* into v_payment from payments p where p.id = v_payment.id for no key update;
  if p_request ->> 'status' not in ('open', 'won', 'lost') or v_amount is null or v_amount <= 0
    or p_request ->> 'currency' is distinct from v_payment.currency
  then
    return jsonb_build_object(
      'outcome', 'differs',
      'message', format('a dispute (%s) of %s %s', p_request ->> 'status', v_amount, p_request ->> 'currency')
    );
  end if;
  v_dispute := es.open_dispute(v_payment, p_request);
  v_moved := es.move_dispute(v_dispute, p_request);
  return jsonb_build_object(
    'outcome', case when v_moved then 'settled' else 'already' end,
    'dispute_id', v_dispute.id, 'status', (select d.status from disputes d where d.id = v_dispute.id)
  );
end
$body$;

create or replace function public.settle_dispute(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_outcome constant jsonb := es.try_to_settle_dispute(p_request);
begin
  perform es.end_payment_event((p_request ->> 'inbox_id')::uuid, v_outcome);
  return v_outcome;
end
$body$;

alter function es.book_dispute(disputes, text, bigint) owner to es_verbs;
alter function es.open_dispute(payments, jsonb) owner to es_verbs;
alter function es.tell_of_dispute(disputes, text) owner to es_verbs;
alter function es.move_dispute(disputes, jsonb) owner to es_verbs;
alter function es.try_to_settle_dispute(jsonb) owner to es_verbs;
alter function public.settle_dispute(jsonb) owner to es_verbs;
revoke execute on function es.book_dispute(disputes, text, bigint) from public;
revoke execute on function es.open_dispute(payments, jsonb) from public;
revoke execute on function es.tell_of_dispute(disputes, text) from public;
revoke execute on function es.move_dispute(disputes, jsonb) from public;
revoke execute on function es.try_to_settle_dispute(jsonb) from public;
revoke execute on function public.settle_dispute(jsonb) from public;
grant execute on function public.settle_dispute(jsonb) to es_system;
