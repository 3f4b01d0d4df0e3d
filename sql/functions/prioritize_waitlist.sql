-- Sets the priority of entries that wait: greater is served first, time decides between equals. All are set or none.
-- Request: {entry_ids: [1 to 100], priority}.
-- Outcomes: prioritized (entry_ids), entry_not_found (entry_ids: those that do not exist here), not_waiting (entry_ids),
--   invalid (field, message).
-- Called from: the verb prioritizeWaitlistEntries.
-- Raises: ES403 without registrations:write; 22P02 when an id is no UUID.

create or replace function public.prioritize_waitlist(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_ids constant uuid[] := array(select distinct id::uuid from jsonb_array_elements_text(p_request -> 'entry_ids') as id);
  v_priority constant numeric := (p_request ->> 'priority')::numeric;
  v_known uuid[];
  v_waiting uuid[];
  v_entry record;
begin
  perform es.demand_permission('registrations:write');
  if v_priority is null or v_priority not between -1000000 and 1000000 or v_priority % 1 <> 0 then
    return jsonb_build_object('outcome', 'invalid', 'field', 'priority', 'message', 'a priority is -1000000 to 1000000');
  end if;
  if cardinality(v_ids) not between 1 and 100 then
    return jsonb_build_object('outcome', 'invalid', 'field', 'entryIds', 'message', 'between 1 and 100 entries are needed');
  end if;

  select coalesce(array_agg(w.id), '{}'), coalesce(array_agg(w.id) filter (where w.status = 'waiting'), '{}')
  into v_known, v_waiting
  from (
    select w.id, w.status
    from waitlist_entries w
    where w.id = any (v_ids)
    order by w.id
    for no key update
  ) w;
  if cardinality(v_known) < cardinality(v_ids) then
    return jsonb_build_object(
      'outcome', 'entry_not_found',
      'entry_ids', (select jsonb_agg(id) from unnest(v_ids) as id where id <> all (v_known))
    );
  end if;
  if cardinality(v_waiting) < cardinality(v_ids) then
    return jsonb_build_object(
      'outcome', 'not_waiting',
      'entry_ids', (select jsonb_agg(id) from unnest(v_ids) as id where id <> all (v_waiting))
    );
  end if;

  for v_entry in
    update waitlist_entries w
    set priority = v_priority::integer
    from waitlist_entries before
    where w.id = any (v_ids)
      and before.id = w.id
    returning w.*, before.priority as priority_before
  loop
    perform record_audit(
      v_entry.org_id, 'waitlist.prioritized', 'waitlist_entry', v_entry.id,
      jsonb_build_object('priority', v_entry.priority_before), jsonb_build_object('priority', v_entry.priority)
    );
  end loop;
  perform es.enqueue_job('waitlists.serve', '{}', es.current_org()::text, 'taken');
  return jsonb_build_object('outcome', 'prioritized', 'entry_ids', to_jsonb(v_ids));
end
$body$;

alter function public.prioritize_waitlist(jsonb) owner to es_verbs;
revoke execute on function public.prioritize_waitlist(jsonb) from public;
grant execute on function public.prioritize_waitlist(jsonb) to es_member;
