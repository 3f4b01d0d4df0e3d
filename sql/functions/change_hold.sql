-- Changes a hold: name, note, how many places, until when, its key. What is absent stays; expires_at null takes the end
-- away. More places are taken from what is on sale; fewer, down to what was sold from it, go back on sale.
-- Request: {hold_id, quantity?, expires_at?, name?, note?, key_hash? (hex), idempotency_key, argument_hash (hex)}.
-- Outcomes: changed (hold_id), hold_not_found, hold_ended (hold_id; it was released, or has expired),
--   below_sold (sold), sold_out (available), invalid (field, message).
-- Called from: the verb changeHold.
-- Raises: ES403 without registrations:write; ES400 and ES409 as es.idempotency_begin; 22P02 when the id is no UUID.

-- Brings the locked claims of a changed hold in line; the pools are locked, and what is added was found free.
create or replace function es.reclaim_for_hold(p_hold stock_holds, p_pools uuid[], p_now timestamptz)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  if exists (select from pool_claims c where c.hold_id = p_hold.id and c.released_at is null) then
    perform es.set_hold_claims(p_hold.id, p_now);
  elsif p_hold.quantity > p_hold.sold then
    perform es.claim_for_hold(p_hold, p_pools);
  end if;
end
$body$;

create or replace function es.try_to_change_hold(p jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_before stock_holds;
  v_after stock_holds;
  v_pools uuid[];
  v_left integer;
  v_now timestamptz;
  v_quantity integer;
begin
  select h.* into v_before from stock_holds h where h.id = (p ->> 'hold_id')::uuid for no key update;
  if not found then
    return jsonb_build_object('outcome', 'hold_not_found');
  end if;
  -- Those that it claims; where everything is sold, those that it would claim.
  v_pools := array(select c.pool_id from pool_claims c where c.hold_id = v_before.id and c.released_at is null);
  if cardinality(v_pools) = 0 then
    v_pools := es.pools_of_hold(v_before);
  end if;
  perform from capacity_pools l where l.id = any (v_pools) order by l.id for no key update;
  v_now := es.clock();
  if v_before.status <> 'active' or v_before.expires_at <= v_now then
    return jsonb_build_object('outcome', 'hold_ended', 'hold_id', v_before.id);
  end if;
  if es.hold_problem(p, v_now) is not null then
    return es.hold_problem(p, v_now);
  end if;

  v_quantity := coalesce((p ->> 'quantity')::integer, v_before.quantity);
  if v_quantity < v_before.sold then
    return jsonb_build_object('outcome', 'below_sold', 'sold', v_before.sold);
  end if;
  if v_quantity > v_before.quantity then
    v_left := es.lacking(v_pools, v_quantity - v_before.quantity, v_now);
    if v_left is not null then
      return jsonb_build_object('outcome', 'sold_out', 'available', v_left);
    end if;
  end if;

  update stock_holds h
  set
    name = coalesce(btrim(p ->> 'name'), h.name),
    note = coalesce(p ->> 'note', h.note),
    quantity = v_quantity,
    expires_at = case when p ? 'expires_at' then (p ->> 'expires_at')::timestamptz else h.expires_at end
  where h.id = v_before.id
  returning * into v_after;
  perform es.reclaim_for_hold(v_after, v_pools, v_now);
  if p ->> 'key_hash' is not null then
    update hold_secrets s set secret_hash = decode(p ->> 'key_hash', 'hex') where s.hold_id = v_after.id;
  end if;
  perform emit_event(
    v_after.org_id, 'hold.changed', 'hold', v_after.id,
    jsonb_build_object('event_id', v_after.event_id, 'quantity', v_after.quantity, 'expires_at', v_after.expires_at)
  );
  perform record_audit(v_after.org_id, 'hold.changed', 'hold', v_after.id, to_jsonb(v_before), to_jsonb(v_after));
  return jsonb_build_object('outcome', 'changed', 'hold_id', v_after.id);
end
$body$;

create or replace function public.change_hold(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_told jsonb;
begin
  perform es.demand_permission('registrations:write');
  v_told := es.told_before('change_hold', p_request);
  return coalesce(v_told, es.tell('change_hold', p_request, es.try_to_change_hold(p_request)));
end
$body$;

alter function es.reclaim_for_hold(stock_holds, uuid[], timestamptz) owner to es_verbs;
alter function es.try_to_change_hold(jsonb) owner to es_verbs;
alter function public.change_hold(jsonb) owner to es_verbs;
revoke execute on function es.reclaim_for_hold(stock_holds, uuid[], timestamptz) from public;
revoke execute on function es.try_to_change_hold(jsonb) from public;
revoke execute on function public.change_hold(jsonb) from public;
grant execute on function public.change_hold(jsonb) to es_member;
