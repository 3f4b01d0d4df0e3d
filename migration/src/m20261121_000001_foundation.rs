//! What policies, defaults and indexes lean on: the settings of a transaction, the clock, keys, the touch trigger.

use crate::sql_migration;

sql_migration!(
    "m20261121_000001_foundation",
    UP.to_owned(),
    DOWN.to_owned()
);

/// Bodies are in the standard form (`return` / `begin atomic`), bound when they are made: no search path matters.
const UP: &str = "
create table es.function_digests (
  name text primary key,
  digest text not null,
  signatures text[] not null,
  applied_at timestamptz not null
);

comment on table es.function_digests is 'Which files of sql/functions were applied, their sha256, and what they made.';

create function es.current_user_id()
returns uuid
stable
parallel safe
return nullif(current_setting('es.user', true), '')::uuid;

create function es.current_org()
returns uuid
stable
parallel safe
return nullif(current_setting('es.org', true), '')::uuid;

create function es.current_actor()
returns text
stable
parallel safe
return coalesce(nullif(current_setting('es.actor', true), ''), 'unknown');

create function es.has_permission(code text)
returns boolean
stable
parallel safe
return code = any (string_to_array(coalesce(current_setting('es.permissions', true), ''), ','));

create function es.guest_registrations()
returns uuid[]
stable
parallel safe
return string_to_array(coalesce(current_setting('es.guest', true), ''), ',')::uuid[];

create function es.revealed_events()
returns uuid[]
stable
parallel safe
return string_to_array(coalesce(current_setting('es.revealed', true), ''), ',')::uuid[];

comment on function es.has_permission(text) is 'Whether the actor of this transaction holds the permission.';

create function es.clock()
returns timestamptz
volatile
parallel safe
return clock_timestamp();

comment on function es.clock() is
  'The instant at which it is called. now() stands still while a transaction waits for a lock; sale decisions must not.';

create function es.new_id()
returns uuid
volatile
parallel safe
return encode(
  set_bit(
    set_bit(
      overlay(
        uuid_send(gen_random_uuid())
        placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3)
        from 1 for 6
      ),
      52, 1
    ),
    53, 1
  ),
  'hex'
)::uuid;

comment on function es.new_id() is 'A UUID of version 7: 48 bits of milliseconds, the rest random.';

create function es.is_time_zone(zone text)
returns boolean
immutable
language plpgsql
set search_path = pg_catalog, pg_temp
as $body$
begin
  -- Without this shape the server also takes abbreviations and made-up zones such as 'Foo5'.
  if zone !~ '^(UTC|[A-Z][A-Za-z_]+(/[A-Z][A-Za-z_-]+){1,2}|Etc/GMT[+-][0-9]{1,2})$' then
    return false;
  end if;
  perform timestamptz 'epoch' at time zone zone;
  return true;
exception
  when invalid_parameter_value then
    return false;
end
$body$;

comment on function es.is_time_zone(text) is 'Whether the server knows a zone of that IANA name.';

create function es.touch()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $body$
begin
  new.updated_at := es.clock();
  return new;
end
$body$;

revoke execute on all functions in schema es from public;
grant execute on all functions in schema es to es_verbs, es_system, es_public, es_attendee, es_member;
";

const DOWN: &str = "
drop function es.touch();
drop function es.is_time_zone(text);
drop function es.new_id();
drop function es.clock();
drop function es.revealed_events();
drop function es.guest_registrations();
drop function es.has_permission(text);
drop function es.current_actor();
drop function es.current_org();
drop function es.current_user_id();
drop table es.function_digests;
";
