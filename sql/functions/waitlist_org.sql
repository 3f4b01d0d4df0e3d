-- The organization of a waitlist's entry that the actor may act on: one's own, one opened by a guest secret, or one of
-- the organization that the actor acts in. Null for everything else.
-- Called from: verbs on an entry, to open the transaction in that organization.
-- Raises: nothing.

create or replace function public.waitlist_org(p_entry uuid)
returns uuid
language plpgsql
stable
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return (
    select w.org_id
    from waitlist_entries w
    where w.id = p_entry
      and (
        w.user_id = es.current_user_id()
        or w.id = any (es.guest_registrations())
        or (w.org_id = es.current_org() and es.has_permission('registrations:read'))
      )
  );
end
$body$;

alter function public.waitlist_org(uuid) owner to es_system;
revoke execute on function public.waitlist_org(uuid) from public;
grant execute on function public.waitlist_org(uuid) to es_public, es_attendee, es_member;
