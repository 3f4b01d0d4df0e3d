-- Deletes a role of the organization's own that nobody has and no invitation names: invitations are a record.
-- Request: {role_id}.
-- Outcomes: deleted (role_id), role_not_found, role_built_in, role_in_use, forbidden.
-- Who may: members:write.
-- Called from: the verb deleteRole.
-- Raises: 22P02 when the id is no UUID.

create or replace function public.delete_role(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_org constant uuid := es.current_org();
  v_actor record;
  v_old roles;
begin
  v_actor := es.lock_members();
  if not coalesce('members:write' = any (v_actor.held), false) then
    return jsonb_build_object('outcome', 'forbidden');
  end if;
  select r.* into v_old
  from roles r
  where r.org_id = v_org
    and r.id = (p_request ->> 'role_id')::uuid
  for update;
  if not found then
    return jsonb_build_object('outcome', 'role_not_found');
  end if;
  if v_old.built_in then
    return jsonb_build_object('outcome', 'role_built_in');
  end if;
  if exists (select from members m where m.org_id = v_org and m.role_id = v_old.id)
    or exists (select from invitations i where i.org_id = v_org and i.role_id = v_old.id)
  then
    return jsonb_build_object('outcome', 'role_in_use');
  end if;

  delete from roles r
  where r.org_id = v_org
    and r.id = v_old.id;
  perform record_audit(v_org, 'role.deleted', 'role', v_old.id, to_jsonb(v_old));
  return jsonb_build_object('outcome', 'deleted', 'role_id', v_old.id);
end
$body$;

alter function public.delete_role(jsonb) owner to es_verbs;
revoke execute on function public.delete_role(jsonb) from public;
grant execute on function public.delete_role(jsonb) to es_member;
