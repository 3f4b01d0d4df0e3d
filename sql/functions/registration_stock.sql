-- The stock of a registration that exists already: what it would take more or less, and the move itself. A change is
-- judged as a difference (R13): who leaves one place for another in the same full pool needs none.
-- Called from: extend_registration, approve_registrations, change_registration, cancel_registration.
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

-- By how much each pool's claim changes when units leave, others come, and so many are there afterwards. Where a pool
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

-- Takes the whole stock of a registration again that has none: null when it was taken, else the outcome sold_out. Its
-- pools are locked by the caller.
create or replace function es.take_again(p_registration registrations, p_expires_at timestamptz, p_now timestamptz)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_units record;
  v_demand record;
  v_problem jsonb;
begin
  v_units := es.live_units(p_registration.id);
  v_demand := es.pool_demand(p_registration.occurrence_id, v_units.types, v_units.quantities);
  perform es.release_expired_claims(v_demand.pools, v_demand.needs, p_now);
  v_problem := es.shortage(v_demand.pools, v_demand.needs, v_units.types, v_units.quantities, p_now, true);
  if v_problem is null then
    perform es.move_claims(p_registration, v_demand.pools, v_demand.needs, p_expires_at, p_now);
  end if;
  return v_problem;
end
$body$;

alter function es.lock_pools(uuid[]) owner to es_verbs;
alter function es.claimed_pools(uuid[]) owner to es_verbs;
alter function es.live_units(uuid) owner to es_verbs;
alter function es.stock_difference(registrations, uuid[], integer[], uuid[], integer[], integer) owner to es_verbs;
alter function es.growing(uuid[], integer[]) owner to es_verbs;
alter function es.move_claims(registrations, uuid[], integer[], timestamptz, timestamptz) owner to es_verbs;
alter function es.take_again(registrations, timestamptz, timestamptz) owner to es_verbs;
revoke execute on function es.lock_pools(uuid[]) from public;
revoke execute on function es.claimed_pools(uuid[]) from public;
revoke execute on function es.live_units(uuid) from public;
revoke execute on function es.stock_difference(registrations, uuid[], integer[], uuid[], integer[], integer) from public;
revoke execute on function es.growing(uuid[], integer[]) from public;
revoke execute on function es.move_claims(registrations, uuid[], integer[], timestamptz, timestamptz) from public;
revoke execute on function es.take_again(registrations, timestamptz, timestamptz) from public;
