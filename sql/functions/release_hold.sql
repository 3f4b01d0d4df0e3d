-- Releases a hold: what was not sold from it goes back on sale. What was sold stays sold.
-- Request: {hold_id, idempotency_key, argument_hash (hex)}.
-- Outcomes: released (hold_id, already: true when it had ended before; nothing is done then), hold_not_found.
-- Called from: the verb releaseHold.
-- Raises: ES403 without registrations:write; ES400 and ES409 as es.idempotency_begin; 22P02 when the id is no UUID.

create or replace function es.try_to_release_hold(p jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_hold stock_holds;
  v_now timestamptz;
begin
  select h.* into v_hold from stock_holds h where h.id = (p ->> 'hold_id')::uuid for no key update;
  if not found then
    return jsonb_build_object('outcome', 'hold_not_found');
  end if;
  if v_hold.status <> 'active' then
    return jsonb_build_object('outcome', 'released', 'hold_id', v_hold.id, 'already', true);
  end if;
  perform
  from capacity_pools l
  where l.id in (select c.pool_id from pool_claims c where c.hold_id = v_hold.id and c.released_at is null)
  order by l.id
  for no key update;
  v_now := es.clock();
  update stock_holds h
  set
    status = 'released',
    ended_at = v_now
  where h.id = v_hold.id;
  perform es.set_hold_claims(v_hold.id, v_now);
  perform emit_event(
    v_hold.org_id, 'hold.released', 'hold', v_hold.id,
    jsonb_build_object('event_id', v_hold.event_id, 'quantity', v_hold.quantity - v_hold.sold)
  );
  perform record_audit(
    v_hold.org_id, 'hold.released', 'hold', v_hold.id,
    jsonb_build_object('status', 'active'), jsonb_build_object('status', 'released')
  );
  return jsonb_build_object('outcome', 'released', 'hold_id', v_hold.id, 'already', false);
end
$body$;

create or replace function public.release_hold(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_told jsonb;
begin
  perform es.demand_permission('registrations:write');
  v_told := es.told_before('release_hold', p_request);
  return coalesce(v_told, es.tell('release_hold', p_request, es.try_to_release_hold(p_request)));
end
$body$;

alter function es.try_to_release_hold(jsonb) owner to es_verbs;
alter function public.release_hold(jsonb) owner to es_verbs;
revoke execute on function es.try_to_release_hold(jsonb) from public;
revoke execute on function public.release_hold(jsonb) from public;
grant execute on function public.release_hold(jsonb) to es_member;
