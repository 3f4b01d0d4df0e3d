-- Creates an organization with its built-in roles and its branding; the signed-in person becomes its owner.
-- Request: {name, slug, country?, default_currency?, time_zone?, support_email?}.
-- Outcomes: created (organization_id, member_id), slug_taken, invalid (constraint?, message).
-- Called from: the verb createOrganization. Crosses tenants because the tenant does not exist before.
-- Raises: ES401 when nobody is signed in.

create or replace function public.create_organization(p jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_user constant uuid := es.current_user_id();
  v_org organizations;
  v_owner_role uuid;
  v_member uuid;
  v_constraint text;
begin
  if v_user is null then
    raise exception 'sign in first' using errcode = 'ES401';
  end if;

  insert into organizations (name, slug, country, default_currency, time_zone, support_email)
  values (
    btrim(p ->> 'name'),
    p ->> 'slug',
    p ->> 'country',
    coalesce(p ->> 'default_currency', 'EUR'),
    coalesce(p ->> 'time_zone', 'UTC'),
    lower(btrim(p ->> 'support_email'))
  )
  returning * into v_org;

  perform es.create_built_in_roles(v_org.id);
  select r.id into v_owner_role from roles r where r.org_id = v_org.id and r.key = 'owner';
  insert into members (org_id, user_id, role_id)
  values (v_org.id, v_user, v_owner_role)
  returning id into v_member;
  insert into branding (org_id)
  values (v_org.id);

  perform record_audit(v_org.id, 'organization.created', 'organization', v_org.id, null, to_jsonb(v_org));
  return jsonb_build_object('outcome', 'created', 'organization_id', v_org.id, 'member_id', v_member);
exception
  when integrity_constraint_violation or data_exception then
    get stacked diagnostics v_constraint = constraint_name;
    if v_constraint = 'organizations_slug_key' then
      return jsonb_build_object('outcome', 'slug_taken');
    end if;
    return jsonb_strip_nulls(jsonb_build_object(
      'outcome', 'invalid', 'constraint', nullif(v_constraint, ''), 'message', sqlerrm
    ));
end
$body$;

-- The built-in roles with the permissions that the table permissions gives them. `migrate` keeps names and
-- descriptions in step with the program; here they are what a fresh organization starts with.
create or replace function es.create_built_in_roles(p_org uuid)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  insert into roles (org_id, key, name, description, permissions, built_in)
  select
    p_org,
    r.key,
    r.name,
    r.description,
    (
      select coalesce(array_agg(p.code order by p.code), '{}')
      from permissions p
      where r.key = any (p.default_roles)
    ),
    true
  from (
    values
      ('owner', 'Owner', 'Everything, and the only role that can hand the organization over or close it.'),
      ('admin', 'Administrator', 'Everything in daily business, members and API tokens included.'),
      ('manager', 'Event manager', 'Plans and sells events and looks after the people who come.'),
      ('staff', 'Staff', 'Looks after registrations and attendees of events that others plan.'),
      ('check_in', 'Check-in', 'Lets people in at the door, and sees no more than that takes.'),
      ('viewer', 'Viewer', 'Reads events and who comes, changes nothing.')
  ) as r (key, name, description);
end
$body$;

alter function public.create_organization(jsonb) owner to es_system;
alter function es.create_built_in_roles(uuid) owner to es_system;
revoke execute on function public.create_organization(jsonb) from public;
revoke execute on function es.create_built_in_roles(uuid) from public;
grant execute on function public.create_organization(jsonb) to es_attendee, es_member;
