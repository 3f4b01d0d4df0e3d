-- What those who wait for places are waiting for (R11). An entry counts while it could be served: its date is to come
-- and all its ticket types are on sale. It could take what is free when each of its pools has something left; an entry
-- that also needs something of a pool that is full waits for that one, and keeps nobody from the others.
-- Called from: es.take_stock of place_registrations, es.shortage, es.release_expired_claims, ticket_type_availability, serve_waitlist, join_waitlist.
-- Raises: nothing.

-- Those of the events where somebody waits. Who joins locks the pools, so whoever holds them too is told the last word.
create or replace function es.with_waiting(p_events uuid[])
returns uuid[]
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return (
    select array(
      select asked.event_id
      from unnest(p_events) as asked (event_id)
      where exists (select from waitlist_entries w where w.event_id = asked.event_id and w.status = 'waiting')
    )
  );
end
$body$;

-- What each entry that could be served needs of which pool.
create or replace function es.waiting_needs(p_event uuid, p_now timestamptz)
returns table (entry_id uuid, priority integer, joined_at timestamptz, pool_id uuid, need integer)
language sql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
  select w.id, w.priority, w.joined_at, p.id, sum(x.quantity)::integer
  from waitlist_entries w
  join occurrences o on o.id = w.occurrence_id
  join waitlist_lines x on x.entry_id = w.id
  join ticket_type_pools l on l.ticket_type_id = x.ticket_type_id
  join capacity_pools p on p.id = l.pool_id
  where w.event_id = p_event
    and w.status = 'waiting'
    and o.status = 'scheduled'
    and o.ends_at > p_now
    and (p.occurrence_id is null or p.occurrence_id = w.occurrence_id)
    and not exists (
      select
      from waitlist_lines y
      join ticket_types t on t.id = y.ticket_type_id
      where y.entry_id = w.id
        and (not t.active or t.sales_start_at > p_now or t.sales_end_at <= p_now)
    )
  group by w.id, p.id
$body$;

-- Units of these pools that are not for the public, because those who wait could take them. No rows when nobody waits.
create or replace function es.kept_for_waiting(p_pools uuid[], p_now timestamptz)
returns table (pool_id uuid, units integer)
language plpgsql
stable
rows 2
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_event uuid;
begin
  select p.event_id
  into v_event
  from capacity_pools p
  where p.id = any (p_pools)
    and exists (
      select
      from waitlist_entries w
      where w.event_id = p.event_id
        and w.status = 'waiting'
    )
  limit 1;
  if v_event is null then
    return;
  end if;

  return query
  with needs as materialized (
    select *
    from es.waiting_needs(v_event, p_now)
  ),
  stuck as materialized (
    select n.entry_id
    from needs n
    join (
      select p.id, p.capacity, p.capacity - p.claimed + es.pool_expired(p.id, p_now) as free
      from capacity_pools p
      where p.id in (select needs.pool_id from needs)
    ) f on f.id = n.pool_id
    where f.free < 1
      or f.capacity < n.need
  )
  select n.pool_id, sum(n.need)::integer
  from needs n
  where n.pool_id = any (p_pools)
    and n.entry_id not in (select stuck.entry_id from stuck)
  group by n.pool_id;
end
$body$;

alter function es.with_waiting(uuid[]) owner to es_verbs;
alter function es.waiting_needs(uuid, timestamptz) owner to es_verbs;
alter function es.kept_for_waiting(uuid[], timestamptz) owner to es_verbs;
revoke execute on function es.with_waiting(uuid[]) from public;
revoke execute on function es.waiting_needs(uuid, timestamptz) from public;
revoke execute on function es.kept_for_waiting(uuid[], timestamptz) from public;
grant execute on function es.with_waiting(uuid[]) to es_system;
grant execute on function es.waiting_needs(uuid, timestamptz) to es_system;
grant execute on function es.kept_for_waiting(uuid[], timestamptz) to es_system;
