-- From what happened to who is told: an event of the outbox becomes messages to the people whom it concerns. May be run
-- again at any time: each message is written once.
-- message_follow: request {type, object_id, data}; answer {written}.
-- message_follow_many: for several events. Request: {events: [{type, object_id, data}]}. Answer: {written}.
-- Called from: the job messages.follow, as es_system in the event's organization.
-- Raises: nothing of its own.
-- after: message_write

-- To the buyer, and to whoever got a ticket of it from somebody. Of an event that is called off they hear that: its registrations
-- are cancelled one after the other (R17).
create or replace function es.tell_of_cancellation(p_registration uuid)
returns integer
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_of registrations;
  v_off boolean;
begin
  select r.* into v_of from registrations r where r.id = p_registration and r.confirmed_at is not null;
  if not found then
    return 0;
  end if;
  select e.cancelled_at <= v_of.cancelled_at into v_off from events e where e.id = v_of.event_id;
  return (
    select es.write_messages(coalesce(jsonb_agg(m.message), '[]'))
    from (
      select jsonb_build_object(
        'kind', case when v_off then 'event_cancelled' else 'registration_cancelled' end, 'org_id', v_of.org_id,
        'recipient', v_of.buyer_email, 'event_id', v_of.event_id, 'registration_id', v_of.id, 'about', v_of.id,
        'priority', case when v_off then 2 end
      ) as message
      union all
      select jsonb_build_object(
        'kind', case when v_off then 'event_cancelled' else 'tickets_cancelled' end, 'org_id', v_of.org_id,
        'recipient', a.email, 'event_id', v_of.event_id, 'about', t.id, 'priority', case when v_off then 2 end,
        'variables', jsonb_build_object('occurrence_id', v_of.occurrence_id, 'count', 1)
      )
      from tickets t
      join registration_items i on i.id = t.item_id
      join attendees a on a.id = t.attendee_id
      where t.registration_id = v_of.id
        and t.received
        and t.status = 'cancelled'
        -- Of single places they heard when these were cancelled.
        and i.cancelled_at is null
    ) m
  );
end
$body$;

-- An approval that asks for money says until when; one that does not is told by the confirmation.
create or replace function es.tell_of_decision(p_registration uuid, p_type text, p_data jsonb)
returns integer
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return (
    select es.write_messages(
      jsonb_build_array(
        jsonb_build_object(
          'kind', case p_type when 'registration.approved' then 'registration_approved' else 'registration_rejected' end,
          'org_id', r.org_id, 'recipient', r.buyer_email, 'event_id', r.event_id, 'registration_id', r.id, 'about', r.id,
          'variables', jsonb_build_object('expires_at', p_data -> 'expires_at', 'reason', p_data -> 'reason')
        )
      )
    )
    from registrations r
    where r.id = p_registration
      and (p_type = 'registration.rejected' or p_data ->> 'status' = 'pending_payment')
  );
end
$body$;

-- Money that went back, each time.
create or replace function es.tell_of_refund(p_data jsonb)
returns integer
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return (
    select es.write_messages(
      jsonb_build_array(
        jsonb_build_object(
          'kind', 'payment_refunded', 'org_id', r.org_id, 'recipient', r.buyer_email, 'event_id', r.event_id,
          'registration_id', r.id, 'about', (p_data ->> 'refund_id')::uuid,
          'variables', jsonb_build_object(
            'amount',
            es.money_text((p_data ->> 'amount_minor')::bigint, p_data ->> 'currency') || ' ' || (p_data ->> 'currency')
          )
        )
      )
    )
    from registrations r
    where r.id = (p_data ->> 'registration_id')::uuid
  );
end
$body$;

-- A ticket that was handed on: its new holder gets it, the one before (a holder, or the buyer) hears that it went. Tickets
-- are also replaced when something about them changes; nobody hears of that here.
create or replace function es.tell_of_transfer(p_old uuid, p_data jsonb)
returns integer
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return (
    select es.write_messages(
      coalesce(
        jsonb_agg(
          jsonb_build_object(
            'kind', m.kind, 'org_id', f.org_id, 'recipient', m.recipient, 'event_id', f.event_id, 'about', f.id,
            'variables', jsonb_build_object('occurrence_id', r.occurrence_id, 'name', m.name)
          )
        ),
        '[]'
      )
    )
    from ticket_transfers f
    join tickets t on t.id = f.ticket_id
    join registrations r on r.id = t.registration_id
    left join attendees a on a.id = t.attendee_id
    left join tickets x on x.id = f.new_ticket_id
    left join attendees n on n.id = x.attendee_id
    cross join lateral (
      values
        ('ticket_received', f.recipient_email, n.name),
        (
          'ticket_handed_over',
          case when t.received then a.email else r.buyer_email end,
          case when t.received then a.name else r.buyer_name end
        )
    ) as m (kind, recipient, name)
    where f.ticket_id = p_old
      and f.new_ticket_id = (p_data ->> 'new_ticket_id')::uuid
      and f.status = 'accepted'
      and m.recipient is not null
  );
end
$body$;

create or replace function public.message_follow(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_type constant text := p_request ->> 'type';
  v_object constant uuid := (p_request ->> 'object_id')::uuid;
  v_data constant jsonb := p_request -> 'data';
  v_written integer;
begin
  v_written := case v_type
    when 'registration.confirmed' then
      (
        select es.write_messages(
          jsonb_build_array(
            jsonb_build_object(
              'kind', 'registration_confirmed', 'org_id', r.org_id, 'recipient', r.buyer_email, 'event_id', r.event_id,
              'registration_id', r.id, 'about', r.id
            )
          )
        )
        from registrations r
        where r.id = v_object
          and r.confirmed_at is not null
      )
    when 'registration.cancelled' then es.tell_of_cancellation(v_object)
    when 'registration.approved' then es.tell_of_decision(v_object, v_type, v_data)
    when 'registration.rejected' then es.tell_of_decision(v_object, v_type, v_data)
    when 'payment.refunded' then es.tell_of_refund(v_data)
    when 'ticket.transferred' then es.tell_of_transfer(v_object, v_data)
  end;
  return jsonb_build_object('written', coalesce(v_written, 0));
end
$body$;

-- By the keys of what they are about, so that two who write the same wait for each other in one direction only.
create or replace function public.message_follow_many(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_event jsonb;
  v_written integer := 0;
begin
  for v_event in
    select e.value
    from jsonb_array_elements(p_request -> 'events') with ordinality as e (value, n)
    order by (e.value ->> 'object_id')::uuid, e.n
  loop
    v_written := v_written + (message_follow(v_event) ->> 'written')::integer;
  end loop;
  return jsonb_build_object('written', v_written);
end
$body$;

alter function es.tell_of_cancellation(uuid) owner to es_system;
alter function es.tell_of_decision(uuid, text, jsonb) owner to es_system;
alter function es.tell_of_refund(jsonb) owner to es_system;
alter function es.tell_of_transfer(uuid, jsonb) owner to es_system;
alter function public.message_follow(jsonb) owner to es_system;
alter function public.message_follow_many(jsonb) owner to es_system;
revoke execute on function es.tell_of_cancellation(uuid) from public;
revoke execute on function es.tell_of_decision(uuid, text, jsonb) from public;
revoke execute on function es.tell_of_refund(jsonb) from public;
revoke execute on function es.tell_of_transfer(uuid, jsonb) from public;
revoke execute on function public.message_follow(jsonb) from public;
revoke execute on function public.message_follow_many(jsonb) from public;
