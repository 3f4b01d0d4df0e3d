-- Holds a registration's places for longer. A hold that lives keeps its places and its prices (R4). One that has run
-- out is bought again under lock, places, tiers and uses of its code, at the prices of now, and says so; when one of them is
-- gone it stays expired.
-- How long a hold can become altogether is bounded by its event: hold_seconds + hold_extension_seconds from placing on.
-- Request: {registration_id, idempotency_key?, argument_hash? (hex)}.
-- Outcomes: extended (registration_id, expires_at, taken_again, total_before, total_minor), registration_not_found,
--   extension_limit_reached, not_extendable (status), sold_out (ticket_types), and of what was to be taken again:
--   sale_not_open, ticket_type_not_found, quantity_out_of_range, event_not_found, occurrence_not_found,
--   already_registered, add_on_out_of_range, price_out_of_range, code_unknown, code_not_yet_valid, code_expired,
--   code_not_applicable, code_used_up, code_used_by_buyer.
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

-- What the registration consists of, as items to price anew, each with its key; of donations what is given.
create or replace function es.items_again(p_registration uuid)
returns jsonb
language sql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
  select jsonb_agg(
    jsonb_build_object('item_id', i.id, 'ticket_type_id', i.ticket_type_id, 'quantity', 1)
    || case t.price_kind
      when 'donation' then jsonb_build_object('price_minor', i.list_price_minor, 'currency', i.currency)
      else '{}'
    end
    order by i.position
  )
  from registration_items i
  join ticket_types t on t.id = i.ticket_type_id
  where i.registration_id = p_registration
    and i.cancelled_at is null
$body$;

-- Whether what the registration holds could be placed now, with its code, stock and limits of the code aside; null, or what
-- is in the way.
create or replace function es.still_on_sale(
  p_registration registrations,
  p_event events,
  p_code promo_codes,
  p_items jsonb,
  p_now timestamptz
)
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
    (es.choose_occurrence(p_event.id, p_registration.occurrence_id, p_now)).problem,
    case when p_code.id is not null and not p_code.active then jsonb_build_object('outcome', 'code_unknown') end,
    es.code_problem(p_code.code, p_code, p_now)
  );
  if v_problem is not null then
    return v_problem;
  end if;
  v_units := es.live_units(p_registration.id);
  return coalesce(
    (
      es.judge_wishes(
        p_event, v_units.types, v_units.quantities, p_now, es.types_unlocked(p_code, p_event.id, p_now)
      )
    ).problem,
    es.add_on_problem(p_event.id, v_units.types, v_units.quantities),
    es.chosen_price_problem(p_event, p_items),
    case
      when p_code.id is not null and es.code_uses(p_code, p_event.id, v_units.types, v_units.quantities) = 0
        then jsonb_build_object('outcome', 'code_not_applicable')
    end
  );
end
$body$;

-- Buys what a hold had that has run out again: everything, tiers and the code included, at the prices of now, or nothing.
-- Null, or why not. Every pool that it may draw from is locked.
create or replace function es.buy_again(
  p_found registrations,
  p_event events,
  p_code promo_codes,
  p_pools uuid[],
  p_needs integer[],
  p_until timestamptz,
  p_now timestamptz,
  out problem jsonb,
  out total_minor bigint
)
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_items constant jsonb := es.items_again(p_found.id);
  v_cart es.priced_cart;
begin
  problem := es.still_on_sale(p_found, p_event, p_code, v_items, p_now);
  if problem is not null then
    return;
  end if;
  perform es.release_claims(array[p_found.id], es.claimed_pools(array[p_found.id]), p_now);
  perform es.release_expired_claims(p_pools, p_needs, p_now);
  v_cart := es.price_cart(p_event, v_items, p_code, p_now, true);
  problem := es.take_again(p_found, v_cart, p_code, p_until, p_now);
  if problem is null then
    perform es.write_units(
      p_found, array(select (one ->> 'item_id')::uuid from jsonb_array_elements(v_items) as one), null, v_cart
    );
    total_minor := es.write_sums(p_found, v_cart);
  end if;
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
  v_code promo_codes;
  v_pools record;
  v_now timestamptz;
  v_until timestamptz;
  v_bought record;
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
  v_now := es.clock();
  v_code := es.code_of(v_found, false, v_now);
  v_pools := es.pools_of_whole(v_found, (es.kept_cart(v_found.id, '{}')).units, v_code, true, v_now);
  -- Pools are locked for a live hold too: whoever meets it in one of them must not take it for expired meanwhile.
  perform es.lock_pools(es.claimed_pools(array[v_found.id]) || v_pools.pools);
  v_now := es.clock();
  v_until := least(es.longest_hold(v_found, v_event), v_now + make_interval(secs => v_event.hold_seconds));
  if v_until <= greatest(v_now, v_found.expires_at) then
    return jsonb_build_object('outcome', 'extension_limit_reached', 'expires_at', v_found.expires_at);
  end if;

  v_total := v_found.total_minor;
  if v_found.status = 'expired' or v_found.expires_at <= v_now then
    v_again := true;
    v_problem := v_other;
    if v_problem is null then
      v_bought := es.buy_again(v_found, v_event, v_code, v_pools.pools, v_pools.needs, v_until, v_now);
      v_problem := v_bought.problem;
      v_total := v_bought.total_minor;
    end if;
    if v_problem is not null then
      perform es.expire_locked(array[v_found.id], es.claimed_pools(array[v_found.id]), v_now);
      return v_problem;
    end if;
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
    expires_at = p_until
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
alter function es.items_again(uuid) owner to es_verbs;
alter function es.still_on_sale(registrations, events, promo_codes, jsonb, timestamptz) owner to es_verbs;
alter function es.buy_again(registrations, events, promo_codes, uuid[], integer[], timestamptz, timestamptz) owner to es_verbs;
alter function es.try_to_extend(jsonb) owner to es_verbs;
alter function es.write_extension(registrations, timestamptz, bigint, boolean) owner to es_verbs;
alter function public.extend_registration(jsonb) owner to es_verbs;
revoke execute on function es.lock_registration(uuid) from public;
revoke execute on function es.longest_hold(registrations, events) from public;
revoke execute on function es.items_again(uuid) from public;
revoke execute on function es.still_on_sale(registrations, events, promo_codes, jsonb, timestamptz) from public;
revoke execute on function es.buy_again(registrations, events, promo_codes, uuid[], integer[], timestamptz, timestamptz) from public;
revoke execute on function es.try_to_extend(jsonb) from public;
revoke execute on function es.write_extension(registrations, timestamptz, bigint, boolean) from public;
revoke execute on function public.extend_registration(jsonb) from public;
grant execute on function public.extend_registration(jsonb) to es_attendee, es_member;
