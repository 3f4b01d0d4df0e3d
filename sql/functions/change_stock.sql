-- The stock and the prices of a change: units leave, units come, and what is taken more or less of seats, tiers and the code
-- follows. All of it is worked out and moved under the locks of the pools; nothing of the registration is written here.
-- Called from: change_registration, cancel_registration (es.cancel_units), with the registration locked.
-- Raises: nothing of its own.
-- Lines between lock:begin and lock:end are what keeps a pool from being oversold; a test takes them out and watches.

-- By how much the claims in the pools of tiers and of the code change with this cart, and how many uses of the code that is.
-- What was claimed of the code by older terms (it may have counted registrations then) is never less than one use while
-- there is one, and never more than all units that use it.
create or replace function es.price_difference(
  p_found registrations,
  p_code promo_codes,
  p_cart es.priced_cart,
  out pools uuid[],
  out deltas integer[],
  out uses integer
)
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_claimed integer;
  v_before integer;
  v_after integer;
begin
  select coalesce(array_agg(d.pool_id), '{}'), coalesce(array_agg(d.delta), '{}')
  into pools, deltas
  from (
    select t.pool_id, sum(n.units)::integer as delta
    from (
      select u.tier_id, 1 as units
      from unnest(p_cart.units) as u
      union all
      select i.tier_id, -1
      from registration_items i
      where i.registration_id = p_found.id
        and i.cancelled_at is null
    ) n
    join price_tiers t on t.id = n.tier_id
    group by t.pool_id
    having sum(n.units) <> 0
  ) d;

  uses := 0;
  if p_code.id is null then
    return;
  end if;
  v_claimed := coalesce(
    (
      select c.quantity
      from pool_claims c
      where c.registration_id = p_found.id
        and c.pool_id = p_code.pool_id
        and c.released_at is null
    ),
    0
  );
  v_after := (select count(*) from unnest(p_cart.units) as u where u.coded);
  v_before := (
    select count(*)
    from registration_items i
    where i.registration_id = p_found.id
      and i.cancelled_at is null
      and i.coded
  );
  if p_code.counted_by = 'registration' then
    uses := least(v_after, 1) - v_claimed;
  else
    uses := greatest(least(v_after - v_before, v_after - v_claimed), least(v_after, 1) - v_claimed);
  end if;
  if uses <> 0 then
    pools := pools || p_code.pool_id;
    deltas := deltas || uses;
  end if;
end
$body$;

-- What of these needs the code has reserved for the units that come and make so many more uses of it, pool by pool as
-- p_pools (R9).
create or replace function es.reserved_for(
  p_found registrations,
  p_code promo_codes,
  p_uses integer,
  p_coming es.cart_unit[],
  p_pools uuid[],
  p_now timestamptz
)
returns integer[]
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_types constant uuid[] := array(select u.ticket_type_id from unnest(p_coming) as u where u.coded);
  v_demand record;
begin
  v_demand := es.pool_demand(p_found.occurrence_id, v_types, array_fill(1, array[cardinality(v_types)]));
  return array(
    select case when c.id is not null and d.need > 0 and p_uses > 0 then least(c.quantity, d.need, p_uses) else 0 end
    from unnest(p_pools) with ordinality as p (id, place)
    left join unnest(v_demand.pools, v_demand.needs) as d (pool_id, need) on d.pool_id = p.id
    left join pool_claims c
      on c.pool_id = p.id
      and c.promo_code_id = p_code.id
      and c.released_at is null
      and (c.expires_at is null or c.expires_at > p_now)
    order by p.place
  );
end
$body$;

-- Pools that a change may take from or give to, with the most that it could take from each.
create or replace function es.pools_of_change(
  p_found registrations,
  p_code promo_codes,
  p_moved_pools uuid[],
  p_moved integer[],
  p_leaving uuid[],
  p_coming_types uuid[],
  p_now timestamptz,
  out pools uuid[],
  out needs integer[]
)
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_extra record;
begin
  v_extra := es.price_pools(p_coming_types, array_fill(1, array[cardinality(p_coming_types)]), p_code, p_now);
  select array_agg(w.pool_id), array_agg(w.need)
  into pools, needs
  from (
    select m.pool_id, m.need
    from unnest(p_moved_pools, p_moved) as m (pool_id, need)
    union all
    select x.pool_id, sum(coalesce(x.need, 0))::integer
    from unnest(v_extra.pools, v_extra.needs) as x (pool_id, need)
    group by x.pool_id
    union all
    select t.pool_id, 0
    from registration_items i
    join price_tiers t on t.id = i.tier_id
    where i.id = any (p_leaving)
    union all
    -- What the code reserves shrinks with the uses that are made.
    select c.pool_id, 0
    from pool_claims c
    where c.promo_code_id = p_code.id
      and c.released_at is null
      and cardinality(p_coming_types) > 0
  ) w;
end
$body$;

-- Takes what the change needs more and gives back what it needs less, all under the pools' lock, and prices it; or says
-- why not. p_dearer: whether it may cost more than before; p_request: with what the caller expects it to cost, if they said.
create or replace function es.change_stock(
  p_found registrations,
  p_event events,
  p_leaving uuid[],
  p_items jsonb,
  p_dearer boolean,
  p_request jsonb,
  out problem jsonb,
  out changed_at timestamptz,
  out kept es.priced_cart,
  out cart es.priced_cart
)
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_code constant promo_codes := es.code_of(p_found, false, null);
  v_leaving_types constant uuid[] := array(select i.ticket_type_id from registration_items i where i.id = any (p_leaving));
  v_coming_types constant uuid[] := array(select (one ->> 'ticket_type_id')::uuid from jsonb_array_elements(p_items) as one);
  v_left constant uuid[] := case
    when cardinality(p_leaving) > 0
      then array(select i.tier_id from registration_items i where i.id = any (p_leaving) and i.tier_id is not null)
  end;
  v_moved record;
  v_all record;
  v_priced record;
  v_needed record;
  v_free boolean := p_found.waits_without_stock;
begin
  changed_at := es.clock();
  kept := es.kept_cart(p_found.id, p_leaving);
  if not v_free then
    v_moved := es.stock_difference(
      p_found,
      v_leaving_types, array_fill(1, array[cardinality(v_leaving_types)]),
      v_coming_types, array_fill(1, array[cardinality(v_coming_types)]),
      cardinality(kept.units) + cardinality(v_coming_types)
    );
    v_all := es.pools_of_change(
      p_found, v_code, v_moved.pools, v_moved.deltas, p_leaving, v_coming_types, changed_at
    );
    -- lock:begin
    perform es.lock_pools(v_all.pools);
    -- lock:end
    changed_at := es.clock();
    if p_found.status = 'held' and p_found.expires_at <= changed_at then
      perform es.end_expired_hold(p_found.id, changed_at);
      problem := jsonb_build_object('outcome', 'hold_expired', 'registration_id', p_found.id);
      return;
    end if;
    perform es.release_expired_claims(v_all.pools, v_all.needs, changed_at);
  end if;

  cart := es.price_cart(
    p_event, kept, v_left, p_items, es.code_of(p_found, true, changed_at), changed_at, not v_free
  );
  if not p_dearer and (es.cart_sums(cart)).total_minor > p_found.total_minor then
    problem := jsonb_build_object('outcome', 'payment_required', 'total_minor', (es.cart_sums(cart)).total_minor);
    return;
  end if;
  problem := es.unexpected_total(p_request, (es.cart_sums(cart)).total_minor, p_found.currency);
  if problem is not null then
    return;
  end if;
  if v_free then
    return;
  end if;
  v_priced := es.price_difference(p_found, v_code, cart);
  v_needed := es.growing(v_moved.pools, v_moved.deltas);
  problem := coalesce(
    es.code_limit_problem(v_code, v_priced.uses, p_found.user_id, p_found.buyer_email, changed_at, true),
    es.shortage_beyond(
      v_needed.pools, v_needed.needs,
      es.reserved_for(
        p_found, v_code, v_priced.uses, cart.units[cardinality(kept.units) + 1:], v_needed.pools, changed_at
      ),
      v_coming_types, changed_at
    )
  );
  if problem is null then
    if v_priced.uses > 0 then
      perform es.shrink_code_claims(v_code.id, v_priced.uses, changed_at);
    end if;
    perform es.move_claims(
      p_found, v_moved.pools || v_priced.pools, v_moved.deltas || v_priced.deltas,
      case when p_found.status = 'held' then p_found.expires_at end, changed_at
    );
  end if;
end
$body$;

-- es.shortage under the lock for units of these types, beyond what was reserved for them.
create or replace function es.shortage_beyond(
  p_pools uuid[],
  p_needs integer[],
  p_reserved integer[],
  p_types uuid[],
  p_now timestamptz
)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return es.shortage(
    p_pools,
    array(
      select n.need - n.reserved
      from unnest(p_needs, p_reserved) with ordinality as n (need, reserved, place)
      order by n.place
    ),
    p_types, array_fill(1, array[cardinality(p_types)]),
    p_now, true
  );
end
$body$;

alter function es.price_difference(registrations, promo_codes, es.priced_cart) owner to es_verbs;
alter function es.reserved_for(registrations, promo_codes, integer, es.cart_unit[], uuid[], timestamptz) owner to es_verbs;
alter function es.pools_of_change(registrations, promo_codes, uuid[], integer[], uuid[], uuid[], timestamptz) owner to es_verbs;
alter function es.change_stock(registrations, events, uuid[], jsonb, boolean, jsonb) owner to es_verbs;
alter function es.shortage_beyond(uuid[], integer[], integer[], uuid[], timestamptz) owner to es_verbs;
revoke execute on function es.price_difference(registrations, promo_codes, es.priced_cart) from public;
revoke execute on function es.reserved_for(registrations, promo_codes, integer, es.cart_unit[], uuid[], timestamptz) from public;
revoke execute on function es.pools_of_change(registrations, promo_codes, uuid[], integer[], uuid[], uuid[], timestamptz) from public;
revoke execute on function es.change_stock(registrations, events, uuid[], jsonb, boolean, jsonb) from public;
revoke execute on function es.shortage_beyond(uuid[], integer[], integer[], uuid[], timestamptz) from public;
