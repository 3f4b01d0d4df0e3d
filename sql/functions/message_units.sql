-- Tells of single places of a confirmed registration that were cancelled: its buyer, and whoever had got one of their
-- tickets from somebody.
-- Called from: cancel_units, in its transaction.
-- Raises: nothing of its own.
-- after: message_write

create or replace function es.tell_of_cancelled_units(p_registration registrations, p_items uuid[], p_reason text)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  if p_registration.status <> 'confirmed' then
    return;
  end if;
  perform es.write_messages(jsonb_agg(m.message))
  from (
    -- A place is cancelled once, so the first of them names the occasion.
    select jsonb_build_object(
      'kind', 'tickets_cancelled', 'recipient', p_registration.buyer_email, 'event_id', p_registration.event_id,
      'registration_id', p_registration.id, 'about', p_registration.id,
      'occasion', (select min(i.id::text) from unnest(p_items) as i (id)),
      'variables', jsonb_build_object('count', cardinality(p_items), 'reason', p_reason)
    ) as message
    union all
    select jsonb_build_object(
      'kind', 'tickets_cancelled', 'recipient', a.email, 'event_id', t.event_id, 'about', t.id,
      'variables', jsonb_build_object('count', 1, 'reason', p_reason, 'occurrence_id', p_registration.occurrence_id)
    )
    from tickets t
    join attendees a on a.id = t.attendee_id
    where t.item_id = any (p_items)
      and t.received
      and t.status = 'cancelled'
  ) m;
end
$body$;

alter function es.tell_of_cancelled_units(registrations, uuid[], text) owner to es_verbs;
revoke execute on function es.tell_of_cancelled_units(registrations, uuid[], text) from public;
