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

-- The same for a call that came before, under this key of the actor: whoever repeats it hears what was answered then,
-- also when the event is not on sale any more, or is nobody's to see. Null when there was no such call, so that it tells
-- nothing to anybody but who made the key.
-- Called from: placeRegistration and joinWaitlist, where event_org gives null.
-- Raises: nothing.
create or replace function public.event_org_of_key(p_event uuid, p_operation text, p_key text)
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
    join idempotency_keys k on k.org_id = e.org_id
    where e.id = p_event
      and k.actor = es.idempotency_actor()
      and k.operation = p_operation
      and k.key = p_key
  );
end
$body$;

alter function public.event_org(uuid) owner to es_system;
alter function public.event_org_of_key(uuid, text, text) owner to es_system;
revoke execute on function public.event_org(uuid) from public;
revoke execute on function public.event_org_of_key(uuid, text, text) from public;
grant execute on function public.event_org(uuid) to es_public, es_attendee, es_member;
grant execute on function public.event_org_of_key(uuid, text, text) to es_public, es_attendee, es_member;
