-- The organization of a registration that the actor may act on: the buyer's own, one opened by a guest secret, or
-- one of the organization that the actor acts in. Null for everything else.
-- Called from: verbs on a registration, to open the transaction in that organization.
-- Raises: nothing.

create or replace function public.registration_org(p_registration uuid)
returns uuid
language plpgsql
stable
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return (
    select r.org_id
    from registrations r
    where r.id = p_registration
      and (
        r.user_id = es.current_user_id()
        or r.id = any (es.guest_registrations())
        or (r.org_id = es.current_org() and es.has_permission('registrations:read'))
      )
  );
end
$body$;

alter function public.registration_org(uuid) owner to es_system;
revoke execute on function public.registration_org(uuid) from public;
grant execute on function public.registration_org(uuid) to es_public, es_attendee, es_member;
