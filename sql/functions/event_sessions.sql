-- Sessions of an event that begin on a day of its own calendar, and sessions that cannot both be attended or held.
-- Both read as their caller: under the caller's policies.
-- Called from: fields Event.sessionsOn and Session.clashes.
-- Raises: nothing.

create or replace function public.event_sessions_on(p_event uuid, p_day date)
returns setof sessions
language sql
stable
parallel safe
rows 10
set search_path = pg_catalog, public, es, pg_temp
as $body$
  select s.*
  from events e
  join sessions s on s.event_id = e.id
  where e.id = p_event
    -- From midnight to midnight there: on some days that is 23 or 25 hours.
    and s.starts_at >= (p_day::timestamp at time zone e.time_zone)
    and s.starts_at < ((p_day + 1)::timestamp at time zone e.time_zone)
$body$;

create or replace function public.session_clashes(p_session uuid)
returns setof sessions
language sql
stable
parallel safe
rows 5
set search_path = pg_catalog, public, es, pg_temp
as $body$
  select other.*
  from sessions s
  join sessions other on other.event_id = s.event_id
    and other.id <> s.id
    and other.starts_at < s.ends_at
    and other.ends_at > s.starts_at
  where s.id = p_session
    and (
      (s.room <> '' and other.room = s.room)
      or exists (
        select
        from session_speakers ours
        join session_speakers theirs on theirs.speaker_id = ours.speaker_id
        where ours.session_id = s.id
          and theirs.session_id = other.id
      )
    )
$body$;

alter function public.event_sessions_on(uuid, date) owner to es_owner;
alter function public.session_clashes(uuid) owner to es_owner;
revoke execute on function public.event_sessions_on(uuid, date) from public;
revoke execute on function public.session_clashes(uuid) from public;
grant execute on function public.event_sessions_on(uuid, date) to es_public, es_attendee, es_member;
grant execute on function public.session_clashes(uuid) to es_public, es_attendee, es_member;
