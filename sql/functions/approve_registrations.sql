-- Approves registrations that wait for it: what is free is confirmed with its tickets, the others wait for money until
-- the event's due time. Where the event sold on the places of those who wait, they are taken again under lock.
-- Request: {registration_ids: [1 to 100], error_policy: reject_all or skip_failed, tickets?: [{ticket_id, item_id, code}],
--   idempotency_key?, argument_hash? (hex)}. Codes are signed beforehand, one for each row of registration_items_to_issue.
-- Outcomes: decided (results: [{registration_id, outcome, ...}] in the order asked). Of each: confirmed, pending_payment
--   (expires_at; already: true when it was approved before), or registration_not_found, not_pending (status), sold_out
--   (ticket_types), code_used_up, code_used_by_buyer (its stock was given back, and places, those of its tiers or the uses
--   of its code are taken by others), tickets_missing (it changed after codes were signed: ask again). Prices stay as they
--   were placed. With reject_all one refusal leaves everything as it is (outcome: refused).
-- Who may: members with registrations:write.
-- Called from: the verbs approveRegistration, approveRegistrations.
-- Raises: ES403 without the permission; ES400 for a request of another size; as es.idempotency_begin; 22P02.
-- All of it is one transaction: registrations are locked by id, then their pools by id. An error undoes all.

-- The registrations asked for, each once, in order.
create or replace function es.asked_registrations(p_request jsonb)
returns uuid[]
language plpgsql
immutable
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_ids uuid[];
begin
  select array_agg(one.id order by one.place)
  into v_ids
  from (
    select asked.id::uuid as id, min(asked.place) as place
    from jsonb_array_elements_text(p_request -> 'registration_ids') with ordinality as asked (id, place)
    group by asked.id::uuid
  ) one;
  if coalesce(cardinality(v_ids), 0) not between 1 and 100 then
    raise exception 'between 1 and 100 registrations are decided at once' using errcode = 'ES400';
  end if;
  return v_ids;
end
$body$;

-- Locks the events shared, the registrations, then every pool that one of them draws from or has claims in.
create or replace function es.lock_to_decide(p_ids uuid[])
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_pools uuid[];
begin
  perform pg_advisory_xact_lock_shared(e.lock)
  from (
    select distinct es.event_lock(r.event_id) as lock
    from registrations r
    where r.id = any (p_ids)
    order by 1
  ) e;
  perform from registrations r where r.id = any (p_ids) order by r.id for no key update;
  select array_agg(w.pool_id)
  into v_pools
  from registrations r
  cross join lateral es.pools_of_whole(r, (es.kept_cart(r.id, '{}')).units, es.code_of(r, false, null), false, null) p
  cross join unnest(p.pools) as w (pool_id)
  where r.id = any (p_ids)
    and r.waits_without_stock;
  perform es.lock_pools(es.claimed_pools(p_ids) || coalesce(v_pools, '{}'));
end
$body$;

create or replace function es.approve_one(p_id uuid, p_tickets jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_found registrations;
  v_event events;
  v_tickets jsonb;
  v_problem jsonb;
  v_now timestamptz;
  v_to text;
begin
  select r.* into v_found from registrations r where r.id = p_id;
  if not found or not es.may_act_on(v_found) then
    return jsonb_build_object('outcome', 'registration_not_found');
  end if;
  if v_found.approved_at is not null and v_found.status in ('confirmed', 'pending_payment') then
    return jsonb_build_object('outcome', v_found.status, 'expires_at', v_found.expires_at, 'already', true);
  end if;
  if v_found.status <> 'pending_approval' then
    return jsonb_build_object('outcome', 'not_pending', 'status', v_found.status);
  end if;
  v_to := case when v_found.total_minor > 0 then 'pending_payment' else 'confirmed' end;
  select coalesce(jsonb_agg(given.ticket), '[]')
  into v_tickets
  from jsonb_array_elements(coalesce(p_tickets, '[]')) as given (ticket)
  join registration_items i
    on i.id = (given.ticket ->> 'item_id')::uuid
    and i.registration_id = p_id
    and i.cancelled_at is null;
  if v_to = 'confirmed' and jsonb_array_length(v_tickets) <> es.unit_count(p_id) then
    return jsonb_build_object('outcome', 'tickets_missing');
  end if;

  v_now := es.clock();
  if v_found.waits_without_stock then
    v_problem := es.take_again(v_found, es.kept_cart(p_id, '{}'), es.code_of(v_found, false, v_now), null, v_now);
    if v_problem is not null then
      return v_problem;
    end if;
  end if;
  select e.* into v_event from events e where e.id = v_found.event_id;
  return es.write_approval(v_found, v_event, v_to, v_tickets, v_now);
end
$body$;

create or replace function es.unit_count(p_registration uuid)
returns integer
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return (
    select count(*)::integer
    from registration_items i
    where i.registration_id = p_registration
      and i.cancelled_at is null
  );
end
$body$;

create or replace function es.write_approval(
  p_found registrations,
  p_event events,
  p_to text,
  p_tickets jsonb,
  p_now timestamptz
)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_expires_at timestamptz;
begin
  if p_to = 'pending_payment' then
    v_expires_at := p_now + make_interval(hours => p_event.payment_due_hours);
  end if;
  update registrations r
  set
    status = p_to,
    approved_at = p_now,
    waits_without_stock = false,
    expires_at = v_expires_at,
    confirmed_at = case when p_to = 'confirmed' then p_now end
  where r.id = p_found.id;
  perform emit_event(
    p_found.org_id, 'registration.approved', 'registration', p_found.id,
    jsonb_build_object('event_id', p_found.event_id, 'status', p_to, 'expires_at', v_expires_at)
  );
  if p_to = 'confirmed' then
    perform es.issue_tickets(p_found, p_tickets, p_now);
    perform emit_event(
      p_found.org_id, 'registration.confirmed', 'registration', p_found.id, es.confirmed_payload(p_found)
    );
  end if;
  perform record_audit(
    p_found.org_id, 'registration.approved', 'registration', p_found.id,
    jsonb_build_object('status', p_found.status),
    jsonb_build_object('status', p_to)
  );
  return jsonb_build_object('outcome', p_to, 'expires_at', v_expires_at, 'already', false);
end
$body$;

-- Approves or rejects each in turn. With reject_all one refusal leaves all as they are.
create or replace function es.decide_each(p_request jsonb, p_approve boolean, p_reason text)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_ids constant uuid[] := es.asked_registrations(p_request);
  v_id uuid;
  v_one jsonb;
  v_results jsonb := '[]';
  v_refused boolean := false;
begin
  perform es.lock_to_decide(v_ids);
  begin
    foreach v_id in array v_ids loop
      v_one := case when p_approve then es.approve_one(v_id, p_request -> 'tickets') else es.reject_one(v_id, p_reason) end;
      v_refused := v_refused or v_one ->> 'outcome' not in ('confirmed', 'pending_payment', 'rejected');
      v_results := v_results || jsonb_build_array(v_one || jsonb_build_object('registration_id', v_id));
    end loop;
    if v_refused and p_request ->> 'error_policy' = 'reject_all' then
      raise exception 'one is refused, so all are' using errcode = 'ES001';
    end if;
  exception
    when sqlstate 'ES001' then
      return jsonb_build_object('outcome', 'refused', 'results', v_results);
  end;
  return jsonb_build_object('outcome', 'decided', 'results', v_results);
end
$body$;

create or replace function public.approve_registrations(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_told jsonb;
begin
  perform es.demand_permission('registrations:write');
  v_told := es.told_before('approve_registrations', p_request);
  return coalesce(v_told, es.tell('approve_registrations', p_request, es.decide_each(p_request, true, null)));
end
$body$;

alter function es.asked_registrations(jsonb) owner to es_verbs;
alter function es.lock_to_decide(uuid[]) owner to es_verbs;
alter function es.approve_one(uuid, jsonb) owner to es_verbs;
alter function es.unit_count(uuid) owner to es_verbs;
alter function es.write_approval(registrations, events, text, jsonb, timestamptz) owner to es_verbs;
alter function es.decide_each(jsonb, boolean, text) owner to es_verbs;
alter function public.approve_registrations(jsonb) owner to es_verbs;
revoke execute on function es.asked_registrations(jsonb) from public;
revoke execute on function es.lock_to_decide(uuid[]) from public;
revoke execute on function es.approve_one(uuid, jsonb) from public;
revoke execute on function es.unit_count(uuid) from public;
revoke execute on function es.write_approval(registrations, events, text, jsonb, timestamptz) from public;
revoke execute on function es.decide_each(jsonb, boolean, text) from public;
revoke execute on function public.approve_registrations(jsonb) from public;
grant execute on function public.approve_registrations(jsonb) to es_member;
