-- What is missing, or too much, for the login that runs this. One row per finding: kind and what it is about.
-- called from: database/bootstrap.rs, as the login that serves requests.
with me as (
  select oid, rolname, rolsuper, rolbypassrls
  from pg_roles
  where rolname = session_user
),
-- Since 16 a membership may exist without the right to take the role.
how as (
  select case when current_setting('server_version_num')::int >= 160000 then 'SET' else 'MEMBER' end as taking
),
roles as (
  select name, oid, rolsuper or rolbypassrls as mighty
  from unnest(array['es_owner', 'es_verbs', 'es_system', 'es_public', 'es_attendee', 'es_member']) as name
  left join pg_roles on rolname = name
)
select 'old_server' as kind, current_setting('server_version') as subject
where current_setting('server_version_num')::int < 150000
union all
select 'encoding', current_setting('server_encoding')
where current_setting('server_encoding') <> 'UTF8'
union all
select 'mighty_login', case when rolsuper then 'a superuser' else 'allowed to bypass row level security' end
from me
where rolsuper or rolbypassrls
union all
select 'mighty_role', name
from roles
where mighty
union all
select 'role_missing', name
from roles
where oid is null
union all
select 'not_member', name
from roles, how, me
where roles.oid is not null
  and name in ('es_system', 'es_public', 'es_attendee', 'es_member')
  and not pg_has_role(me.oid, roles.oid, how.taking)
union all
select 'inherits', name
from roles, me
where roles.oid is not null
  and not me.rolsuper
  and name in ('es_system', 'es_public', 'es_attendee', 'es_member')
  and pg_has_role(me.oid, roles.oid, 'USAGE')
union all
select 'too_close', name
from roles, me
where roles.oid is not null
  and not me.rolsuper
  and name in ('es_owner', 'es_verbs')
  and pg_has_role(me.oid, roles.oid, 'MEMBER')
union all
select 'owner_lacks', wanted.name
from roles as owner, unnest(array['es_verbs', 'es_system']) as wanted (name), roles as target, how
where owner.name = 'es_owner'
  and owner.oid is not null
  and target.name = wanted.name
  and target.oid is not null
  and not pg_has_role(owner.oid, target.oid, how.taking)
union all
select 'database_owner', pg_get_userbyid(datdba)
from pg_database
where datname = current_database()
  and pg_get_userbyid(datdba) <> 'es_owner'
union all
select 'schema_missing', wanted.name
from unnest(array['es', 'extensions']) as wanted (name)
where not exists (select from pg_namespace where nspname = wanted.name)
union all
select 'extension_missing', wanted.name
from unnest(array['pgcrypto', 'citext', 'pg_trgm', 'unaccent', 'btree_gist']) as wanted (name)
where not exists (
  select
  from pg_extension
  where extname = wanted.name
    and extnamespace = (select oid from pg_namespace where nspname = 'extensions')
)
union all
select 'create_lacks', target.name || ' in ' || nspname
from roles as target, pg_namespace
where target.oid is not null
  and target.name in ('es_owner', 'es_verbs', 'es_system')
  and nspname in ('public', 'es')
  and not has_schema_privilege(target.oid, pg_namespace.oid, 'CREATE')
union all
select 'public_creates', 'public'
from pg_namespace, aclexplode(nspacl) as acl
where nspname = 'public'
  and acl.grantee = 0
  and acl.privilege_type = 'CREATE';
