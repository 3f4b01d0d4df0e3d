-- Opens an unlisted event to this transaction, for somebody who knows organization and slug.
-- Called from: the door, ahead of the statement that reads an event by slug.
-- Raises: nothing. A wrong name, a draft and a private event reveal nothing.

create or replace function es.reveal_event(p_organization_slug text, p_event_slug text)
returns void
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_event uuid;
begin
  select e.id
  into v_event
  from organizations o
  join events e on e.org_id = o.id
  where o.slug = p_organization_slug
    and o.deleted_at is null
    and e.slug = p_event_slug
    and e.visibility = 'unlisted'
    and e.status in ('published', 'completed', 'cancelled');

  if v_event is null then
    return;
  end if;
  perform set_config('es.revealed', array_to_string(es.revealed_events() || v_event, ','), true);
end
$body$;

alter function es.reveal_event(text, text) owner to es_system;
revoke execute on function es.reveal_event(text, text) from public;
grant execute on function es.reveal_event(text, text) to es_public, es_attendee, es_member;
