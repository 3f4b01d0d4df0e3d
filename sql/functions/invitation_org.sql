-- The organization that a mailed code invites into; null when there is no such code. Whoever holds the code was told
-- the organization by the same mail.
-- Called from: the verb acceptInvitation, to open the transaction in that organization.
-- Raises: nothing.

create or replace function public.invitation_org(p_hash bytea)
returns uuid
language plpgsql
stable
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return (
    select s.org_id
    from invitation_secrets s
    join organizations o on o.id = s.org_id
    where s.token_hash = p_hash
      and o.deleted_at is null
  );
end
$body$;

alter function public.invitation_org(bytea) owner to es_system;
revoke execute on function public.invitation_org(bytea) from public;
grant execute on function public.invitation_org(bytea) to es_attendee, es_member;
