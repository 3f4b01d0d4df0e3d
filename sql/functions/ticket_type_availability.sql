-- What is left of a ticket type and whether it is on sale, as shown to people: what could be placed at this instant. Holds
-- that have expired count as free from their instant on, given back or not (R2); what those who wait could take does
-- not (R11). With several occurrences, the one with most left counts.
-- All speak only of what the actor may see: events open to visitors, the actor's own organization, the actor's own
-- registrations. For anything else they answer like for an id that does not exist.
-- Called from: fields available, availableAt and saleStatus of a ticket type.
-- Raises: nothing.

-- The ticket type's event, when the actor may know of it.
create or replace function es.event_of_visible_type(p_ticket_type uuid)
returns events
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_event events;
begin
  select e.*
  into v_event
  from ticket_types t
  join events e on e.id = t.event_id
  where t.id = p_ticket_type
    and (
      (
        t.active
        and not t.hidden
        and e.status in ('published', 'completed', 'cancelled')
        and (e.visibility = 'public' or (e.visibility = 'unlisted' and e.id = any (es.revealed_events())))
      )
      or (e.org_id = es.current_org() and es.has_permission('events:read'))
      or exists (
        select
        from registrations r
        where r.event_id = e.id
          and (r.user_id = es.current_user_id() or r.id = any (es.guest_registrations()))
      )
    );
  return v_event;
end
$body$;

-- Units left at one occurrence; null when unlimited. Of all its pools, the tightest counts.
create or replace function es.free_at(p_ticket_type uuid, p_occurrence uuid, p_now timestamptz)
returns integer
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  -- Not greatest(0, ...): that ignores nulls, and null is what tells "unlimited" from "nothing left".
  return (
    select case when min(left_over.units) < 0 then 0 else min(left_over.units) end
    from (
      select
        p.capacity - p.claimed + es.pool_expired(p.id, p_now)
        -- Asked only where somebody waits: most event pages have no queue.
        - case
          when exists (select from waitlist_entries w where w.event_id = p.event_id and w.status = 'waiting')
            then coalesce((select k.units from es.kept_for_waiting(array[p.id], p_now) k), 0)
          else 0
        end as units
      from ticket_type_pools l
      join capacity_pools p on p.id = l.pool_id
      where l.ticket_type_id = p_ticket_type
        and p.capacity is not null
        and (p.occurrence_id is null or p.occurrence_id = p_occurrence)
    ) left_over
  );
end
$body$;

create or replace function public.ticket_type_available(p_ticket_type uuid)
returns integer
language plpgsql
stable
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_event constant events := es.event_of_visible_type(p_ticket_type);
  v_now constant timestamptz := es.clock();
begin
  if v_event.id is null then
    return 0;
  end if;
  return (
    select case when bool_or(left_over.units is null) then null else coalesce(max(left_over.units), 0) end
    from (
      select es.free_at(p_ticket_type, o.id, v_now) as units
      from occurrences o
      where o.event_id = v_event.id
        and o.status = 'scheduled'
        and o.ends_at > v_now
    ) left_over
  );
end
$body$;

-- The same at one date of the event; 0 for a date of another event and for one that is over or called off.
create or replace function public.ticket_type_available_at(p_ticket_type uuid, p_occurrence uuid)
returns integer
language plpgsql
stable
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_event constant events := es.event_of_visible_type(p_ticket_type);
  v_now constant timestamptz := es.clock();
begin
  if not exists (
    select
    from occurrences o
    where o.id = p_occurrence
      and o.event_id = v_event.id
      and o.status = 'scheduled'
      and o.ends_at > v_now
  ) then
    return 0;
  end if;
  return es.free_at(p_ticket_type, p_occurrence, v_now);
end
$body$;

create or replace function public.ticket_type_sale_status(p_ticket_type uuid)
returns text
language plpgsql
stable
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_event constant events := es.event_of_visible_type(p_ticket_type);
  v_now constant timestamptz := es.clock();
  v_type ticket_types;
  v_left integer;
begin
  select t.* into v_type from ticket_types t where t.id = p_ticket_type;
  if v_event.id is null or v_event.status <> 'published' or not v_type.active then
    return 'unavailable';
  end if;
  if v_type.sales_start_at > v_now then
    return 'not_yet_on_sale';
  end if;
  if v_type.sales_end_at <= v_now or not exists (
    select
    from occurrences o
    where o.event_id = v_event.id
      and o.status = 'scheduled'
      and o.ends_at > v_now
  ) then
    return 'sale_ended';
  end if;
  v_left := ticket_type_available(p_ticket_type);
  if v_left < v_type.min_per_registration then
    return 'sold_out';
  end if;
  return 'on_sale';
end
$body$;

alter function es.event_of_visible_type(uuid) owner to es_system;
alter function es.free_at(uuid, uuid, timestamptz) owner to es_system;
alter function public.ticket_type_available(uuid) owner to es_system;
alter function public.ticket_type_available_at(uuid, uuid) owner to es_system;
alter function public.ticket_type_sale_status(uuid) owner to es_system;
revoke execute on function es.event_of_visible_type(uuid) from public;
revoke execute on function es.free_at(uuid, uuid, timestamptz) from public;
revoke execute on function public.ticket_type_available(uuid) from public;
revoke execute on function public.ticket_type_available_at(uuid, uuid) from public;
revoke execute on function public.ticket_type_sale_status(uuid) from public;
grant execute on function public.ticket_type_available(uuid) to es_public, es_attendee, es_member;
grant execute on function public.ticket_type_available_at(uuid, uuid) to es_public, es_attendee, es_member;
grant execute on function public.ticket_type_sale_status(uuid) to es_public, es_attendee, es_member;
