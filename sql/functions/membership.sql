-- What every verb about members, roles and API tokens leans on: who waits for whom, and who may hand out what.
-- Nobody hands out, changes or takes away more than they hold themselves. What they hold is read here, after the
-- lock, not taken from the request: the permissions of a request may be some seconds old.
-- Called from: verbs about members, roles, invitations and API tokens only.
-- Raises: nothing of its own.

-- Locks the members of the organization: two owners who remove each other at once come one after the other, and the
-- second finds that only one is left. Then reads what the actor holds now: the permissions of the member's role, or
-- those scopes of an API token that its maker still holds. `held` is null for whoever is neither.
create or replace function es.lock_members(out held text[], out is_owner boolean)
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_token constant text := substring(es.current_actor() from '^token:(.*)$');
begin
  is_owner := false;
  perform
  from organizations o
  where o.id = es.current_org()
    and o.deleted_at is null
  for no key update;
  if not found then
    return;
  end if;

  if es.current_user_id() is not null then
    select r.permissions, r.key = 'owner' and r.built_in
    into held, is_owner
    from members m
    join roles r on r.org_id = m.org_id and r.id = m.role_id
    where m.org_id = es.current_org()
      and m.user_id = es.current_user_id();
    is_owner := coalesce(is_owner, false);
  elsif v_token is not null then
    select array(select unnest(t.scopes) intersect select unnest(r.permissions))
    into held
    from api_tokens t
    join members m on m.org_id = t.org_id and m.user_id = t.created_by
    join roles r on r.org_id = m.org_id and r.id = m.role_id
    where t.org_id = es.current_org()
      and t.id = v_token::uuid
      and t.revoked_at is null;
  end if;
end
$body$;

-- Whether this member is the only owner left.
create or replace function es.is_last_owner(p_member uuid)
returns boolean
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return exists (
    select
    from members m
    join roles r on r.org_id = m.org_id and r.id = m.role_id
    where m.org_id = es.current_org()
      and m.id = p_member
      and r.key = 'owner'
      and r.built_in
  ) and not exists (
    select
    from members m
    join roles r on r.org_id = m.org_id and r.id = m.role_id
    where m.org_id = es.current_org()
      and m.id <> p_member
      and r.key = 'owner'
      and r.built_in
  );
end
$body$;

-- Ends a membership that the caller has locked and judged, and with it the API tokens that the person made: they
-- would come back to life with the person otherwise.
create or replace function es.end_membership(p_member uuid, p_action text)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_gone members;
  v_token record;
begin
  delete from members m
  where m.org_id = es.current_org()
    and m.id = p_member
  returning m.* into v_gone;

  for v_token in
    update api_tokens t
    set revoked_at = es.clock()
    where t.org_id = v_gone.org_id
      and t.created_by = v_gone.user_id
      and t.revoked_at is null
    returning t.id
  loop
    delete from api_token_secrets s
    where s.org_id = v_gone.org_id
      and s.token_id = v_token.id;
    perform record_audit(v_gone.org_id, 'api_token.revoked', 'api_token', v_token.id);
  end loop;
  perform record_audit(v_gone.org_id, p_action, 'member', v_gone.id, to_jsonb(v_gone));
end
$body$;

-- Whether somebody with this address is a member of the organization of the transaction. Owned by es_system, for
-- addresses belong to no tenant; it tells nothing about any other organization.
create or replace function es.is_member_address(p_email text)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return exists (
    select
    from users u
    join members m on m.user_id = u.id
    where u.email = p_email
      and m.org_id = es.current_org()
  );
end
$body$;

-- The confirmed address of the signed-in person; null without one. Owned by es_system, tells each only their own.
create or replace function es.own_verified_email()
returns text
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return (
    select u.email
    from users u
    where u.id = es.current_user_id()
      and u.email_verified_at is not null
      and u.disabled_at is null
  );
end
$body$;

alter function es.lock_members() owner to es_verbs;
alter function es.is_last_owner(uuid) owner to es_verbs;
alter function es.end_membership(uuid, text) owner to es_verbs;
alter function es.is_member_address(text) owner to es_system;
alter function es.own_verified_email() owner to es_system;
revoke execute on function es.lock_members() from public;
revoke execute on function es.is_last_owner(uuid) from public;
revoke execute on function es.end_membership(uuid, text) from public;
revoke execute on function es.is_member_address(text) from public;
revoke execute on function es.own_verified_email() from public;
grant execute on function es.is_member_address(text) to es_verbs;
grant execute on function es.own_verified_email() to es_verbs;
