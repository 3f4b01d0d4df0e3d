-- Reserves stock for the unused uses of a code, one place a use, in these pools until the code ends (R9). What it reserved
-- in other pools goes back on sale; without pools it reserves nothing any more. Called again it reserves anew for all
-- uses that are unused by then: a use that is given back goes on sale.
-- Request: {promo_code_id, pool_ids: [0 to 20], idempotency_key, argument_hash (hex)}.
-- Outcomes: reserved (promo_code_id, places: in each pool), code_not_found, pool_not_found, sold_out (available),
--   code_cannot_reserve (it is of no one event, counts no tickets, has no limit, is switched off or over).
-- Called from: the verb reservePromoCodeStock.
-- Raises: ES403 without promo_codes:write; ES400 and ES409 as es.idempotency_begin; 22P02 when an id is no UUID.
-- Lines between lock:begin and lock:end are what keeps a pool from being oversold; a test takes them out and watches.

-- Locks the pools that a code reserves in, or is to, with the pool of its uses, in their order.
create or replace function es.lock_pools_of_code(p_code promo_codes, p_pools uuid[])
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  -- lock:begin
  perform
  from capacity_pools p
  where p.id = any (p_pools || p_code.pool_id)
    or p.id in (select c.pool_id from pool_claims c where c.promo_code_id = p_code.id and c.released_at is null)
  order by p.id
  for no key update;
  -- lock:end
end
$body$;

-- Brings what a code claims to so many places in each of these locked pools, and to none in others.
create or replace function es.set_code_claims(p_code promo_codes, p_pools uuid[], p_places integer, p_now timestamptz)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  perform es.give_back(
    array(select c.id from pool_claims c where c.promo_code_id = p_code.id and c.released_at is null),
    p_now
  );
  if p_places > 0 then
    insert into pool_claims (org_id, event_id, pool_id, promo_code_id, quantity, expires_at)
    select p_code.org_id, p_code.event_id, pool_id, p_code.id, p_places, p_code.ends_at
    from unnest(p_pools) as pool_id;
    update capacity_pools p
    set claimed = p.claimed + p_places
    where p.id = any (p_pools);
  end if;
end
$body$;

create or replace function es.try_to_reserve(p jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_pools constant uuid[] := array(select distinct id::uuid from jsonb_array_elements_text(p -> 'pool_ids') as id order by 1);
  v_code promo_codes;
  v_now timestamptz;
  v_places integer;
  v_left integer;
begin
  select c.* into v_code from promo_codes c where c.id = (p ->> 'promo_code_id')::uuid for no key update;
  if not found then
    return jsonb_build_object('outcome', 'code_not_found');
  end if;
  if cardinality(v_pools) > 20 or exists (
    select
    from unnest(v_pools) as wanted (id)
    where not exists (
      select from capacity_pools l where l.id = wanted.id and l.kind = 'stock' and l.event_id = v_code.event_id
    )
  ) then
    return jsonb_build_object('outcome', 'pool_not_found');
  end if;
  perform es.lock_pools_of_code(v_code, v_pools);
  v_now := es.clock();
  if cardinality(v_pools) > 0
    and (v_code.event_id is null or v_code.counted_by <> 'ticket' or v_code.max_uses is null
      or not v_code.active or v_code.ends_at <= v_now)
  then
    return jsonb_build_object('outcome', 'code_cannot_reserve');
  end if;

  select l.capacity - l.claimed + es.pool_expired(l.id, v_now)
  into v_places
  from capacity_pools l
  where l.id = v_code.pool_id;
  -- Its own claims make room for themselves.
  select min(es.lacking(array[wanted.id], v_places - coalesce(c.quantity, 0), v_now) + coalesce(c.quantity, 0))
  into v_left
  from unnest(v_pools) as wanted (id)
  left join pool_claims c on c.pool_id = wanted.id and c.promo_code_id = v_code.id and c.released_at is null;
  if v_left is not null then
    return jsonb_build_object('outcome', 'sold_out', 'available', v_left);
  end if;
  perform es.set_code_claims(v_code, v_pools, v_places, v_now);
  v_places := case when cardinality(v_pools) > 0 then v_places else 0 end;
  perform record_audit(
    v_code.org_id, 'promo_code.reserved', 'promo_code', v_code.id, null,
    jsonb_build_object('pool_ids', to_jsonb(v_pools), 'places', v_places)
  );
  return jsonb_build_object('outcome', 'reserved', 'promo_code_id', v_code.id, 'places', v_places);
end
$body$;

create or replace function public.reserve_code_stock(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_told jsonb;
begin
  perform es.demand_permission('promo_codes:write');
  v_told := es.told_before('reserve_code_stock', p_request);
  return coalesce(v_told, es.tell('reserve_code_stock', p_request, es.try_to_reserve(p_request)));
end
$body$;

alter function es.lock_pools_of_code(promo_codes, uuid[]) owner to es_verbs;
alter function es.set_code_claims(promo_codes, uuid[], integer, timestamptz) owner to es_verbs;
alter function es.try_to_reserve(jsonb) owner to es_verbs;
alter function public.reserve_code_stock(jsonb) owner to es_verbs;
revoke execute on function es.lock_pools_of_code(promo_codes, uuid[]) from public;
revoke execute on function es.set_code_claims(promo_codes, uuid[], integer, timestamptz) from public;
revoke execute on function es.try_to_reserve(jsonb) from public;
revoke execute on function public.reserve_code_stock(jsonb) from public;
grant execute on function public.reserve_code_stock(jsonb) to es_member;
