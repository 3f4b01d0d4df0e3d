-- Copies an event as a draft: occurrences that take place, programme with its speakers, pools, ticket types and what
-- links them, tiers, discounts, codes, taxes and fees. Registrations, claims (and so uses of codes and tiers), join
-- links and signing keys stay behind.
-- Request: {event_id, slug, title?, starts_at?}. With starts_at everything moves by as much, in the event's zone: a
-- session at 9:00 stays at 9:00 across a change of summer time.
-- Outcomes: cloned (event_id), event_not_found, slug_taken, invalid (constraint?, field?, message).
-- Called from: the verb cloneEvent.
-- Raises: ES403 without events:write.

-- Moves an instant by the distance between two others as clocks on the wall show it.
create or replace function es.moved(p_at timestamptz, p_from timestamptz, p_to timestamptz, p_zone text)
returns timestamptz
language sql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
  select (p_at at time zone p_zone + (p_to at time zone p_zone - p_from at time zone p_zone)) at time zone p_zone
$body$;

create or replace function es.clone_programme(p_source events, p_copy events)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_occurrences jsonb;
  v_sessions jsonb;
begin
  select coalesce(jsonb_object_agg(o.id, es.new_id()), '{}')
  into v_occurrences
  from occurrences o
  where o.event_id = p_source.id
    and o.status = 'scheduled';
  insert into occurrences (id, org_id, event_id, starts_at, ends_at)
  select
    (v_occurrences ->> o.id::text)::uuid, o.org_id, p_copy.id,
    es.moved(o.starts_at, p_source.starts_at, p_copy.starts_at, p_source.time_zone),
    es.moved(o.ends_at, p_source.starts_at, p_copy.starts_at, p_source.time_zone)
  from occurrences o
  where o.event_id = p_source.id
    and v_occurrences ? o.id::text;

  select coalesce(jsonb_object_agg(s.id, es.new_id()), '{}')
  into v_sessions
  from sessions s
  where s.event_id = p_source.id
    and (s.occurrence_id is null or v_occurrences ? s.occurrence_id::text);
  insert into sessions (
    id, org_id, event_id, occurrence_id, title, description, room, track, starts_at, ends_at, position
  )
  select
    (v_sessions ->> s.id::text)::uuid, s.org_id, p_copy.id, (v_occurrences ->> s.occurrence_id::text)::uuid,
    s.title, s.description, s.room, s.track,
    es.moved(s.starts_at, p_source.starts_at, p_copy.starts_at, p_source.time_zone),
    es.moved(s.ends_at, p_source.starts_at, p_copy.starts_at, p_source.time_zone),
    s.position
  from sessions s
  where s.event_id = p_source.id
    and v_sessions ? s.id::text;
  insert into session_speakers (org_id, event_id, session_id, speaker_id, position)
  select l.org_id, p_copy.id, (v_sessions ->> l.session_id::text)::uuid, l.speaker_id, l.position
  from session_speakers l
  where l.event_id = p_source.id
    and v_sessions ? l.session_id::text;
  return v_occurrences;
end
$body$;

create or replace function es.clone_catalogue(p_source events, p_copy events, p_occurrences jsonb)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_pools jsonb;
  v_types jsonb;
begin
  select coalesce(jsonb_object_agg(p.id, es.new_id()), '{}')
  into v_pools
  from capacity_pools p
  where p.event_id = p_source.id
    -- Those of tiers and codes are made with them.
    and p.kind = 'stock'
    and (p.occurrence_id is null or p_occurrences ? p.occurrence_id::text);
  insert into capacity_pools (id, org_id, event_id, occurrence_id, name, capacity)
  select
    (v_pools ->> p.id::text)::uuid, p.org_id, p_copy.id, (p_occurrences ->> p.occurrence_id::text)::uuid,
    p.name, p.capacity
  from capacity_pools p
  where p.event_id = p_source.id
    and v_pools ? p.id::text;

  select coalesce(jsonb_object_agg(t.id, es.new_id()), '{}')
  into v_types
  from ticket_types t
  where t.event_id = p_source.id;
  insert into ticket_types (
    id, org_id, event_id, name, description, price_minor, currency, sales_start_at, sales_end_at,
    min_per_registration, max_per_registration, hidden, active, position, price_kind, min_price_minor
  )
  select
    (v_types ->> t.id::text)::uuid, t.org_id, p_copy.id, t.name, t.description, t.price_minor, t.currency,
    es.moved(t.sales_start_at, p_source.starts_at, p_copy.starts_at, p_source.time_zone),
    es.moved(t.sales_end_at, p_source.starts_at, p_copy.starts_at, p_source.time_zone),
    t.min_per_registration, t.max_per_registration, t.hidden, t.active, t.position, t.price_kind, t.min_price_minor
  from ticket_types t
  where t.event_id = p_source.id;

  insert into ticket_type_pools (org_id, event_id, ticket_type_id, pool_id)
  select l.org_id, p_copy.id, (v_types ->> l.ticket_type_id::text)::uuid, (v_pools ->> l.pool_id::text)::uuid
  from ticket_type_pools l
  where l.event_id = p_source.id
    and v_pools ? l.pool_id::text;

  perform es.clone_prices(p_source, p_copy, v_types);
end
$body$;

-- Everything that prices are made of at the event. Rows that members write are copied column by column, so that the
-- copy gets pools and keys of its own.
create or replace function es.clone_prices(p_source events, p_copy events, p_types jsonb)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_codes jsonb;
begin
  insert into ticket_type_add_ons (org_id, event_id, ticket_type_id, add_on_id, min_per_ticket, max_per_ticket)
  select
    a.org_id, p_copy.id, (p_types ->> a.ticket_type_id::text)::uuid, (p_types ->> a.add_on_id::text)::uuid,
    a.min_per_ticket, a.max_per_ticket
  from ticket_type_add_ons a
  where a.event_id = p_source.id;

  insert into price_tiers (
    org_id, event_id, ticket_type_id, name, price_minor, currency, starts_at, ends_at, quantity, position
  )
  select
    t.org_id, p_copy.id, (p_types ->> t.ticket_type_id::text)::uuid, t.name, t.price_minor, t.currency,
    es.moved(t.starts_at, p_source.starts_at, p_copy.starts_at, p_source.time_zone),
    es.moved(t.ends_at, p_source.starts_at, p_copy.starts_at, p_source.time_zone),
    t.quantity, t.position
  from price_tiers t
  where t.event_id = p_source.id
  order by t.id;

  insert into discount_rules (
    org_id, event_id, ticket_type_id, name, kind, rate_millionths, amount_minor, currency, buy_quantity, get_quantity,
    min_tickets, starts_at, ends_at, active, position
  )
  select
    d.org_id, p_copy.id, (p_types ->> d.ticket_type_id::text)::uuid, d.name, d.kind, d.rate_millionths, d.amount_minor,
    d.currency, d.buy_quantity, d.get_quantity, d.min_tickets,
    es.moved(d.starts_at, p_source.starts_at, p_copy.starts_at, p_source.time_zone),
    es.moved(d.ends_at, p_source.starts_at, p_copy.starts_at, p_source.time_zone),
    d.active, d.position
  from discount_rules d
  where d.event_id = p_source.id
  order by d.id;

  select coalesce(jsonb_object_agg(c.id, es.new_id()), '{}')
  into v_codes
  from promo_codes c
  where c.event_id = p_source.id;
  insert into promo_codes (
    id, org_id, event_id, code, kind, rate_millionths, amount_minor, currency, buy_quantity, get_quantity, counted_by,
    max_uses, max_uses_per_buyer, unlocks_hidden, starts_at, ends_at, active
  )
  select
    (v_codes ->> c.id::text)::uuid, c.org_id, p_copy.id, c.code, c.kind, c.rate_millionths, c.amount_minor, c.currency,
    c.buy_quantity, c.get_quantity, c.counted_by, c.max_uses, c.max_uses_per_buyer, c.unlocks_hidden,
    es.moved(c.starts_at, p_source.starts_at, p_copy.starts_at, p_source.time_zone),
    es.moved(c.ends_at, p_source.starts_at, p_copy.starts_at, p_source.time_zone),
    c.active
  from promo_codes c
  where c.event_id = p_source.id;
  -- A code of the organization that is for a type of the one event is for its copy at the other.
  insert into promo_code_ticket_types (org_id, event_id, promo_code_id, ticket_type_id)
  select
    l.org_id, p_copy.id, coalesce((v_codes ->> l.promo_code_id::text)::uuid, l.promo_code_id),
    (p_types ->> l.ticket_type_id::text)::uuid
  from promo_code_ticket_types l
  where l.event_id = p_source.id;

  insert into tax_rules (org_id, event_id, ticket_type_id, name, rate_millionths, inclusive, position)
  select r.org_id, p_copy.id, (p_types ->> r.ticket_type_id::text)::uuid, r.name, r.rate_millionths, r.inclusive, r.position
  from tax_rules r
  where r.event_id = p_source.id
  order by r.id;
  insert into fee_rules (
    org_id, event_id, kind, name, basis, amount_minor, currency, rate_millionths, tax_name, tax_rate_millionths,
    tax_inclusive, active, position
  )
  select
    r.org_id, p_copy.id, r.kind, r.name, r.basis, r.amount_minor, r.currency, r.rate_millionths, r.tax_name,
    r.tax_rate_millionths, r.tax_inclusive, r.active, r.position
  from fee_rules r
  where r.event_id = p_source.id
  order by r.id;
end
$body$;

create or replace function public.clone_event(p jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_source events;
  v_copy events;
  v_constraint text;
  v_column text;
begin
  perform es.demand_permission('events:write');
  -- Alone with the event: what is copied belongs together.
  perform pg_advisory_xact_lock(es.event_lock((p ->> 'event_id')::uuid));
  select e.* into v_source from events e where e.id = (p ->> 'event_id')::uuid;
  if not found then
    return jsonb_build_object('outcome', 'event_not_found');
  end if;

  v_copy := jsonb_populate_record(v_source, jsonb_build_object(
    'id', es.new_id(),
    'slug', p ->> 'slug',
    'title', coalesce(btrim(p ->> 'title'), v_source.title),
    'status', 'draft',
    'starts_at', coalesce((p ->> 'starts_at')::timestamptz, v_source.starts_at),
    'calendar_sequence', 0,
    'published_at', null,
    'cancelled_at', null,
    'created_at', es.clock(),
    'updated_at', es.clock()
  ));
  v_copy.ends_at := es.moved(v_source.ends_at, v_source.starts_at, v_copy.starts_at, v_source.time_zone);
  v_copy.last_payment_at := es.moved(
    v_source.last_payment_at, v_source.starts_at, v_copy.starts_at, v_source.time_zone
  );
  insert into events
  select v_copy.*;

  perform es.clone_catalogue(v_source, v_copy, es.clone_programme(v_source, v_copy));
  perform record_audit(
    v_copy.org_id, 'event.cloned', 'event', v_copy.id, null,
    to_jsonb(v_copy) || jsonb_build_object('cloned_from', v_source.id)
  );
  return jsonb_build_object('outcome', 'cloned', 'event_id', v_copy.id);
exception
  when integrity_constraint_violation or data_exception then
    get stacked diagnostics v_constraint = constraint_name, v_column = column_name;
    return es.event_write_problem(v_constraint, v_column, sqlerrm);
end
$body$;

alter function es.moved(timestamptz, timestamptz, timestamptz, text) owner to es_verbs;
alter function es.clone_programme(events, events) owner to es_verbs;
alter function es.clone_catalogue(events, events, jsonb) owner to es_verbs;
alter function es.clone_prices(events, events, jsonb) owner to es_verbs;
alter function public.clone_event(jsonb) owner to es_verbs;
revoke execute on function es.moved(timestamptz, timestamptz, timestamptz, text) from public;
revoke execute on function es.clone_programme(events, events) from public;
revoke execute on function es.clone_catalogue(events, events, jsonb) from public;
revoke execute on function es.clone_prices(events, events, jsonb) from public;
revoke execute on function public.clone_event(jsonb) from public;
grant execute on function public.clone_event(jsonb) to es_member;
