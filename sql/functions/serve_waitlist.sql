-- Offers what is free at an event to those who wait: by priority, then by time, a group all of its places or none (R11).
-- An offer claims the places until it expires. Who does not fit is passed over, but while what is free could be theirs
-- once there is more of it, nobody of a lower priority is offered it.
-- Nothing depends on its being run in time: until then the public is not sold what those who wait could take. It may be
-- run at any time and again; each offer is made once, under the locks of the pools.
-- Called from: the job waitlists.serve, as es_system: waitlists_to_serve, then serve_waitlist for each, in a
--   transaction of its own, so that pools are locked in their order.
-- Raises: ES400 for a limit below 1.
-- after: message_write, stock, waiting

-- Events where somebody waits and something may be free.
create or replace function public.waitlists_to_serve()
returns setof uuid
language sql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
  -- From one event to the next by the index, however long their queues are.
  with recursive queue as (
    (
      select w.event_id
      from waitlist_entries w
      where w.status = 'waiting'
      order by w.event_id
      limit 1
    )
    union all
    select (
      select w.event_id
      from waitlist_entries w
      where w.status = 'waiting'
        and w.event_id > q.event_id
      order by w.event_id
      limit 1
    )
    from queue q
    where q.event_id is not null
  )
  select q.event_id
  from queue q
  join events e on e.id = q.event_id
  where e.status = 'published'
    and exists (
      select
      from capacity_pools p
      where p.event_id = q.event_id
        and (p.capacity is null or p.capacity - p.claimed + es.pool_expired(p.id, es.clock()) > 0)
    )
$body$;

-- Whether somebody who waits would fit into what seems to be free; a look without locks.
create or replace function es.somebody_fits(p_event uuid, p_now timestamptz)
returns boolean
language sql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
  with needs as materialized (
    select *
    from es.waiting_needs(p_event, p_now)
  ),
  free as materialized (
    select p.id, p.capacity - p.claimed + es.pool_expired(p.id, p_now) as units
    from capacity_pools p
    where p.id in (select n.pool_id from needs n)
  )
  select exists (
    select
    from needs n
    join free f on f.id = n.pool_id
    group by n.entry_id
    having bool_and(f.units is null or f.units >= n.need)
  )
$body$;

-- Claims the places for the entry, which is locked as the pools are, and writes the letter.
create or replace function es.offer_places(
  p_event events,
  p_entry waitlist_entries,
  p_pools uuid[],
  p_needs integer[],
  p_now timestamptz
)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_made waitlist_offers;
begin
  insert into waitlist_offers (org_id, event_id, entry_id, expires_at, offered_at)
  select
    p_entry.org_id, p_entry.event_id, p_entry.id,
    -- Not longer than they can be bought.
    least(p_now + make_interval(secs => p_event.waitlist_offer_seconds), o.ends_at, min(t.sales_end_at)),
    p_now
  from occurrences o
  join waitlist_lines l on l.entry_id = p_entry.id
  join ticket_types t on t.id = l.ticket_type_id
  where o.id = p_entry.occurrence_id
  group by o.id
  returning * into v_made;

  insert into pool_claims (org_id, event_id, pool_id, waitlist_offer_id, quantity, expires_at)
  select v_made.org_id, v_made.event_id, d.pool_id, v_made.id, d.need, v_made.expires_at
  from unnest(p_pools, p_needs) as d (pool_id, need);
  update capacity_pools p
  set claimed = p.claimed + d.need
  from unnest(p_pools, p_needs) as d (pool_id, need)
  where p.id = d.pool_id;
  update waitlist_entries w set status = 'offered' where w.id = p_entry.id;

  perform emit_event(
    v_made.org_id, 'waitlist.offered', 'waitlist_offer', v_made.id,
    jsonb_build_object('event_id', v_made.event_id, 'entry_id', v_made.entry_id, 'expires_at', v_made.expires_at)
  );
  perform record_audit(
    v_made.org_id, 'waitlist.offered', 'waitlist_entry', p_entry.id,
    jsonb_build_object('status', p_entry.status),
    jsonb_build_object('status', 'offered', 'expires_at', v_made.expires_at)
  );
  perform es.write_offer_letter(p_entry, v_made);
end
$body$;

-- The letter of an offer. For a guest it holds a new secret: of the one given when joining only the hash is known.
create or replace function es.write_offer_letter(p_entry waitlist_entries, p_offer waitlist_offers)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_key text;
begin
  if p_entry.user_id is null then
    -- base64url, as the program writes its secrets.
    v_key := 'gs_' || translate(encode(extensions.gen_random_bytes(24), 'base64'), '+/', '-_');
    insert into waitlist_secrets (secret_hash, org_id, entry_id)
    values (sha256(convert_to(v_key, 'UTF8')), p_entry.org_id, p_entry.id);
  end if;
  perform es.write_messages(
    jsonb_build_array(
      jsonb_build_object(
        'kind', 'waitlist_offer', 'org_id', p_entry.org_id, 'recipient', p_entry.email, 'event_id', p_entry.event_id,
        'about', p_offer.id,
        'variables', jsonb_build_object(
          'name', p_entry.name, 'code', coalesce(v_key, ''), 'expires_at', p_offer.expires_at,
          'occurrence_id', p_entry.occurrence_id
        )
      )
    )
  );
end
$body$;

create or replace function es.offer_in_order(p_event events, p_pools uuid[], p_limit integer, p_now timestamptz)
returns integer
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_free integer[];
  v_kept uuid[] := '{}';
  v_kept_next uuid[] := '{}';
  v_priority integer;
  v_next record;
  v_entry waitlist_entries;
  v_made integer := 0;
begin
  select array_agg(p.capacity - p.claimed order by p.id)
  into v_free
  from capacity_pools p
  where p.id = any (p_pools);

  for v_next in
    select
      n.entry_id,
      n.priority,
      array_agg(n.pool_id order by n.pool_id) as pools,
      array_agg(n.need order by n.pool_id) as needs,
      array_agg(array_position(p_pools, n.pool_id) order by n.pool_id) as places
    from es.waiting_needs(p_event.id, p_now) n
    group by n.entry_id, n.priority, n.joined_at
    -- Who came in between with needs of another pool is served next time.
    having bool_and(n.pool_id = any (p_pools))
    order by n.priority desc, n.joined_at, n.entry_id
  loop
    exit when v_made = p_limit;
    if v_next.priority is distinct from v_priority then
      v_kept := v_kept || v_kept_next;
      v_kept_next := '{}';
      v_priority := v_next.priority;
    end if;
    v_entry := null;
    if not v_next.pools && v_kept
      and (select bool_and(coalesce(v_free[d.place] >= d.need, true)) from unnest(v_next.places, v_next.needs) as d (place, need))
    then
      -- Whoever is just leaving is left alone.
      select w.*
      into v_entry
      from waitlist_entries w
      where w.id = v_next.entry_id
        and w.status = 'waiting'
      for no key update skip locked;
    end if;
    if v_entry.id is not null then
      perform es.offer_places(p_event, v_entry, v_next.pools, v_next.needs, p_now);
      for v_at in 1 .. cardinality(v_next.places) loop
        v_free[v_next.places[v_at]] := v_free[v_next.places[v_at]] - v_next.needs[v_at];
      end loop;
      v_made := v_made + 1;
    elsif (select bool_and(coalesce(v_free[place] > 0, true)) from unnest(v_next.places) as place) then
      v_kept_next := v_kept_next || v_next.pools;
    end if;
  end loop;
  return v_made;
end
$body$;

create or replace function public.serve_waitlist(p_event uuid, p_limit integer)
returns integer
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_event events;
  v_pools uuid[];
  v_needs integer[];
  v_now timestamptz := es.clock();
begin
  if p_limit is null or p_limit < 1 then
    raise exception 'a limit of at least 1 is needed' using errcode = 'ES400';
  end if;
  if not es.somebody_fits(p_event, v_now) then
    return 0;
  end if;
  perform pg_advisory_xact_lock_shared(es.event_lock(p_event));
  select e.* into v_event from events e where e.id = p_event;
  if es.event_problem(v_event) is not null then
    return 0;
  end if;

  select array_agg(n.pool_id order by n.pool_id), array_agg(n.need order by n.pool_id)
  into v_pools, v_needs
  from (
    select pool_id, sum(need)::integer as need
    from es.waiting_needs(p_event, v_now)
    group by pool_id
  ) n;
  -- lock:begin
  perform from capacity_pools p where p.id = any (v_pools) order by p.id for no key update;
  -- lock:end
  v_now := es.clock();
  perform es.release_expired_claims(v_pools, v_needs, v_now);
  return es.offer_in_order(v_event, v_pools, p_limit, v_now);
end
$body$;

alter function public.waitlists_to_serve() owner to es_system;
alter function es.somebody_fits(uuid, timestamptz) owner to es_system;
alter function es.offer_places(events, waitlist_entries, uuid[], integer[], timestamptz) owner to es_system;
alter function es.write_offer_letter(waitlist_entries, waitlist_offers) owner to es_system;
alter function es.offer_in_order(events, uuid[], integer, timestamptz) owner to es_system;
alter function public.serve_waitlist(uuid, integer) owner to es_system;
revoke execute on function public.waitlists_to_serve() from public;
revoke execute on function es.somebody_fits(uuid, timestamptz) from public;
revoke execute on function es.offer_places(events, waitlist_entries, uuid[], integer[], timestamptz) from public;
revoke execute on function es.write_offer_letter(waitlist_entries, waitlist_offers) from public;
revoke execute on function es.offer_in_order(events, uuid[], integer, timestamptz) from public;
revoke execute on function public.serve_waitlist(uuid, integer) from public;
