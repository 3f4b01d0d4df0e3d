-- The organization that sells an event: of a published event that is not private, or of any event of the
-- organization that the actor acts in. Null for everything else, so that a foreign draft looks like no event.
-- Called from: verbs of buyers, to open the transaction in that organization.
-- Raises: nothing.

create or replace function public.event_org(p_event uuid)
returns uuid
language plpgsql
stable
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return (
    select e.org_id
    from events e
    join organizations o on o.id = e.org_id
    where e.id = p_event
      and o.deleted_at is null
      and (
        (e.status in ('published', 'completed', 'cancelled') and e.visibility <> 'private')
        or (e.org_id = es.current_org() and es.has_permission('events:read'))
      )
  );
end
$body$;

alter function public.event_org(uuid) owner to es_system;
revoke execute on function public.event_org(uuid) from public;
grant execute on function public.event_org(uuid) to es_public, es_attendee, es_member;
