-- Places a registration: takes stock, fixes prices, holds both until expires_at. The transaction acts in the
-- organization of the event (es.org); the buyer is es.user, or a guest who shows the secret later.
-- Request: {event_id, occurrence_id?, buyer: {name, email}, items: [{ticket_type_id, quantity, attendees?: [{name, email}
--   or null]}], source? (as es.source_id), idempotency_key, argument_hash (hex), guest_secret_hash? (hex)}. Without occurrence_id: the next one.
-- Outcomes, in the key `outcome`; an answer told again carries `replayed`: true:
--   placed                 registration_id, confirmation_number, status, expires_at, total_minor, currency
--   sold_out               ticket_types: [{ticket_type_id, requested, available}]
--   event_not_found        also drafts, archived and private events
--   sale_not_open          ticket_types: those outside their window; none when the event is over or cancelled
--   occurrence_not_found
--   ticket_type_not_found  ticket_types: [{ticket_type_id}]; inactive ones too, and hidden ones for visitors
--   already_registered     the event takes one registration an address, and there is one
--   quantity_out_of_range  ticket_types: [{ticket_type_id, requested, minimum, maximum}]; or requested, maximum of the event
--   invalid                field, message
-- Called from: the verb placeRegistration.
-- Raises: ES400 and ES409 as es.idempotency_begin; ES404 without an organization; 22P02 when an id is no UUID.
-- Lines between lock:begin and lock:end are what keeps a pool from being oversold; a test takes them out and watches.

create or replace function es.try_to_place(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_event_id constant uuid := (p_request ->> 'event_id')::uuid;
  v_event events;
  v_wished record;
  v_occurrence record;
  v_judged record;
  v_demand record;
  v_problem jsonb;
  v_now timestamptz := es.clock();
begin
  v_wished := es.read_wishes(p_request -> 'items');
  v_problem := coalesce(v_wished.problem, es.person_problem('buyer', p_request -> 'buyer'));
  if v_problem is not null then
    return v_problem;
  end if;

  perform pg_advisory_xact_lock_shared(es.event_lock(v_event_id));
  select e.* into v_event from events e where e.id = v_event_id;
  v_problem := es.event_problem(v_event);
  if v_problem is not null then
    return v_problem;
  end if;
  v_occurrence := es.choose_occurrence(v_event_id, (p_request ->> 'occurrence_id')::uuid, v_now);
  if v_occurrence.problem is not null then
    return v_occurrence.problem;
  end if;
  v_judged := es.judge_wishes(v_event, v_wished.types, v_wished.quantities, v_now);
  if v_judged.problem is not null then
    return v_judged.problem;
  end if;

  v_problem := es.already_registered(v_event, p_request, null);
  if v_problem is not null then
    return v_problem;
  end if;

  -- Who comes too late hears so without standing in the queue for the lock.
  v_demand := es.pool_demand(v_occurrence.id, v_wished.types, v_wished.quantities);
  v_problem := es.shortage(v_demand.pools, v_demand.needs, v_wished.types, v_wished.quantities, v_now, false);
  if v_problem is not null then
    return v_problem;
  end if;

  -- lock:begin
  perform from capacity_pools p where p.id = any (v_demand.pools) order by p.id for no key update;
  -- lock:end
  v_now := es.clock();
  perform es.release_expired_claims(v_demand.pools, v_demand.needs, v_now);
  v_problem := es.shortage(v_demand.pools, v_demand.needs, v_wished.types, v_wished.quantities, v_now, true);
  if v_problem is not null then
    return v_problem;
  end if;
  if v_now >= v_judged.closes_at then
    return (es.judge_wishes(v_event, v_wished.types, v_wished.quantities, v_now)).problem;
  end if;
  return es.write_registration(
    p_request, v_event, v_occurrence.id, v_wished.types, v_wished.quantities, v_judged.prices,
    v_demand.pools, v_demand.needs, v_now
  );
end
$body$;

create or replace function public.place_registration(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_key constant text := p_request ->> 'idempotency_key';
  v_outcome jsonb;
begin
  if es.current_org() is null then
    raise exception 'no such event' using errcode = 'ES404';
  end if;
  v_outcome := es.idempotency_begin('place_registration', v_key, p_request ->> 'argument_hash');
  if v_outcome is null then
    v_outcome := es.try_to_place(p_request);
    perform es.idempotency_finish('place_registration', v_key, v_outcome);
  end if;
  -- The answer is read back in this transaction, by the secret when there is no user.
  if v_outcome ->> 'outcome' = 'placed' and p_request ->> 'guest_secret_hash' is not null then
    perform es.open_as_guest(array[decode(p_request ->> 'guest_secret_hash', 'hex')]);
  end if;
  return v_outcome;
end
$body$;

alter function es.try_to_place(jsonb) owner to es_verbs;
alter function public.place_registration(jsonb) owner to es_verbs;
revoke execute on function es.try_to_place(jsonb) from public;
revoke execute on function public.place_registration(jsonb) from public;
grant execute on function public.place_registration(jsonb) to es_public, es_attendee, es_member;
