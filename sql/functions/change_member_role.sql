-- Gives a member another role.
-- Request: {member_id, role_id}.
-- Outcomes: changed (member_id, user_id), member_not_found, role_not_found, exceeds_own_permissions, last_owner,
--   forbidden.
-- Who may: members:write, over members and roles that may no more than they may; only owners make or unmake owners.
-- Called from: the verb changeMemberRole.
-- Raises: 22P02 when an id is no UUID.

create or replace function public.change_member_role(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_org constant uuid := es.current_org();
  v_actor record;
  v_member members;
  v_old roles;
  v_new roles;
begin
  v_actor := es.lock_members();
  if not coalesce('members:write' = any (v_actor.held), false) then
    return jsonb_build_object('outcome', 'forbidden');
  end if;
  select m.* into v_member
  from members m
  where m.org_id = v_org
    and m.id = (p_request ->> 'member_id')::uuid
  for no key update;
  if not found then
    return jsonb_build_object('outcome', 'member_not_found');
  end if;
  select r.* into v_new
  from roles r
  where r.org_id = v_org
    and r.id = (p_request ->> 'role_id')::uuid;
  if not found then
    return jsonb_build_object('outcome', 'role_not_found');
  end if;
  select r.* into v_old
  from roles r
  where r.org_id = v_org
    and r.id = v_member.role_id;

  if not (v_new.permissions <@ v_actor.held and v_old.permissions <@ v_actor.held)
    or (not v_actor.is_owner and ((v_new.built_in and v_new.key = 'owner') or (v_old.built_in and v_old.key = 'owner')))
  then
    return jsonb_build_object('outcome', 'exceeds_own_permissions');
  end if;
  if v_new.id <> v_old.id and es.is_last_owner(v_member.id) then
    return jsonb_build_object('outcome', 'last_owner');
  end if;

  update members m
  set role_id = v_new.id
  where m.org_id = v_org
    and m.id = v_member.id;
  perform record_audit(
    v_org, 'member.role_changed', 'member', v_member.id,
    jsonb_build_object('role_id', v_old.id, 'role', v_old.key),
    jsonb_build_object('role_id', v_new.id, 'role', v_new.key)
  );
  return jsonb_build_object('outcome', 'changed', 'member_id', v_member.id, 'user_id', v_member.user_id);
end
$body$;

alter function public.change_member_role(jsonb) owner to es_verbs;
revoke execute on function public.change_member_role(jsonb) from public;
grant execute on function public.change_member_role(jsonb) to es_member;
