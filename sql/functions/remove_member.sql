-- Ends somebody's membership; API tokens that the person made are revoked with it.
-- Request: {member_id}.
-- Outcomes: removed (member_id, user_id), member_not_found, exceeds_own_permissions, last_owner, forbidden.
-- Who may: members:write, over members who may no more than they may; only owners remove owners.
-- Called from: the verb removeMember.
-- Raises: 22P02 when the id is no UUID.

create or replace function public.remove_member(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_org constant uuid := es.current_org();
  v_actor record;
  v_member members;
  v_role roles;
begin
  v_actor := es.lock_members();
  if not coalesce('members:write' = any (v_actor.held), false) then
    return jsonb_build_object('outcome', 'forbidden');
  end if;
  select m.* into v_member
  from members m
  where m.org_id = v_org
    and m.id = (p_request ->> 'member_id')::uuid
  for update;
  if not found then
    return jsonb_build_object('outcome', 'member_not_found');
  end if;
  select r.* into v_role
  from roles r
  where r.org_id = v_org
    and r.id = v_member.role_id;
  if not v_role.permissions <@ v_actor.held
    or (v_role.built_in and v_role.key = 'owner' and not v_actor.is_owner)
  then
    return jsonb_build_object('outcome', 'exceeds_own_permissions');
  end if;
  if es.is_last_owner(v_member.id) then
    return jsonb_build_object('outcome', 'last_owner');
  end if;
  perform es.end_membership(v_member.id, 'member.removed');
  return jsonb_build_object('outcome', 'removed', 'member_id', v_member.id, 'user_id', v_member.user_id);
end
$body$;

alter function public.remove_member(jsonb) owner to es_verbs;
revoke execute on function public.remove_member(jsonb) from public;
grant execute on function public.remove_member(jsonb) to es_member;
