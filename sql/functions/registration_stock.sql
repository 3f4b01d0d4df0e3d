-- The stock of a registration that exists already: what it would take more or less, and the move itself. A change is
-- judged as a difference (R13): who leaves one place for another in the same full pool needs none.
-- Called from: extend_registration, approve_registrations, es.change_stock (changes, cancelled units).
-- Raises: nothing of its own. The registration is locked by the caller.
-- Lines between lock:begin and lock:end are what keeps a pool from being oversold; a test takes them out and watches.

-- Locks these pools, in the order of their ids.
create or replace function es.lock_pools(p_pools uuid[])
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  -- lock:begin
  perform from capacity_pools p where p.id = any (p_pools) order by p.id for no key update;
  -- lock:end
end
$body$;

-- Pools in which the registrations have claims that were not given back.
create or replace function es.claimed_pools(p_registrations uuid[])
returns uuid[]
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return coalesce(
    (
      select array_agg(distinct c.pool_id)
      from pool_claims c
      where c.registration_id = any (p_registrations)
        and c.released_at is null
    ),
    '{}'
  );
end
$body$;

-- Types and numbers of the units that a registration consists of now.
create or replace function es.live_units(p_registration uuid, out types uuid[], out quantities integer[])
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  select array_agg(w.id order by w.id), array_agg(w.quantity order by w.id)
  into types, quantities
  from (
    select i.ticket_type_id as id, count(*)::integer as quantity
    from registration_items i
    where i.registration_id = p_registration
      and i.cancelled_at is null
    group by i.ticket_type_id
  ) w;
end
$body$;

-- By how much each claim of seats changes when units leave, others come, and so many are there afterwards. Where a pool
-- has no claim of the registration (it was linked to the type after the sale) nothing can leave it; where a link was
-- taken away after the sale, the claim is cut to what is there.
create or replace function es.stock_difference(
  p_registration registrations,
  p_leaving_types uuid[],
  p_leaving integer[],
  p_coming_types uuid[],
  p_coming integer[],
  p_staying integer,
  out pools uuid[],
  out deltas integer[]
)
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_out record;
  v_in record;
begin
  v_out := es.pool_demand(p_registration.occurrence_id, p_leaving_types, p_leaving);
  v_in := es.pool_demand(p_registration.occurrence_id, p_coming_types, p_coming);
  select coalesce(array_agg(d.pool_id order by d.pool_id), '{}'), coalesce(array_agg(d.delta order by d.pool_id), '{}')
  into pools, deltas
  from (
    select
      parts.pool_id,
      least(
        sum(parts.coming) - least(sum(parts.leaving), coalesce(max(c.quantity), 0)),
        p_staying - coalesce(max(c.quantity), 0)
      )::integer as delta
    from (
      select o.pool_id, o.need as leaving, 0 as coming
      from unnest(v_out.pools, v_out.needs) as o (pool_id, need)
      union all
      select n.pool_id, 0, n.need
      from unnest(v_in.pools, v_in.needs) as n (pool_id, need)
      union all
      select claimed.pool_id, 0, 0
      from unnest(es.claimed_pools(array[p_registration.id])) as claimed (pool_id)
      join capacity_pools p on p.id = claimed.pool_id and p.kind = 'stock'
    ) parts
    left join pool_claims c
      on c.pool_id = parts.pool_id
      and c.registration_id = p_registration.id
      and c.released_at is null
    group by parts.pool_id
  ) d
  where d.delta <> 0;
end
$body$;

-- The part of a difference that has to fit: pools that more is taken from.
create or replace function es.growing(p_pools uuid[], p_deltas integer[], out pools uuid[], out needs integer[])
language plpgsql
immutable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  select coalesce(array_agg(d.pool_id order by d.pool_id), '{}'), coalesce(array_agg(d.delta order by d.pool_id), '{}')
  into pools, needs
  from unnest(p_pools, p_deltas) as d (pool_id, delta)
  where d.delta > 0;
end
$body$;

-- Moves claims and counters by the difference, in pools that the caller has locked and found roomy enough. Nothing is
-- left of a claim that comes to zero, and no claim is for more units than the registration has.
create or replace function es.move_claims(
  p_registration registrations,
  p_pools uuid[],
  p_deltas integer[],
  p_expires_at timestamptz,
  p_now timestamptz
)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  update pool_claims c
  set
    quantity = case when c.quantity + d.delta > 0 then c.quantity + d.delta else c.quantity end,
    released_at = case when c.quantity + d.delta > 0 then null else p_now end
  from unnest(p_pools, p_deltas) as d (pool_id, delta)
  where c.registration_id = p_registration.id
    and c.pool_id = d.pool_id
    and c.released_at is null;

  insert into pool_claims (org_id, event_id, pool_id, registration_id, quantity, expires_at)
  select p_registration.org_id, p_registration.event_id, d.pool_id, p_registration.id, d.delta, p_expires_at
  from unnest(p_pools, p_deltas) as d (pool_id, delta)
  where d.delta > 0
    and not exists (
      select
      from pool_claims c
      where c.registration_id = p_registration.id
        and c.pool_id = d.pool_id
        and c.released_at is null
    );

  update capacity_pools p
  set claimed = p.claimed + d.delta
  from unnest(p_pools, p_deltas) as d (pool_id, delta)
  where p.id = d.pool_id;
end
$body$;

-- Every pool that the whole of this cart may draw from, with the most that it could take from each: seats, tiers, the code
-- and what the code reserves. p_open: whether it is priced again, and may fall into any tier of its types; else the tiers that
-- its units have.
create or replace function es.pools_of_whole(
  p_registration registrations,
  p_units es.cart_unit[],
  p_code promo_codes,
  p_open boolean,
  p_now timestamptz,
  out pools uuid[],
  out needs integer[]
)
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_types uuid[];
  v_quantities integer[];
  v_demand record;
  v_extra record;
begin
  select array_agg(w.id order by w.id), array_agg(w.quantity order by w.id)
  into v_types, v_quantities
  from (
    select u.ticket_type_id as id, count(*)::integer as quantity
    from unnest(p_units) as u
    group by u.ticket_type_id
  ) w;
  v_demand := es.pool_demand(p_registration.occurrence_id, v_types, v_quantities);
  v_extra := es.price_pools(case when p_open then v_types end, case when p_open then v_quantities end, p_code, p_now);
  select array_agg(w.pool_id), array_agg(w.need)
  into pools, needs
  from (
    select d.pool_id, d.need
    from unnest(v_demand.pools, v_demand.needs) as d (pool_id, need)
    union all
    select x.pool_id, coalesce(x.need, cardinality(p_units))
    from unnest(v_extra.pools, v_extra.needs) as x (pool_id, need)
    union all
    select t.pool_id, count(*)::integer
    from unnest(p_units) as u
    join price_tiers t on t.id = u.tier_id
    where not p_open
    group by t.pool_id
    union all
    select c.pool_id, 0
    from pool_claims c
    where c.promo_code_id = p_code.id
      and c.released_at is null
  ) w;
end
$body$;

-- Null when these tiers have room for so many, else the outcome sold_out. Their pools are locked.
create or replace function es.tier_shortage(p_tiers uuid[], p_needs integer[])
returns jsonb
language sql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
  select case when count(*) > 0 then jsonb_build_object(
    'outcome', 'sold_out',
    'ticket_types', jsonb_agg(
      jsonb_build_object(
        'ticket_type_id', t.ticket_type_id, 'requested', w.need, 'available', greatest(0, p.capacity - p.claimed)
      )
      order by t.id
    )
  ) end
  from unnest(p_tiers, p_needs) as w (id, need)
  join price_tiers t on t.id = w.id
  join capacity_pools p on p.id = t.pool_id
  where p.capacity - p.claimed < w.need
$body$;

-- Takes the whole stock of a registration that has none: seats, tiers and uses of the code as this cart says. Null when all
-- was taken; nothing is when there is a problem: sold_out, code_used_up, code_used_by_buyer. Its pools are locked by the
-- caller.
create or replace function es.take_again(
  p_registration registrations,
  p_cart es.priced_cart,
  p_code promo_codes,
  p_expires_at timestamptz,
  p_now timestamptz
)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_types constant uuid[] := array(select u.ticket_type_id from unnest(p_cart.units) as u);
  v_demand record;
  v_tiers record;
  v_uses integer;
  v_problem jsonb;
begin
  v_demand := es.pool_demand(p_registration.occurrence_id, v_types, array_fill(1, array[cardinality(v_types)]));
  select
    coalesce(array_agg(n.tier_id), '{}') as ids,
    coalesce(array_agg(n.pool_id), '{}') as pools,
    coalesce(array_agg(n.units), '{}') as needs
  into v_tiers
  from (
    select u.tier_id, t.pool_id, count(*)::integer as units
    from unnest(p_cart.units) as u
    join price_tiers t on t.id = u.tier_id
    group by u.tier_id, t.pool_id
  ) n;
  v_uses := (select count(*) from unnest(p_cart.units) as u where u.coded);
  if p_code.counted_by = 'registration' then
    v_uses := least(v_uses, 1);
  end if;

  perform es.release_expired_claims(
    v_demand.pools || v_tiers.pools || p_code.pool_id, v_demand.needs || v_tiers.needs || v_uses, p_now
  );
  v_problem := coalesce(
    es.code_limit_problem(p_code, v_uses, p_registration.user_id, p_registration.buyer_email, p_now, true),
    es.shortage_beyond(
      v_demand.pools, v_demand.needs,
      es.reserved_for(p_registration, p_code, v_uses, p_cart.units, v_demand.pools, p_now),
      v_types, p_now
    ),
    es.tier_shortage(v_tiers.ids, v_tiers.needs)
  );
  if v_problem is not null then
    return v_problem;
  end if;
  perform es.shrink_code_claims(p_code.id, v_uses, p_now);
  perform es.move_claims(
    p_registration, v_demand.pools || v_tiers.pools, v_demand.needs || v_tiers.needs, p_expires_at, p_now
  );
  if v_uses > 0 then
    perform es.move_claims(p_registration, array[p_code.pool_id], array[v_uses], p_expires_at, p_now);
  end if;
  return null;
end
$body$;

alter function es.lock_pools(uuid[]) owner to es_verbs;
alter function es.claimed_pools(uuid[]) owner to es_verbs;
alter function es.live_units(uuid) owner to es_verbs;
alter function es.stock_difference(registrations, uuid[], integer[], uuid[], integer[], integer) owner to es_verbs;
alter function es.growing(uuid[], integer[]) owner to es_verbs;
alter function es.move_claims(registrations, uuid[], integer[], timestamptz, timestamptz) owner to es_verbs;
alter function es.pools_of_whole(registrations, es.cart_unit[], promo_codes, boolean, timestamptz) owner to es_verbs;
alter function es.tier_shortage(uuid[], integer[]) owner to es_verbs;
alter function es.take_again(registrations, es.priced_cart, promo_codes, timestamptz, timestamptz) owner to es_verbs;
revoke execute on function es.lock_pools(uuid[]) from public;
revoke execute on function es.claimed_pools(uuid[]) from public;
revoke execute on function es.live_units(uuid) from public;
revoke execute on function es.stock_difference(registrations, uuid[], integer[], uuid[], integer[], integer) from public;
revoke execute on function es.growing(uuid[], integer[]) from public;
revoke execute on function es.move_claims(registrations, uuid[], integer[], timestamptz, timestamptz) from public;
revoke execute on function es.pools_of_whole(registrations, es.cart_unit[], promo_codes, boolean, timestamptz) from public;
revoke execute on function es.tier_shortage(uuid[], integer[]) from public;
revoke execute on function es.take_again(registrations, es.priced_cart, promo_codes, timestamptz, timestamptz) from public;
