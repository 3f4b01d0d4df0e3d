-- Deletes a draft with everything that belongs to it. What was ever on sale is archived instead, never deleted.
-- Outcomes: deleted (event_id), event_not_found, not_a_draft (event_id, status), has_registrations (event_id).
-- Called from: the verb deleteEvent.
-- Raises: ES403 without events:write.

create or replace function public.delete_event(p_event uuid)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_event events;
begin
  perform es.demand_permission('events:write');
  perform pg_advisory_xact_lock(es.event_lock(p_event));
  select e.* into v_event from events e where e.id = p_event for update;
  if not found then
    return jsonb_build_object('outcome', 'event_not_found');
  end if;
  if v_event.status <> 'draft' then
    return jsonb_build_object('outcome', 'not_a_draft', 'event_id', p_event, 'status', v_event.status);
  end if;
  if exists (select from registrations r where r.event_id = p_event) then
    return jsonb_build_object('outcome', 'has_registrations', 'event_id', p_event);
  end if;

  -- What staff set aside of a draft goes with it; the keys of claims do not cascade.
  delete from pool_claims c
  where c.event_id = p_event;
  delete from stock_holds h
  where h.event_id = p_event;
  delete from events e
  where e.id = p_event;
  perform record_audit(v_event.org_id, 'event.deleted', 'event', p_event, to_jsonb(v_event), null);
  return jsonb_build_object('outcome', 'deleted', 'event_id', p_event);
end
$body$;

alter function public.delete_event(uuid) owner to es_verbs;
revoke execute on function public.delete_event(uuid) from public;
grant execute on function public.delete_event(uuid) to es_member;
