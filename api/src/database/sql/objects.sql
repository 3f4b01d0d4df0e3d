-- What migrations expect to find inside the database. Safe to run again.
-- Run by the same role as the cluster-wide part, connected to the database of eventsphere.

set client_min_messages = warning;
select set_config('eventsphere.login', :'login', false);
select set_config('eventsphere.database', :'database', false);

do $eventsphere$
declare
  login constant text := current_setting('eventsphere.login');
  database constant text := current_setting('eventsphere.database');
  wanted text;
  found_in text;
begin
  perform pg_advisory_xact_lock(hashtext('eventsphere.bootstrap'));
  if (select datdba <> 'es_owner'::regrole from pg_database where datname = database) then
    execute format('alter database %I owner to es_owner', database);
  end if;
  -- A temporary table could hide one of ours.
  execute format('revoke temporary on database %I from public', database);
  execute format('grant connect on database %I to %I', database, login);

  revoke create on schema public from public;
  grant usage on schema public to public;
  -- A function can be given only to a role that may create in its schema.
  grant usage, create on schema public to es_owner, es_verbs, es_system;

  create schema if not exists es authorization es_owner;
  grant create on schema es to es_verbs, es_system;
  grant usage on schema es to es_verbs, es_system, es_public, es_attendee, es_member;
  -- Statements are prepared before a weak role is taken: names must be found, nothing may be run or read.
  execute format('grant usage on schema es to %I', login);

  create schema if not exists extensions authorization es_owner;
  grant usage on schema extensions to es_verbs, es_system, es_public, es_attendee, es_member;
  foreach wanted in array array['pgcrypto', 'citext', 'pg_trgm', 'unaccent', 'btree_gist']
  loop
    select extnamespace::regnamespace::text into found_in from pg_extension where extname = wanted;
    if found_in is null then
      execute format('create extension %I schema extensions', wanted);
    elsif found_in <> 'extensions' then
      execute format('alter extension %I set schema extensions', wanted);
    end if;
  end loop;
end
$eventsphere$;
