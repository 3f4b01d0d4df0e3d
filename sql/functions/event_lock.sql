-- The advisory lock between selling for an event and changing the event as a whole. Who places takes it shared and
-- sees the event as published or not; who publishes, cancels or changes the event takes it alone, and no sale that
-- began before is still under way. An advisory lock, since a share lock on the event's row would be written to disk
-- by every single buyer. It comes after the idempotency key and before registrations and pools.
-- Called from: place_registration; update_event, es.move_event, delete_event.
-- Raises: nothing.

create or replace function es.event_lock(p_event uuid)
returns bigint
language plpgsql
immutable
parallel safe
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return hashtextextended(p_event::text, 20);
end
$body$;

alter function es.event_lock(uuid) owner to es_verbs;
revoke execute on function es.event_lock(uuid) from public;
grant execute on function es.event_lock(uuid) to es_system;
