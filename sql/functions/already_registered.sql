-- Whether an event that takes one registration an address has one already of the buyer or of an attendee who is named
-- (one_per_person). Addresses are locked on the way, so that of two who place at once the second sees the first.
-- Null when none has, when the event does not ask, and for members with registrations:write; else the outcome
-- already_registered. Within one registration an address may come several times: families share one.
-- Called from: place_registration, extend_registration; before pools are locked, after the event is.
-- Raises: nothing.

create or replace function es.already_registered(p_event events, p_request jsonb, p_except uuid)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_addresses text[];
begin
  if not p_event.one_per_person or es.has_permission('registrations:write') then
    return null;
  end if;
  select array_agg(distinct lower(btrim(said.address #>> '{}')))
  into v_addresses
  from (
    select jsonb_path_query(p_request, '$.buyer.email') as address
    union all
    select jsonb_path_query(p_request, '$.items[*].attendees[*].email')
  ) said;
  perform pg_advisory_xact_lock(a.lock)
  from (
    select distinct hashtextextended(p_event.id || ' ' || address, 21) as lock
    from unnest(v_addresses) as address
    order by 1
  ) a;

  if exists (
    select
    from registrations r
    where r.event_id = p_event.id
      and r.id is distinct from p_except
      and (
        r.status in ('pending_approval', 'pending_payment', 'confirmed')
        or (r.status = 'held' and r.expires_at > es.clock())
      )
      and (
        r.buyer_email = any (v_addresses)
        or exists (
          select
          from registration_items i
          join attendees a on a.id = i.attendee_id
          where i.registration_id = r.id
            and i.cancelled_at is null
            and a.email = any (v_addresses)
        )
      )
  ) then
    return jsonb_build_object('outcome', 'already_registered');
  end if;
  return null;
end
$body$;

alter function es.already_registered(events, jsonb, uuid) owner to es_verbs;
revoke execute on function es.already_registered(events, jsonb, uuid) from public;
