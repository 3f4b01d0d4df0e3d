-- Writes who did what to which object, with the object before and after. Keys that did not change are left out of
-- both when both are given, so that an entry shows the change and nothing else.
-- Called from: verbs only.
-- Raises: nothing of its own.

create or replace function public.record_audit(
  p_org uuid,
  p_action text,
  p_object_type text,
  p_object uuid,
  p_before jsonb default null,
  p_after jsonb default null
)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_before jsonb := p_before;
  v_after jsonb := p_after;
begin
  if p_before is not null and p_after is not null then
    select
      coalesce(jsonb_object_agg(key, p_before -> key) filter (where p_before ? key), '{}'),
      coalesce(jsonb_object_agg(key, p_after -> key) filter (where p_after ? key), '{}')
    into v_before, v_after
    from jsonb_object_keys(p_before || p_after) as key
    where p_before -> key is distinct from p_after -> key
      and key <> 'updated_at';
  end if;

  insert into audit_log (org_id, actor, action, object_type, object_id, before, after)
  values (p_org, es.current_actor(), p_action, p_object_type, p_object, v_before, v_after);
end
$body$;

alter function public.record_audit(uuid, text, text, uuid, jsonb, jsonb) owner to es_verbs;
revoke execute on function public.record_audit(uuid, text, text, uuid, jsonb, jsonb) from public;
grant execute on function public.record_audit(uuid, text, text, uuid, jsonb, jsonb) to es_system;
