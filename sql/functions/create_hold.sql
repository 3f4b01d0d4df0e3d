-- Sets places aside: of a ticket type at one date (from all of its pools), or of one pool. They are claimed until they
-- are sold from the hold, it is released, or it expires; from that instant on they count as free (R2).
-- Request: {event_id, occurrence_id?, ticket_type_id or pool_id, quantity, name, note?, expires_at?, key_hash (hex),
--   idempotency_key, argument_hash (hex)}. Without occurrence_id: the next one for a ticket type, that of the pool else.
-- Outcomes: created (hold_id), event_not_found, occurrence_not_found, ticket_type_not_found, pool_not_found,
--   sold_out (available), nothing_to_hold (the ticket type draws from no pool), invalid (field, message).
-- Called from: the verb createHold.
-- Raises: ES403 without registrations:write; ES400 and ES409 as es.idempotency_begin; 22P02 when an id is no UUID.
-- Lines between lock:begin and lock:end are what keeps a pool from being oversold; a test takes them out and watches.

-- Null when the values can be stored.
create or replace function es.hold_problem(p jsonb, p_now timestamptz)
returns jsonb
language sql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
  select jsonb_build_object('outcome', 'invalid', 'field', f.field, 'message', f.message)
  from (
    values
      ('name', 'a name has 1 to 200 characters', char_length(btrim(p ->> 'name')) not between 1 and 200),
      ('note', 'a note has at most 2000 characters', char_length(p ->> 'note') > 2000),
      ('quantity', 'a hold keeps 1 to 1000000 places', (p ->> 'quantity')::numeric not between 1 and 1000000),
      ('expiresAt', 'a hold runs out in the future', (p ->> 'expires_at')::timestamptz <= p_now)
  ) as f (field, message, wrong)
  where f.wrong
  limit 1
$body$;

-- The pools that a hold claims: those of its ticket type at its date, or the one.
create or replace function es.pools_of_hold(p_hold stock_holds)
returns uuid[]
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  if p_hold.pool_id is not null then
    return array[p_hold.pool_id];
  end if;
  return (es.pool_demand(p_hold.occurrence_id, array[p_hold.ticket_type_id], array[1])).pools;
end
$body$;

-- The least that any of these locked pools has left for the public, when it is less than so many; else null.
create or replace function es.lacking(p_pools uuid[], p_units integer, p_now timestamptz)
returns integer
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_needs constant integer[] := array_fill(p_units, array[cardinality(p_pools)]);
  v_least integer;
begin
  perform es.release_expired_claims(p_pools, v_needs, p_now);
  select min(p.capacity - p.claimed - coalesce(k.units, 0))
  into v_least
  from capacity_pools p
  left join es.kept_for_waiting(p_pools, p_now) k on k.pool_id = p.id
  where p.id = any (p_pools);
  return case when p_units > 0 and v_least < p_units then greatest(0, v_least) end;
end
$body$;

-- What the hold is of: the row as it will be written, or why it cannot be.
create or replace function es.new_hold(p jsonb, p_now timestamptz, out problem jsonb, out hold stock_holds)
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_event events;
  v_occurrence record;
begin
  problem := es.hold_problem(p, p_now);
  if problem is not null then
    return;
  end if;
  select e.* into v_event from events e where e.id = (p ->> 'event_id')::uuid and e.org_id = es.current_org();
  if not found or v_event.status not in ('draft', 'published') then
    problem := jsonb_build_object('outcome', 'event_not_found');
    return;
  end if;
  hold.org_id := v_event.org_id;
  hold.event_id := v_event.id;
  hold.name := btrim(p ->> 'name');
  hold.note := coalesce(p ->> 'note', '');
  hold.quantity := (p ->> 'quantity')::integer;
  hold.sold := 0;
  hold.status := 'active';
  hold.expires_at := (p ->> 'expires_at')::timestamptz;

  if p ->> 'pool_id' is not null then
    select l.id, l.occurrence_id
    into hold.pool_id, hold.occurrence_id
    from capacity_pools l
    where l.id = (p ->> 'pool_id')::uuid
      and l.kind = 'stock'
      and l.event_id = v_event.id;
    if hold.pool_id is null then
      problem := jsonb_build_object('outcome', 'pool_not_found');
    elsif hold.occurrence_id <> (p ->> 'occurrence_id')::uuid then
      problem := jsonb_build_object('outcome', 'occurrence_not_found');
    elsif hold.occurrence_id is null and p ->> 'occurrence_id' is not null then
      v_occurrence := es.choose_occurrence(v_event.id, (p ->> 'occurrence_id')::uuid, p_now);
      problem := v_occurrence.problem;
      hold.occurrence_id := v_occurrence.id;
    end if;
    return;
  end if;

  v_occurrence := es.choose_occurrence(v_event.id, (p ->> 'occurrence_id')::uuid, p_now);
  if v_occurrence.id is null then
    problem := jsonb_build_object('outcome', 'occurrence_not_found');
    return;
  end if;
  hold.occurrence_id := v_occurrence.id;
  select t.id
  into hold.ticket_type_id
  from ticket_types t
  where t.id = (p ->> 'ticket_type_id')::uuid
    and t.event_id = v_event.id;
  if hold.ticket_type_id is null then
    problem := jsonb_build_object('outcome', 'ticket_type_not_found');
  end if;
end
$body$;

create or replace function es.try_to_hold(p jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_now timestamptz := es.clock();
  v_new record;
  v_pools uuid[];
  v_left integer;
  v_made stock_holds;
begin
  perform pg_advisory_xact_lock_shared(es.event_lock((p ->> 'event_id')::uuid));
  v_new := es.new_hold(p, v_now);
  if v_new.problem is not null then
    return v_new.problem;
  end if;
  v_pools := es.pools_of_hold(v_new.hold);
  if cardinality(v_pools) = 0 then
    return jsonb_build_object('outcome', 'nothing_to_hold');
  end if;

  -- lock:begin
  perform from capacity_pools l where l.id = any (v_pools) order by l.id for no key update;
  -- lock:end
  v_now := es.clock();
  v_left := es.lacking(v_pools, (v_new.hold).quantity, v_now);
  if v_left is not null then
    return jsonb_build_object('outcome', 'sold_out', 'available', v_left);
  end if;

  insert into stock_holds (
    org_id, event_id, occurrence_id, ticket_type_id, pool_id, name, note, quantity, expires_at
  )
  values (
    (v_new.hold).org_id, (v_new.hold).event_id, (v_new.hold).occurrence_id, (v_new.hold).ticket_type_id,
    (v_new.hold).pool_id, (v_new.hold).name, (v_new.hold).note, (v_new.hold).quantity, (v_new.hold).expires_at
  )
  returning * into v_made;
  insert into hold_secrets (hold_id, org_id, secret_hash)
  values (v_made.id, v_made.org_id, decode(p ->> 'key_hash', 'hex'));
  perform es.claim_for_hold(v_made, v_pools);

  perform emit_event(
    v_made.org_id, 'hold.created', 'hold', v_made.id,
    jsonb_build_object('event_id', v_made.event_id, 'quantity', v_made.quantity, 'expires_at', v_made.expires_at)
  );
  perform record_audit(v_made.org_id, 'hold.created', 'hold', v_made.id, null, to_jsonb(v_made));
  return jsonb_build_object('outcome', 'created', 'hold_id', v_made.id);
end
$body$;

-- The claims of a hold that has none: what it keeps, in each of these locked pools.
create or replace function es.claim_for_hold(p_hold stock_holds, p_pools uuid[])
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  insert into pool_claims (org_id, event_id, pool_id, hold_id, quantity, expires_at)
  select p_hold.org_id, p_hold.event_id, pool_id, p_hold.id, p_hold.quantity - p_hold.sold, p_hold.expires_at
  from unnest(p_pools) as pool_id;
  update capacity_pools l
  set claimed = l.claimed + p_hold.quantity - p_hold.sold
  where l.id = any (p_pools);
end
$body$;

create or replace function public.create_hold(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_told jsonb;
begin
  perform es.demand_permission('registrations:write');
  v_told := es.idempotency_begin('create_hold', p_request ->> 'idempotency_key', p_request ->> 'argument_hash');
  return coalesce(v_told, es.tell('create_hold', p_request, es.try_to_hold(p_request)));
end
$body$;

alter function es.hold_problem(jsonb, timestamptz) owner to es_verbs;
alter function es.pools_of_hold(stock_holds) owner to es_verbs;
alter function es.lacking(uuid[], integer, timestamptz) owner to es_verbs;
alter function es.new_hold(jsonb, timestamptz) owner to es_verbs;
alter function es.try_to_hold(jsonb) owner to es_verbs;
alter function es.claim_for_hold(stock_holds, uuid[]) owner to es_verbs;
alter function public.create_hold(jsonb) owner to es_verbs;
revoke execute on function es.hold_problem(jsonb, timestamptz) from public;
revoke execute on function es.pools_of_hold(stock_holds) from public;
revoke execute on function es.lacking(uuid[], integer, timestamptz) from public;
revoke execute on function es.new_hold(jsonb, timestamptz) from public;
revoke execute on function es.try_to_hold(jsonb) from public;
revoke execute on function es.claim_for_hold(stock_holds, uuid[]) from public;
revoke execute on function public.create_hold(jsonb) from public;
grant execute on function public.create_hold(jsonb) to es_member;
