-- What a message may tell about the organization, the event, the date, the registration, its tickets and the recipient, as
-- it is now: {organization, recipient, event?, date?, registration?, tickets}. Words and times are made by the program.
-- Called from: message_take, message_look, message_sample.
-- Raises: nothing.

create or replace function es.message_facts(
  p_org uuid,
  p_event uuid,
  p_registration uuid,
  p_occurrence uuid,
  p_recipient text
)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_registration registrations;
  v_event events;
  v_date occurrences;
begin
  select r.* into v_registration from registrations r where r.org_id = p_org and r.id = p_registration;
  select e.* into v_event from events e where e.org_id = p_org and e.id = coalesce(v_registration.event_id, p_event);
  select o.*
  into v_date
  from occurrences o
  where o.org_id = p_org
    and o.event_id = v_event.id
    and (o.id = coalesce(v_registration.occurrence_id, p_occurrence) or coalesce(v_registration.occurrence_id, p_occurrence) is null)
  order by o.starts_at, o.id
  limit 1;
  return jsonb_build_object(
    'organization', (
      select jsonb_build_object(
        'name', o.name, 'slug', o.slug, 'language', o.language, 'support_email', coalesce(o.support_email, ''),
        'primary_color', coalesce(b.primary_color, '#1f3a5f'), 'logo_url', coalesce(b.logo_url, ''),
        'footer_text', coalesce(b.footer_text, '')
      )
      from organizations o
      left join branding b on b.org_id = o.id
      where o.id = p_org
    ),
    'recipient', jsonb_build_object(
      'address', p_recipient,
      'name', coalesce(v_registration.buyer_name, es.attendee_name(p_org, p_recipient), ''),
      'language', (select u.locale from users u where u.email = p_recipient)
    ),
    'event', (
      select jsonb_build_object(
        'title', v_event.title, 'summary', v_event.summary, 'slug', v_event.slug, 'status', v_event.status,
        'time_zone', v_event.time_zone,
        'place', (
          select concat_ws(', ', nullif(v.name, ''), nullif(v.address_line, ''), nullif(v.city, ''))
          from venues v
          where v.org_id = p_org
            and v.id = v_event.venue_id
        )
      )
      where v_event.id is not null
    ),
    'date', (
      select jsonb_build_object(
        'id', v_date.id, 'starts_at', v_date.starts_at, 'ends_at', v_date.ends_at, 'status', v_date.status,
        'sequence', v_event.calendar_sequence, 'updated_at', v_event.updated_at
      )
      where v_date.id is not null
    ),
    'registration', (
      select jsonb_build_object(
        'id', v_registration.id, 'number', v_registration.confirmation_number, 'status', v_registration.status,
        'total', es.money_text(v_registration.total_minor, v_registration.currency) || ' ' || v_registration.currency,
        'cancel_reason', coalesce(v_registration.cancel_reason, '')
      )
      where v_registration.id is not null
    ),
    'tickets', es.message_tickets(p_org, v_registration, v_date.id, p_recipient)
  );
end
$body$;

-- By what name the organization knows an address.
create or replace function es.attendee_name(p_org uuid, p_address text)
returns text
-- Not in SQL, here and below: that would be planned anew for each letter.
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return (
    select a.name
    from attendees a
    where a.org_id = p_org
      and a.email = p_address
    order by a.created_at desc, a.id
    limit 1
  );
end
$body$;

-- The tickets that count: of the registration, or of whoever is reminded of the date.
create or replace function es.message_tickets(
  p_org uuid,
  p_registration registrations,
  p_occurrence uuid,
  p_recipient text
)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  -- Two statements: a plan for either case would read all tickets.
  if p_registration.id is not null then
    return (
      select coalesce(
        jsonb_agg(
          jsonb_build_object('type', y.name, 'name', coalesce(a.name, ''), 'email', coalesce(a.email, ''), 'code', t.code)
          order by t.issued_at, t.id
        ),
        '[]'
      )
      from tickets t
      join ticket_types y on y.id = t.ticket_type_id
      left join attendees a on a.id = t.attendee_id
      where t.registration_id = p_registration.id
        and t.status = 'valid'
        and not t.received
    );
  end if;
  return (
    select coalesce(
      jsonb_agg(
        jsonb_build_object('type', y.name, 'name', a.name, 'email', a.email, 'code', t.code)
        order by t.issued_at, t.id
      ),
      '[]'
    )
    from attendees a
    join tickets t on t.attendee_id = a.id
    join registrations r on r.id = t.registration_id
    join ticket_types y on y.id = t.ticket_type_id
    where a.org_id = p_org
      and a.email = p_recipient
      and t.status = 'valid'
      and r.occurrence_id = p_occurrence
  );
end
$body$;

alter function es.message_facts(uuid, uuid, uuid, uuid, text) owner to es_system;
alter function es.attendee_name(uuid, text) owner to es_system;
alter function es.message_tickets(uuid, registrations, uuid, text) owner to es_system;
revoke execute on function es.message_facts(uuid, uuid, uuid, uuid, text) from public;
revoke execute on function es.attendee_name(uuid, text) from public;
revoke execute on function es.message_tickets(uuid, registrations, uuid, text) from public;
