-- Holds a registration's places for longer. A hold that lives keeps its places and its prices (R4). One that has run
-- out takes its places again under lock, at the prices of now, and says so; when they are gone it stays expired.
-- How long a hold can become altogether is bounded by its event: hold_seconds + hold_extension_seconds from placing on.
-- Request: {registration_id, idempotency_key?, argument_hash? (hex)}.
-- Outcomes: extended (registration_id, expires_at, taken_again, total_before, total_minor), registration_not_found,
--   extension_limit_reached, not_extendable (status), sold_out (ticket_types), and of what was to be taken again:
--   sale_not_open, ticket_type_not_found, quantity_out_of_range, event_not_found, occurrence_not_found,
--   already_registered, priced_otherwise (it, or its event, has other prices than listed ones).
-- Who may: the buyer (user or guest secret), members with registrations:write. Others are told registration_not_found.
-- Called from: the verb extendRegistration.
-- Raises: ES400 and ES409 as es.idempotency_begin; 22P02 when the id is no UUID.

-- Locks a registration with its event, in the order in which everybody does; not found when the actor may not act on
-- it. The event is locked shared: nobody cancels it while stock is taken for it.
create or replace function es.lock_registration(p_id uuid)
returns registrations
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_found registrations;
begin
  perform pg_advisory_xact_lock_shared(es.event_lock(r.event_id)) from registrations r where r.id = p_id;
  select r.* into v_found from registrations r where r.id = p_id for no key update;
  if not found or not es.may_act_on(v_found) then
    return null;
  end if;
  return v_found;
end
$body$;

-- Until when a hold can be extended at most.
create or replace function es.longest_hold(p_registration registrations, p_event events)
returns timestamptz
language plpgsql
immutable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return p_registration.placed_at + make_interval(secs => p_event.hold_seconds + p_event.hold_extension_seconds);
end
$body$;

-- Whether what the registration holds could be placed now, stock aside; null, or what is in the way.
create or replace function es.still_on_sale(p_registration registrations, p_event events, p_now timestamptz)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_units record;
  v_problem jsonb;
begin
  v_problem := coalesce(
    es.event_problem(p_event),
    es.priced_otherwise(p_registration),
    (es.choose_occurrence(p_event.id, p_registration.occurrence_id, p_now)).problem
  );
  if v_problem is not null then
    return v_problem;
  end if;
  v_units := es.live_units(p_registration.id);
  return (es.judge_wishes(p_event, v_units.types, v_units.quantities, p_now)).problem;
end
$body$;

-- Gives the units of a registration the prices of now; the new total.
create or replace function es.price_again(p_registration registrations, p_event events, p_now timestamptz)
returns bigint
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_units record;
  v_prices bigint[];
begin
  v_units := es.live_units(p_registration.id);
  v_prices := es.unit_prices(p_event, v_units.types, p_now);
  update registration_items i
  set price_minor = w.price
  from unnest(v_units.types, v_prices) as w (id, price)
  where i.registration_id = p_registration.id
    and i.ticket_type_id = w.id
    and i.cancelled_at is null;
  return es.live_total(p_registration.id);
end
$body$;

-- What the units of a registration cost together.
create or replace function es.live_total(p_registration uuid)
returns bigint
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return (
    select coalesce(sum(i.total_minor), 0)::bigint
    from registration_items i
    where i.registration_id = p_registration
      and i.cancelled_at is null
  );
end
$body$;

create or replace function es.try_to_extend(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_found registrations;
  v_event events;
  v_now timestamptz;
  v_until timestamptz;
  v_problem jsonb;
  v_total bigint;
  v_again boolean := false;
  v_other jsonb;
begin
  v_found := es.lock_registration((p_request ->> 'registration_id')::uuid);
  if v_found.id is null then
    return jsonb_build_object('outcome', 'registration_not_found');
  end if;
  if v_found.status not in ('held', 'expired') then
    return jsonb_build_object('outcome', 'not_extendable', 'status', v_found.status);
  end if;
  select e.* into v_event from events e where e.id = v_found.event_id;
  v_other := es.already_registered(
    v_event, jsonb_build_object('buyer', jsonb_build_object('email', v_found.buyer_email)), v_found.id
  );
  -- Pools are locked for a live hold too: whoever meets it in one of them must not take it for expired meanwhile.
  perform es.lock_pools(
    es.claimed_pools(array[v_found.id])
    || (select d.pools from es.live_units(v_found.id) u, es.pool_demand(v_found.occurrence_id, u.types, u.quantities) d)
  );
  v_now := es.clock();
  v_until := least(es.longest_hold(v_found, v_event), v_now + make_interval(secs => v_event.hold_seconds));
  if v_until <= greatest(v_now, v_found.expires_at) then
    return jsonb_build_object('outcome', 'extension_limit_reached', 'expires_at', v_found.expires_at);
  end if;

  v_total := v_found.total_minor;
  if v_found.status = 'expired' or v_found.expires_at <= v_now then
    v_again := true;
    v_problem := coalesce(v_other, es.still_on_sale(v_found, v_event, v_now));
    if v_problem is null then
      perform es.release_claims(array[v_found.id], es.claimed_pools(array[v_found.id]), v_now);
      v_problem := es.take_again(v_found, v_until, v_now);
    end if;
    if v_problem is not null then
      perform es.expire_locked(array[v_found.id], es.claimed_pools(array[v_found.id]), v_now);
      return v_problem;
    end if;
    v_total := es.price_again(v_found, v_event, v_now);
  else
    update pool_claims c set expires_at = v_until where c.registration_id = v_found.id and c.released_at is null;
  end if;
  return es.write_extension(v_found, v_until, v_total, v_again);
end
$body$;

create or replace function es.write_extension(
  p_found registrations,
  p_until timestamptz,
  p_total bigint,
  p_again boolean
)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  update registrations r
  set
    status = 'held',
    expires_at = p_until,
    total_minor = p_total
  where r.id = p_found.id;
  if p_again then
    perform emit_event(
      p_found.org_id, 'registration.held', 'registration', p_found.id,
      jsonb_build_object('event_id', p_found.event_id, 'expires_at', p_until)
    );
  end if;
  perform record_audit(
    p_found.org_id, 'registration.extended', 'registration', p_found.id,
    jsonb_build_object('status', p_found.status, 'expires_at', p_found.expires_at, 'total_minor', p_found.total_minor),
    jsonb_build_object('status', 'held', 'expires_at', p_until, 'total_minor', p_total)
  );
  return jsonb_build_object(
    'outcome', 'extended',
    'registration_id', p_found.id,
    'expires_at', p_until,
    'taken_again', p_again,
    'total_before', p_found.total_minor,
    'total_minor', p_total
  );
end
$body$;

create or replace function public.extend_registration(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_told jsonb;
begin
  if es.current_org() is null then
    return jsonb_build_object('outcome', 'registration_not_found');
  end if;
  v_told := es.told_before('extend_registration', p_request);
  return coalesce(v_told, es.tell('extend_registration', p_request, es.try_to_extend(p_request)));
end
$body$;

alter function es.lock_registration(uuid) owner to es_verbs;
alter function es.longest_hold(registrations, events) owner to es_verbs;
alter function es.still_on_sale(registrations, events, timestamptz) owner to es_verbs;
alter function es.price_again(registrations, events, timestamptz) owner to es_verbs;
alter function es.live_total(uuid) owner to es_verbs;
alter function es.try_to_extend(jsonb) owner to es_verbs;
alter function es.write_extension(registrations, timestamptz, bigint, boolean) owner to es_verbs;
alter function public.extend_registration(jsonb) owner to es_verbs;
revoke execute on function es.lock_registration(uuid) from public;
revoke execute on function es.longest_hold(registrations, events) from public;
revoke execute on function es.still_on_sale(registrations, events, timestamptz) from public;
revoke execute on function es.price_again(registrations, events, timestamptz) from public;
revoke execute on function es.live_total(uuid) from public;
revoke execute on function es.try_to_extend(jsonb) from public;
revoke execute on function es.write_extension(registrations, timestamptz, bigint, boolean) from public;
revoke execute on function public.extend_registration(jsonb) from public;
grant execute on function public.extend_registration(jsonb) to es_attendee, es_member;
