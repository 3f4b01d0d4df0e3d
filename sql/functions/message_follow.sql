-- From what happened to who is told: an event of the outbox becomes messages to the people whom it concerns.
-- Request: {type, object_id, after?, limit}. Answer: {written, after?}: `after` is where to go on, while there is more.
-- May be run again at any time: each message is written once.
-- message_follow_many: for several events. Request: {events: [{type, object_id}], limit}. Answer: {written, left: [{type,
--   object_id, after}]}, those for which there is more.
-- Called from: the job messages.follow, as es_system in the events' organization.
-- Raises: nothing of its own.
-- after: message_write

create or replace function es.tell_buyer(p_registration uuid, p_kind text)
returns integer
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return (
    select es.write_messages(
      jsonb_agg(
        jsonb_build_object(
          'kind', w.kind, 'org_id', r.org_id, 'recipient', r.buyer_email, 'event_id', r.event_id,
          'registration_id', r.id, 'about', r.id, 'priority', case w.kind when 'event_cancelled' then 2 end
        )
      )
    )
    from registrations r
    join events e on e.id = r.event_id
    -- R17: registrations of an event that is called off are cancelled one after the other, and their buyers told then.
    cross join lateral (
      select case
        when p_kind = 'registration_cancelled' and r.cancelled_at >= e.cancelled_at then 'event_cancelled'
        else p_kind
      end as kind
    ) w
    where r.id = p_registration
      and r.confirmed_at is not null
  );
end
$body$;

create or replace function es.tell_buyers_of_event(p_event uuid, p_after uuid, p_limit integer)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_messages jsonb;
  v_last uuid;
begin
  select
    jsonb_agg(
      jsonb_build_object(
        'kind', 'event_cancelled', 'org_id', r.org_id, 'recipient', r.buyer_email, 'event_id', r.event_id,
        'registration_id', r.id, 'about', r.id, 'priority', 2
      )
      order by r.id
    ),
    (array_agg(r.id order by r.id desc))[1]
  into v_messages, v_last
  from (
    select r.*
    from registrations r
    join events e on e.id = r.event_id
    where r.event_id = p_event
      and r.status = 'cancelled'
      and r.confirmed_at is not null
      -- Not of those that were cancelled before.
      and r.cancelled_at >= e.cancelled_at
      and (p_after is null or r.id > p_after)
    order by r.id
    limit p_limit
  ) r;
  return jsonb_build_object('written', es.write_messages(coalesce(v_messages, '[]')), 'after', v_last);
end
$body$;

create or replace function public.message_follow(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_object constant uuid := (p_request ->> 'object_id')::uuid;
begin
  return case p_request ->> 'type'
    when 'registration.confirmed' then jsonb_build_object('written', es.tell_buyer(v_object, 'registration_confirmed'))
    when 'registration.cancelled' then jsonb_build_object('written', es.tell_buyer(v_object, 'registration_cancelled'))
    when 'event.cancelled' then
      es.tell_buyers_of_event(v_object, (p_request ->> 'after')::uuid, (p_request ->> 'limit')::integer)
    else jsonb_build_object('written', 0)
  end;
end
$body$;

create or replace function public.message_follow_many(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_event jsonb;
  v_told jsonb;
  v_written integer := 0;
  v_left jsonb := '[]';
begin
  for v_event in
    select e.value
    from jsonb_array_elements(p_request -> 'events') with ordinality as e (value, n)
    order by e.n
  loop
    v_event := jsonb_build_object('type', v_event -> 'type', 'object_id', v_event -> 'object_id');
    v_told := message_follow(v_event || jsonb_build_object('limit', p_request -> 'limit'));
    v_written := v_written + coalesce((v_told ->> 'written')::integer, 0);
    if v_told ->> 'after' is not null then
      v_left := v_left || jsonb_build_array(v_event || jsonb_build_object('after', v_told -> 'after'));
    end if;
  end loop;
  return jsonb_build_object('written', v_written, 'left', v_left);
end
$body$;

alter function es.tell_buyer(uuid, text) owner to es_system;
alter function es.tell_buyers_of_event(uuid, uuid, integer) owner to es_system;
alter function public.message_follow(jsonb) owner to es_system;
alter function public.message_follow_many(jsonb) owner to es_system;
revoke execute on function es.tell_buyer(uuid, text) from public;
revoke execute on function es.tell_buyers_of_event(uuid, uuid, integer) from public;
revoke execute on function public.message_follow(jsonb) from public;
revoke execute on function public.message_follow_many(jsonb) from public;
