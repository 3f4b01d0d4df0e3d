-- Reminders: found when they are due, and written to everybody with a ticket.
-- message_reminders_due: begins what is due and was not begun, once a date. Request: {limit}. Answer: {begun}.
-- message_remind: writes one reminder to the next people with a ticket for the date. Request: {reminder_id, occurrence_id,
--   after?, limit, count: whether to count them}. Answer: {done: tickets of this step; after: where to go on; total: how many
--   there are, if that was asked}. May be run again at any time: each message is written once.
-- What is due is judged by the date as it is now: where it moves, the reminder moves along. It is never sent for a date that
-- has begun, nor when it was made after it should have been sent.
-- Called from: the jobs messages.remind and messages.remind_people, as es_system.
-- Raises: nothing of its own.
-- after: message_write

-- When a reminder of a date is due, in the zone of the event.
create or replace function es.reminder_due(p_reminder message_reminders, p_starts_at timestamptz, p_zone text)
returns timestamptz
language sql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
  select case
    when p_reminder.minutes_before is not null then p_starts_at - make_interval(mins => p_reminder.minutes_before)
    else
      (
        (p_starts_at at time zone p_zone)::date - p_reminder.days_before
        + make_time(p_reminder.at_minute / 60, p_reminder.at_minute % 60, 0)
      ) at time zone p_zone
  end
$body$;

create or replace function public.message_reminders_due(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_now constant timestamptz := es.clock();
  v_jobs jsonb;
begin
  with due as (
    select r.id as reminder_id, o.id as occurrence_id, r.org_id
    from message_reminders r
    join events e on e.id = r.event_id
    join occurrences o on o.event_id = e.id
    where r.active
      and e.status = 'published'
      and o.status = 'scheduled'
      and o.starts_at > v_now
      and es.reminder_due(r, o.starts_at, e.time_zone) between r.created_at and v_now
      and not exists (
        select
        from message_reminder_runs n
        where n.reminder_id = r.id
          and n.occurrence_id = o.id
      )
    order by r.id, o.id
    limit (p_request ->> 'limit')::integer
  ),
  begun as (
    insert into message_reminder_runs (reminder_id, occurrence_id, org_id, begun_at)
    select d.reminder_id, d.occurrence_id, d.org_id, v_now
    from due d
    on conflict (reminder_id, occurrence_id) do nothing
    returning reminder_id, occurrence_id, org_id
  )
  select jsonb_agg(
    jsonb_build_object(
      'kind', 'messages.remind_people', 'org_id', b.org_id, 'key', b.reminder_id || ' ' || b.occurrence_id,
      'payload', jsonb_build_object('reminder_id', b.reminder_id, 'occurrence_id', b.occurrence_id)
    )
  )
  into v_jobs
  from begun b;
  if v_jobs is not null then
    perform es.enqueue_jobs(v_jobs);
  end if;
  return jsonb_build_object('begun', coalesce(jsonb_array_length(v_jobs), 0));
end
$body$;

create or replace function public.message_remind(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_reminder constant uuid := (p_request ->> 'reminder_id')::uuid;
  v_occurrence constant uuid := (p_request ->> 'occurrence_id')::uuid;
  v_total bigint;
  v_messages jsonb;
  v_last uuid;
  v_done integer;
begin
  if (p_request ->> 'count')::boolean then
    select count(*) into v_total
    from occurrences o
    join tickets t on t.event_id = o.event_id
    join registrations r on r.id = t.registration_id
    join attendees a on a.id = t.attendee_id
    where o.id = v_occurrence
      and r.occurrence_id = o.id
      and t.status = 'valid';
  end if;
  -- Somebody with several tickets is reminded once: the log takes the same recipient once for a reminder and a date.
  with found as (
    select t.id, a.email, t.org_id, t.event_id
    from occurrences o
    join tickets t on t.event_id = o.event_id
    join registrations r on r.id = t.registration_id
    join attendees a on a.id = t.attendee_id
    where o.id = v_occurrence
      and r.occurrence_id = o.id
      and t.status = 'valid'
      and (p_request ->> 'after' is null or t.id > (p_request ->> 'after')::uuid)
    order by t.id
    limit (p_request ->> 'limit')::integer
  )
  select
    (
      select jsonb_agg(
        jsonb_build_object(
          'kind', 'reminder', 'org_id', p.org_id, 'recipient', p.email, 'event_id', p.event_id, 'about', v_occurrence,
          'occasion', v_reminder, 'priority', 2, 'variables', jsonb_build_object('occurrence_id', v_occurrence)
        )
        order by p.email
      )
      from (select distinct f.org_id, f.email, f.event_id from found f) p
    ),
    (select f.id from found f order by f.id desc limit 1),
    (select count(*) from found)
  into v_messages, v_last, v_done;
  perform es.write_messages(coalesce(v_messages, '[]'));
  return jsonb_build_object('done', v_done, 'after', v_last, 'total', v_total);
end
$body$;

alter function es.reminder_due(message_reminders, timestamptz, text) owner to es_system;
alter function public.message_reminders_due(jsonb) owner to es_system;
alter function public.message_remind(jsonb) owner to es_system;
revoke execute on function es.reminder_due(message_reminders, timestamptz, text) from public;
revoke execute on function public.message_reminders_due(jsonb) from public;
revoke execute on function public.message_remind(jsonb) from public;
