-- Writes that something happened, in the transaction that makes it true. The relay sends it on after the commit.
-- The number within the object is taken under the lock of its row: events of one object are in one order.
-- Called from: verbs only, after the object itself is locked.
-- Raises: nothing of its own.

create or replace function public.emit_event(
  p_org uuid,
  p_type text,
  p_object_type text,
  p_object uuid,
  p_payload jsonb default '{}'
)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_sequence bigint;
begin
  insert into outbox_sequences as known (org_id, object_type, object_id, last_sequence)
  values (p_org, p_object_type, p_object, 1)
  on conflict (org_id, object_type, object_id) do update
  set last_sequence = known.last_sequence + 1
  returning known.last_sequence into v_sequence;

  insert into outbox (org_id, type, object_type, object_id, sequence, payload)
  values (p_org, p_type, p_object_type, p_object, v_sequence, p_payload);
end
$body$;

alter function public.emit_event(uuid, text, text, uuid, jsonb) owner to es_verbs;
revoke execute on function public.emit_event(uuid, text, text, uuid, jsonb) from public;
grant execute on function public.emit_event(uuid, text, text, uuid, jsonb) to es_system;
