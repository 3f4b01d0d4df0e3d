-- Moves an event through its life: draft -> published -> completed or cancelled; draft, completed and cancelled ->
-- archived; archived -> draft when it was never published.
-- Publishing needs an occurrence and an active ticket type. Cancelling is more than a step: cancel_event does it (R17).
-- Outcomes: changed (event_id, status), unchanged (event_id, status: it is there already),
--   event_not_found, illegal_transition (from, to), not_ready (missing: occurrence and/or ticket_type).
-- Called from: the verbs publishEvent, completeEvent, archiveEvent, restoreEvent; es.move_event from cancel_event.
-- Raises: ES403 without events:write; ES400 for an unknown state, and for `cancelled`.

-- Takes the step, as far as it is the event's own.
create or replace function es.move_event(p_event uuid, p_to text)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_before events;
  v_after events;
  v_missing jsonb;
begin
  if p_to is null or p_to not in ('draft', 'published', 'completed', 'cancelled', 'archived') then
    raise exception 'an event has no state %', p_to using errcode = 'ES400';
  end if;
  perform pg_advisory_xact_lock(es.event_lock(p_event));
  select e.* into v_before from events e where e.id = p_event for no key update;
  if not found then
    return jsonb_build_object('outcome', 'event_not_found');
  end if;
  if v_before.status = p_to then
    return jsonb_build_object('outcome', 'unchanged', 'event_id', p_event, 'status', p_to);
  end if;
  if not es.event_may_become(v_before, p_to) then
    return jsonb_build_object('outcome', 'illegal_transition', 'event_id', p_event, 'from', v_before.status, 'to', p_to);
  end if;
  if p_to = 'published' then
    v_missing := es.event_lacks(p_event);
    if v_missing <> '[]' then
      return jsonb_build_object('outcome', 'not_ready', 'event_id', p_event, 'missing', v_missing);
    end if;
  end if;

  update events e
  set
    status = p_to,
    published_at = case when p_to = 'published' then es.clock() else e.published_at end,
    cancelled_at = case when p_to = 'cancelled' then es.clock() else e.cancelled_at end,
    calendar_sequence = e.calendar_sequence + case when p_to = 'cancelled' then 1 else 0 end
  where e.id = p_event
  returning * into v_after;

  perform emit_event(
    v_after.org_id,
    case p_to when 'published' then 'event.published' when 'cancelled' then 'event.cancelled' else 'event.updated' end,
    'event', p_event,
    jsonb_build_object('status', p_to)
  );
  perform record_audit(v_after.org_id, 'event.' || p_to, 'event', p_event, to_jsonb(v_before), to_jsonb(v_after));
  return jsonb_build_object('outcome', 'changed', 'event_id', p_event, 'status', p_to);
end
$body$;

create or replace function public.change_event_status(p_event uuid, p_to text)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  perform es.demand_permission('events:write');
  if p_to = 'cancelled' then
    raise exception 'an event is called off by cancel_event' using errcode = 'ES400';
  end if;
  return es.move_event(p_event, p_to);
end
$body$;

create or replace function es.event_may_become(p_event events, p_to text)
returns boolean
language sql
immutable
set search_path = pg_catalog, public, es, pg_temp
as $body$
  select case p_to
    when 'published' then p_event.status = 'draft'
    when 'completed' then p_event.status = 'published'
    when 'cancelled' then p_event.status = 'published'
    when 'archived' then p_event.status in ('draft', 'completed', 'cancelled')
    when 'draft' then p_event.status = 'archived' and p_event.published_at is null
    else false
  end
$body$;

-- What an event needs before it can be published and has not.
create or replace function es.event_lacks(p_event uuid)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_missing jsonb := '[]';
begin
  if not exists (select from occurrences o where o.event_id = p_event and o.status = 'scheduled') then
    v_missing := v_missing || '["occurrence"]';
  end if;
  if not exists (select from ticket_types t where t.event_id = p_event and t.active) then
    v_missing := v_missing || '["ticket_type"]';
  end if;
  return v_missing;
end
$body$;

alter function es.move_event(uuid, text) owner to es_verbs;
alter function public.change_event_status(uuid, text) owner to es_verbs;
alter function es.event_may_become(events, text) owner to es_verbs;
alter function es.event_lacks(uuid) owner to es_verbs;
revoke execute on function es.move_event(uuid, text) from public;
revoke execute on function public.change_event_status(uuid, text) from public;
revoke execute on function es.event_may_become(events, text) from public;
revoke execute on function es.event_lacks(uuid) from public;
grant execute on function public.change_event_status(uuid, text) to es_member;
