-- Ends the membership of the signed-in person; API tokens that the person made are revoked with it.
-- Request: {}.
-- Outcomes: left (member_id), not_a_member, last_owner.
-- Who may: every member, except the last owner.
-- Called from: the verb leaveOrganization.
-- Raises: nothing of its own.

create or replace function public.leave_organization(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_member uuid;
begin
  perform es.lock_members();
  select m.id into v_member
  from members m
  where m.org_id = es.current_org()
    and m.user_id = es.current_user_id()
  for update;
  if v_member is null then
    return jsonb_build_object('outcome', 'not_a_member');
  end if;
  if es.is_last_owner(v_member) then
    return jsonb_build_object('outcome', 'last_owner');
  end if;
  perform es.end_membership(v_member, 'member.left');
  return jsonb_build_object('outcome', 'left', 'member_id', v_member);
end
$body$;

alter function public.leave_organization(jsonb) owner to es_verbs;
revoke execute on function public.leave_organization(jsonb) from public;
grant execute on function public.leave_organization(jsonb) to es_member;
