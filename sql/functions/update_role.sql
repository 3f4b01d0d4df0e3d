-- Changes a role of the organization's own. What is absent from the request stays.
-- Request: {role_id, name?, description?, permissions?}.
-- Outcomes: updated (role_id), role_not_found, role_built_in, exceeds_own_permissions, forbidden.
-- Who may: members:write; permissions that they give to the role or take from it must be their own.
-- Called from: the verb updateRole, which has checked the codes of the permissions.
-- Raises: 22P02 when the id is no UUID.

create or replace function public.update_role(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_org constant uuid := es.current_org();
  v_actor record;
  v_old roles;
  v_new roles;
  v_permissions text[];
begin
  v_actor := es.lock_members();
  if not coalesce('members:write' = any (v_actor.held), false) then
    return jsonb_build_object('outcome', 'forbidden');
  end if;
  select r.* into v_old
  from roles r
  where r.org_id = v_org
    and r.id = (p_request ->> 'role_id')::uuid
  for no key update;
  if not found then
    return jsonb_build_object('outcome', 'role_not_found');
  end if;
  if v_old.built_in then
    return jsonb_build_object('outcome', 'role_built_in');
  end if;

  v_permissions := v_old.permissions;
  if p_request ? 'permissions' then
    v_permissions := array(
      select distinct code
      from jsonb_array_elements_text(p_request -> 'permissions') as code
      order by code
    );
  end if;
  if exists (
    select code
    from (
      (select unnest(v_permissions) except select unnest(v_old.permissions))
      union all
      (select unnest(v_old.permissions) except select unnest(v_permissions))
    ) as changed (code)
    where code <> all (v_actor.held)
  ) then
    return jsonb_build_object('outcome', 'exceeds_own_permissions');
  end if;

  update roles r
  set
    name = coalesce(p_request ->> 'name', r.name),
    description = coalesce(p_request ->> 'description', r.description),
    permissions = v_permissions
  where r.org_id = v_org
    and r.id = v_old.id
  returning r.* into v_new;
  perform record_audit(v_org, 'role.updated', 'role', v_new.id, to_jsonb(v_old), to_jsonb(v_new));
  return jsonb_build_object('outcome', 'updated', 'role_id', v_new.id);
end
$body$;

alter function public.update_role(jsonb) owner to es_verbs;
revoke execute on function public.update_role(jsonb) from public;
grant execute on function public.update_role(jsonb) to es_member;
