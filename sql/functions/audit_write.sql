-- Writes that the actor of this transaction did a generated write: what was sent, on which row.
-- Called from: generated create, update and delete, after the statement, in its transaction.
-- Raises: nothing of its own.

create or replace function public.audit_write(
  p_action text,
  p_object_type text,
  p_object uuid,
  p_after jsonb
)
returns void
language sql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
  insert into audit_log (org_id, actor, action, object_type, object_id, after)
  values (es.current_org(), es.current_actor(), p_action, p_object_type, p_object, p_after)
$body$;

alter function public.audit_write(text, text, uuid, jsonb) owner to es_verbs;
revoke execute on function public.audit_write(text, text, uuid, jsonb) from public;
grant execute on function public.audit_write(text, text, uuid, jsonb) to es_member;
