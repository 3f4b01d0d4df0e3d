-- Waits for places that are not there: a person, for ticket types at one date of an event, all of them or none. The
-- transaction acts in the organization of the event (es.org); who waits is es.user, or a guest who shows the secret.
-- Request: {event_id, occurrence_id?, person: {name, email}, items: [{ticket_type_id, quantity}], idempotency_key,
--   argument_hash (hex), guest_secret_hash? (hex)}. Without occurrence_id: the next one.
-- Outcomes: joined (entry_id), places_available (place a registration instead), already_waiting, waitlist_closed,
--   never_enough (more than there will ever be), and as place_registration: event_not_found, sale_not_open,
--   occurrence_not_found, ticket_type_not_found, quantity_out_of_range, invalid.
-- Called from: the verb joinWaitlist.
-- Raises: ES400 and ES409 as es.idempotency_begin; ES404 without an organization; 22P02 when an id is no UUID.
-- The pools are locked, so that whoever places sees the entry, or the entry what they took.

-- Writes an entry that was found fit to wait.
create or replace function es.write_waiting(
  p_request jsonb,
  p_event events,
  p_occurrence uuid,
  p_types uuid[],
  p_quantities integer[],
  p_now timestamptz
)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_made waitlist_entries;
begin
  insert into waitlist_entries (org_id, event_id, occurrence_id, user_id, name, email, joined_at)
  values (
    p_event.org_id, p_event.id, p_occurrence, es.current_user_id(),
    btrim(p_request -> 'person' ->> 'name'), lower(btrim(p_request -> 'person' ->> 'email')), p_now
  )
  on conflict (occurrence_id, email) where status in ('waiting', 'offered') do nothing
  returning * into v_made;
  if not found then
    return jsonb_build_object('outcome', 'already_waiting');
  end if;
  insert into waitlist_lines (org_id, event_id, entry_id, ticket_type_id, quantity)
  select v_made.org_id, v_made.event_id, v_made.id, w.id, w.quantity
  from unnest(p_types, p_quantities) as w (id, quantity);
  if p_request ->> 'guest_secret_hash' is not null then
    insert into waitlist_secrets (secret_hash, org_id, entry_id)
    values (decode(p_request ->> 'guest_secret_hash', 'hex'), v_made.org_id, v_made.id);
  end if;
  perform record_audit(
    v_made.org_id, 'waitlist.joined', 'waitlist_entry', v_made.id, null,
    jsonb_build_object('status', v_made.status, 'event_id', v_made.event_id)
  );
  return jsonb_build_object('outcome', 'joined', 'entry_id', v_made.id);
end
$body$;

create or replace function es.try_to_join(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_event_id constant uuid := (p_request ->> 'event_id')::uuid;
  v_event events;
  v_wished record;
  v_occurrence record;
  v_demand record;
  v_problem jsonb;
  v_now timestamptz := es.clock();
begin
  v_wished := es.read_wishes(p_request -> 'items');
  v_problem := coalesce(v_wished.problem, es.person_problem('person', p_request -> 'person'));
  if v_problem is not null then
    return v_problem;
  end if;
  perform pg_advisory_xact_lock_shared(es.event_lock(v_event_id));
  select e.* into v_event from events e where e.id = v_event_id;
  v_problem := es.event_problem(v_event);
  if v_problem is not null then
    return v_problem;
  end if;
  if not v_event.waitlist then
    return jsonb_build_object('outcome', 'waitlist_closed');
  end if;
  v_occurrence := es.choose_occurrence(v_event_id, (p_request ->> 'occurrence_id')::uuid, v_now);
  if v_occurrence.problem is not null then
    return v_occurrence.problem;
  end if;
  v_problem := (es.judge_wishes(v_event, v_wished.types, v_wished.quantities, v_now)).problem;
  if v_problem is not null then
    return v_problem;
  end if;

  v_demand := es.pool_demand(v_occurrence.id, v_wished.types, v_wished.quantities);
  if exists (
    select
    from unnest(v_demand.pools, v_demand.needs) as d (pool_id, need)
    join capacity_pools p on p.id = d.pool_id
    where p.capacity < d.need
  ) then
    return jsonb_build_object('outcome', 'never_enough');
  end if;
  perform from capacity_pools p where p.id = any (v_demand.pools) order by p.id for no key update;
  v_now := es.clock();
  -- An offer of theirs that ran out would be in their own way.
  perform es.release_lapsed(v_demand.pools, v_now);
  v_problem := es.shortage(v_demand.pools, v_demand.needs, v_wished.types, v_wished.quantities, v_now, false);
  if v_problem is null then
    return jsonb_build_object('outcome', 'places_available');
  end if;
  return es.write_waiting(p_request, v_event, v_occurrence.id, v_wished.types, v_wished.quantities, v_now);
end
$body$;

create or replace function public.join_waitlist(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_told jsonb;
begin
  if es.current_org() is null then
    raise exception 'no such event' using errcode = 'ES404';
  end if;
  v_told := es.idempotency_begin('join_waitlist', p_request ->> 'idempotency_key', p_request ->> 'argument_hash');
  v_told := coalesce(v_told, es.tell('join_waitlist', p_request, es.try_to_join(p_request)));
  return es.opened_to_guest('joined', p_request, v_told);
end
$body$;

alter function es.write_waiting(jsonb, events, uuid, uuid[], integer[], timestamptz) owner to es_verbs;
alter function es.try_to_join(jsonb) owner to es_verbs;
alter function public.join_waitlist(jsonb) owner to es_verbs;
revoke execute on function es.write_waiting(jsonb, events, uuid, uuid[], integer[], timestamptz) from public;
revoke execute on function es.try_to_join(jsonb) from public;
revoke execute on function public.join_waitlist(jsonb) from public;
grant execute on function public.join_waitlist(jsonb) to es_public, es_attendee, es_member;
