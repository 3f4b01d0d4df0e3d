-- Makes a role of the organization's own.
-- Request: {key, name, description?, permissions}. When the key is taken, a random end is put to it.
-- Outcomes: created (role_id), exceeds_own_permissions, forbidden.
-- Who may: members:write, with permissions that they hold themselves.
-- Called from: the verb createRole, which has checked the codes of the permissions.
-- Raises: nothing of its own.

create or replace function public.create_role(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_org constant uuid := es.current_org();
  v_key text := p_request ->> 'key';
  v_permissions constant text[] := array(
    select distinct code
    from jsonb_array_elements_text(p_request -> 'permissions') as code
    order by code
  );
  v_actor record;
  v_new roles;
begin
  v_actor := es.lock_members();
  if not coalesce('members:write' = any (v_actor.held), false) then
    return jsonb_build_object('outcome', 'forbidden');
  end if;
  if not v_permissions <@ v_actor.held then
    return jsonb_build_object('outcome', 'exceeds_own_permissions');
  end if;

  -- Nobody else makes roles here meanwhile: the members are locked.
  while exists (select from roles r where r.org_id = v_org and r.key = v_key) loop
    v_key := left(p_request ->> 'key', 31) || '_' || left(replace(gen_random_uuid()::text, '-', ''), 8);
  end loop;
  insert into roles (org_id, key, name, description, permissions)
  values (v_org, v_key, p_request ->> 'name', coalesce(p_request ->> 'description', ''), v_permissions)
  returning * into v_new;
  perform record_audit(v_org, 'role.created', 'role', v_new.id, null, to_jsonb(v_new));
  return jsonb_build_object('outcome', 'created', 'role_id', v_new.id);
end
$body$;

alter function public.create_role(jsonb) owner to es_verbs;
revoke execute on function public.create_role(jsonb) from public;
grant execute on function public.create_role(jsonb) to es_member;
