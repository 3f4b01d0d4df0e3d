-- Stock: what a purchase draws from which pools, whether it fits, and how claims are given back.
-- Rule R20: a pool's counter is the sum of its claims not yet released, expired ones included;
-- free = capacity - counter + expired unreleased.
-- Called from: place, confirm, cancel, expire, check_ticket_availability, ticket_type_available.
-- Raises: nothing of its own. Whatever writes here needs the pools locked by the caller, in the order of their ids.

-- The pools that the ticket types draw from at this occurrence, by id, with the units drawn from each.
create or replace function es.pool_demand(
  p_occurrence uuid,
  p_types uuid[],
  p_quantities integer[],
  out pools uuid[],
  out needs integer[]
)
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  select
    coalesce(array_agg(d.pool_id order by d.pool_id), '{}'),
    coalesce(array_agg(d.need order by d.pool_id), '{}')
  into pools, needs
  from (
    select l.pool_id, sum(w.quantity)::integer as need
    from unnest(p_types, p_quantities) as w (ticket_type_id, quantity)
    join ticket_type_pools l on l.ticket_type_id = w.ticket_type_id
    join capacity_pools p on p.id = l.pool_id
    where p.occurrence_id is null
      or p.occurrence_id = p_occurrence
    group by l.pool_id
  ) d;
end
$body$;

-- Units that have expired in a pool and were not given back yet: free, though the counter says otherwise.
create or replace function es.pool_expired(p_pool uuid, p_now timestamptz)
returns integer
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return (
    select coalesce(sum(c.quantity), 0)::integer
    from pool_claims c
    where c.pool_id = p_pool
      and c.released_at is null
      and c.expires_at <= p_now
  );
end
$body$;

-- Null when everything fits, else the outcome sold_out with the ticket types concerned and what is left of each.
-- What those who wait could take is not left (R11). Needs of 0 and less are met by something that the caller holds.
-- Before the lock expired claims count as free. Under the lock the caller has given back what it could, and what is
-- still claimed counts: its registration may be confirmed at this very moment.
create or replace function es.shortage(
  p_pools uuid[],
  p_needs integer[],
  p_types uuid[],
  p_quantities integer[],
  p_now timestamptz,
  p_locked boolean
)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_pools uuid[];
  v_free integer[];
begin
  select array_agg(s.id), array_agg(s.free)
  into v_pools, v_free
  from (
    select
      p.id,
      d.need,
      p.capacity - p.claimed - coalesce(k.units, 0)
        + case when p_locked then 0 else es.pool_expired(p.id, p_now) end as free
    from unnest(p_pools, p_needs) as d (pool_id, need)
    join capacity_pools p on p.id = d.pool_id
    -- In the same statement as the counters: both are of one instant.
    left join es.kept_for_waiting(p_pools, p_now) k on k.pool_id = p.id
    where d.need > 0
      and p.capacity - p.claimed - coalesce(k.units, 0) < d.need
  ) s
  where s.free < s.need;
  if v_pools is null then
    return null;
  end if;

  return jsonb_build_object(
    'outcome', 'sold_out',
    'ticket_types', (
      select jsonb_agg(
        jsonb_build_object('ticket_type_id', t.id, 'requested', t.quantity, 'available', t.available)
        order by t.id
      )
      from (
        select w.id, w.quantity, greatest(0, min(f.free)) as available
        from unnest(p_types, p_quantities) as w (id, quantity)
        join ticket_type_pools l on l.ticket_type_id = w.id
        join unnest(v_pools, v_free) as f (pool_id, free) on f.pool_id = l.pool_id
        group by w.id, w.quantity
      ) t
    )
  );
end
$body$;

-- Gives back the live claims of the registrations in these pools, which the caller has locked.
create or replace function es.release_claims(p_registrations uuid[], p_pools uuid[], p_now timestamptz)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  perform es.give_back(
    array(
      select c.id
      from pool_claims c
      where c.registration_id = any (p_registrations)
        and c.pool_id = any (p_pools)
        and c.released_at is null
    ),
    p_now
  );
end
$body$;

-- Marks locked registrations as expired and gives back what they hold in the locked pools. A claim in another pool
-- stays until somebody meets it there: it has expired, so it counts as free meanwhile.
create or replace function es.expire_locked(p_registrations uuid[], p_pools uuid[], p_now timestamptz)
returns integer
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_gone registrations;
  v_count integer := 0;
begin
  for v_gone in
    update registrations r
    set status = 'expired'
    where r.id = any (p_registrations)
      and r.status in ('held', 'pending_payment')
    returning r.*
  loop
    v_count := v_count + 1;
    perform emit_event(
      v_gone.org_id, 'registration.expired', 'registration', v_gone.id,
      jsonb_build_object('event_id', v_gone.event_id, 'expired_at', v_gone.expires_at)
    );
    perform record_audit(
      v_gone.org_id, 'registration.expired', 'registration', v_gone.id,
      null, jsonb_build_object('status', 'expired', 'expires_at', v_gone.expires_at)
    );
  end loop;
  perform es.release_claims(p_registrations, p_pools, p_now);
  return v_count;
end
$body$;

-- Where a locked pool is short, gives back what has expired in it: everything that was set aside, and of registrations
-- the oldest, as many as are needed. A hold whose registration is locked by somebody else is left alone: waiting here
-- would turn the order of locks round.
create or replace function es.release_expired_claims(p_pools uuid[], p_needs integer[], p_now timestamptz)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_short record;
  v_met uuid[];
begin
  for v_short in
    select p.id, d.need + coalesce(k.units, 0) - (p.capacity - p.claimed) as missing
    from unnest(p_pools, p_needs) as d (pool_id, need)
    join capacity_pools p on p.id = d.pool_id
    left join es.kept_for_waiting(p_pools, p_now) k on k.pool_id = p.id
    where d.need > 0
      and p.capacity - p.claimed - coalesce(k.units, 0) < d.need
    order by p.id
  loop
    perform es.release_lapsed(p_pools, p_now);
    select array_agg(met.id)
    into v_met
    from (
      select r.id
      from pool_claims c
      join registrations r on r.id = c.registration_id
      where c.pool_id = v_short.id
        and c.released_at is null
        and c.expires_at <= p_now
        and r.status in ('held', 'expired')
      order by c.expires_at, r.id
      limit v_short.missing
      for no key update of r skip locked
    ) met;
    if v_met is not null then
      perform es.expire_locked(v_met, p_pools, p_now);
    end if;
  end loop;
end
$body$;

alter function es.pool_demand(uuid, uuid[], integer[]) owner to es_verbs;
alter function es.pool_expired(uuid, timestamptz) owner to es_verbs;
alter function es.shortage(uuid[], integer[], uuid[], integer[], timestamptz, boolean) owner to es_verbs;
alter function es.release_claims(uuid[], uuid[], timestamptz) owner to es_verbs;
alter function es.expire_locked(uuid[], uuid[], timestamptz) owner to es_verbs;
alter function es.release_expired_claims(uuid[], integer[], timestamptz) owner to es_verbs;
revoke execute on function es.pool_demand(uuid, uuid[], integer[]) from public;
revoke execute on function es.pool_expired(uuid, timestamptz) from public;
revoke execute on function es.shortage(uuid[], integer[], uuid[], integer[], timestamptz, boolean) from public;
revoke execute on function es.release_claims(uuid[], uuid[], timestamptz) from public;
revoke execute on function es.expire_locked(uuid[], uuid[], timestamptz) from public;
revoke execute on function es.release_expired_claims(uuid[], integer[], timestamptz) from public;
grant execute on function es.pool_demand(uuid, uuid[], integer[]) to es_system;
grant execute on function es.pool_expired(uuid, timestamptz) to es_system;
grant execute on function es.shortage(uuid[], integer[], uuid[], integer[], timestamptz, boolean) to es_system;
grant execute on function es.release_claims(uuid[], uuid[], timestamptz) to es_system;
grant execute on function es.expire_locked(uuid[], uuid[], timestamptz) to es_system;
grant execute on function es.release_expired_claims(uuid[], integer[], timestamptz) to es_system;
