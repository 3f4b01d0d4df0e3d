-- What of an event is sold: whether it sells at all, and the occurrence that a registration is for.
-- Called from: place_registration, check_ticket_availability.
-- Raises: nothing.

-- Null when the event sells; a row of nulls is an event that was not found.
create or replace function es.event_problem(p_event events)
returns jsonb
language plpgsql
immutable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  if p_event.id is null or p_event.status in ('draft', 'archived') or p_event.visibility = 'private' then
    return jsonb_build_object('outcome', 'event_not_found');
  end if;
  if p_event.status <> 'published' then
    return jsonb_build_object('outcome', 'sale_not_open', 'ticket_types', '[]'::jsonb);
  end if;
  return null;
end
$body$;

-- The occurrence asked for, else the next that has not ended; or a problem: occurrence_not_found, or sale_not_open
-- when all is over.

create or replace function es.choose_occurrence(
  p_event uuid,
  p_occurrence uuid,
  p_now timestamptz,
  out id uuid,
  out problem jsonb
)
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_ends_at timestamptz;
begin
  select o.id, o.ends_at
  into id, v_ends_at
  from occurrences o
  where o.event_id = p_event
    and o.status = 'scheduled'
    and (p_occurrence is null or o.id = p_occurrence)
  order by o.ends_at <= p_now, o.starts_at, o.id
  limit 1;

  if id is null then
    problem := jsonb_build_object('outcome', 'occurrence_not_found');
  elsif v_ends_at <= p_now then
    id := null;
    problem := jsonb_build_object('outcome', 'sale_not_open', 'ticket_types', '[]'::jsonb);
  end if;
end
$body$;

alter function es.event_problem(events) owner to es_verbs;
revoke execute on function es.event_problem(events) from public;
grant execute on function es.event_problem(events) to es_system;
alter function es.choose_occurrence(uuid, uuid, timestamptz) owner to es_verbs;
revoke execute on function es.choose_occurrence(uuid, uuid, timestamptz) from public;
grant execute on function es.choose_occurrence(uuid, uuid, timestamptz) to es_system;
