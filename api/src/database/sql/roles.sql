-- Cluster-wide roles of eventsphere. Safe to run again.
-- Run by a superuser, or by a role with createrole and createdb (managed services).
-- None of the roles may be superuser or bypass row level security: the tenant fence rests on that.

set client_min_messages = warning;
select set_config('eventsphere.login', :'login', false);
select set_config('eventsphere.password', :'password', false);

do $eventsphere$
declare
  login constant text := current_setting('eventsphere.login');
  password constant text := current_setting('eventsphere.password');
  new_role text;
begin
  -- Two programs that start at once take turns.
  perform pg_advisory_xact_lock(hashtext('eventsphere.bootstrap'));
  foreach new_role in array array['es_owner', 'es_verbs', 'es_system', 'es_public', 'es_attendee', 'es_member']
  loop
    if not exists (select from pg_roles where rolname = new_role) then
      execute format('create role %I nologin', new_role);
    end if;
  end loop;
  if not exists (select from pg_roles where rolname = login) then
    execute format('create role %I login noinherit', login);
    if password <> '' then
      execute format('alter role %I password %L', login, password);
    end if;
  elsif (select rolinherit from pg_roles where rolname = login) then
    execute format('alter role %I noinherit', login);
  end if;
  -- es_owner hands functions over to the roles that they run as.
  grant es_verbs, es_system to es_owner;
  -- The login takes a weak role per transaction and has no right of its own.
  if current_setting('server_version_num')::int >= 160000 then
    execute format('grant es_public, es_attendee, es_member, es_system to %I with inherit false, set true', login);
  else
    execute format('grant es_public, es_attendee, es_member, es_system to %I', login);
  end if;
  -- Migrations run as es_owner; a superuser may become it anyway.
  if not (select rolsuper from pg_roles where rolname = current_user) then
    execute format('grant es_owner to %I', current_user);
  end if;
end
$eventsphere$;
